package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"lamplighter/devices"
)

// will is what a device wants said when its connection breaks. The library
// never sees it: it would send it to whoever hears its topic, and a will may
// name any.
type will struct {
	topic   string
	payload []byte
	delay   time.Duration
}

// takeWill takes the will of a CONNECT away from the library.
func takeWill(cl *mqtt.Client) *will {
	w := cl.Properties.Will
	cl.Properties.Will = mqtt.Will{}
	if w.Flag == 0 {
		return nil
	}
	return &will{topic: w.TopicName, payload: w.Payload, delay: time.Duration(w.WillDelayInterval) * time.Second}
}

// bequeath takes the last will as an uplink of the device, after its delay
// [MQTT-3.1.3-9]. A device that is connected again, or still, has no need of it.
func (s *session) bequeath() {
	w := s.will
	if w == nil {
		return
	}
	say := func() {
		if s.hook.ctx.Err() != nil || s.hook.crowd.here(s) {
			return
		}
		s.hear()
		u := devices.Uplink{Device: s.publisher(w.topic), Topic: w.topic, Payload: w.payload, Received: s.received(), Source: Source, Flags: devices.FlagWill}
		if err := s.hook.opt.Sink.Deliver(s.hook.ctx, &u, nil); err != nil && s.hook.ctx.Err() == nil {
			s.hook.opt.Log.Error().Err(err).Msg("a last will was not taken")
		}
	}
	if w.delay == 0 {
		say()
		return
	}
	time.AfterFunc(min(w.delay, maxWillDelay), say)
}

const maxWillDelay = time.Hour

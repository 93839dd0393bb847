package broker

import (
	"encoding/binary"
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"golang.org/x/time/rate"

	"lamplighter/devices"
)

// session is one connection of a device that was let in: who it is, and what
// waits to be acknowledged. It ends with the connection, so that no
// acknowledgement ever reaches another one.
type session struct {
	link    *link
	cl      *mqtt.Client
	hook    *hook
	device  devices.DeviceID // "" for an anonymous connection: the topic says who
	id      string           // client id with the identity before it
	version byte             // 3, 4 or 5
	mute    bool             // the device wants no reason strings [MQTT-3.1.2-29]

	// the reading goroutine's own
	last    int64  // newest Received
	now     int64  // Unix ms of the packet at hand
	topic   string // of the last message: most devices have one
	aliases map[uint16]string
	bucket  *rate.Limiter // nil = no limit
	will    *will
	denied  []string // filters that were just refused

	mu     sync.Mutex
	acks   []byte          // guarded by mu: encoded acknowledgements to write
	queued bool            // guarded by mu: the flusher has it
	exact  map[uint16]bool // guarded by mu: QoS 2 ids until their PUBREL; true = durable, PUBREC sent
	flying int             // guarded by mu: messages that are not durable yet and want an answer
	wake   chan struct{}   // guarded by mu: the reader waits for flying to fall; nil for most
}

// hear notes that a packet has come.
func (s *session) hear() time.Time {
	now := s.hook.opt.Now()
	s.now = now.UnixMilli()
	return now
}

// received is the receive time: the clock's, or one more than the last, so
// that no two messages of a connection share a millisecond.
func (s *session) received() int64 {
	s.last = max(s.last+1, s.now)
	return s.last
}

// publish takes one PUBLISH. An error ends the connection.
func (s *session) publish(first byte, body []byte) error {
	m, err := parsePublish(first, body, s.version)
	if err != nil {
		return s.unreadable(&m, err)
	}
	topic, err := s.topicOf(&m)
	if err != nil {
		return s.fault(err)
	}
	return s.take(&m, topic, 0)
}

// topicOf is the message's topic, by its alias if it has one [MQTT5-3.3.2.3.4].
func (s *session) topicOf(m *message) (string, error) {
	if m.alias > topicAliases {
		return "", fault{codeBadAlias, "topic alias over the maximum of the CONNACK"}
	}
	if len(m.topic) == 0 {
		t, ok := s.aliases[m.alias]
		if !ok {
			return "", fault{codeProtocol, "a topic alias that was never set"}
		}
		return t, nil
	}
	if string(m.topic) != s.topic {
		s.topic = string(m.topic)
	}
	if m.alias > 0 {
		if s.aliases == nil {
			s.aliases = make(map[uint16]string)
		}
		s.aliases[m.alias] = s.topic
	}
	return s.topic, nil
}

// take hands a message to the sink; the acknowledgement comes from Acked.
func (s *session) take(m *message, topic string, flags devices.UplinkFlags) error {
	u := devices.Uplink{Device: s.publisher(topic), Topic: topic, Payload: m.payload, Source: Source, PacketID: m.id, Flags: flags}
	if err := s.pace(u.Device); err != nil {
		return err
	}
	u.Received = s.received()
	if m.dup {
		u.Flags |= devices.FlagDup
	}
	var a devices.Acker
	switch m.qos {
	case 1:
		u.Flags |= devices.FlagQoS1
		a = s
	case 2:
		u.Flags |= devices.FlagQoS2
		a = s
		if !s.begin(m.id) {
			return nil // sent again before its PUBREL: taken already [MQTT-4.3.3-10]
		}
	}
	if strings.HasSuffix(topic, "/"+devices.TopicTime) {
		s.hook.tellTime(&u)
	}
	if a != nil {
		if err := s.board(); err != nil {
			return err
		}
	}
	if err := s.hook.opt.Sink.Deliver(s.link.ctx, &u, a); err != nil {
		if s.link.ctx.Err() != nil {
			return s.link.ctx.Err()
		}
		s.Acked(m.id, err)
		s.hook.opt.Log.Error().Err(err).Msg("a message was not taken and not acknowledged")
	}
	return nil
}

// publisher is the device that speaks. An anonymous connection speaks for any
// device that needs no password; for the others it is nobody.
func (s *session) publisher(topic string) devices.DeviceID {
	t, ok := devices.ParseTopic(topic)
	switch {
	case s.device == "" && (!ok || s.hook.opt.Authority.Adopted(t.Publisher())):
		return "anonymous"
	case s.device == "" && t.Gateway != "" && s.hook.opt.Authority.IsGateway(t.Gateway, t.Device):
		return t.Device
	case s.device == "":
		return t.Publisher()
	case ok && t.Gateway == s.device && s.hook.opt.Authority.IsGateway(s.device, t.Device):
		return t.Device
	}
	return s.device
}

// pace holds a device back that sends faster than the limit: nothing is lost,
// it only comes later, and the device hears why.
func (s *session) pace(d devices.DeviceID) error {
	if s.bucket == nil {
		return nil
	}
	r := s.bucket.ReserveN(time.UnixMilli(s.now), 1)
	wait := r.DelayFrom(time.UnixMilli(s.now))
	if wait < time.Millisecond {
		return nil
	}
	s.hook.throttled.Inc()
	s.hook.notice(d, &devices.Refusal{Code: devices.CodeRate, Msg: s.hook.tooFast})
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.link.ctx.Done():
		return s.link.ctx.Err()
	}
}

// board counts a message that wants an answer, and waits while too many are
// under way. A device of MQTT 5 was told how many it may send [MQTT-3.3.4-9].
func (s *session) board() error {
	s.mu.Lock()
	for s.flying >= s.hook.opt.InFlight {
		if s.version == 5 {
			s.mu.Unlock()
			return s.fault(fault{codeTooMuchFlying, "more messages in flight than the receive maximum of the CONNACK"})
		}
		wake := make(chan struct{})
		s.wake = wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-s.link.ctx.Done():
			return s.link.ctx.Err()
		}
		s.mu.Lock()
	}
	s.flying++
	s.mu.Unlock()
	return nil
}

// begin notes a QoS 2 id. It is false when the id is under way already; if its
// PUBREC was sent, it is sent again.
func (s *session) begin(id uint16) bool {
	s.mu.Lock()
	durable, ok := s.exact[id]
	if !ok {
		if s.exact == nil {
			s.exact = make(map[uint16]bool)
		}
		s.exact[id] = false
	}
	s.mu.Unlock()
	if durable {
		s.answer(typePubrec<<4, id)
	}
	return !ok
}

// release ends a QoS 2 message: PUBREL is answered by PUBCOMP [MQTT-4.3.3-2].
func (s *session) release(first byte, body []byte) error {
	if len(body) < 2 || first&0xf != 2 {
		return s.fault(malformed("PUBREL")) // [MQTT-3.6.1-1]
	}
	id := binary.BigEndian.Uint16(body)
	s.mu.Lock()
	_, known := s.exact[id]
	delete(s.exact, id)
	s.mu.Unlock()
	if !known && s.version == 5 {
		s.queue(typePubcomp<<4, 3, byte(id>>8), byte(id), codeIDNotFound)
		return nil
	}
	s.answer(typePubcomp<<4, id) // also where the id is unknown: it was released before
	return nil
}

// Acked queues the PUBACK or PUBREC of a message that is durable. A message
// that is not is never acknowledged: the device sends it again.
func (s *session) Acked(id uint16, err error) {
	s.mu.Lock()
	s.flying--
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
	kind := byte(typePuback)
	if durable, ok := s.exact[id]; ok && !durable {
		kind = typePubrec
		if err == nil {
			s.exact[id] = true
		} else {
			delete(s.exact, id)
		}
	}
	s.mu.Unlock()
	if err == nil {
		s.answer(kind<<4, id)
	}
}

// answer queues an acknowledgement. Without a reason its short form is good
// for 3.1.1 and 5 [MQTT-3.4.2-1].
func (s *session) answer(first byte, id uint16) {
	s.queue(first, 2, byte(id>>8), byte(id))
}

// queue leaves a packet to the flusher.
func (s *session) queue(packet ...byte) {
	s.mu.Lock()
	s.acks = append(s.acks, packet...)
	was := s.queued
	s.queued = true
	s.mu.Unlock()
	if !was {
		s.hook.flush.add(s)
	}
}

// write sends what is queued, in one write that never waits.
func (s *session) write(buf []byte) []byte {
	s.mu.Lock()
	buf = append(buf[:0], s.acks...)
	s.acks = s.acks[:0]
	if cap(s.acks) > 1024 {
		s.acks = nil
	}
	s.queued = false
	s.mu.Unlock()
	if _, err := s.link.Write(buf); err != nil {
		s.cl.Stop(err)
	}
	return buf
}

// end closes the connection, with the reason where the device can hear it.
func (s *session) end(f fault) {
	s.say(f)
	s.cl.Stop(f)
}

// say sends a DISCONNECT to a device of MQTT 5.
func (s *session) say(f fault) {
	if s.version < 5 {
		return
	}
	if _, err := s.link.Write(disconnectPacket(f, !s.mute)); err != nil {
		s.hook.opt.Log.Debug().Err(err).Msg("say why a connection ends")
	}
}

package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
)

// Source is what stands in uplinks that came through the listener.
const Source = "listener"

// hook is where the library asks us.
type hook struct {
	mqtt.HookBase
	opt    *Options
	srv    *mqtt.Server
	flush  *flusher
	crowd  *crowd
	clerks clerks
	// lib is held around every call into the library that reads or changes what
	// is in flight: its Inflight.NextImmediate and Clients.GetByListener take a
	// read lock twice, and hang when a writer comes between. Nothing that is done
	// under it waits.
	lib     sync.Mutex
	ctx     context.Context
	stop    context.CancelFunc
	tooFast string // what a device hears that sends too fast

	refused   *prometheus.CounterVec
	faults    *prometheus.CounterVec
	throttled prometheus.Counter
	unheard   prometheus.Counter
	subs      prometheus.Counter
}

func newHook(o *Options, srv *mqtt.Server, f *flusher) *hook {
	h := &hook{opt: o, srv: srv, flush: f, crowd: newCrowd(o.PerDevice), clerks: make(clerks),
		tooFast:   fmt.Sprintf("more than %d messages a second; the connection is read more slowly, nothing is lost", o.Rate),
		refused:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_connections_refused_total", Help: "Connections that were refused, by reason."}, []string{"reason"}),
		faults:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_connections_ended_total", Help: "Connections that were ended for what the device sent, by reason."}, []string{"reason"}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_throttled_total", Help: "Messages that waited because their connection was over its rate."}),
		unheard:   prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_downlinks_dropped_total", Help: "Messages to devices that were dropped because the device reads too slowly."}),
		subs:      prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_subscriptions_refused_total", Help: "Subscriptions to topics that are not the device's own."}),
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	o.Metrics.MustRegister(h.refused, h.faults, h.throttled, h.unheard, h.subs,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lamplighter_connections", Help: "Devices connected to the listener."}, func() float64 { return float64(h.crowd.count()) }))
	return h
}

// ID names the hook.
func (h *hook) ID() string { return "lamplighter" }

// Provides lists what the library shall ask.
func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnACLCheck, mqtt.OnSubscribed, mqtt.OnPublish, mqtt.OnPacketEncode,
		mqtt.OnPublishDropped, mqtt.OnClientExpired,
	}, b) >= 0
}

func (h *hook) notice(d devices.DeviceID, r *devices.Refusal) {
	if h.opt.Notice != nil && d != "" {
		h.opt.Notice(d, r)
	}
}

func sessionOf(cl *mqtt.Client) *session {
	if l, ok := cl.Net.Conn.(*link); ok {
		return l.session
	}
	return nil
}

// OnACLCheck lets a device hear its own down topics only, by name or all of
// them by f/1/{d}/#. The library asks it for filters and for topics alike.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if cl.Net.Inline {
		return true
	}
	s := sessionOf(cl)
	if s == nil || write || s.device == "" {
		return false
	}
	rest, ok := strings.CutPrefix(topic, devices.TopicRoot)
	if !ok {
		return false
	}
	leaf, ok := strings.CutPrefix(rest, string(s.device)+"/")
	return ok && (leaf == "#" || devices.DownLeaf(leaf))
}

// OnSubscribed notes which subscriptions were refused.
func (h *hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, codes []byte) {
	s := sessionOf(cl)
	for i, c := range codes {
		if s != nil && c >= packets.ErrUnspecifiedError.Code && i < len(pk.Filters) {
			s.denied = append(s.denied, pk.Filters[i].Filter)
		}
	}
}

// tellDenied tells the device why: after the library is done, because the
// answer goes through it again.
func (s *session) tellDenied() {
	for _, f := range s.denied {
		s.hook.subs.Inc()
		s.hook.opt.Log.Info().Str("device", string(s.device)).Str("filter", f).Msg("subscription refused")
		s.hook.notice(s.device, &devices.Refusal{Code: devices.CodeIdent, Msg: fmt.Sprintf("no subscription to %q; a device may hear f/1/%s/# and what lies under it", clip([]byte(f)), s.device)})
	}
	s.denied = nil
}

// OnPublish sees what goes down to devices; nothing that comes up gets here.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	return pk, packets.ErrRejectPacket
}

// OnPacketEncode tells a device of MQTT 5 the limits in its CONNACK.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type != packets.Connack {
		return pk
	}
	if pk.ReasonCode == 0 && cl.Properties.ProtocolVersion == 5 {
		p := &pk.Properties
		p.MaximumPacketSize = h.opt.MaxPacket
		p.TopicAliasMaximum = topicAliases
		p.SharedSubAvailable, p.SharedSubAvailableFlag = 0, true
	}
	return pk
}

// OnPublishDropped counts what a slow device did not get.
func (h *hook) OnPublishDropped(*mqtt.Client, packets.Packet) { h.unheard.Inc() }

// OnClientExpired forgets what an expired session wanted to hear; the library
// would keep it for ever.
func (h *hook) OnClientExpired(cl *mqtt.Client) { h.srv.UnsubscribeClient(cl) }

// tellTime answers f/1/{d}/time at once: {t0} → {t0,t1,t2}.
func (h *hook) tellTime(u *devices.Uplink) {
	var q struct {
		T0 json.Number `json:"t0"`
	}
	if err := json.Unmarshal(u.Payload, &q); err != nil || q.T0 == "" {
		return // the codec refuses it
	}
	body := fmt.Appendf(nil, `{"t0":%s,"t1":%d,"t2":%d}`, q.T0, u.Received, h.opt.Now().UnixMilli())
	if err := h.publish(devices.TopicRoot+string(u.Device)+"/"+devices.TopicTimeReply, body, false, 0); err != nil {
		h.opt.Log.Debug().Err(err).Msg("time reply")
	}
}

// publish sends a message to whoever subscribed to its topic.
func (h *hook) publish(topic string, payload []byte, retain bool, qos byte) error {
	h.lib.Lock()
	defer h.lib.Unlock()
	return h.srv.Publish(topic, payload, retain, qos)
}

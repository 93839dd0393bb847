package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
)

const source = "listener"

// hook is where the library asks us.
type hook struct {
	mqtt.HookBase
	opt      *Options
	srv      *mqtt.Server
	flush    *flusher
	sessions sync.Map // *mqtt.Client → *session
	ctx      context.Context
	stop     context.CancelFunc

	refused     *prometheus.CounterVec
	connections prometheus.GaugeFunc
}

func newHook(o *Options, srv *mqtt.Server, f *flusher) *hook {
	h := &hook{opt: o, srv: srv, flush: f,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_connections_refused_total", Help: "Connections that were refused, by reason."}, []string{"reason"}),
		connections: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lamplighter_connections", Help: "Devices connected to the listener."}, func() float64 {
			return float64(srv.Clients.Len())
		})}
	h.ctx, h.stop = context.WithCancel(context.Background())
	o.Metrics.MustRegister(h.refused, h.connections)
	return h
}

// ID names the hook.
func (h *hook) ID() string { return "lamplighter" }

// Provides lists what the library shall ask.
func (h *hook) Provides(b byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnSessionEstablish, mqtt.OnDisconnect,
		mqtt.OnPublish, mqtt.OnWill, mqtt.OnWillSent,
	}, b) >= 0
}

// OnConnectAuthenticate lets a device in by certificate or password.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	if cl.Net.Inline {
		return true
	}
	id, why := h.identify(cl, pk)
	if why != "" {
		h.refused.WithLabelValues(why).Inc()
		h.opt.Authority.Seen(id, source, why)
		h.opt.Log.Debug().Str("device", string(id)).Str("remote", cl.Net.Remote).Str("reason", why).Msg("connection refused")
		return false
	}
	s := &session{cl: cl, device: id, flush: h.flush}
	s.ctx, s.cancel = context.WithCancel(h.ctx)
	h.sessions.Store(cl, s)
	return true
}

// identify says who connects, or why it may not.
func (h *hook) identify(cl *mqtt.Client, pk packets.Packet) (devices.DeviceID, string) {
	if cn := commonName(cl); cn != "" {
		id, err := devices.ParseDeviceID(cn)
		if err != nil {
			return "", "the certificate's CN is no device id"
		}
		if !h.opt.Authority.Known(id) {
			return id, "not in the census"
		}
		return id, ""
	}
	name := string(pk.Connect.Username)
	if name == "" {
		if h.opt.Anonymous {
			return "", ""
		}
		return "", "no user name"
	}
	id, err := devices.ParseDeviceID(name)
	if err != nil {
		return "", "the user name is no device id"
	}
	switch {
	case h.opt.Authority.Verify(id, pk.Connect.Password):
		return id, ""
	case h.opt.Authority.Adopted(id):
		return id, "wrong password"
	case h.opt.Anonymous:
		return id, ""
	}
	return id, "not in the census"
}

func commonName(cl *mqtt.Client) string {
	c, ok := cl.Net.Conn.(*tls.Conn)
	if !ok {
		return ""
	}
	if certs := c.ConnectionState().PeerCertificates; len(certs) > 0 {
		return certs[0].Subject.CommonName
	}
	return ""
}

func (h *hook) session(cl *mqtt.Client) *session {
	if s, ok := h.sessions.Load(cl); ok {
		return s.(*session)
	}
	return nil
}

// OnDisconnect forgets the connection.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, _ bool) {
	if s := h.session(cl); s != nil {
		s.cancel()
		h.sessions.Delete(cl)
	}
}

// OnACLCheck lets a device hear its own down topics only. It may publish
// anywhere: what is not its own is refused by the codec, with a reason and a
// copy in quarantine.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	if write || cl.Net.Inline {
		return true
	}
	s := h.session(cl)
	return s != nil && s.device != "" && strings.HasPrefix(topic, devices.TopicRoot+string(s.device)+"/")
}

// OnPublish hands the message on; the acknowledgement comes from session.Acked.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	s := h.session(cl)
	if s == nil {
		return pk, packets.ErrRejectPacket
	}
	u := devices.Uplink{Device: h.publisher(s, pk.TopicName), Topic: pk.TopicName, Payload: pk.Payload, Received: s.received(h.opt.Now()), Source: source, PacketID: pk.PacketID}
	if strings.HasSuffix(pk.TopicName, "/"+devices.TopicTime) {
		h.tellTime(&u)
	}
	var a devices.Acker
	switch pk.FixedHeader.Qos {
	case 1:
		u.Flags |= devices.FlagQoS1
		a = s
	case 2:
		u.Flags |= devices.FlagQoS2
		if !s.begin(pk.PacketID) {
			return pk, packets.ErrRejectPacket // its PUBREC comes when it is durable
		}
		a = s
	}
	if pk.FixedHeader.Dup {
		u.Flags |= devices.FlagDup
	}
	if err := h.opt.Sink.Deliver(s.ctx, &u, a); err != nil && s.ctx.Err() == nil {
		h.opt.Log.Error().Err(err).Msg("a message was not taken and not acknowledged")
	}
	return pk, packets.ErrRejectPacket
}

// publisher is the device that speaks. An anonymous connection speaks for any
// device that needs no password; for the others it is nobody.
func (h *hook) publisher(s *session, topic string) devices.DeviceID {
	if s.device == "" {
		t, ok := devices.ParseTopic(topic)
		if !ok || h.opt.Authority.Adopted(t.Publisher()) {
			return "anonymous"
		}
		return t.Publisher()
	}
	if t, ok := devices.ParseTopic(topic); ok && t.Gateway == s.device && h.opt.Authority.IsGateway(s.device, t.Device) {
		return t.Device
	}
	return s.device
}

// tellTime answers f/1/{d}/time at once: {t0} → {t0,t1,t2}.
func (h *hook) tellTime(u *devices.Uplink) {
	var q struct {
		T0 json.Number `json:"t0"`
	}
	if err := json.Unmarshal(u.Payload, &q); err != nil || q.T0 == "" {
		return // the codec refuses it
	}
	body := fmt.Appendf(nil, `{"t0":%s,"t1":%d,"t2":%d}`, q.T0, u.Received, h.opt.Now().UnixMilli())
	if err := h.srv.Publish(devices.TopicRoot+string(u.Device)+"/"+devices.TopicTimeReply, body, false, 0); err != nil {
		h.opt.Log.Debug().Err(err).Msg("time reply")
	}
}

// OnWill keeps the library from retaining wills.
func (h *hook) OnWill(_ *mqtt.Client, w mqtt.Will) (mqtt.Will, error) {
	w.Retain = false
	return w, nil
}

// OnWillSent takes the last will as an uplink of the device.
func (h *hook) OnWillSent(cl *mqtt.Client, pk packets.Packet) {
	s := h.session(cl)
	if s == nil {
		return
	}
	u := devices.Uplink{Device: h.publisher(s, pk.TopicName), Topic: pk.TopicName, Payload: pk.Payload, Received: s.received(h.opt.Now()), Source: source, Flags: devices.FlagWill}
	if err := h.opt.Sink.Deliver(h.ctx, &u, nil); err != nil {
		h.opt.Log.Error().Err(err).Msg("a last will was not taken")
	}
}

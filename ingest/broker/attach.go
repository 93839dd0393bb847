package broker

import (
	"errors"
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"
)

// clerks are goroutines that run the library for connections. Its packets are
// large values on the stack: a connection that ran it itself would keep 16 KB
// for ever, and most connections are quiet.
type clerks chan job

type job struct {
	do   func() error
	done chan error
}

const clerksCount = 8

// work runs one clerk until the channel is closed.
func (c clerks) work() {
	for j := range c {
		j.done <- survive(j.do)
	}
}

// survive makes a panic an error: what a stranger sends must never end the
// daemon, also where the library did not expect it.
func survive(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the MQTT library failed: %v", r)
		}
	}()
	return do()
}

// run has a clerk do something that must not wait for anybody.
func (c clerks) run(do func() error) error {
	j := job{do, make(chan error, 1)}
	c <- j
	return <-j.done
}

// connect lets the device of a CONNECT in, or answers why not.
func (h *hook) connect(l *link, body []byte) error {
	var s *session
	var pk packets.Packet
	err := h.clerks.run(func() (err error) {
		s, pk, err = h.admit(l, body)
		return err
	})
	if err != nil {
		return err
	}
	if err := l.setKeepalive(pk.Connect.Keepalive); err != nil {
		return err
	}
	l.session = s
	if err := h.crowd.enter(s); err != nil {
		return err
	}
	go s.cl.WriteLoop()
	return h.clerks.run(func() error {
		h.lib.Lock()
		defer h.lib.Unlock()
		present := h.inherit(s, pk.Connect.Clean)
		h.srv.Clients.Add(s.cl)
		if err := h.srv.SendConnack(s.cl, packets.CodeSuccess, present, nil); err != nil {
			return err
		}
		return s.cl.ResendInflightMessages(true)
	})
}

// admit reads a CONNECT and checks it.
func (h *hook) admit(l *link, body []byte) (*session, packets.Packet, error) {
	cl := h.srv.NewClient(l, l.port, "", false)
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect, Remaining: len(body)}}
	if err := pk.ConnectDecode(body); err != nil {
		return nil, pk, h.stray(l, err.Error())
	}
	cl.ParseConnect(l.port, pk)
	id, n := h.identify(l, &pk.Connect)
	if m := h.check(&pk); m != nil {
		n = m
	}
	if n != nil {
		return nil, pk, h.refuse(cl, id, *n)
	}
	s := &session{
		link: l, cl: cl, hook: h, device: id, version: cl.Properties.ProtocolVersion, will: takeWill(cl),
		mute: cl.Properties.Props.RequestProblemInfoFlag && cl.Properties.Props.RequestProblemInfo == 0,
	}
	if h.opt.Rate > 0 {
		s.bucket = rate.NewLimiter(rate.Limit(h.opt.Rate), 10*h.opt.Rate)
	}
	// the identity before the client id: nobody takes over another's session
	cl.ID = string(id) + "/" + cl.ID
	cl.Properties.Username = nil // it would keep the whole CONNECT in memory
	s.id = cl.ID
	return s, pk, nil
}

// inherit gives the session what an earlier one with the same id has left, and
// tells whether there was any [MQTT-3.1.2-4]. That one has ended: crowd.enter
// has waited for it.
func (h *hook) inherit(s *session, clean bool) bool {
	old, ok := h.srv.Clients.Get(s.id)
	if !ok {
		return false
	}
	subs := old.State.Subscriptions.GetAll()
	h.srv.UnsubscribeClient(old)
	if clean {
		old.ClearInflights()
		return false
	}
	for _, sub := range subs {
		h.srv.Topics.Subscribe(s.id, sub)
		s.cl.State.Subscriptions.Add(sub.Filter, sub)
	}
	for _, pk := range old.State.Inflight.GetAll(false) {
		s.cl.State.Inflight.Set(pk)
	}
	old.ClearInflights()
	return true
}

// detach ends what is left of a connection, in the library and here.
func (h *hook) detach(l *link, err error) {
	l.Close()
	if s := l.session; s != nil {
		s.cl.Stop(err)
		p := &s.cl.Properties
		if over := p.ProtocolVersion == 5 && p.Props.SessionExpiryInterval == 0 || p.ProtocolVersion < 5 && p.Clean; over {
			h.lib.Lock()
			s.cl.ClearInflights()
			h.srv.UnsubscribeClient(s.cl)
			if cl, ok := h.srv.Clients.Get(s.id); ok && cl == s.cl {
				h.srv.Clients.Delete(s.id)
			}
			h.lib.Unlock()
		}
		h.crowd.leave(s)
		s.bequeath()
	}
	close(l.done)
}

// control runs the library for a packet that is neither a message nor its
// acknowledgement.
func (s *session) control(first byte, body []byte) error {
	pk := packets.Packet{ProtocolVersion: s.version}
	if err := pk.FixedHeader.Decode(first); err != nil {
		return s.fault(malformed("%v", err))
	}
	pk.FixedHeader.Remaining = len(body)
	body = append([]byte(nil), body...) // the library keeps parts of it
	err := s.hook.clerks.run(func() error {
		if err := decode(&pk, body); err != nil {
			return err
		}
		s.hook.lib.Lock()
		defer s.hook.lib.Unlock()
		return s.hook.srv.InjectPacket(s.cl, pk)
	})
	s.tellDenied()
	var code packets.Code
	var f fault
	switch {
	case err == nil:
		if pk.FixedHeader.Type == packets.Disconnect {
			s.will = nil
			return errGoodbye
		}
		return nil
	case errors.As(err, &code) && code == packets.CodeDisconnectWillMessage:
		return errGoodbye // the device asks for its will [MQTT-3.14.4-3]
	case errors.As(err, &f):
		return s.fault(f)
	case errors.As(err, &code):
		return s.fault(fault{max(code.Code, packets.ErrUnspecifiedError.Code), code.Reason})
	}
	return s.fault(malformed("%v", err))
}

var errGoodbye = errors.New("the device said goodbye")

func decode(pk *packets.Packet, body []byte) error {
	switch pk.FixedHeader.Type {
	case packets.Puback:
		return pk.PubackDecode(body)
	case packets.Pubrec:
		return pk.PubrecDecode(body)
	case packets.Pubcomp:
		return pk.PubcompDecode(body)
	case packets.Subscribe:
		return pk.SubscribeDecode(body)
	case packets.Unsubscribe:
		return pk.UnsubscribeDecode(body)
	case packets.Disconnect:
		return pk.DisconnectDecode(body)
	case packets.Connect:
		return packets.ErrProtocolViolationSecondConnect // [MQTT-3.1.0-2]
	}
	return fault{codeProtocol, "a packet that a device may not send"}
}

package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"

	"lamplighter/devices"
)

// Server is the listener.
type Server struct {
	opt   Options
	srv   *mqtt.Server
	hook  *hook
	flush *flusher
	addrs []net.Addr
	wg    sync.WaitGroup
}

// New opens the addresses; connections are taken from Start on.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{opt: o, flush: newFlusher()}
	s.srv = mqtt.New(&mqtt.Options{
		Capabilities: capabilities(&o), InlineClient: true, SysTopicResendInterval: 3600,
		ClientNetReadBufferSize:  16, // the link has a buffer, when it needs one
		ClientNetWriteBufferSize: 2 << 10,
		Logger:                   slog.New(slog.DiscardHandler),
	})
	s.hook = newHook(&s.opt, s.srv, s.flush)
	if err := s.srv.AddHook(s.hook, nil); err != nil {
		return nil, fmt.Errorf("hook into the listener: %w", err)
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.srv.Close())
	}
	return s, nil
}

func capabilities(o *Options) *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumPacketSize = maxControl // of what the link lets pass
	c.MaximumClients = o.MaxClients
	c.MaximumClientWritesPending = 32
	c.ReceiveMaximum = uint16(min(o.InFlight, 65535))
	c.MaximumInflight = 256
	c.TopicAliasMaximum = topicAliases
	c.SharedSubAvailable = 0
	c.MaximumSessionExpiryInterval = 3600
	c.MaximumMessageExpiryInterval = 0 // a retained configuration does not age
	return c
}

// transport is one way in.
type transport struct {
	id, addr string
	tls, web bool
}

func (s *Server) listen() error {
	var keys *keyring
	if s.opt.TLS != "" || s.opt.WSS != "" {
		var err error
		if keys, err = newKeyring(&s.opt); err != nil {
			return err
		}
	}
	d := newDoors(s.opt.PerAddress, 10*s.opt.PerAddress)
	open := &openCount{max: s.opt.MaxClients + s.opt.MaxClients/10 + 10}
	for _, t := range []transport{
		{"tcp", s.opt.TCP, false, false}, {"tls", s.opt.TLS, true, false},
		{"ws", s.opt.WS, false, true}, {"wss", s.opt.WSS, true, true},
	} {
		if t.addr == "" {
			continue
		}
		ln, err := net.Listen("tcp", t.addr)
		if err != nil {
			return fmt.Errorf("listen for devices on %s: %w", t.addr, err)
		}
		s.addrs = append(s.addrs, ln.Addr())
		if err := s.srv.AddListener(t.port(&gate{ln, s.hook, d, open}, keys)); err != nil {
			return fmt.Errorf("listen for devices on %s: %w", t.addr, err)
		}
	}
	return nil
}

func (t transport) port(g *gate, keys *keyring) listeners.Listener {
	if !t.tls {
		keys = nil
	}
	if t.web {
		return newWeb(t.id, g, keys)
	}
	return &port{id: t.id, gate: g, keys: keys, links: make(map[*link]struct{})}
}

// Start takes connections; it returns at once.
func (s *Server) Start() error {
	for range s.opt.flushersCount {
		s.wg.Go(s.flush.run)
	}
	for range clerksCount {
		s.wg.Go(s.hook.clerks.work)
	}
	if err := s.srv.Serve(); err != nil {
		return fmt.Errorf("serve devices: %w", err)
	}
	return nil
}

// Addr is the first address that was opened.
func (s *Server) Addr() net.Addr { return s.addrs[0] }

// Addrs are the addresses that were opened, in the order TCP, TLS, WebSocket,
// WebSocket on TLS.
func (s *Server) Addrs() []net.Addr { return s.addrs }

// Stop ends every session. Wills are not sent: it is not the devices that go.
func (s *Server) Stop() error {
	s.hook.stop()
	err := s.srv.Close()
	s.flush.close()
	close(s.hook.clerks)
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("stop the listener: %w", err)
	}
	return nil
}

// Publish sends a message to the device's connection, if there is one. It
// never waits for the device.
func (s *Server) Publish(d devices.Downlink) error {
	if err := s.hook.publish(d.Topic, d.Payload, d.Retain, d.QoS); err != nil {
		return fmt.Errorf("publish %s: %w", d.Topic, err)
	}
	return nil
}

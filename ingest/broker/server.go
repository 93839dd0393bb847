package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// Sink takes uplinks. Deliver blocks while there is no room, until ctx ends;
// it copies what it keeps. Acked is called exactly once unless it fails.
type Sink interface {
	Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error
}

// Authority knows the devices.
type Authority interface {
	Known(d devices.DeviceID) bool
	Adopted(d devices.DeviceID) bool // in the census, and not only provisionally
	IsGateway(gw, child devices.DeviceID) bool
	Verify(d devices.DeviceID, password []byte) bool
	Seen(d devices.DeviceID, source, reason string)
}

// Options say where to listen and what to allow. An empty address switches a
// transport off.
type Options struct {
	TCP, TLS, WS  string
	CertFile      string // read again when a connection finds it changed
	KeyFile       string
	ClientCAFile  string // a client certificate signed by it logs in as its CN
	Anonymous     bool   // devices that the census does not know need no password
	MaxPacket     uint32 // bytes; default 256 KiB
	MaxClients    int64  // default 200,000
	Sink          Sink
	Authority     Authority
	Log           zerolog.Logger
	Metrics       prometheus.Registerer
	Now           func() time.Time
	flushersCount int
}

func (o Options) withDefaults() Options {
	if o.MaxPacket == 0 {
		o.MaxPacket = 256 << 10
	}
	if o.MaxClients == 0 {
		o.MaxClients = 200_000
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.flushersCount == 0 {
		o.flushersCount = 4
	}
	return o
}

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
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumPacketSize = o.MaxPacket
	caps.MaximumClients = o.MaxClients
	caps.MaximumClientWritesPending = 32
	caps.ReceiveMaximum = 256
	caps.MaximumInflight = 256
	caps.TopicAliasMaximum = 16
	caps.SharedSubAvailable = 0
	caps.MaximumSessionExpiryInterval = 3600
	s := &Server{opt: o, flush: newFlusher()}
	s.srv = mqtt.New(&mqtt.Options{
		Capabilities: caps, InlineClient: true, SysTopicResendInterval: 3600,
		ClientNetReadBufferSize: 4 << 10, ClientNetWriteBufferSize: 2 << 10,
		Logger: slog.New(slog.DiscardHandler),
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

func (s *Server) listen() error {
	conf, err := s.tlsConfig()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		id, addr string
		conf     *tls.Config
	}{{"tcp", s.opt.TCP, nil}, {"tls", s.opt.TLS, conf}} {
		if l.addr == "" {
			continue
		}
		ln, err := net.Listen("tcp", l.addr)
		if err != nil {
			return fmt.Errorf("listen for devices on %s: %w", l.addr, err)
		}
		s.addrs = append(s.addrs, ln.Addr())
		if l.conf != nil {
			ln = tls.NewListener(ln, l.conf)
		}
		if err := s.srv.AddListener(listeners.NewNet(l.id, greeted{ln})); err != nil {
			return fmt.Errorf("listen for devices on %s: %w", l.addr, err)
		}
	}
	if s.opt.WS == "" {
		return nil
	}
	if err := s.srv.AddListener(listeners.NewWebsocket(listeners.Config{ID: "ws", Address: s.opt.WS})); err != nil {
		return fmt.Errorf("listen for devices on %s: %w", s.opt.WS, err)
	}
	return nil
}

// connectWait is how long a connection may take to say CONNECT.
const connectWait = 10 * time.Second

// greeted gives every new connection a deadline for its CONNECT; the library
// replaces it by the keepalive afterwards.
type greeted struct{ net.Listener }

// Accept sets the deadline.
func (g greeted) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(connectWait)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// tlsConfig reads the certificate for every handshake, so that a renewed file
// is used without a restart.
func (s *Server) tlsConfig() (*tls.Config, error) {
	if s.opt.TLS == "" {
		return nil, nil
	}
	if _, err := tls.LoadX509KeyPair(s.opt.CertFile, s.opt.KeyFile); err != nil {
		return nil, fmt.Errorf("certificate of the listener: %w", err)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(s.opt.CertFile, s.opt.KeyFile)
		return &c, err
	}}
	if s.opt.ClientCAFile != "" {
		pem, err := os.ReadFile(s.opt.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("client CA: %w", err)
		}
		conf.ClientCAs = x509.NewCertPool()
		if !conf.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client CA %s: no certificate in it: %w", s.opt.ClientCAFile, devices.ErrInvalid)
		}
		conf.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return conf, nil
}

// Start takes connections; it returns at once.
func (s *Server) Start() error {
	for range s.opt.flushersCount {
		s.wg.Go(s.flush.run)
	}
	if err := s.srv.Serve(); err != nil {
		return fmt.Errorf("serve devices: %w", err)
	}
	return nil
}

// Addr is the first address that was opened.
func (s *Server) Addr() net.Addr { return s.addrs[0] }

// Addrs are the TCP and TLS addresses that were opened.
func (s *Server) Addrs() []net.Addr { return s.addrs }

// Stop ends every session.
func (s *Server) Stop() error {
	s.hook.stop()
	err := s.srv.Close()
	s.flush.close()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("stop the listener: %w", err)
	}
	return nil
}

// Publish sends a message to the device's connection, if there is one.
func (s *Server) Publish(d devices.Downlink) error {
	if err := s.srv.Publish(d.Topic, d.Payload, d.Retain, d.QoS); err != nil {
		return fmt.Errorf("publish %s: %w", d.Topic, err)
	}
	return nil
}

package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

// gate takes connections from a socket: no more than there may be, no more
// from one address than may come, each with a pipe and a deadline.
type gate struct {
	net.Listener
	hook  *hook
	doors *doors
	open  *openCount
}

// openCount is how many sockets are open on all ports.
type openCount struct {
	mu  sync.Mutex
	n   int64 // guarded by mu
	max int64
}

func (o *openCount) add(d int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d > 0 && o.n >= o.max {
		return false
	}
	o.n += d
	return true
}

// Accept waits for the next connection. It fails only when the socket was
// closed: a daemon that runs out of files takes devices again when it has some.
func (g *gate) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; {
		c, err := g.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			g.hook.opt.Log.Error().Err(err).Msg("take a connection")
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		if p := g.admit(c); p != nil {
			return p, nil
		}
	}
}

func (g *gate) admit(c net.Conn) net.Conn {
	why := ""
	switch {
	case !g.doors.open(c.RemoteAddr(), time.Now()):
		why = "too many from one address"
	case !g.open.add(1):
		why = "too many connections"
	default:
		p := &counted{pipe: newPipe(c), open: g.open}
		if err := p.SetDeadline(time.Now().Add(g.hook.opt.connectWait)); err == nil {
			return p
		}
		p.Close()
		return nil
	}
	g.hook.refused.WithLabelValues(why).Inc()
	c.Close()
	return nil
}

// counted is a pipe that gives its place back.
type counted struct {
	*pipe
	open *openCount
	once sync.Once
}

// Close closes the socket.
func (c *counted) Close() error {
	c.once.Do(func() { c.open.add(-1) })
	return c.pipe.Close()
}

// port is one address as the library sees it: TCP, or TLS where keys is set.
type port struct {
	id   string
	gate *gate
	keys *keyring // nil = plain
	wg   sync.WaitGroup

	mu     sync.Mutex
	links  map[*link]struct{} // guarded by mu
	closed bool               // guarded by mu
}

// Init does nothing: the socket is open.
func (p *port) Init(*slog.Logger) error { return nil }

// ID names the port.
func (p *port) ID() string { return p.id }

// Address is where it listens.
func (p *port) Address() string { return p.gate.Addr().String() }

// Protocol names the transport.
func (p *port) Protocol() string { return p.id }

// Serve takes connections until Close.
func (p *port) Serve(listeners.EstablishFn) {
	for {
		c, err := p.gate.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// Close ends every connection.
func (p *port) Close(listeners.CloseFn) {
	if err := p.gate.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		p.gate.hook.opt.Log.Error().Err(err).Msg("close a port")
	}
	p.hangUp()
	p.wg.Wait()
}

// hangUp says goodbye to devices and closes what has not said CONNECT yet.
func (p *port) hangUp() {
	for _, s := range p.gate.hook.crowd.all() {
		if s.link.port == p.id {
			s.end(fault{codeShuttingDown, "the listener goes down; come again"})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for l := range p.links {
		l.Close()
	}
}

// serve shakes hands and runs the connection to its end.
func (p *port) serve(c net.Conn) {
	defer c.Close()
	raw, _ := c.(*counted)
	if p.keys == nil {
		p.run(newLink(c, raw.pipe, p.id, p.gate.hook))
		return
	}
	t := tls.Server(c, p.keys.config())
	ctx, cancel := context.WithTimeout(p.gate.hook.ctx, p.gate.hook.opt.connectWait)
	err := t.HandshakeContext(ctx)
	cancel()
	if err != nil {
		p.badHandshake(c, err)
		return
	}
	l := newLink(t, nil, p.id, p.gate.hook)
	if certs := t.ConnectionState().PeerCertificates; len(certs) > 0 {
		l.cert = certs[0]
	}
	p.run(l)
}

func (p *port) badHandshake(c net.Conn, err error) {
	why := "TLS handshake"
	if errors.Is(err, errRevoked) {
		why = "revoked certificate"
	}
	p.gate.hook.refused.WithLabelValues(why).Inc()
	p.gate.hook.opt.Log.Debug().Stringer("remote", c.RemoteAddr()).Err(err).Msg("TLS handshake")
}

// run serves a connection and cleans up behind it.
func (p *port) run(l *link) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.links[l] = struct{}{}
	p.mu.Unlock()
	err := l.serve()
	p.gate.hook.detach(l, err)
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	p.gate.hook.opt.Log.Debug().Err(err).Stringer("remote", l.RemoteAddr()).Msg("connection ended")
}

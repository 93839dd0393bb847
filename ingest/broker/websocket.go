package broker

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// web is a port for MQTT over WebSocket [MQTT-6], on TLS where keys is set. A
// page of another site may not connect: browsers name it as the Origin.
type web struct {
	port
	server *http.Server
	up     websocket.Upgrader
}

func newWeb(id string, g *gate, keys *keyring) *web {
	return &web{
		port: port{id: id, gate: g, keys: keys, links: make(map[*link]struct{})},
		up:   websocket.Upgrader{Subprotocols: []string{"mqtt"}, HandshakeTimeout: g.hook.opt.connectWait, ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: new(sync.Pool)},
	}
}

// Serve takes connections until Close.
func (w *web) Serve(listeners.EstablishFn) {
	var ln net.Listener = w.gate
	if w.keys != nil {
		ln = tls.NewListener(ln, w.keys.config())
	}
	wait := w.gate.hook.opt.connectWait
	w.mu.Lock()
	w.server = &http.Server{
		Handler:           http.HandlerFunc(w.upgrade),
		ReadHeaderTimeout: wait, WriteTimeout: wait, IdleTimeout: wait, MaxHeaderBytes: 8 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return
	}
	if err := w.server.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		w.gate.hook.opt.Log.Error().Err(err).Msg("serve WebSocket")
	}
}

// Close ends every connection.
func (w *web) Close(done listeners.CloseFn) {
	w.mu.Lock()
	srv := w.server
	w.closed = true
	w.mu.Unlock()
	if srv != nil {
		if err := srv.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			w.gate.hook.opt.Log.Error().Err(err).Msg("close a port")
		}
	}
	w.port.Close(done)
}

func (w *web) upgrade(rw http.ResponseWriter, r *http.Request) {
	w.wg.Add(1)
	defer w.wg.Done()
	c, err := w.up.Upgrade(rw, r, nil)
	if err != nil {
		w.gate.hook.refused.WithLabelValues("WebSocket handshake").Inc()
		w.gate.hook.opt.Log.Debug().Str("remote", r.RemoteAddr).Err(err).Msg("WebSocket handshake")
		return
	}
	defer c.Close()
	if err := c.NetConn().SetReadDeadline(time.Now().Add(w.gate.hook.opt.connectWait)); err != nil {
		return
	}
	l := newLink(&frames{Conn: c.NetConn(), ws: c}, nil, w.id, w.gate.hook)
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		l.cert = r.TLS.PeerCertificates[0]
	}
	w.run(l)
}

// frames is a WebSocket as a stream: packets and messages need not begin
// together [MQTT-6.0.0-2].
type frames struct {
	net.Conn
	ws  *websocket.Conn
	msg io.Reader // the message at hand, nil between two

	mu sync.Mutex // one writer at a time
}

var errNotBinary = errors.New("a WebSocket message that is not binary") // [MQTT-6.0.0-1]

// Read reads on in the message at hand or waits for the next.
func (f *frames) Read(p []byte) (int, error) {
	for {
		if f.msg == nil {
			kind, r, err := f.ws.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errNotBinary
			}
			f.msg = r
		}
		n, err := f.msg.Read(p)
		if errors.Is(err, io.EOF) {
			f.msg, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends b as one message.
func (f *frames) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

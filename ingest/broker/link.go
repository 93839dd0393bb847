package broker

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// The first halves of the packets' first bytes [MQTT-2.1.2].
const (
	typeConnect    = 1
	typePublish    = 3
	typePuback     = 4
	typePubrec     = 5
	typePubrel     = 6
	typePubcomp    = 7
	typePingreq    = 12
	typePingresp   = 13
	typeDisconnect = 14
)

const (
	maxConnect = 24 << 10 // bytes of a CONNECT: a will of 16 KB, names and a password
	maxControl = 64 << 10 // bytes of any other packet but PUBLISH
	chunkSize  = 8 << 10
	peekSize   = 64
	lingerWait = 2 * time.Second
)

// chunks are read buffers: a link has one only while it has bytes to look at.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// link is one device's connection. It cuts the stream into packets; the library
// sees of it only what it writes. Only the goroutine that reads touches the
// unguarded fields.
type link struct {
	net.Conn       // pipe, or TLS or WebSocket on top of one
	raw      *pipe // to read from directly; nil on TLS and WebSocket
	cert     *x509.Certificate
	port     string
	hook     *hook
	session  *session // nil until the device is let in; set before others can find the session

	ctx    context.Context // ends when the connection is closed
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of the connection is left

	chunk   *[chunkSize]byte // nil while nothing is buffered
	big     []byte           // a packet larger than a chunk, nil for most
	r, w    int              // what is unread in chunk
	try     func(fd uintptr) bool
	tryErr  error
	keep    time.Duration // how long the device may be silent; 0 = for ever
	touched time.Time     // when the read deadline was set
}

func newLink(c net.Conn, raw *pipe, port string, h *hook) *link {
	l := &link{Conn: c, raw: raw, hook: h, port: port, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(h.ctx)
	if raw != nil && raw.raw != nil {
		l.try = l.tryRead
	} else {
		l.raw = nil
	}
	return l
}

// Close ends the connection and whatever waits in its name.
func (l *link) Close() error {
	l.cancel()
	return l.Conn.Close()
}

// Write sends b. The library says DISCONNECT also to devices of MQTT 3.1.1,
// which know no such packet from a server: it is left out.
func (l *link) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0]>>4 == typeDisconnect && (l.session == nil || l.session.version < 5) {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

// setKeepalive gives the device one and a half times its keepalive [MQTT-3.1.2-22];
// 0 is for ever: then TCP notices when it is gone.
func (l *link) setKeepalive(seconds uint16) error {
	l.keep = time.Duration(seconds) * time.Second * 3 / 2
	l.touched = time.Now()
	if l.keep == 0 {
		return l.Conn.SetReadDeadline(time.Time{})
	}
	return l.Conn.SetReadDeadline(l.touched.Add(l.keep + min(time.Second, l.keep/8)))
}

// touch moves the deadline on. It does so now and then only, and gives as much
// more, because a timer is dear beside a message.
func (l *link) touch(now time.Time) {
	slack := min(time.Second, l.keep/8)
	if l.keep == 0 || now.Sub(l.touched) < slack {
		return
	}
	l.touched = now
	if err := l.Conn.SetReadDeadline(now.Add(l.keep + slack)); err != nil {
		l.hook.opt.Log.Debug().Err(err).Msg("keepalive")
	}
}

// serve runs the connection to its end and says why it ended.
func (l *link) serve() error {
	if err := l.greet(); err != nil {
		return err
	}
	for {
		if err := l.next(); err != nil {
			return err
		}
	}
}

// greet reads the CONNECT, which must come first [MQTT-3.1.0-1].
func (l *link) greet() error {
	header, total, err := l.header()
	if err != nil {
		return err
	}
	if first := l.chunk[l.r]; first != typeConnect<<4 {
		return l.hook.stray(l, "the first packet is no CONNECT")
	}
	if total > maxConnect {
		return l.hook.stray(l, "a CONNECT of more than 24 KB")
	}
	body, err := l.packet(header, total)
	if err != nil {
		return err
	}
	body = append([]byte(nil), body...) // the library keeps parts of it
	l.drop(total)
	return l.hook.connect(l, body)
}

// next takes one packet.
func (l *link) next() error {
	header, total, err := l.header()
	if err != nil {
		return err
	}
	s, first := l.session, l.chunk[l.r]
	switch publish := first>>4 == typePublish; {
	case publish && total > int(l.hook.opt.MaxPacket):
		return s.tooLarge(header, total)
	case !publish && total > maxControl:
		return s.fault(malformed("a packet of type %d and %d bytes; at most %d are allowed", first>>4, total, maxControl))
	}
	body, err := l.packet(header, total)
	if err != nil {
		return err
	}
	l.touch(s.hear())
	switch first >> 4 {
	case typePublish:
		err = s.publish(first, body)
	case typePubrel:
		err = s.release(first, body)
	case typePingreq:
		s.queue(typePingresp<<4, 0) // [MQTT-3.12.4-1]
	default:
		err = s.control(first, body)
	}
	l.drop(total)
	return err
}

// header reads the fixed header: its length, and the packet's with it.
func (l *link) header() (header, total int, err error) {
	for n := 2; ; n++ {
		if err := l.need(n); err != nil {
			return 0, 0, err
		}
		if l.chunk[l.r+n-1]&0x80 != 0 {
			if n == 5 {
				return 0, 0, l.bad("a remaining length of more than four bytes") // [MQTT-1.5.5-1]
			}
			continue
		}
		size := 0
		for i := n - 1; i > 0; i-- {
			size = size<<7 | int(l.chunk[l.r+i]&0x7f)
		}
		return n, n + size, nil
	}
}

func (l *link) bad(what string) error {
	if l.session == nil {
		return l.hook.stray(l, what)
	}
	return l.session.fault(malformed("%s", what))
}

// packet is the body of the packet at hand, whole. It is valid until drop.
func (l *link) packet(header, total int) ([]byte, error) {
	if total <= chunkSize {
		if err := l.need(total); err != nil {
			return nil, err
		}
		return l.chunk[l.r+header : l.r+total], nil
	}
	l.big = make([]byte, total)
	n := copy(l.big, l.chunk[l.r:l.w])
	_, err := io.ReadFull(l.Conn, l.big[n:])
	return l.big[header:], err
}

// drop forgets the packet that was taken.
func (l *link) drop(total int) {
	if l.big != nil {
		l.big = nil
		l.skip(l.w - l.r) // all that was buffered was its beginning
		return
	}
	l.skip(total)
}

// skip forgets n buffered bytes, and the chunk with the last of them.
func (l *link) skip(n int) {
	l.r += n
	if l.r == l.w {
		l.r, l.w = 0, 0
		if l.chunk != nil {
			chunks.Put(l.chunk)
			l.chunk = nil
		}
	}
}

// need buffers at least n bytes; n is at most chunkSize.
func (l *link) need(n int) error {
	for l.w-l.r < n {
		if err := l.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads what is there, at least one byte. A link that waits with nothing
// buffered holds no chunk.
func (l *link) fill() error {
	if l.chunk != nil && l.r > 0 && l.w == chunkSize {
		l.w = copy(l.chunk[:], l.chunk[l.r:l.w])
		l.r = 0
	}
	if l.raw != nil {
		l.tryErr = nil
		if err := l.raw.raw.Read(l.try); err != nil {
			return err
		}
		return l.tryErr
	}
	if l.chunk == nil {
		return l.peek()
	}
	n, err := l.Conn.Read(l.chunk[l.w:])
	l.w += n
	if n > 0 {
		return nil
	}
	return err
}

// tryRead reads from the socket into a chunk; false means wait.
func (l *link) tryRead(fd uintptr) bool {
	if l.chunk == nil {
		l.chunk = chunks.Get().(*[chunkSize]byte)
	}
	n, wait, err := readNow(fd, l.chunk[l.w:])
	if n > 0 {
		l.w += n
		return true
	}
	if err == nil && !wait {
		err = io.EOF
	}
	l.tryErr = err
	l.skip(0)
	return !wait
}

// peek waits with a few bytes instead of a chunk.
func (l *link) peek() error {
	var few [peekSize]byte
	n, err := l.Conn.Read(few[:])
	if n == 0 {
		return err
	}
	l.chunk = chunks.Get().(*[chunkSize]byte)
	l.w = copy(l.chunk[:], few[:n])
	return nil
}

// discard reads n bytes and forgets them.
func (l *link) discard(n int) error {
	held := min(n, l.w-l.r)
	l.skip(held)
	_, err := io.CopyN(io.Discard, onlyReader{l.Conn}, int64(n-held))
	return err
}

// onlyReader hides everything else that could make io.Copy go another way.
type onlyReader struct{ io.Reader }

// linger lets what was written arrive: closing a socket with unread bytes
// would reset the connection before the device has read why.
func (l *link) linger() {
	type half interface{ CloseWrite() error }
	h, ok := l.Conn.(half)
	if !ok {
		return
	}
	err := errors.Join(h.CloseWrite(), l.Conn.SetReadDeadline(time.Now().Add(lingerWait)))
	if err == nil {
		_, err = io.CopyN(io.Discard, onlyReader{l.Conn}, 32<<20)
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		l.hook.opt.Log.Debug().Err(err).Msg("close a connection")
	}
}

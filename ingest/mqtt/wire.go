package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"lamplighter/devices"
)

const (
	readSize  = 68 << 10 // the longest topic fits, and headKept
	maxPacket = 2 << 20  // bytes of a PUBLISH; of a larger one only the beginning is taken
	headKept  = 1024     // bytes of its payload
	maxBatch  = 256      // messages handed on at once
	maxAcks   = 16 << 10 // bytes of acknowledgements in a write: what else is to be sent waits for no more

	typePublish = 3            // the first half of a PUBLISH's first byte [MQTT-2.1.2]
	puback      = byte(4 << 4) // the first byte of a PUBACK
	pubrec      = byte(5 << 4)
)

// wire is the connection to a broker under paho. It takes every PUBLISH out of
// the stream before paho sees it, and puts the acknowledgements in, as many with
// one write as have become durable meanwhile. All else passes through: paho keeps
// the session, and answers PUBREL with PUBCOMP (deploy/docs/adr/0011).
//
// An acknowledgement belongs to its connection: after that it goes nowhere, and
// the broker sends the message again.
type wire struct {
	net.Conn
	c    *Client
	in   *bufio.Reader // the reading goroutine's, like the next two
	left int           // bytes that paho has still to read of a packet
	got  *batch        // taken and not handed on

	acks [3]devices.Acker // by QoS

	work chan struct{} // one token when pending is not empty
	gone chan struct{} // closed with the connection
	once sync.Once

	writing sync.Mutex // held while something is written
	spare   []byte     // guarded by writing: acknowledgements that are being written
	rest    []byte     // guarded by writing: those at its end that are not written yet

	mu      sync.Mutex
	pending []byte // guarded by mu: acknowledgements that wait
	closed  bool   // guarded by mu
	err     error  // guarded by mu: why nothing can be acknowledged any more
}

// newWire begins a connection of c; its Close ends the goroutine.
func newWire(conn net.Conn, c *Client) *wire {
	w := &wire{Conn: conn, c: c, in: bufio.NewReaderSize(idleConn{conn, c.opt.timing.silence}, readSize), work: make(chan struct{}, 1), gone: make(chan struct{})}
	w.acks = [3]devices.Acker{&acker{w, 0}, &acker{w, puback}, &acker{w, pubrec}}
	go w.flush()
	return w
}

// Read gives paho what is not a PUBLISH.
func (w *wire) Read(b []byte) (int, error) {
	for w.left == 0 {
		if err := w.next(); err != nil {
			w.hand()
			return 0, w.why(err)
		}
	}
	if w.in.Buffered() == 0 {
		w.hand()
	}
	n, err := w.in.Read(b[:min(len(b), w.left)])
	w.left -= n
	return n, w.why(err)
}

// why is the reason of an error of reading: that nothing could be written, when
// that came first. paho takes a connection that is merely closed for one that it
// has closed itself, and would wait for ever.
func (w *wire) why(err error) error {
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	return err
}

// next takes the packet at hand, or leaves it to paho.
func (w *wire) next() error {
	header, total, err := w.header()
	if err != nil {
		return err
	}
	first, err := w.peek(1)
	if err != nil {
		return err
	}
	if first[0]>>4 == typePublish {
		return w.publish(first[0], header, total)
	}
	w.left = total
	return nil
}

// peek is what comes next; before it waits, it hands on what was taken.
func (w *wire) peek(n int) ([]byte, error) {
	if w.in.Buffered() < n {
		w.hand()
	}
	return w.in.Peek(n)
}

// header is the length of the fixed header at hand, and of the packet with it.
func (w *wire) header() (header, total int, err error) {
	for n := 2; n <= 5; n++ {
		b, err := w.peek(n)
		if err != nil {
			return 0, 0, err
		}
		if b[n-1]&0x80 != 0 {
			continue
		}
		size := 0
		for i := n - 1; i > 0; i-- {
			size = size<<7 | int(b[i]&0x7f)
		}
		return n, n + size, nil
	}
	return 0, 0, errors.New("read from the broker: a remaining length of more than four bytes") // [MQTT-1.5.5-1]
}

// publish takes the PUBLISH at hand.
func (w *wire) publish(first byte, header, total int) error {
	body, flags, err := w.body(header, total)
	if err != nil {
		return err
	}
	m, err := parse(first, body[header:])
	if err != nil {
		return fmt.Errorf("read from the broker: %w", err)
	}
	m.flags |= flags
	w.took(m)
	if len(body) > w.in.Size() {
		return nil // read already
	}
	_, err = w.in.Discard(total)
	return err
}

// body is the packet at hand: in the buffer, or read from it when it is larger.
// Of one that is too large it is the beginning.
func (w *wire) body(header, total int) ([]byte, devices.UplinkFlags, error) {
	switch {
	case total > maxPacket:
		b, err := w.peek(header + 2)
		if err == nil {
			b, err = w.peek(header + 4 + int(binary.BigEndian.Uint16(b[header:])) + headKept)
		}
		return b, devices.FlagCut, err
	case total > w.in.Size():
		w.hand()
		b := make([]byte, total)
		_, err := io.ReadFull(w.in, b)
		return b, 0, err
	}
	b, err := w.peek(total)
	return b, 0, err
}

// took keeps m for the sink, or deals with it here.
func (w *wire) took(m message) {
	if w.c.listen(&m) {
		w.acknowledge(m.acknowledgement(), m.id)
		return
	}
	if m.qos() == 0 && w.c.queued.Load() > queueLen*3/4 {
		w.c.overflow.Inc()
		return
	}
	if w.got == nil {
		w.got = w.c.batch()
	}
	w.c.queued.Add(1)
	w.got.add(w, m)
	if len(w.got.list) == maxBatch {
		w.hand()
	}
}

// hand hands on what was taken; it waits while too much is queued.
func (w *wire) hand() {
	if w.got == nil {
		return
	}
	now := time.Now()
	w.c.came.Store(now.UnixMilli())
	w.c.vouch(w.got, now)
	w.c.taken.Add(float64(len(w.got.list)))
	for w.c.queued.Load() > queueLen {
		select {
		case <-w.c.room:
		case <-w.gone:
			w.c.queued.Add(-int64(len(w.got.list))) // the broker sends them again
			w.got = nil
			return
		}
	}
	w.c.queue <- w.got // has room: it holds as many batches as may be messages
	w.got = nil
}

// acknowledge queues a PUBACK or PUBREC; 0 is none.
func (w *wire) acknowledge(kind byte, id uint16) {
	if kind == 0 {
		return
	}
	w.mu.Lock()
	if !w.closed {
		w.pending = append(w.pending, kind, 2, byte(id>>8), byte(id))
	}
	w.mu.Unlock()
	select {
	case w.work <- struct{}{}:
	default:
	}
}

// flush writes acknowledgements until the connection ends.
func (w *wire) flush() {
	for {
		select {
		case <-w.gone:
			return
		case <-w.work:
		}
		for more := true; more; {
			var err error
			if more, err = w.write(nil); err != nil {
				w.mu.Lock()
				w.err = fmt.Errorf("acknowledge to the broker: %w", err)
				w.mu.Unlock()
				w.Close() // whoever reads ends the session
				return
			}
			w.c.count()
		}
	}
}

// Write writes acknowledgements that wait and then b, whole packets. It waits for
// as long as the broker reads nothing: one that is overloaded takes a packet of
// ours for each of everybody else's, and one that is gone is found by reading.
func (w *wire) Write(b []byte) (int, error) {
	if _, err := w.write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// write tells whether more acknowledgements wait.
func (w *wire) write(b []byte) (more bool, err error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	if len(w.rest) == 0 {
		w.mu.Lock()
		w.rest, w.pending = w.pending, w.spare[:0]
		w.mu.Unlock()
		w.spare = w.rest
	}
	n := min(len(w.rest), maxAcks)
	out := w.rest[:n:n]
	w.rest = w.rest[n:]
	if n == 0 {
		out = b
	} else if len(b) > 0 {
		out = append(out, b...)
	}
	if len(out) == 0 {
		return false, nil
	}
	_, err = w.Conn.Write(out)
	w.mu.Lock()
	more = len(w.rest) > 0 || len(w.pending) > 0 // the token of those that came meanwhile may be spent
	w.mu.Unlock()
	return more, err
}

// SetWriteDeadline does nothing: no Write has one.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close ends the connection; what waits to be acknowledged comes again.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone) })
	w.mu.Lock()
	w.closed, w.pending = true, nil
	w.mu.Unlock()
	return w.Conn.Close()
}

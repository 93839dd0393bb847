package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// line is one connection and the devices that it speaks for.
type line struct {
	run     *Run
	login   login
	devices []device
	share   float64 // messages a second, 0 = as fast as it goes
	quota   int64   // messages, 0 = no end
	sent    int64
	next    int // device whose turn it is

	conn  net.Conn
	slots []slot      // by packet id - 1
	free  chan uint16 // packet ids that are not under way

	acks  histogram
	lines []byte // of the ledger
	errs  map[string]int64
}

type device struct {
	id    string
	topic string
	seq   uint64
}

// slot is a message under way.
type slot struct {
	device int
	seq    uint64
	since  time.Time
}

const (
	retryEvery = 200 * time.Millisecond
	ackTimeout = 10 * time.Second
	flushBytes = 16 << 10
)

// work keeps a connection open and publishes over it until ctx ends or the quota
// is reached. A connection that breaks is made anew; what was under way is not
// acknowledged and not sent again.
func (l *line) work(ctx context.Context) {
	for ctx.Err() == nil && !l.satisfied() {
		if err := l.session(ctx); err != nil && ctx.Err() == nil {
			l.errs[err.Error()]++
			select {
			case <-ctx.Done():
			case <-time.After(retryEvery):
			}
		}
	}
}

func (l *line) satisfied() bool { return l.quota > 0 && l.sent >= l.quota }

// session is one connection from CONNECT to DISCONNECT.
func (l *line) session(ctx context.Context) error {
	r, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer l.conn.Close()
	l.free = make(chan uint16, len(l.slots))
	for i := range l.slots {
		l.free <- uint16(i + 1)
	}
	heard := make(chan error, 1)
	go func() { heard <- l.hear(r); close(heard) }()
	said := l.publish(ctx, heard)
	if said == nil {
		said = l.settle(heard)
	}
	if said == nil {
		_, _ = l.conn.Write([]byte{disconnect, 0}) // best effort: the broker sees the end anyway
		l.conn.Close()
		<-heard
		return nil
	}
	l.conn.Close()
	<-heard
	return said
}

func (l *line) dial(ctx context.Context) (*bufio.Reader, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	var err error
	if l.conn, err = d.DialContext(ctx, "tcp", l.run.opt.Address); err != nil {
		return nil, reason("connect", err)
	}
	r := bufio.NewReaderSize(l.conn, 4<<10)
	var buf [4096]byte
	err = l.conn.SetDeadline(time.Now().Add(ackTimeout))
	if err == nil {
		_, err = l.conn.Write(appendConnect(nil, l.login))
	}
	if err == nil {
		err = readConnAck(r, &buf)
	}
	if err == nil {
		err = l.conn.SetDeadline(time.Time{})
	}
	if err != nil {
		l.conn.Close()
		return nil, reason("log in", err)
	}
	l.run.connected.Add(1)
	return r, nil
}

// reason is an error whose text is the same for all connections, so that it can
// be counted.
func reason(what string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return errors.New(what + ": " + err.Error())
}

// publish sends until it is enough, ctx ends or the connection breaks.
func (l *line) publish(ctx context.Context, heard <-chan error) error {
	o := outbox{line: l, ctx: ctx, heard: heard, out: make([]byte, 0, 2*flushBytes), body: make([]byte, 0, 1024)}
	began, before := time.Now(), l.sent
	for !l.satisfied() && ctx.Err() == nil {
		due := time.Now()
		if l.share > 0 {
			due = began.Add(time.Duration(float64(l.sent-before) / l.share * float64(time.Second)))
			if more, err := o.wait(due); !more {
				return err
			}
		}
		id, err := o.slot()
		if id == 0 {
			return err
		}
		o.write(id, due)
		if len(o.out) >= flushBytes {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return o.flush()
}

// settle waits for what is under way.
func (l *line) settle(heard <-chan error) error {
	deadline := time.After(ackTimeout)
	for range l.slots {
		select {
		case <-l.free:
		case err := <-heard:
			return err
		case <-deadline:
			return errors.New("no acknowledgement for " + ackTimeout.String())
		}
	}
	return nil
}

// hear reads acknowledgements until the connection ends.
func (l *line) hear(r *bufio.Reader) error {
	var buf [4096]byte
	for {
		kind, body, err := readPacket(r, &buf)
		if err != nil {
			l.closeLines()
			return reason("hear", err)
		}
		if kind != pubAck || len(body) < 2 {
			continue
		}
		id := binary.BigEndian.Uint16(body)
		if id == 0 || int(id) > len(l.slots) || l.slots[id-1].since.IsZero() {
			l.closeLines()
			return errors.New("hear: an acknowledgement for a message that was not sent")
		}
		l.acked(id)
	}
}

func (l *line) acked(id uint16) {
	s := &l.slots[id-1]
	l.acks.add(time.Since(s.since))
	l.run.acked.Add(1)
	if led := l.run.opt.Ledger; led != nil {
		l.lines = led.append(l.lines, l.devices[s.device].id, l.run.boot, s.seq)
		if len(l.lines) > 64<<10 {
			l.closeLines()
		}
	}
	s.since = time.Time{}
	l.free <- id
}

// closeLines hands the ledger what it does not have yet.
func (l *line) closeLines() {
	if l.run.opt.Ledger != nil && len(l.lines) > 0 {
		l.run.opt.Ledger.write(l.lines)
	}
	l.lines = l.lines[:0]
}

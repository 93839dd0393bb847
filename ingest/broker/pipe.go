package broker

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// writeWait is how long a device may read nothing while something waits for it.
	writeWait = 10 * time.Second
	// maxUnread is how many bytes may wait for a device that reads slowly.
	maxUnread = 512 << 10
)

var errSlowReader = errors.New("the device does not read what it is sent")

// pipe is a socket whose Write never blocks: it writes what the kernel takes
// and leaves the rest to a goroutine that lives as long as something waits.
// Deadlines govern reading only.
type pipe struct {
	net.Conn
	raw syscall.RawConn // nil where the connection is no socket

	mu     sync.Mutex
	unread []byte                // guarded by mu: accepted and not yet written
	busy   bool                  // guarded by mu: drain runs
	err    error                 // guarded by mu: why nothing can be written any more
	try    func(fd uintptr) bool // guarded by mu: writes from, made once so that a write does not allocate
	from   []byte                // guarded by mu: what try writes
	wrote  int                   // guarded by mu: what try wrote
	tryErr error                 // guarded by mu: what try met
}

func newPipe(c net.Conn) *pipe {
	p := &pipe{Conn: c}
	if sc, ok := c.(syscall.Conn); ok && socketsAreFiles {
		if raw, err := sc.SyscallConn(); err == nil {
			p.raw = raw
			p.try = func(fd uintptr) bool {
				p.wrote, p.tryErr = writeNow(fd, p.from)
				return true // never wait
			}
		}
	}
	return p
}

// Write takes all of b or fails; it does not keep b.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	rest := b
	if !p.busy {
		n, err := p.writeNow(b)
		if err != nil {
			p.err = err
			return n, err
		}
		rest = b[n:]
	}
	if len(rest) == 0 {
		return len(b), nil
	}
	if len(p.unread)+len(rest) > maxUnread {
		p.err = errSlowReader
		return len(b) - len(rest), p.err
	}
	p.unread = append(p.unread, rest...)
	if !p.busy {
		p.busy = true
		go p.drain()
	}
	return len(b), nil
}

// writeNow writes what goes without waiting. The caller holds mu.
func (p *pipe) writeNow(b []byte) (int, error) {
	if p.raw == nil {
		return 0, nil
	}
	p.from, p.wrote, p.tryErr = b, 0, nil
	err := p.raw.Write(p.try)
	p.from = nil
	return p.wrote, errors.Join(err, p.tryErr)
}

// drain writes what waits until nothing does, or closes the connection.
func (p *pipe) drain() {
	for {
		p.mu.Lock()
		b := p.unread
		p.unread = nil
		if len(b) == 0 || p.err != nil {
			p.busy = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		err := p.Conn.SetWriteDeadline(time.Now().Add(writeWait))
		if err == nil {
			_, err = p.Conn.Write(b)
		}
		if err == nil {
			err = p.Conn.SetWriteDeadline(time.Time{}) // or writeNow fails later
		}
		if err != nil {
			p.fail(err)
			return
		}
	}
}

func (p *pipe) fail(err error) {
	p.mu.Lock()
	p.err, p.busy, p.unread = err, false, nil
	p.mu.Unlock()
	p.Conn.Close() // whoever reads ends the session
}

// CloseWrite ends our half of the connection, where it has halves.
func (p *pipe) CloseWrite() error {
	if h, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

// SetDeadline sets the deadline for reading.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetWriteDeadline does nothing: drain has its own.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

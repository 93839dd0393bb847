package uplog

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lamplighter/devices"
)

// maxPending is how many bytes wait for the disk before Append blocks; when it
// does, it goes on at half of it, so that the blocked are not woken for nothing.
const maxPending = 4 << 20

type waiting struct {
	acker devices.Acker
	id    uint16
}

// draft is a frame that is being filled.
type draft struct {
	buf     []byte
	acks    []waiting
	count   int
	uplinks int // of count
	began   time.Time
}

// partition is what is pending and what was written last. Its writer goroutine
// is Log.write.
type partition struct {
	id        int
	maxRecord int
	work      chan struct{} // one token when the writer should look
	full      chan struct{} // one token when a draft is full

	mu      sync.Mutex
	room    *sync.Cond  // on mu: pending fell to the half
	ready   []*draft    // guarded by mu: full drafts, oldest first
	open    *draft      // guarded by mu: the draft that takes records
	spare   [][]waiting // guarded by mu: to be used again
	hint    int         // guarded by mu: size of the newest frame
	pending int         // guarded by mu: bytes of records in ready and open
	stalled bool        // guarded by mu: pending reached the limit
	idle    bool        // guarded by mu: the writer waits for work
	closed  bool        // guarded by mu

	ring ring // the newest frames

	first  atomic.Uint64 // oldest frame, as last looked up
	last   atomic.Uint64 // newest frame; written by the writer
	stored atomic.Int64  // bytes in the stream, as last looked up plus what came since
	passed atomic.Uint64 // no consumer asks for this frame or an older one again

	wall     int64 // of the newest frame; the writer's own
	troubled bool  // the writer's own
}

func newPartition(id, maxRecord int) *partition {
	p := &partition{id: id, maxRecord: maxRecord, work: make(chan struct{}, 1), full: make(chan struct{}, 1), ring: ring{news: make(chan struct{})}}
	p.room = sync.NewCond(&p.mu)
	p.open = p.draft()
	return p
}

// draft makes an empty draft, about as large as the newest frame was.
// mu is held, or p is new.
func (p *partition) draft() *draft {
	d := &draft{buf: make([]byte, headerLen, min(max(2<<10, p.hint+p.hint/8), MaxFrameBytes))}
	if n := len(p.spare); n > 0 {
		d.acks, p.spare = p.spare[n-1], p.spare[:n-1]
	}
	return d
}

// add copies r into the open draft; it blocks while maxPending bytes wait.
func (p *partition) add(ctx context.Context, r *Record, a devices.Acker, m *metrics) error {
	size := r.size()
	if size > p.maxRecord {
		return fmt.Errorf("append %d bytes to partition %d: at most %d fit: %w", size, p.id, p.maxRecord, devices.ErrInvalid)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled && !p.closed {
		if err := p.await(ctx, m); err != nil {
			return fmt.Errorf("append to partition %d: %w", p.id, err)
		}
	}
	if p.closed {
		return fmt.Errorf("append to partition %d: %w", p.id, ErrClosed)
	}
	d := p.open
	if d.count > 0 && len(d.buf)+size > MaxFrameBytes || d.count == MaxFrameRecords {
		p.ready = append(p.ready, d)
		d = p.draft()
		p.open = d
		p.hurry()
	}
	if d.count == 0 {
		d.began = time.Now()
	}
	d.add(r, a)
	p.pending += size
	p.stalled = p.pending >= maxPending
	if p.idle {
		p.idle = false
		p.work <- struct{}{} // has room: only the writer that waits sets idle
	}
	return nil
}

func (d *draft) add(r *Record, a devices.Acker) {
	d.buf = appendRecord(d.buf, r)
	d.count++
	if r.Type == devices.ItemUplink {
		d.uplinks++
	}
	if a != nil {
		d.acks = append(d.acks, waiting{a, r.Uplink.PacketID})
	}
}

// await blocks until there is room, ctx ends or the log is closed. mu is held.
func (p *partition) await(ctx context.Context, m *metrics) error {
	began := time.Now()
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		p.room.Broadcast()
		p.mu.Unlock()
	})
	defer stop()
	for p.stalled && !p.closed && ctx.Err() == nil {
		p.room.Wait()
	}
	m.appendWait.Observe(time.Since(began).Seconds())
	return ctx.Err()
}

// next is the oldest draft with records; nil if there is none, and then more
// says whether any may come. The writer is idle after a nil.
func (p *partition) next() (d *draft, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.ready) > 0:
		d = p.ready[0]
		p.ready[0] = nil
		p.ready = p.ready[1:]
	case p.open.count > 0:
		d = p.open
		p.open = p.draft()
	default:
		p.idle = !p.closed
		return nil, !p.closed
	}
	p.idle = false
	p.hint = len(d.buf)
	p.pending -= len(d.buf) - headerLen
	if p.stalled && p.pending <= maxPending/2 {
		p.stalled = false
		p.room.Broadcast()
	}
	return d, true
}

// gather lets more records into the next frame: it waits until t, or a draft is
// full, or nothing has come for the time of lull: then whoever sends may be
// waiting for us.
func (p *partition) gather(ctx context.Context, t time.Time, lull time.Duration) {
	var timer *time.Timer
	for last := -1; ; {
		p.mu.Lock()
		count, now := p.open.count, len(p.ready) > 0 || p.closed
		p.mu.Unlock()
		pause := min(lull, time.Until(t))
		if now || count == last || pause <= 0 {
			return
		}
		last = count
		if timer == nil {
			timer = time.NewTimer(pause)
			defer timer.Stop()
		} else {
			timer.Reset(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.full:
			return
		case <-timer.C:
		}
	}
}

// hurry ends gather.
func (p *partition) hurry() {
	select {
	case p.full <- struct{}{}:
	default:
	}
}

// busy takes back that the writer is idle, and the token if one was sent.
func (p *partition) busy() {
	p.mu.Lock()
	p.idle = false
	p.mu.Unlock()
	select {
	case <-p.work:
	default:
	}
}

// told gives the list of ackers back after they were told err.
func (p *partition) tell(d *draft, err error) {
	for _, w := range d.acks {
		w.acker.Acked(w.id, err)
	}
	clear(d.acks)
	p.mu.Lock()
	if len(p.spare) < 4 && d.acks != nil {
		p.spare = append(p.spare, d.acks[:0])
	}
	p.mu.Unlock()
	d.acks = nil
}

// close makes every Append return and lets the writer end when it has written
// what is pending.
func (p *partition) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.room.Broadcast()
	p.hurry()
	if p.idle {
		p.idle = false
		p.work <- struct{}{}
	}
}

package uplog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"lamplighter/devices"
)

// maxPending is how many bytes wait for the disk before Append blocks.
const maxPending = 4 << 20

// ringBytes is how much of the newest frames is kept for readers at the tail.
const ringBytes = 16 << 20

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
}

type kept struct {
	seq  uint64
	data []byte
}

type partition struct {
	id     int
	stream jetstream.Stream

	mu      sync.Mutex
	room    *sync.Cond // on mu: pending fell
	work    chan struct{}
	ready   []*draft // guarded by mu: full drafts, oldest first
	open    *draft   // guarded by mu: the draft that takes records
	pending int      // guarded by mu: bytes in ready and open
	closed  bool     // guarded by mu

	tail sync.Mutex
	ring []kept        // guarded by tail: ascending, dense
	size int           // guarded by tail
	news chan struct{} // guarded by tail: closed and replaced when a frame came

	last uint64 // seq of the newest frame; the writer's own
	wall int64  // of the newest frame; the writer's own
}

func newPartition(id int, s jetstream.Stream) *partition {
	p := &partition{id: id, stream: s, work: make(chan struct{}, 1), news: make(chan struct{}), open: newDraft()}
	p.room = sync.NewCond(&p.mu)
	return p
}

func newDraft() *draft { return &draft{buf: make([]byte, headerLen, 16<<10)} }

// add copies r into the open draft; it blocks while maxPending bytes wait.
func (p *partition) add(ctx context.Context, r *Record, a devices.Acker) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending >= maxPending {
		stop := context.AfterFunc(ctx, func() { p.mu.Lock(); p.room.Broadcast(); p.mu.Unlock() })
		defer stop()
		for p.pending >= maxPending && !p.closed && ctx.Err() == nil {
			p.room.Wait()
		}
	}
	if p.closed {
		return fmt.Errorf("append to partition %d: %w", p.id, errClosed)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append to partition %d: %w", p.id, err)
	}
	d := p.open
	before := len(d.buf)
	d.buf = appendRecord(d.buf, r)
	d.count++
	if r.Type == devices.ItemUplink {
		d.uplinks++
	}
	if a != nil {
		d.acks = append(d.acks, waiting{a, r.Uplink.PacketID})
	}
	p.pending += len(d.buf) - before
	if len(d.buf) >= MaxFrameBytes || d.count >= MaxFrameRecords {
		p.ready = append(p.ready, d)
		p.open = newDraft()
	}
	select {
	case p.work <- struct{}{}:
	default:
	}
	return nil
}

// next is the oldest draft with records, nil if there is none.
func (p *partition) next() *draft {
	p.mu.Lock()
	defer p.mu.Unlock()
	var d *draft
	switch {
	case len(p.ready) > 0:
		d = p.ready[0]
		p.ready = p.ready[1:]
	case p.open.count > 0:
		d = p.open
		p.open = newDraft()
	default:
		return nil
	}
	p.pending -= len(d.buf) - headerLen
	p.room.Broadcast()
	return d
}

// close makes every Append return; what is pending is not acknowledged.
func (p *partition) close() {
	p.mu.Lock()
	p.closed = true
	p.room.Broadcast()
	p.mu.Unlock()
}

// remember keeps the newest frames for readers at the tail and wakes them.
func (p *partition) remember(seq uint64, data []byte) {
	p.tail.Lock()
	defer p.tail.Unlock()
	p.ring = append(p.ring, kept{seq, data})
	p.size += len(data)
	for p.size > ringBytes && len(p.ring) > 1 {
		p.size -= len(p.ring[0].data)
		p.ring[0] = kept{}
		p.ring = p.ring[1:]
	}
	close(p.news)
	p.news = make(chan struct{})
}

// recent is frame seq from the ring, or a channel that closes with news.
func (p *partition) recent(seq uint64) (data []byte, news <-chan struct{}, behind bool) {
	p.tail.Lock()
	defer p.tail.Unlock()
	if len(p.ring) == 0 || seq > p.ring[len(p.ring)-1].seq {
		return nil, p.news, false
	}
	if seq < p.ring[0].seq {
		return nil, nil, true
	}
	return p.ring[seq-p.ring[0].seq].data, nil, false
}

var errClosed = errors.New("the log is closed")

// write is the partition's writer: it ends with ctx.
func (l *Log) write(ctx context.Context, p *partition) {
	idle := time.NewTimer(tick)
	defer idle.Stop()
	for {
		d := p.next()
		if d == nil {
			select {
			case <-ctx.Done():
				return
			case <-p.work:
				continue
			case <-idle.C:
				d = newDraft()
			}
		}
		if !l.commit(ctx, p, d) {
			return
		}
		idle.Reset(tick)
	}
}

// commit makes d durable, however long it takes; false when ctx ended first.
func (l *Log) commit(ctx context.Context, p *partition, d *draft) bool {
	p.wall = max(p.wall, l.opt.Now().UnixMilli())
	seal(d.buf, p.wall, d.count)
	for {
		seq, err := l.publish(ctx, p, d.buf)
		if err == nil {
			p.last = seq
			l.m.frame(d)
			p.remember(seq, d.buf)
			for _, w := range d.acks {
				w.acker.Acked(w.id, nil)
			}
			l.healthy(p.id)
			return true
		}
		if ctx.Err() != nil {
			for _, w := range d.acks {
				w.acker.Acked(w.id, errClosed)
			}
			return false
		}
		l.unhealthy(p.id, err)
		if d.count == 0 {
			return true // a tick is not worth waiting for
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

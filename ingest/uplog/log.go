package uplog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lamplighter/devices"
)

const (
	tick       = time.Second            // an idle partition tells the time so often
	retryEvery = 250 * time.Millisecond // a frame that was refused
	ackWait    = 10 * time.Second       // for the server to answer
	closeWait  = 5 * time.Second        // for what is pending when the log is closed
)

// ErrClosed is what Append returns, and what ackers are told, after Close.
var ErrClosed = errors.New("the log is closed")

// Log is the durable log. All methods are safe for concurrent use.
type Log struct {
	opt   Options
	link  atomic.Pointer[link]
	parts []*partition
	m     *metrics
	stop  context.CancelFunc
	done  sync.WaitGroup

	reviving sync.Mutex // held while the link is replaced

	mu      sync.Mutex
	trouble map[int]string // guarded by mu: by partition
}

// Open starts the embedded server (or connects to the cluster) and the writers.
// ctx bounds the opening only.
func Open(ctx context.Context, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{opt: o, trouble: make(map[int]string)}
	k, err := l.dial()
	if err != nil {
		return nil, err
	}
	l.link.Store(k)
	if err := l.openPartitions(ctx, k); err != nil {
		k.close()
		return nil, err
	}
	l.m = newMetrics(l)
	var wctx context.Context
	wctx, l.stop = context.WithCancel(context.Background())
	for _, p := range l.parts {
		l.done.Go(func() { l.write(wctx, p) })
	}
	return l, nil
}

func (l *Log) openPartitions(ctx context.Context, k *link) error {
	have, err := k.partitions(ctx)
	if err != nil {
		return err
	}
	switch {
	case l.opt.Partitions == 0 && have == 0:
		l.opt.Partitions = defaultPartitions
	case l.opt.Partitions == 0:
		l.opt.Partitions = have
	case have != 0 && have != l.opt.Partitions:
		return fmt.Errorf("open the log: it has %d partitions, %d are wanted, and the number is fixed by the first start: %w", have, l.opt.Partitions, devices.ErrConflict)
	}
	if err := k.openStreams(ctx, &l.opt); err != nil {
		return err
	}
	for i, s := range k.streams {
		p := newPartition(i, k.maxRecord())
		state := s.CachedInfo().State
		p.last.Store(state.LastSeq)
		p.stored.Store(int64(state.Bytes))
		p.first.Store(state.FirstSeq)
		if state.Msgs > 0 {
			if p.wall, err = l.lastWall(ctx, k, p, state.FirstSeq, state.LastSeq); err != nil {
				return err
			}
		}
		l.parts = append(l.parts, p)
	}
	return nil
}

// lastWall is the wall clock of the newest frame that can be read.
func (l *Log) lastWall(ctx context.Context, k *link, p *partition, first, last uint64) (int64, error) {
	for seq := last; seq >= first && seq > 0; seq-- {
		m, err := k.streams[p.id].GetMsg(ctx, seq)
		if err != nil {
			return 0, fmt.Errorf("read partition %d frame %d: %w", p.id, seq, err)
		}
		if f, err := openFrame(p.id, seq, m.Data); err == nil {
			return f.Wall, nil
		} else if !errors.Is(err, ErrCorrupt) {
			return 0, err
		}
	}
	return 0, nil
}

// Partitions is how many partitions there are.
func (l *Log) Partitions() int { return len(l.parts) }

// Append copies r into the open frame of the partition; a (which may be nil) is
// told when it is durable, exactly once, from the log's goroutine. It blocks
// while 4 MB wait for the disk, until ctx ends. After an error nothing was
// taken and a is never told.
func (l *Log) Append(ctx context.Context, partition int, r *Record, a devices.Acker) error {
	return l.parts[partition].add(ctx, r, a, l.m)
}

// Bounds are the sequence numbers of the oldest and the newest frame; last is
// first-1 or 0 when there is none.
func (l *Log) Bounds(partition int) (first, last uint64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), ackWait)
	defer cancel()
	info, err := l.link.Load().streams[partition].Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("bounds of partition %d: %w", partition, err)
	}
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// Passed says that no consumer will ever ask for frame seq of the partition or
// an older one again, also after a restart. Such frames stay for replays of
// history as long as there is room, and are given up when there is none.
func (l *Log) Passed(partition int, seq uint64) {
	p := l.parts[partition]
	for {
		old := p.passed.Load()
		if seq <= old || p.passed.CompareAndSwap(old, seq) {
			return
		}
	}
}

// Health says whether the log takes nothing at the moment, and why.
func (l *Log) Health() (full bool, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.parts {
		if why, ok := l.trouble[i]; ok {
			return true, why
		}
	}
	return false, ""
}

func (l *Log) healthy(p *partition) {
	if !p.troubled {
		return
	}
	p.troubled = false
	l.mu.Lock()
	delete(l.trouble, p.id)
	l.mu.Unlock()
	l.opt.Log.Info().Int("partition", p.id).Msg("the log takes frames again")
}

func (l *Log) unhealthy(p *partition, err error) {
	if !p.troubled {
		l.opt.Log.Error().Err(err).Int("partition", p.id).Msg("the log takes no frame; sources are not acknowledged")
	}
	p.troubled = true
	l.mu.Lock()
	l.trouble[p.id] = err.Error()
	l.mu.Unlock()
}

// Close makes durable what is pending, for at most 5 s and not at all when the
// log is full, and stops. What is not durable then is never acknowledged: its
// ackers are told ErrClosed.
func (l *Log) Close() {
	for _, p := range l.parts {
		p.close()
	}
	if full, _ := l.Health(); full {
		l.stop()
	}
	timer := time.AfterFunc(closeWait, l.stop)
	l.done.Wait()
	timer.Stop()
	l.stop()
	l.link.Load().close()
}

package uplog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"lamplighter/devices"
)

// errServer marks errors after which the embedded server is started anew: its
// store keeps a write error for ever.
var errServer = errors.New("the embedded server is broken")

// write is the partition's writer: it ends with ctx, or when the log is closed
// and everything is written.
func (l *Log) write(ctx context.Context, p *partition) {
	defer l.abandon(p)
	idle := time.NewTimer(tick)
	defer idle.Stop()
	for ctx.Err() == nil {
		d, more := p.next()
		if d == nil && !more {
			return
		}
		if d != nil {
			began := time.Now()
			if !l.commit(ctx, p, d) {
				return
			}
			p.gather(ctx, began.Add(l.opt.gap), l.opt.lull)
			idle.Reset(tick)
			continue
		}
		select {
		case <-ctx.Done():
		case <-p.work:
		case <-idle.C:
			p.busy()
			l.tick(ctx, p)
			idle.Reset(tick)
		}
	}
}

// abandon tells all who still wait that the log is closed.
func (l *Log) abandon(p *partition) {
	p.close()
	for {
		d, _ := p.next()
		if d == nil {
			return
		}
		p.tell(d, ErrClosed)
	}
}

// tick writes an empty frame, but never into the last of the room.
func (l *Log) tick(ctx context.Context, p *partition) {
	limit := l.opt.MaxBytes / int64(l.opt.Partitions)
	if p.stored.Load() > limit-limit/16 {
		if l.look(ctx, p); p.stored.Load() > limit-limit/16 && !l.giveUp(ctx, p, 0) {
			return
		}
	}
	if err := l.checkDisk(1 << 20); err != nil {
		l.unhealthy(p, err)
		return
	}
	d := &draft{buf: make([]byte, headerLen)}
	err := l.try(ctx, p, d)
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, errMoved): // somebody else has just told the time
	default:
		l.unhealthy(p, err)
		l.mend(ctx, p, d, err)
	}
}

// commit makes d durable, however long it takes; false when ctx ended first.
func (l *Log) commit(ctx context.Context, p *partition, d *draft) bool {
	for {
		err := l.try(ctx, p, d)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			p.tell(d, ErrClosed)
			return false
		}
		if errors.Is(err, errServer) {
			l.unhealthy(p, err)
		}
		if l.mend(ctx, p, d, err) {
			continue
		}
		l.unhealthy(p, err)
		p.mu.Lock()
		closed := p.closed
		p.mu.Unlock()
		if closed {
			p.tell(d, ErrClosed)
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// try seals d and publishes it once. After success all is told.
func (l *Log) try(ctx context.Context, p *partition, d *draft) error {
	if err := l.checkDisk(0); err != nil {
		return err
	}
	wall := max(p.wall, l.opt.Now().UnixMilli())
	if len(d.buf) > headerLen && sealed(d.buf) && d.wall() >= p.wall {
		wall = d.wall() // the same bytes again, so that a frame that was written after all is known again
	}
	seal(d.buf, wall, d.count)
	began := time.Now()
	seq, err := l.publish(ctx, p, d.buf)
	if err != nil {
		return err
	}
	l.m.commit.Observe(time.Since(began).Seconds())
	p.wall = wall
	p.last.Store(seq)
	p.stored.Add(int64(len(d.buf)) + streamOverhead)
	l.m.frame(d)
	p.ring.add(seq, d.buf)
	p.tell(d, nil)
	l.healthy(p)
	return nil
}

// streamOverhead is about what JetStream adds to a message.
const streamOverhead = 40

// publish makes one frame durable. A frame whose acknowledgement was lost is
// known again by its place and its bytes, and not written twice.
func (l *Log) publish(ctx context.Context, p *partition, b []byte) (uint64, error) {
	k := l.link.Load()
	pctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	defer context.AfterFunc(k.failed.ctx, cancel)()
	ack, err := k.js.PublishMsg(pctx, &nats.Msg{Subject: subject(p.id), Data: b},
		jetstream.WithExpectLastSequence(p.last.Load()), jetstream.WithRetryAttempts(0))
	if err == nil {
		return ack.Sequence, nil
	}
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		return l.contested(pctx, k, p, b)
	case api != nil && strings.Contains(api.Description, "maximum bytes exceeded"):
		return 0, fmt.Errorf("partition %d holds its %d MiB: %w", p.id, l.opt.MaxBytes/int64(l.opt.Partitions)>>20, devices.ErrFull)
	case k.failed.err() != nil:
		return 0, fmt.Errorf("write frame of partition %d: %w: %w", p.id, errServer, k.failed.err())
	case k.srv != nil && ctx.Err() == nil:
		return 0, fmt.Errorf("write frame of partition %d: %w: %w", p.id, errServer, err)
	}
	return 0, fmt.Errorf("write frame of partition %d: %w", p.id, err)
}

// contested looks at what stands where b should: b itself, when its
// acknowledgement was lost, or frames of another daemon, which b must follow.
func (l *Log) contested(ctx context.Context, k *link, p *partition, b []byte) (uint64, error) {
	info, err := k.streams[p.id].Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("write frame of partition %d: %w", p.id, err)
	}
	last := info.State.LastSeq
	if last < p.last.Load() {
		l.opt.Log.Error().Int("partition", p.id).Uint64("had", p.last.Load()).Uint64("has", last).Msg("the log has lost frames")
		p.ring.forget()
	}
	wall := p.wall
	for seq := p.last.Load() + 1; seq <= last; seq++ {
		m, err := k.streams[p.id].GetMsg(ctx, seq)
		if err != nil {
			return 0, fmt.Errorf("write frame of partition %d: read %d: %w", p.id, seq, err)
		}
		if bytes.Equal(m.Data, b) {
			return seq, nil
		}
		if f, err := openFrame(p.id, seq, m.Data); err == nil {
			wall = max(wall, f.Wall)
		}
	}
	p.wall = wall
	p.last.Store(last)
	return 0, errMoved
}

var errMoved = errors.New("another daemon writes to the partition too")

// mend does what can be done about err; true when it is worth trying again at once.
func (l *Log) mend(ctx context.Context, p *partition, d *draft, err error) bool {
	switch {
	case errors.Is(err, errMoved):
		return true
	case errors.Is(err, devices.ErrFull):
		return l.giveUp(ctx, p, len(d.buf))
	case errors.Is(err, errServer):
		return l.revive(ctx, l.link.Load())
	}
	return false
}

// giveUp purges the oldest frames that all consumers have passed, at least
// need bytes and about a sixteenth of the partition; false when there is none.
func (l *Log) giveUp(ctx context.Context, p *partition, need int) bool {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	s := l.link.Load().streams[p.id]
	info, err := s.Info(ctx)
	if err != nil || info.State.Msgs == 0 || info.State.FirstSeq > p.passed.Load() {
		return false
	}
	limit := l.opt.MaxBytes / int64(l.opt.Partitions)
	each := max(1, info.State.Bytes/info.State.Msgs)
	count := (max(uint64(limit/16), uint64(need)+streamOverhead) + each) / each
	upTo := min(info.State.FirstSeq+count, p.passed.Load()+1)
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		l.opt.Log.Warn().Err(err).Int("partition", p.id).Msg("purging consumed frames")
		return false
	}
	l.opt.Log.Info().Int("partition", p.id).Uint64("frames", upTo-info.State.FirstSeq).Msg("gave up the oldest frames, which everybody has consumed")
	l.m.purged.Add(float64(upTo - info.State.FirstSeq))
	l.look(ctx, p)
	return true
}

// look refreshes what is known of the stream.
func (l *Log) look(ctx context.Context, p *partition) {
	if info, err := l.link.Load().streams[p.id].Info(ctx); err == nil {
		p.stored.Store(int64(info.State.Bytes))
		p.first.Store(info.State.FirstSeq)
	}
}

// reviveRoom is how much more than the reserve must be free before a server
// that ran into the end of the disk is tried again.
const reviveRoom = 4 << 20

// revive replaces a broken link once there is room on the disk; true when it
// has been replaced, by this call or another.
func (l *Log) revive(ctx context.Context, broken *link) bool {
	l.reviving.Lock()
	defer l.reviving.Unlock()
	if l.link.Load() != broken {
		return true
	}
	if ctx.Err() != nil || l.checkDisk(reviveRoom) != nil {
		return false
	}
	l.opt.Log.Warn().Bool("jetstream_off", broken.off()).Msg("starting the embedded server anew")
	broken.close()
	k, err := l.dial()
	if err != nil {
		l.opt.Log.Error().Err(err).Msg("starting the embedded server anew")
		return false
	}
	octx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := k.openStreams(octx, &l.opt); err != nil {
		l.opt.Log.Error().Err(err).Msg("starting the embedded server anew")
		k.close()
		return false
	}
	l.link.Store(k)
	l.m.restarts.Inc()
	return true
}

// checkDisk refuses below the reserve plus extra bytes: when JetStream meets a
// full disk it switches itself off.
func (l *Log) checkDisk(extra int64) error {
	if len(l.opt.URLs) > 0 {
		return nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(l.opt.Dir, &st); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < l.opt.ReserveBytes+extra {
		return fmt.Errorf("the disk of %s has %d MiB left, %d MiB are kept in reserve: %w", l.opt.Dir, free>>20, l.opt.ReserveBytes>>20, devices.ErrFull)
	}
	return nil
}

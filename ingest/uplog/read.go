package uplog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrAhead is returned by Read when the log ends before the asked frame: it is
// not the log that the reader knew.
var ErrAhead = errors.New("the log ends before the frame that is asked for")

// Read calls fn with every frame of the partition from sequence number from on
// (0 = the oldest), in order, and then with every new one, until ctx ends or fn
// returns an error, which it returns. Frames that are gone (too old, or given
// up) are passed over; so is a frame that cannot be read any more, which is
// logged and counted. Any number of readers may read at once.
func (l *Log) Read(ctx context.Context, partition int, from uint64, fn func(*Frame) error) error {
	p := l.parts[partition]
	seq := max(from, 1)
	if last := p.last.Load(); seq > last+1 {
		return fmt.Errorf("read partition %d from frame %d, the newest is %d: %w", partition, seq, last, ErrAhead)
	}
	if len(l.opt.URLs) > 0 {
		return l.subscribe(ctx, p, seq, fn)
	}
	var f Frame
	for ctx.Err() == nil {
		data, news := p.ring.get(seq)
		switch {
		case data != nil:
			f.reset(partition, seq, data)
			if err := fn(&f); err != nil {
				return err
			}
			seq++
		case seq <= p.last.Load():
			next, err := l.catchUp(ctx, p, seq, fn)
			if err != nil {
				return err
			}
			seq = next
		default:
			select {
			case <-ctx.Done():
			case <-news:
			}
		}
	}
	return ctx.Err()
}

// How much of the past is asked for at once.
const (
	batchFrames = 64
	batchBytes  = 4 << 20
)

// catchUp reads a batch of frames from the server, from seq on; it returns the
// next sequence number to read.
func (l *Log) catchUp(ctx context.Context, p *partition, seq uint64, fn func(*Frame) error) (uint64, error) {
	nc := l.link.Load().nc
	sub, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		return seq, fmt.Errorf("read partition %d: %w", p.id, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	_ = sub.SetPendingLimits(-1, -1)
	ask := fmt.Appendf(nil, `{"seq":%d,"batch":%d,"max_bytes":%d,"next_by_subj":%q}`, seq, batchFrames, batchBytes, subject(p.id))
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+streamName(p.id), sub.Subject, ask); err != nil {
		return seq, fmt.Errorf("read partition %d: %w", p.id, err)
	}
	for n := 0; ; n++ {
		m, err := l.nextOf(ctx, sub)
		if err != nil {
			return seq, fmt.Errorf("read partition %d frame %d: %w", p.id, seq, err)
		}
		switch m.Header.Get("Status") {
		case "":
		case "204": // end of batch
			return seq, nil
		case "404": // nothing from seq on, though it was written: gone
			return max(seq, p.last.Load()+1), nil
		default:
			return seq, fmt.Errorf("read partition %d frame %d: %s %s", p.id, seq, m.Header.Get("Status"), m.Header.Get("Description"))
		}
		got, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
		if err != nil {
			return seq, fmt.Errorf("read partition %d: sequence number %q", p.id, m.Header.Get("Nats-Sequence"))
		}
		if err := l.hand(p, got, m.Data, fn); err != nil {
			return seq, err
		}
		seq = got + 1
	}
}

func (l *Log) nextOf(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// hand checks a frame that comes from the server and gives it to fn.
func (l *Log) hand(p *partition, seq uint64, data []byte, fn func(*Frame) error) error {
	f, err := openFrame(p.id, seq, data)
	if errors.Is(err, ErrCorrupt) {
		l.m.corrupt.Inc()
		l.opt.Log.Error().Err(err).Msg("a frame of the log cannot be read and is passed over: its messages are lost")
		return nil
	}
	if err != nil {
		return err
	}
	return fn(f)
}

// subscribe reads from a cluster, where other daemons write too.
func (l *Log) subscribe(ctx context.Context, p *partition, seq uint64, fn func(*Frame) error) error {
	c, err := l.link.Load().js.OrderedConsumer(ctx, streamName(p.id), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: seq, InactiveThreshold: 5 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("read partition %d: %w", p.id, err)
	}
	it, err := c.Messages(jetstream.PullMaxMessagesWithBytesLimit(batchFrames, batchBytes))
	if err != nil {
		return fmt.Errorf("read partition %d: %w", p.id, err)
	}
	defer it.Stop()
	stop := context.AfterFunc(ctx, it.Stop)
	defer stop()
	for {
		m, err := it.Next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read partition %d: %w", p.id, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read partition %d: %w", p.id, err)
		}
		if err := l.hand(p, meta.Sequence.Stream, m.Data(), fn); err != nil {
			return err
		}
	}
}

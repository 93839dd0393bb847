package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/ingest/uplog"
)

// Consumer takes the batches of a partition, in order.
type Consumer interface {
	// Start says from which frame on the consumer wants to see batches.
	Start(ctx context.Context, partition int) (from uint64, err error)
	// Consume takes one batch, which other consumers may be reading at the same
	// time: it must not be changed, and is valid until Consume returns. After an
	// error the consumer is started again; devices.ErrFenced ends it for good.
	Consume(ctx context.Context, b *devices.Batch) error
}

// Keeper is a Consumer that can tell the oldest frame it would ask for if it
// were started again now. Without that, the log keeps everything since Start.
type Keeper interface {
	Keep() uint64
}

// Decoder turns uplinks into messages; see package codec.
type Decoder interface {
	Decode(u *devices.Uplink, m *devices.Message) *devices.Refusal
	Reset()
}

// Follower feeds one consumer from one partition.
type Follower struct {
	Name      string
	Log       *uplog.Log
	Partition int
	Decoder   Decoder // its own, for when it is behind the others
	Share     *Share  // with the other consumers of the partition; nil = decodes everything itself
	Consumer  Consumer
	Logger    zerolog.Logger

	mu      sync.Mutex
	trouble string // guarded by mu
	at      uint64 // guarded by mu: the newest frame consumed

	own  batch     // the goroutine's
	from uint64    // the goroutine's: where the consumer was started
	told time.Time // the goroutine's: when Keep was last asked
}

const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
	keepEvery  = time.Second
)

// Follow feeds the consumers from the partition, each in its own goroutine, and
// returns when ctx has ended or all of them were fenced. Of the errors it
// returns the fences.
func Follow(ctx context.Context, log *uplog.Log, partition int, decoder func() Decoder, logger zerolog.Logger, consumers map[string]Consumer) error {
	share := NewShare(log, partition, len(consumers), decoder)
	errs := make(chan error)
	for name, c := range consumers {
		f := &Follower{Name: name, Log: log, Partition: partition, Decoder: decoder(), Share: share, Consumer: c, Logger: logger}
		go func() { errs <- f.Run(ctx) }()
	}
	var all error
	for range consumers {
		all = errors.Join(all, <-errs)
	}
	return all
}

// Run follows the log until ctx ends (nil) or the consumer is fenced.
func (f *Follower) Run(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		f.note(err.Error())
		if errors.Is(err, devices.ErrFenced) {
			return fmt.Errorf("%s of partition %d: %w", f.Name, f.Partition, err)
		}
		f.Logger.Warn().Err(err).Str("consumer", f.Name).Int("partition", f.Partition).Msg("starting again")
		if time.Since(began) > time.Minute {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (f *Follower) follow(ctx context.Context) error {
	var err error
	if f.from, err = f.Consumer.Start(ctx, f.Partition); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	f.keep()
	return f.Log.Read(ctx, f.Partition, f.from, func(fr *uplog.Frame) error {
		if err := f.consume(ctx, fr); err != nil {
			return fmt.Errorf("frame %d: %w", fr.Seq, err)
		}
		f.passed(fr.Seq)
		return nil
	})
}

func (f *Follower) consume(ctx context.Context, fr *uplog.Frame) error {
	if f.Share != nil {
		t, err := f.Share.take(fr)
		if err != nil {
			return err
		}
		if t != nil {
			defer f.Share.release(t)
			return f.Consumer.Consume(ctx, &t.Batch)
		}
	}
	if err := f.own.fill(fr, f.Decoder); err != nil {
		return err
	}
	return f.Consumer.Consume(ctx, &f.own.Batch)
}

// keep tells the share, now and then, what the consumer may ask for again.
func (f *Follower) keep() {
	if f.Share == nil || time.Since(f.told) < keepEvery {
		return
	}
	f.told = time.Now()
	need := f.from
	if k, ok := f.Consumer.(Keeper); ok {
		need = k.Keep()
	}
	f.Share.needed(f.Name, need)
}

func (f *Follower) note(why string) {
	f.mu.Lock()
	f.trouble = why
	f.mu.Unlock()
}

func (f *Follower) passed(seq uint64) {
	f.mu.Lock()
	f.trouble, f.at = "", seq
	f.mu.Unlock()
	f.keep()
}

// Health is how far the consumer has come, and what holds it up if anything.
func (f *Follower) Health() (at uint64, trouble string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at, f.trouble
}

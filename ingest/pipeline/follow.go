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
	// Consume takes one batch, which is valid until it returns. After an error
	// the consumer is started again; devices.ErrFenced ends it for good.
	Consume(ctx context.Context, b *devices.Batch) error
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
	Decoder   Decoder // its own: decoders are not shared
	Consumer  Consumer
	Logger    zerolog.Logger

	mu      sync.Mutex
	trouble string // guarded by mu
	at      uint64 // guarded by mu: frames consumed so far
}

const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
)

// Run follows the log until ctx ends or the consumer is fenced.
func (f *Follower) Run(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, devices.ErrFenced) {
			return fmt.Errorf("%s of partition %d: %w", f.Name, f.Partition, err)
		}
		f.note(err.Error())
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
	from, err := f.Consumer.Start(ctx, f.Partition)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	var b batch
	return f.Log.Read(ctx, f.Partition, from, func(fr *uplog.Frame) error {
		if err := b.fill(fr, f.Decoder); err != nil {
			return err
		}
		if err := f.Consumer.Consume(ctx, &b.Batch); err != nil {
			return err
		}
		f.passed(fr.Seq)
		return nil
	})
}

// batch is a Batch with the memory that is used again for the next.
type batch struct {
	devices.Batch
	messages []devices.Message
}

func (b *batch) fill(f *uplog.Frame, d Decoder) error {
	d.Reset()
	if cap(b.messages) < f.Count {
		b.messages = make([]devices.Message, f.Count)
		b.Items = make([]devices.Item, 0, f.Count)
	}
	b.Partition, b.Seq, b.Wall, b.Items = f.Partition, f.Seq, f.Wall, b.Items[:0]
	return f.Each(func(r *uplog.Record) error {
		n := len(b.Items)
		b.Items = append(b.Items, devices.Item{Type: r.Type, Uplink: r.Uplink, Control: r.Control})
		if r.Type == devices.ItemUplink {
			it, m := &b.Items[n], &b.messages[:cap(b.messages)][n]
			it.Refusal = d.Decode(&it.Uplink, m)
			it.Message = m
		}
		return nil
	})
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
}

// Health is how far the consumer has come, and what holds it up if anything.
func (f *Follower) Health() (at uint64, trouble string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at, f.trouble
}

package uplog

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// countdown closes done at the n-th ack.
type countdown struct {
	left atomic.Int64
	done chan struct{}
}

func (c *countdown) Acked(uint16, error) {
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}

func value(t testing.TB, c prometheus.Metric) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// fill appends n records of 200 bytes from 4 goroutines and waits for all acks.
func fill(b *testing.B, l *Log, n int) {
	c := &countdown{done: make(chan struct{})}
	c.left.Store(int64(n))
	payload := make([]byte, 200)
	var next atomic.Int64
	for range 4 {
		go func() {
			r := uplink(1)
			r.Uplink.Payload = payload
			for next.Add(1) <= int64(n) {
				if err := l.Append(b.Context(), 0, r, c); err != nil {
					b.Error(err)
				}
			}
		}()
	}
	<-c.done
}

func BenchmarkAppendToAck(b *testing.B) {
	l := open(b, Options{Dir: b.TempDir(), Partitions: 1})
	b.ReportAllocs()
	b.ResetTimer()
	fill(b, l, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(1000*value(b, l.m.fsyncs)/float64(b.N), "fsyncs/1000")
}

// BenchmarkAppendToRead adds a reader at the tail.
func BenchmarkAppendToRead(b *testing.B) {
	l := open(b, Options{Dir: b.TempDir(), Partitions: 1})
	read := make(chan error)
	enough := errors.New("enough")
	n := b.N
	go func() {
		seen := 0
		read <- l.Read(b.Context(), 0, 0, func(f *Frame) error {
			for range f.Records() {
				seen++
			}
			if seen >= n {
				return enough
			}
			return nil
		})
	}()
	b.ResetTimer()
	fill(b, l, n)
	if err := <-read; !errors.Is(err, enough) {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkOneAtATime waits for each ack before the next append: the latency.
func BenchmarkOneAtATime(b *testing.B) {
	l := open(b, Options{Dir: b.TempDir(), Partitions: 1})
	for b.Loop() {
		fill(b, l, 1)
	}
}

// BenchmarkThePast compares the ways to read what is no longer in memory.
func BenchmarkThePast(b *testing.B) {
	const records = 200_000
	l := open(b, Options{Dir: b.TempDir(), Partitions: 1})
	fill(b, l, records)
	l.parts[0].ring.forget()
	last := l.parts[0].last.Load()
	report := func(b *testing.B) {
		b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	}
	b.Run("batch", func(b *testing.B) {
		for range b.N {
			seq := uint64(1)
			for seq <= last {
				var err error
				if seq, err = l.catchUp(b.Context(), l.parts[0], seq, func(*Frame) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}
		report(b)
	})
	b.Run("get", func(b *testing.B) {
		for range b.N {
			for seq := uint64(1); seq <= last; seq++ {
				m, err := l.link.Load().streams[0].GetMsg(b.Context(), seq)
				if err != nil {
					b.Fatal(err)
				}
				if err := l.hand(l.parts[0], seq, m.Data, func(*Frame) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}
		report(b)
	})
	b.Run("ordered", func(b *testing.B) {
		for range b.N {
			enough := errors.New("enough")
			err := l.subscribe(b.Context(), l.parts[0], 1, func(f *Frame) error {
				if f.Seq >= last {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) {
				b.Fatal(err)
			}
		}
		report(b)
	})
}

// BenchmarkPublish is what JetStream costs by itself, with frames of 250 KB.
func BenchmarkPublish(b *testing.B) {
	l := open(b, Options{Dir: b.TempDir(), Partitions: 1, MaxBytes: 64 << 30})
	js, err := jetstream.New(l.link.Load().nc)
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 250_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := js.Publish(context.Background(), subject(0), data); err != nil {
			b.Fatal(err)
		}
	}
}

package uplog

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"lamplighter/devices"
)

func TestFrameThatCannotBeReadIsPassedOverAndCounted(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1})
	g := newLedger()
	if err := g.append(t.Context(), l, 0, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ack", func() bool { return g.count() == 1 })
	if _, err := l.link.Load().js.Publish(t.Context(), subject(0), []byte("not a frame")); err != nil {
		t.Fatal(err)
	}
	if err := g.append(t.Context(), l, 1, 0); err != nil { // must find its place behind it
		t.Fatal(err)
	}
	eventually(t, "ack", func() bool { return g.count() == 2 })
	l.parts[0].ring.forget()
	if got := numbers(t, l, 0); len(got) != 2 || got[0] != 0 || got[1] != 1 {
		t.Fatalf("read %v", got)
	}
	if n := value(t, l.m.corrupt); n != 1 {
		t.Fatalf("%v corrupt frames counted", n)
	}
}

func TestTwoReadersOneAtTheTailOneBehindTheMemory(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1})
	g := newLedger()
	const n = 4000 // of 8 kB: twice what memory holds
	ctx, cancel := context.WithCancel(t.Context())
	follow := func(out chan<- int) {
		_ = l.Read(ctx, 0, 0, func(f *Frame) error {
			for r := range f.Records() {
				out <- number(r)
			}
			return nil
		})
	}
	tail, late := make(chan int, n), make(chan int, n)
	var wg sync.WaitGroup
	wg.Go(func() { follow(tail) })
	for i := range n {
		if err := g.append(t.Context(), l, i, 8000); err != nil {
			t.Fatal(err)
		}
		if i == n-100 {
			wg.Go(func() { follow(late) })
		}
	}
	for i := range n {
		if a, b := <-tail, <-late; a != i || b != i {
			t.Fatalf("record %d came as %d at the tail and as %d behind", i, a, b)
		}
	}
	cancel()
	wg.Wait()
}

func TestReaderOfAnotherLogIsToldSo(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1})
	if err := l.Read(t.Context(), 0, 1000, nil); !errors.Is(err, ErrAhead) {
		t.Fatalf("read from frame 1000 of an empty log: %v", err)
	}
}

func TestNumberOfPartitionsStays(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(t.Context(), Options{Dir: dir, Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Open(t.Context(), Options{Dir: dir, Partitions: 2}); !errors.Is(err, devices.ErrConflict) {
		t.Fatalf("opened with fewer partitions: %v", err)
	}
	if n := open(t, Options{Dir: dir}).Partitions(); n != 3 {
		t.Fatalf("%d partitions", n)
	}
}

func TestIdlePartitionTellsTheTime(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticks, enough := 0, errors.New("enough")
	err := l.Read(ctx, 0, 0, func(f *Frame) error {
		if ticks++; f.Count != 0 {
			t.Errorf("%d records in a tick", f.Count)
		}
		if ticks == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
}

func TestAppendCopiesWithoutAllocating(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1})
	r, a := uplink(1), ackFunc(func(uint16, error) {})
	if n := testing.AllocsPerRun(20000, func() { _ = l.Append(context.Background(), 0, r, a) }); n >= 1 {
		t.Fatalf("%v allocations a record", n)
	}
}

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/uplog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openLog(t *testing.T, partitions int) *uplog.Log {
	t.Helper()
	l, err := uplog.Open(t.Context(), uplog.Options{Dir: t.TempDir(), Partitions: partitions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// counter is a decoder that counts what all of its kind decode.
type counter struct{ n *atomic.Int64 }

func (c counter) Reset() {}
func (c counter) Decode(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	c.n.Add(1)
	*m = devices.Message{Device: u.Device, Received: u.Received}
	return nil
}

// reader is a consumer that remembers the times of reception that it saw.
type reader struct {
	mu     sync.Mutex
	seen   []int64 // guarded by mu
	starts int     // guarded by mu
	at     uint64  // guarded by mu
	fail   func(b *devices.Batch) error
}

func (r *reader) Start(context.Context, int) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts++
	return r.at + 1, nil
}

func (r *reader) Consume(_ context.Context, b *devices.Batch) error {
	if r.fail != nil {
		if err := r.fail(b); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = b.Seq
	for _, it := range b.Items {
		if it.Message.Received != it.Uplink.Received {
			return fmt.Errorf("message of %d with the uplink of %d", it.Message.Received, it.Uplink.Received)
		}
		r.seen = append(r.seen, it.Message.Received)
	}
	return nil
}

func (r *reader) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func send(t *testing.T, l *uplog.Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		r := uplog.Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: "MH-1", Received: int64(i)}}
		if err := l.Append(t.Context(), 0, &r, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *reader) inOrder(t *testing.T, n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) != n {
		t.Fatalf("%d messages, want %d", len(r.seen), n)
	}
	for i, got := range r.seen {
		if got != int64(i) {
			t.Fatalf("message %d is %d", i, got)
		}
	}
}

func TestConsumersAtTheSameFrameDecodeItOnce(t *testing.T) {
	l := openLog(t, 1)
	var decoded atomic.Int64
	a, b := &reader{}, &reader{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- Follow(ctx, l, 0, func() Decoder { return counter{&decoded} }, zerolog.Nop(), map[string]Consumer{"a": a, "b": b})
	}()
	const n = 2000
	for i := range n / 20 { // frame by frame, so that neither falls behind
		send(t, l, i*20, i*20+20)
		eventually(t, "both have it", func() bool { return a.count() == i*20+20 && b.count() == i*20+20 })
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	a.inOrder(t, n)
	b.inOrder(t, n)
	if got := decoded.Load(); got != n {
		t.Errorf("%d messages decoded for %d", got, n)
	}
}

func TestAConsumerThatStandsStillDoesNotHoldUpTheOther(t *testing.T) {
	l := openLog(t, 1)
	var decoded atomic.Int64
	gate := make(chan struct{})
	quick, slow := &reader{}, &reader{fail: func(*devices.Batch) error { <-gate; return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- Follow(ctx, l, 0, func() Decoder { return counter{&decoded} }, zerolog.Nop(), map[string]Consumer{"quick": quick, "slow": slow})
	}()
	const n = 20 * shared
	for i := range n {
		send(t, l, i, i+1)
		eventually(t, "the quick one has it", func() bool { return quick.count() == i+1 })
	}
	close(gate)
	eventually(t, "the slow one has all", func() bool { return slow.count() == n })
	cancel()
	<-done
	quick.inOrder(t, n)
	slow.inOrder(t, n)
}

func TestAConsumerIsStartedAgainAfterAnErrorAndEndsWhenFenced(t *testing.T) {
	l := openLog(t, 1)
	var phase atomic.Int32
	errs := []error{nil, errors.New("the store is away"), fmt.Errorf("commit: %w", devices.ErrFenced)}
	c := &reader{fail: func(*devices.Batch) error { return errs[phase.Load()] }}
	f := &Follower{Name: "rules", Log: l, Decoder: counter{new(atomic.Int64)}, Consumer: c, Logger: zerolog.Nop()}
	done := make(chan error)
	go func() { done <- f.Run(t.Context()) }()
	send(t, l, 0, 10)
	eventually(t, "ten", func() bool { return c.count() == 10 })
	phase.Store(1)
	send(t, l, 10, 20)
	eventually(t, "trouble", func() bool { _, why := f.Health(); return why != "" })
	phase.Store(0)
	eventually(t, "twenty", func() bool { return c.count() == 20 })
	eventually(t, "no trouble", func() bool { _, why := f.Health(); return why == "" })
	c.inOrder(t, 20)
	phase.Store(2)
	send(t, l, 20, 21)
	if err := <-done; !errors.Is(err, devices.ErrFenced) {
		t.Fatal(err)
	}
	if c.starts < 2 {
		t.Errorf("started %d times", c.starts)
	}
}

type census map[devices.DeviceID]registry.Entry

func (c census) Find(d devices.DeviceID) (registry.Entry, bool) { e, ok := c[d]; return e, ok }

func TestIntakeKeepsACabinetTogetherAndMarksTheUnknown(t *testing.T) {
	l := openLog(t, 4)
	c := census{"L-1": {PartitionKey: "CAB-7"}, "L-2": {PartitionKey: "CAB-7"}}
	in := NewIntake(l, c, nil)
	acks := newReceipt()
	for _, d := range []devices.DeviceID{"L-1", "L-2", "stranger"} {
		if err := in.Deliver(t.Context(), &devices.Uplink{Device: d}, acks); err != nil {
			t.Fatal(err)
		}
		acks.sent++
	}
	if err := acks.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[devices.DeviceID]int{"L-1": PartitionOf("CAB-7", 4), "L-2": PartitionOf("CAB-7", 4), "stranger": PartitionOf("stranger", 4)}
	for p := range 4 {
		for _, r := range records(t, l, p) {
			if want[r.Uplink.Device] != p {
				t.Errorf("%s lies in partition %d", r.Uplink.Device, p)
			}
			if got := r.Uplink.Flags.Has(devices.FlagUnknown); got != (r.Uplink.Device == "stranger") {
				t.Errorf("%s marked unknown: %v", r.Uplink.Device, got)
			}
			delete(want, r.Uplink.Device)
		}
	}
	if len(want) != 0 {
		t.Errorf("not in the log: %v", want)
	}
}

// records are those of a partition that are there now.
func records(t *testing.T, l *uplog.Log, p int) (out []uplog.Record) {
	t.Helper()
	_, last, err := l.Bounds(p)
	if err != nil || last == 0 {
		return nil
	}
	enough := errors.New("enough")
	if err := l.Read(t.Context(), p, 0, func(f *uplog.Frame) error {
		for r := range f.Records() {
			out = append(out, *r)
		}
		if f.Seq >= last {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	return out
}

// history is a census of which nothing is left but its changes.
type history struct{ changes []registry.Change }

func (h *history) Refresh(context.Context) error { return nil }
func (h *history) Newest(context.Context) (int64, error) {
	return int64(len(h.changes)), nil
}

func (h *history) ChangesSince(_ context.Context, id int64, limit int) ([]registry.Change, error) {
	return h.changes[id:min(int(id)+limit, len(h.changes))], nil
}

func (h *history) After(_ context.Context, after devices.FacilityID, limit int) ([]registry.Facility, error) {
	now := map[devices.FacilityID]registry.Facility{}
	for _, c := range h.changes {
		if now[c.Facility.ID] = c.Facility; c.Gone {
			delete(now, c.Facility.ID)
		}
	}
	var out []registry.Facility
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if id > after && len(out) < limit {
			out = append(out, now[id])
		}
	}
	return out, nil
}

// put is a change; was is the cabinet before.
func (h *history) put(id devices.FacilityID, was, cabinet string) {
	h.changes = append(h.changes, registry.Change{ID: int64(len(h.changes) + 1), Was: was, New: was == "", Facility: registry.Facility{ID: id, Cabinet: cabinet}})
}

// fed are the changes in a partition.
func fed(t *testing.T, l *uplog.Log, p int) (out []registry.Fed) {
	t.Helper()
	for _, r := range records(t, l, p) {
		fs, err := registry.DecodeFed(r.Control)
		if err != nil || r.Type != devices.ItemCensus || len(fs) > feedRecord {
			t.Fatalf("type %d with %d changes: %v", r.Type, len(fs), err)
		}
		out = append(out, fs...)
	}
	return out
}

// cabinets are one of partition 0 and one of partition 1 of two.
func cabinets() (here, there string) {
	for i := 0; here == "" || there == ""; i++ {
		if key := fmt.Sprintf("CAB-%d", i); PartitionOf(key, 2) == 0 {
			here = key
		} else {
			there = key
		}
	}
	return here, there
}

// feedAll runs a feed, as after a start, until there is nothing more.
func feedAll(t *testing.T, l *uplog.Log, h *history, file string, again bool) {
	t.Helper()
	f := &CensusFeed{Log: l, Census: h, File: file, Logger: zerolog.Nop()}
	if err := f.begin(); err != nil {
		t.Fatal(err)
	}
	if again {
		f.Again()
	}
	for more := true; more; {
		var err error
		if more, err = f.feed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCensusFeedTellsBothPartitionsOfAMoveAndGoesOnWhereItWas(t *testing.T) {
	l, h, file := openLog(t, 2), &history{}, filepath.Join(t.TempDir(), "fed")
	here, there := cabinets()
	for i := range 450 {
		h.put(devices.FacilityID(fmt.Sprintf("L-%d", i)), "", here)
	}
	feedAll(t, l, h, file, false)
	if a, b := fed(t, l, 0), fed(t, l, 1); len(a) != 450 || len(b) != 0 || a[0].Moved {
		t.Fatalf("%d facilities in their partition, %v in the other", len(a), b)
	}
	h.put("L-7", here, there) // moves
	h.put("L-8", here, here)  // does not
	feedAll(t, l, h, file, false)
	a, b := fed(t, l, 0)[450:], fed(t, l, 1)
	if len(a) != 2 || len(b) != 1 || a[1].Facility.ID != "L-7" || !b[0].Moved || b[0].Facility.ID != "L-7" || a[0].Moved { // who leaves is told last
		t.Fatalf("after a move %+v and %+v", a, b)
	}
}

func TestCensusFeedTellsOnlyThoseWhoHadWhatIsGone(t *testing.T) {
	l, h, file := openLog(t, 2), &history{}, filepath.Join(t.TempDir(), "fed")
	here, there := cabinets()
	h.put("L-1", "", here)
	h.put("L-2", "", there)
	feedAll(t, l, h, file, false)
	h.changes = append(h.changes, registry.Change{ID: 3, Gone: true, Was: there, Facility: registry.Facility{ID: "L-2"}})
	feedAll(t, l, h, file, false)
	if a, b := fed(t, l, 0), fed(t, l, 1); len(a) != 1 || len(b) != 2 || !b[1].Gone || b[1].Facility.ID != "L-2" {
		t.Fatalf("%+v and %+v", a, b)
	}
}

func TestCensusFeedTellsEverythingAgainToAPartitionThatForgot(t *testing.T) {
	l, h, file := openLog(t, 2), &history{}, filepath.Join(t.TempDir(), "fed")
	here, there := cabinets()
	h.put("L-1", "", here)
	h.put("L-2", "", there)
	feedAll(t, l, h, file, false)
	feedAll(t, l, h, file, true)
	if a, b := fed(t, l, 0), fed(t, l, 1); len(a) != 2 || len(b) != 2 || !a[1].Moved || !b[1].Moved {
		t.Fatalf("%+v and %+v", a, b)
	}
}

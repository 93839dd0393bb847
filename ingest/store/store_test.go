package store

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	papi "github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// The test binary is the store child when this variable is set.
const beChild = "LAMPLIGHTER_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(beChild) != "" {
		if err := RunChild(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func supervise(t testing.TB, dir string) *Child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Supervise(t.Context(), ChildOptions{Executable: exe, Env: []string{beChild + "=1"}, Dir: dir, MemoryMB: 128, Log: zerolog.New(zerolog.NewTestWriter(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

type noCensus struct{}

func (noCensus) Find(devices.DeviceID) (registry.Entry, bool) { return registry.Entry{}, false }

type bin struct{ lines []string }

func (b *bin) Refused(_ context.Context, line, _ string) error {
	b.lines = append(b.lines, line)
	return nil
}

func newTestWriter(t testing.TB, c *Child) (*Writer, *bin) {
	t.Helper()
	b := &bin{}
	w := NewWriter(Options{
		Target: Target{URL: c.URL(), Org: "o", Bucket: "b", Authorization: c.Authorization(), Generation: func() int { _, n := c.PID(); return n }},
		Census: noCensus{}, Cursor: FileCursor{t.TempDir()}, Quarantine: b, Log: zerolog.Nop(), Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if _, err := w.Start(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	return w, b
}

var tilt = &devices.Channel{Name: "tilt_deg", Type: devices.Number, ID: 0}

// batch has one message per value, a second apart, ending now.
func batch(seq uint64, vals ...float64) *devices.Batch {
	b := &devices.Batch{Seq: seq, Wall: time.Now().UnixMilli()}
	for i, v := range vals {
		m := &devices.Message{Type: devices.Telemetry, Device: "MH-1", Seq: uint64(i), HasSeq: true, Readings: []devices.Reading{{
			Time: b.Wall - int64(len(vals)-1-i)*1000, Values: []devices.Value{{Channel: tilt, Num: v}},
		}}}
		b.Items = append(b.Items, devices.Item{Type: devices.ItemUplink, Message: m})
	}
	return b
}

// eventually reads the channel until it has n points.
func eventually(t *testing.T, c *Child, channel string, n int) []Point {
	t.Helper()
	q, err := c.Reader()
	if err != nil {
		t.Fatal(err)
	}
	var pts []Point
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now := time.Now().UnixMilli()
		if pts, err = q.Range(t.Context(), "MH-1", channel, now-3600_000, now+1000, 10000); err == nil && len(pts) >= n {
			return pts
		}
	}
	t.Fatalf("%d of %d points can be read: %v", len(pts), n, err)
	return nil
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	c := supervise(t, t.TempDir())
	w, _ := newTestWriter(t, c)
	if err := w.Consume(t.Context(), batch(1, 1, 2.5, -3)); err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, p := range eventually(t, c, "tilt_deg", 3) {
		got = append(got, p.V)
	}
	if fmt.Sprint(got) != "[1 2.5 -3]" {
		t.Errorf("read %v", got)
	}
	if n := len(eventually(t, c, "seq", 3)); n != 3 {
		t.Errorf("%d sequence numbers", n)
	}
	q, err := c.Reader()
	if err != nil {
		t.Fatal(err)
	}
	latest, err := q.Latest(t.Context(), []string{"MH-1"})
	if err != nil || latest["MH-1"]["tilt_deg"].V != -3 || time.Since(time.UnixMilli(latest["MH-1"]["tilt_deg"].T)) > time.Minute {
		t.Errorf("latest %v, %v", latest, err)
	}
	if _, err := (&PromQL{api: mustAPI(t, c.URL())}).Range(t.Context(), "MH-1", "tilt_deg", 0, 1, 1); err == nil {
		t.Error("the store answers without a password")
	}
}

// A range is read in stretches: at their ends nothing is lost, and nothing comes twice.
func TestARangeOfManyDaysIsWhole(t *testing.T) {
	c := supervise(t, t.TempDir())
	w, _ := newTestWriter(t, c)
	to := time.Now().UnixMilli()
	b := batch(1, 9, 8, 7, 6, 5, 4, 3, 2, 1)
	for i, ago := range []int64{0, 1, firstLook - 1, firstLook, firstLook + 1, 3*firstLook - 1, 3 * firstLook, 6 * firstLook, 9 * firstLook} {
		b.Items[i].Message.Readings[0].Time = to - ago
	}
	if err := w.Consume(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	eventually(t, c, "tilt_deg", 2) // the newest can be read, so all
	q, err := c.Reader()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		from  int64
		limit int
		want  string
	}{
		{to - 20*firstLook, 100, "[1 2 3 4 5 6 7 8 9]"}, {to - 9*firstLook, 100, "[1 2 3 4 5 6 7 8 9]"}, {to - 3*firstLook, 100, "[3 4 5 6 7 8 9]"},
		{to - 20*firstLook, 3, "[7 8 9]"}, {to - 20*firstLook, 4, "[6 7 8 9]"}, {to - firstLook, 100, "[6 7 8 9]"}, {to, 100, "[9]"},
	} {
		pts, err := q.Range(t.Context(), "MH-1", "tilt_deg", x.from, to, x.limit)
		var got []float64
		for _, p := range pts {
			got = append(got, p.V)
		}
		if err != nil || fmt.Sprint(got) != x.want {
			t.Errorf("%d ms to the end, at most %d: %v, %v, want %s", to-x.from, x.limit, got, err, x.want)
		}
	}
}

func TestKilledChildLosesNothing(t *testing.T) {
	c := supervise(t, t.TempDir())
	w, _ := newTestWriter(t, c)
	first := batch(1, 1, 2, 3)
	if err := w.Consume(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	pid, _ := c.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := batch(2, 4, 5)
	err := w.Consume(t.Context(), second) // waits until the child is back
	if err == nil {
		t.Fatal("the writer went on as if the store had kept its last minute")
	}
	from, err := w.Start(t.Context(), 0)
	if err != nil || from != 1 {
		t.Fatalf("starts again at %d, %v; want 1", from, err)
	}
	for _, b := range []*devices.Batch{first, second} {
		if err := w.Consume(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	want := map[int64]bool{}
	for _, b := range []*devices.Batch{first, second} {
		for i := range b.Items {
			want[b.Items[i].Message.Readings[0].Time] = true
		}
	}
	if pts := eventually(t, c, "tilt_deg", len(want)); len(pts) != len(want) {
		t.Errorf("%d points, want each of %d once", len(pts), len(want))
	}
}

func TestHostileNamesMakeNoSecondLine(t *testing.T) {
	for _, s := range []string{"a b", "a,b=1", "a\nlamplighter,id=X tilt_deg=9", `a\`, "", "\xff\x00"} {
		var l lines
		ch := &devices.Channel{Name: "mode", Type: devices.Text, ID: 3}
		l.message("MH-1", &devices.Message{Device: "MH-1", Readings: []devices.Reading{{Time: 5, Values: []devices.Value{{Channel: ch, Text: s}}}}}, 0, 10)
		if got := string(l.buf); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, " mode=1 5\n") {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	vals := make([]devices.Value, 10)
	for i := range vals {
		vals[i] = devices.Value{Channel: &devices.Channel{Name: fmt.Sprintf("channel_%d", i), Type: devices.Number, ID: i}, Num: float64(i) * 1.25}
	}
	m := &devices.Message{Device: "L0000001", Seq: 5, HasSeq: true, Readings: []devices.Reading{{Time: 1767226199000, Values: vals}}}
	var l lines
	b.ReportAllocs()
	for b.Loop() {
		l.buf = l.buf[:0]
		l.message("L0000001", m, 0, 1<<60)
	}
}

func mustAPI(t *testing.T, url string) v1.API {
	t.Helper()
	c, err := papi.NewClient(papi.Config{Address: url})
	if err != nil {
		t.Fatal(err)
	}
	return v1.NewAPI(c)
}

// The store runs behind acknowledgements and tickets when the processor is short.
func TestTheStoreYields(t *testing.T) {
	c := supervise(t, t.TempDir())
	pid, _ := c.PID()
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	its, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid)
	if err != nil {
		t.Fatal(err)
	}
	if own-its != min(niceness, own-1) { // the kernel answers 20 minus the niceness, 1 at least
		t.Errorf("priority %d, the store's %d", own, its)
	}
}

package uplog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lamplighter/devices"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type ackFunc func(uint16, error)

func (f ackFunc) Acked(id uint16, err error) { f(id, err) }

func open(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func uplink(i int) *Record {
	return &Record{Type: devices.ItemUplink, Uplink: devices.Uplink{
		Device: "MH-1", Topic: "f/1/MH-1/telemetry", Source: "listener", PacketID: uint16(i), Received: int64(i), Payload: fmt.Appendf(nil, `{"seq":%d}`, i),
	}}
}

// collect reads n uplinks from the start.
func collect(t testing.TB, l *Log, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var got []string
	enough := errors.New("enough")
	wall := int64(0)
	err := l.Read(ctx, 0, 0, func(f *Frame) error {
		if f.Wall < wall {
			t.Errorf("frame %d: the wall clock ran back from %d to %d", f.Seq, wall, f.Wall)
		}
		wall = f.Wall
		for r := range f.Records() {
			got = append(got, string(r.Uplink.Payload))
		}
		if len(got) >= n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("read %d of %d: %v", len(got), n, err)
	}
	return got
}

func TestWhatWasAckedIsReadAfterARestart(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(t.Context(), Options{Dir: dir, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	const n = 5000
	acked := make(chan error, n)
	for i := range n {
		if err := l.Append(t.Context(), 0, uplink(i), ackFunc(func(_ uint16, err error) { acked <- err })); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if err := <-acked; err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	again := open(t, Options{Dir: dir, Partitions: 1, Now: func() time.Time { return time.UnixMilli(1) }}) // a clock that ran back
	if err := again.Append(t.Context(), 0, uplink(n), nil); err != nil {
		t.Fatal(err)
	}
	for i, s := range collect(t, again, n+1) {
		if want := fmt.Sprintf(`{"seq":%d}`, i); s != want {
			t.Fatalf("record %d is %s", i, s)
		}
	}
}

func TestFullLogAcksNothingAndGoesOnWhenThereIsRoom(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1, ReserveBytes: 1 << 60})
	acked := make(chan error, 1)
	if err := l.Append(t.Context(), 0, uplink(0), ackFunc(func(_ uint16, err error) { acked <- err })); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for full := false; !full; full, _ = l.Health() {
		if time.Now().After(deadline) {
			t.Fatal("a log without room calls itself healthy")
		}
		time.Sleep(5 * time.Millisecond)
	}
	select {
	case err := <-acked:
		t.Fatalf("acknowledged without room: %v", err)
	default:
	}
}

func TestCorruptFrameIsNamed(t *testing.T) {
	d := &draft{buf: make([]byte, headerLen)}
	d.buf = appendRecord(d.buf, uplink(1))
	seal(d.buf, 77, 1)
	if f, err := openFrame(0, 5, d.buf); err != nil || f.Wall != 77 {
		t.Fatalf("a good frame: %+v, %v", f, err)
	}
	for i := range d.buf {
		b := append([]byte(nil), d.buf...)
		b[i] ^= 0x10
		if _, err := openFrame(0, 5, b); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit flipped in byte %d: %v", i, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	d := &draft{buf: make([]byte, headerLen)}
	d.add(uplink(1), nil)
	f.Add(d.buf[headerLen:], 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		b := append(make([]byte, headerLen), body...)
		seal(b, 1, n)
		frame, err := openFrame(0, 1, b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, got := &draft{buf: make([]byte, headerLen)}, 0
		for r := range frame.Records() {
			again.add(r, nil)
			got++
		}
		if got != frame.Count {
			t.Fatalf("%d records of %d", got, frame.Count)
		}
	})
}

// A sender that waits for each acknowledgement is not kept until a frame is due.
func TestALullEndsTheGathering(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1, gap: time.Hour})
	acked := make(chan error, 1)
	for i := range 20 {
		if err := l.Append(t.Context(), 0, uplink(i), ackFunc(func(_ uint16, err error) { acked <- err })); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-acked:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("record %d is not durable", i)
		}
	}
}

func TestRecordsGatherAndAFullFrameDoesNotWait(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1, gap: time.Hour, lull: time.Hour})
	acked := make(chan error, 3*MaxFrameRecords)
	appendUplinks := func(n int) {
		t.Helper()
		for i := range n {
			if err := l.Append(t.Context(), 0, uplink(i), ackFunc(func(_ uint16, err error) { acked <- err })); err != nil {
				t.Fatal(err)
			}
		}
	}
	durable := func(n int) {
		t.Helper()
		for range n {
			select {
			case err := <-acked:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("not durable")
			}
		}
	}
	appendUplinks(1)
	durable(1) // the first waits for nobody
	appendUplinks(MaxFrameRecords + 1)
	durable(MaxFrameRecords) // a full frame neither
	if len(acked) != 0 {
		t.Error("a frame of one record did not wait for more")
	}
	l.Close()
	durable(1)
}

package rules

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// restarted is an engine that has been written down and read again.
func restarted(t *testing.T, e *Engine, seq uint64) *Engine {
	t.Helper()
	var b bytes.Buffer
	if err := e.freeze(seq).write(&b); err != nil {
		t.Fatal(err)
	}
	n := NewEngine(e.set, e.dict, e.owns)
	n.partitions, n.perFrame = e.partitions, e.perFrame
	got, err := n.restore(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got != seq {
		t.Fatalf("snapshot of frame %d, want %d", got, seq)
	}
	return n
}

// stormy is a random past of a small city: lamps that fall silent and come back,
// covers that move, copies, losses, late batches, census changes.
func stormy(s *story, seed uint64, steps int) [][]devices.Item {
	r := rand.New(rand.NewPCG(seed, 2))
	var fs []registry.Facility
	for i := range 18 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%d", i)), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: fmt.Sprint("C", i%3), ExpectS: 10})
	}
	var meters []registry.Facility
	for i := range 3 {
		c := fmt.Sprint("C", i)
		meters = append(meters, registry.Facility{ID: devices.FacilityID("CAB:" + c), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: c, ExpectS: 10})
	}
	out := [][]devices.Item{{s.census(append(meters, fs...)...)}}
	dark := -1
	for sec := 1; sec < steps; sec++ {
		if r.IntN(60) == 0 {
			dark = r.IntN(6) - 3
		}
		var items []devices.Item
		if sec%10 == 1 && sec%200 < 150 { // meters live on, but not always
			for _, m := range meters {
				items = append(items, s.says(string(m.ID), float64(sec), "leakage", r.IntN(4) == 0))
			}
		}
		for i := range fs {
			if i%3 != dark && r.IntN(8) == 0 {
				items = append(items, s.says(string(fs[i].ID), float64(sec-r.IntN(2)*r.IntN(90)), "lamp_on", true, "power_w", float64(r.IntN(3))*30))
			}
		}
		if r.IntN(3) == 0 {
			items = append(items, s.says("MH-1", float64(sec), "tilt_deg", float64(r.IntN(2)*30)))
		}
		if n := len(items); n > 0 && r.IntN(10) == 0 {
			items = append(items, items[r.IntN(n)])
		}
		if r.IntN(50) == 0 {
			items = append(items, s.link("b", r.IntN(2) == 0, float64(sec-r.IntN(10))))
		}
		for i := range items {
			if items[i].Type == devices.ItemUplink && r.IntN(2) == 0 {
				items[i].Uplink.Source = "b"
			}
		}
		if r.IntN(60) == 0 {
			f := fs[r.IntN(len(fs))]
			f.Circuit = fmt.Sprint("C", r.IntN(3))
			items = append(items, s.census(f))
		}
		out = append(out, items)
	}
	return out
}

func TestARestartAnywhereChangesNothing(t *testing.T) {
	worse := 0 // standings that a common cause made worse
	for n := range uint64(devicestest.Sized(20, 5)) {
		seed := 17 + n // of which the first has a common cause on a meter
		a, b := tell(t), tell(t)
		past := stormy(a, seed, 600)
		r := rand.New(rand.NewPCG(seed, 3))
		for sec, items := range past {
			a.step(float64(sec), items...)
			b.seq = a.seq - 1
			b.step(float64(sec), items...)
			if r.IntN(20) == 0 {
				b.e = restarted(t, b.e, b.seq)
			}
			for id, f := range a.e.facilities {
				if g := b.e.facilities[id]; f.shown != g.shown || f.since != g.since {
					t.Fatalf("seed %d: at %d s %s is shown %s since %d, without restarts %s since %d", seed, sec, id, g.shown, g.since-start, f.shown, f.since-start)
				}
				if f.shown != f.standing {
					worse++
				}
			}
		}
		if len(a.log) < 10 {
			t.Fatalf("seed %d: only %d transitions; the past is too quiet to show anything", seed, len(a.log))
		}
		if got, want := strings.Join(b.log, "\n"), strings.Join(a.log, "\n"); got != want {
			t.Fatalf("seed %d: with restarts\n%s\nwithout\n%s", seed, got, want)
		}
		if !reflect.DeepEqual(a.gaps, b.gaps) {
			t.Errorf("seed %d: gaps %v, without restarts %v", seed, b.gaps, a.gaps)
		}
		if len(a.stood) < 10 || !reflect.DeepEqual(a.stood, b.stood) {
			t.Errorf("seed %d: %d standings told, not the same %d without restarts", seed, len(b.stood), len(a.stood))
		}
		if a.e.counts != b.e.counts {
			t.Errorf("seed %d: counts %v, without restarts %v", seed, b.e.counts, a.e.counts)
		}
	}
	if worse == 0 {
		t.Error("no common cause stood on a meter that was better: the past shows nothing of that")
	}
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 30.0))
	var b bytes.Buffer
	if err := s.e.freeze(1).write(&b); err != nil {
		t.Fatal(err)
	}
	for i := range b.Bytes() {
		bad := bytes.Clone(b.Bytes())
		bad[i] ^= 0x10
		if _, err := NewEngine(s.e.set, s.dict, nil).restore(bytes.NewReader(bad), int64(len(bad))); err == nil {
			t.Fatalf("byte %d changed: was taken", i)
		}
	}
	if _, err := NewEngine(s.e.set, s.dict, nil).restore(bytes.NewReader(nil), 0); err == nil {
		t.Fatal("an empty file was taken")
	}
}

// asBefore is a snapshot in the format before: alerts have no words, and there is
// no tail.
func asBefore(t *testing.T, b []byte) []byte {
	t.Helper()
	alerts := slices.IndexFunc(reflect.VisibleFields(reflect.TypeFor[snapshotFacility]()), func(f reflect.StructField) bool { return f.Name == "Alerts" }) - 1
	old := bytes.NewBufferString(snapshotMagicOld)
	dec, enc := cbor.NewDecoder(bytes.NewReader(b[len(snapshotMagic):len(b)-4])), cbor.NewEncoder(old)
	for {
		var raw cbor.RawMessage
		if err := dec.Decode(&raw); err == io.EOF || err == nil && raw[0]>>5 == 5 { // a map
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var x []any
		if err := cbor.Unmarshal(raw, &x); err != nil {
			t.Fatal(err)
		}
		if len(x) > alerts {
			list, _ := x[alerts].([]any) // null of none
			for i, a := range list {
				list[i] = a.([]any)[:11]
			}
		}
		if err := enc.Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	return binary.LittleEndian.AppendUint32(old.Bytes(), crc32.Checksum(old.Bytes(), crc32.MakeTable(crc32.Castagnoli)))
}

// After an update a daemon goes on from the snapshot of the version before.
func TestASnapshotOfTheFormatBeforeIsRead(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "lift_mm", 45.0, "tilt_deg", 2.0))
	s.until(1, 2)
	s.expect("2 opened MH-1 cover_displaced")
	var b bytes.Buffer
	if err := s.e.freeze(s.seq).write(&b); err != nil {
		t.Fatal(err)
	}
	old := asBefore(t, b.Bytes())
	e := NewEngine(s.e.set, s.dict, nil)
	if _, err := e.restore(bytes.NewReader(old), int64(len(old))); err != nil {
		t.Fatal(err)
	}
	s.e = e
	same(t, s.said(3, s.says("MH-1", 3, "lift_mm", 46.0)), "+ Cover lifted") // what the desk knows
	same(t, s.said(4, s.says("MH-1", 4, "lift_mm", 45.0)), "")
	same(t, s.said(5, s.says("MH-1", 5, "cover_missing", true)), "+ Cover missing")
}

// ledgerDesk writes outcomes down in memory.
type ledgerDesk struct {
	epoch, seq uint64
	got        []string
}

func (d *ledgerDesk) Resume(_ context.Context, _ int, newest uint64) (Position, error) {
	d.epoch++
	if d.seq > newest {
		d.seq = 0
	}
	return Position{Epoch: d.epoch, Seq: d.seq}, nil
}

func (d *ledgerDesk) Commit(_ context.Context, o *Outcome) error {
	if o.Epoch != d.epoch || o.OldSeq != d.seq {
		return fmt.Errorf("cursor %d, epoch %d: %w", o.OldSeq, o.Epoch, devices.ErrFenced)
	}
	d.seq = o.NewSeq
	for _, t := range o.Transitions {
		d.got = append(d.got, fmt.Sprint(t.Wall-start, t.Type, t.Facility, t.Defect, t.Member))
	}
	return nil
}

// bounds is a log from its first frame to its last.
type bounds struct{ first, last uint64 }

func (b *bounds) Bounds(int) (uint64, uint64, error) { return b.first, b.last, nil }

// run feeds the worker the frames of the past from where it wants to go on to n.
func run(t *testing.T, w *Worker, past [][]devices.Item, n int) {
	t.Helper()
	from, err := w.Start(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for seq := from; seq <= uint64(n); seq++ {
		if err := w.Consume(t.Context(), &devices.Batch{Seq: seq, Wall: start + int64(seq)*1000, Items: past[seq-1]}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWorkerGoesOnFromItsSnapshot(t *testing.T) {
	s := tell(t)
	past := stormy(s, 7, 600)
	l := &bounds{1, 600}
	worker := func(d *ledgerDesk, a *Archive, forgot func()) *Worker {
		return NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: l, Desk: d, Archive: a, Every: 20 * time.Second, Forgot: forgot, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
	}
	undisturbed := &ledgerDesk{}
	run(t, worker(undisturbed, nil, nil), past, 600)

	archive, err := OpenArchive(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &ledgerDesk{}
	never := func() { t.Error("the state was forgotten") }
	var w *Worker
	for n := 37; n < 600; n += 37 { // killed again and again: no Stop
		w = worker(d, archive, never)
		run(t, w, past, n)
		w.saving.Wait()
	}
	if k := w.Keep(); k < 500 {
		t.Errorf("the log has to keep everything from frame %d on, want from 500 at least", k)
	}
	l.first = w.Keep() // and no longer has what nobody needs
	w = worker(d, archive, never)
	run(t, w, past, 600)
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if from, err := worker(d, archive, never).Start(t.Context(), 0); err != nil || from != 601 {
		t.Errorf("after an orderly end it goes on from frame %d (%v), want 601", from, err)
	}
	if got, want := strings.Join(d.got, "\n"), strings.Join(undisturbed.got, "\n"); got != want {
		t.Errorf("with restarts\n%s\nwithout\n%s", got, want)
	}
}

func TestAWorkerThatHasForgottenSaysSo(t *testing.T) {
	s := tell(t)
	forgot := 0
	w := NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: &bounds{500, 600}, Desk: &ledgerDesk{seq: 550}, Forgot: func() { forgot++ }, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
	from, err := w.Start(t.Context(), 0)
	if err != nil || from != 500 || forgot != 1 {
		t.Errorf("goes on from %d (%v), said so %d times; want from 500, once", from, err, forgot)
	}
}

// oldSnapshot is one of the first format, as version 0.1 wrote it: its head was
// an array of seven and circuits stood where parents stand now.
func oldSnapshot(t *testing.T) []byte {
	t.Helper()
	b := bytes.NewBufferString("LMPSNAP1")
	enc := cbor.NewEncoder(b)
	for _, x := range []any{
		[]any{uint64(40), int64(start + 40_000), string(Default()), []string{"tilt_deg"}, []string{""}, 1, 1},
		[]any{"CAB:C1", true},
		[]any{"MH-1", "MH-1", uint8(devices.Manhole), "", nil, int64(0), int64(start), int64(start), int64(0), false, false, false, []any{}, []any{}, []any{}},
	} {
		if err := enc.Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	return binary.LittleEndian.AppendUint32(b.Bytes(), crc32.Checksum(b.Bytes(), crc32.MakeTable(crc32.Castagnoli)))
}

func TestASnapshotOfAnOldFormatIsRefusedAndTheStateTakenFromTheLog(t *testing.T) {
	s := tell(t)
	old := oldSnapshot(t)
	_, err := NewEngine(s.e.set, s.dict, nil).restore(bytes.NewReader(old), int64(len(old)))
	if want := fmt.Sprintf(`found "LMPSNAP1" at the beginning, want %q`, snapshotMagic); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("%v, want %s", err, want)
	}

	past := stormy(s, 7, 200)
	worker := func(d *ledgerDesk, a *Archive) *Worker {
		return NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: &bounds{1, 200}, Desk: d, Archive: a, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop(), Forgot: func() { t.Error("the state was forgotten") }})
	}
	undisturbed := &ledgerDesk{}
	run(t, worker(undisturbed, nil), past, 200)
	dir := t.TempDir()
	archive, err := OpenArchive(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := &ledgerDesk{}
	run(t, worker(d, archive), past, 100)
	file := filepath.Join(dir, "rules-0.snapshot")
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, worker(d, archive), past, 200)
	if got, want := strings.Join(d.got, "\n"), strings.Join(undisturbed.got, "\n"); got != want || want == "" {
		t.Errorf("after the old snapshot\n%s\nwithout\n%s", got, want)
	}
	if kept, err := os.ReadFile(file + ".bad"); err != nil || !bytes.Equal(kept, old) {
		t.Errorf("the old snapshot is not put aside: %v", err)
	}
}

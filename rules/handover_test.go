package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// two partitions; who is handed over from the first comes into the second's log
// a second later, and twice.
type two struct {
	a, b *story
	on   map[devices.FacilityID]bool // b judges it
	old  bool                        // letters do not say when a facility was found to be silent
}

func newTwo(t *testing.T) *two {
	x := &two{a: tell(t), b: tell(t), on: make(map[devices.FacilityID]bool)}
	x.a.e.owns = func(f *registry.Facility) bool { return !x.on[f.ID] }
	x.b.e.owns = func(f *registry.Facility) bool { return x.on[f.ID] }
	return x
}

// move is a change of the census that moves f from a to b.
func (x *two) move(sec float64, f registry.Facility) {
	t := x.a.t
	t.Helper()
	f.Device = cmp.Or(f.Device, devices.DeviceID(f.ID))
	x.on[f.ID] = true
	text, err := registry.EncodeFed([]registry.Fed{{Facility: f, Moved: true}})
	if err != nil {
		t.Fatal(err)
	}
	it := devices.Item{Type: devices.ItemCensus, Control: text}
	x.b.step(sec, it)
	x.a.seq++
	found, err := x.a.e.Step(&devices.Batch{Seq: x.a.seq, Wall: start + int64(sec*1000), Items: []devices.Item{it}})
	if err != nil || len(found.Letters) != 1 || found.Letters[0].Key != f.Key() {
		t.Fatalf("leaving %+v (%v), want one for %s", found.Letters, err, f.Key())
	}
	if len(found.Transitions) != 0 {
		t.Errorf("leaving told %+v", found.Transitions)
	}
	record := devices.Item{Type: devices.ItemStanding, Control: slices.Clone(found.Letters[0].Record)}
	if x.old {
		var letter []any
		if err := cbor.Unmarshal(record.Control, &letter); err != nil {
			t.Fatal(err)
		}
		if record.Control, err = cbor.Marshal(letter[:len(letter)-1]); err != nil {
			t.Fatal(err)
		}
	}
	x.b.step(sec+1, record, record)
}

func TestAFacilityTakesItsStandingAlong(t *testing.T) {
	x := newTwo(t)
	shut := registry.Facility{ID: "MH-SHUT", Kind: devices.Manhole, ExpectS: 10}
	open := registry.Facility{ID: "MH-OPEN", Kind: devices.Manhole, ExpectS: 1000}
	lost := registry.Facility{ID: "MH-LOST", Kind: devices.Manhole, ExpectS: 10}
	x.a.step(0, x.a.census(shut, open, lost))
	x.a.step(1, x.a.says("MH-SHUT", 1, "tilt_deg", 1.0), x.a.says("MH-OPEN", 1, "tilt_deg", 40.0, "cover_open", false, "cover_missing", false), x.a.says("MH-LOST", 1, "tilt_deg", 1.0))
	x.a.until(2, 9)
	x.a.step(10, x.a.says("MH-SHUT", 10, "tilt_deg", 1.0))
	x.a.until(11, 30)
	x.a.step(31, x.a.says("MH-SHUT", 31, "tilt_deg", 1.0))
	x.a.until(32, 55)
	x.a.expect("3 opened MH-OPEN cover_displaced", "51 opened MH-LOST comm_lost")
	for i, f := range []registry.Facility{shut, open, lost} {
		f.Cabinet = "CAB"
		x.move(56+3*float64(i), f)
	}
	x.b.until(66, 70)
	x.b.expect() // nothing begins, nothing ends
	for id, want := range map[devices.FacilityID]string{"MH-SHUT": "unknown 31000 31000", "MH-OPEN": "faulty 1000 1000", "MH-LOST": "unknown 1000 1000"} {
		f := x.b.e.facilities[id]
		if got := fmt.Sprint(x.b.e.stands(f), " ", f.since-start, " ", f.seen-start); got != want {
			t.Errorf("%s stands, since and was last heard %s, want %s", id, got, want)
		}
		if f.book.Received == 0 {
			t.Errorf("the ledger of %s begins anew", id)
		}
	}
	if f := x.b.e.facilities["MH-LOST"]; f.absent != start+31_000 {
		t.Errorf("was found silent at %d, want 31000", f.absent-start)
	}
	x.b.step(71, x.b.says("MH-LOST", 71, "tilt_deg", 1.0), x.b.says("MH-OPEN", 71, "tilt_deg", 1.0))
	x.b.until(72, 85)
	x.b.expect("71 closed MH-LOST comm_lost", "82 opened MH-SHUT comm_lost") // 31 + 30 + 20, and there was no frame at 61
	x.b.until(86, 102)
	x.b.expect("71 closed MH-LOST comm_lost", "82 opened MH-SHUT comm_lost", "101 closed MH-OPEN cover_displaced")
}

func TestALetterOfBeforeIsRead(t *testing.T) {
	x := newTwo(t)
	x.old = true
	lost := registry.Facility{ID: "MH-LOST", Kind: devices.Manhole, ExpectS: 10}
	x.a.step(0, x.a.census(lost))
	x.a.step(1, x.a.says("MH-LOST", 1, "tilt_deg", 1.0))
	x.a.until(2, 55)
	x.a.expect("51 opened MH-LOST comm_lost")
	lost.Cabinet = "CAB"
	x.move(56, lost)
	if f := x.b.e.facilities["MH-LOST"]; !f.silent || f.seen != start+1000 {
		t.Errorf("silent %v, heard last at %d; want true, 1000", f.silent, f.seen-start)
	}
	x.b.step(58, x.b.says("MH-LOST", 58, "tilt_deg", 1.0))
	x.b.until(59, 60)
	x.b.expect("58 closed MH-LOST comm_lost")
}

func TestWhatWasHeardSinceTheMoveIsNewer(t *testing.T) {
	x := newTwo(t)
	f := registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 1000}
	x.a.step(0, x.a.census(f))
	x.a.step(1, x.a.says("MH-1", 1, "tilt_deg", 40.0, "cover_open", false, "cover_missing", false))
	x.a.until(2, 10)
	f.Cabinet = "CAB"
	x.on[f.ID] = true
	moved, err := registry.EncodeFed([]registry.Fed{{Facility: registry.Facility{ID: f.ID, Device: "MH-1", Kind: f.Kind, ExpectS: 1000, Cabinet: "CAB"}, Moved: true}})
	if err != nil {
		t.Fatal(err)
	}
	it := devices.Item{Type: devices.ItemCensus, Control: moved}
	x.b.step(11, it)
	x.b.step(12, x.b.says("MH-1", 12, "tilt_deg", 1.0, "cover_open", false, "cover_missing", false))
	found, err := x.a.e.Step(&devices.Batch{Seq: 99, Wall: start + 13_000, Items: []devices.Item{it}})
	if err != nil || len(found.Letters) != 1 {
		t.Fatalf("leaving %+v (%v)", found.Letters, err)
	}
	x.b.step(14, devices.Item{Type: devices.ItemStanding, Control: found.Letters[0].Record})
	x.b.until(15, 60)
	x.b.only("closed")
	if got := strings.Join(x.b.log, ", "); !strings.Contains(got, "closed MH-1 cover_displaced") || strings.Count(got, "cover_displaced") != 1 {
		t.Errorf("told %s, want the end of the ticket, once", got)
	}
	if v, _ := x.b.e.facilities["MH-1"].value(x.b.dict.Lookup([]byte("tilt_deg")).ID, 1e9); v.num != 1 {
		t.Errorf("its tilt is %g now", v.num)
	}
}

// What moves and gets another device in one change of the census leaves the numbers of
// the device before behind.
func TestWhatMovesWithAnotherDeviceBeginsItsNumbersAnew(t *testing.T) {
	x := newTwo(t)
	f := registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 1000}
	x.a.step(0, x.a.census(f))
	for range 20 {
		x.a.step(1, x.a.says("MH-1", 1, "tilt_deg", 1.0))
	}
	f.Cabinet, f.Device = "CAB", "DEV-2"
	x.move(2, f)
	it := x.b.says("DEV-2", 4, "tilt_deg", 40.0)
	it.Message.Seq = 1
	x.b.step(4, it)
	x.b.until(5, 10)
	x.b.expect("6 opened MH-1 cover_displaced")
}

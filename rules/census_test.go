package rules

import (
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Another device at a place numbers its messages from 1, and the one before it says
// nothing of the place any more, even where both bear one name.
func TestAnotherDeviceBeginsItsNumbersAnew(t *testing.T) {
	s := tell(t)
	put := func(d devices.DeviceID) devices.Item {
		b, err := registry.EncodeFed([]registry.Fed{{Facility: registry.Facility{ID: "MH-1", Device: d, Kind: devices.Manhole, ExpectS: 600}}})
		if err != nil {
			t.Fatal(err)
		}
		return devices.Item{Type: devices.ItemCensus, Control: b}
	}
	said := func(d string, seq uint64, tilt float64) {
		it := s.says(d, 20+float64(seq), "tilt_deg", tilt)
		it.Message.Seq = seq
		s.step(20+float64(seq), it)
	}
	s.step(0, put("MH-1"))
	for seq := range uint64(20) {
		said("MH-1", seq+1, 1)
	}
	s.step(41, put("DEV-2"))
	said("MH-1", 22, 2)
	if f := s.e.facilities["MH-1"]; f.device != "DEV-2" || len(s.e.facilities) != 1 {
		t.Errorf("the place is that of %s, one of %d", f.device, len(s.e.facilities))
	}
	it := s.says("DEV-2", 43, "tilt_deg", 30.0)
	it.Message.Seq = 1
	s.step(43, it)
	s.until(44, 50)
	s.expect("45 opened MH-1 cover_displaced")
	if len(s.gaps) != 0 {
		t.Errorf("losses %+v, want none", s.gaps)
	}
}

// What is a bridge now is judged by the rules of bridges alone: its tickets of before are
// closed, and not as if anybody had seen that the fault is over.
func TestTheTicketsOfAFacilityOfAnotherKindAreWithdrawn(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "F-1", Kind: devices.Manhole}))
	s.step(1, s.says("F-1", 1, "tilt_deg", 30.0, "cover_open", true))
	s.until(2, 5)
	en, zh := s.became(6, s.census(registry.Facility{ID: "F-1", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 10}}))
	same(t, en, "It was closed at 2026-01-01 08:00:06, as the facility is a bridge by the census now, to which rule cover_displaced is nothing: not verified.\n")
	if !strings.Contains(zh, "类型已改为 bridge") {
		t.Errorf("in Chinese %s", zh)
	}
	s.step(7, s.says("F-1", 7, "displacement_mm", 25.0))
	s.until(8, 12)
	s.expect("1 opened F-1 cover_displaced", "10 opened F-1 bridge_limit")
}

// So they are when it comes under another key at the same time.
func TestTheTicketsOfWhatMovesAsAnotherKindAreWithdrawn(t *testing.T) {
	x := newTwo(t)
	x.a.step(0, x.a.census(registry.Facility{ID: "F-1", Kind: devices.Manhole}))
	x.a.step(1, x.a.says("F-1", 1, "tilt_deg", 30.0, "cover_open", true))
	var ended []Transition
	x.a.seq++
	x.on["F-1"] = true
	text, err := registry.EncodeFed([]registry.Fed{{Facility: registry.Facility{ID: "F-1", Device: "F-1", Kind: devices.Bridge}, Moved: true}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.a.e.Step(&devices.Batch{Seq: x.a.seq, Wall: start + 2000, Items: []devices.Item{{Type: devices.ItemCensus, Control: text}}})
	if err != nil {
		t.Fatal(err)
	}
	ended = append(ended, found.Transitions...)
	if len(ended) != 1 || ended[0].Type != Ended || !ended[0].Withdrawn || ended[0].Defect != "cover_displaced" || ended[0].Evidence.Kind != "bridge" {
		t.Errorf("found %+v, want its ticket withdrawn", ended)
	}
}

// A lamp that is no lamp any more is told of as one that has left the census.
func TestALampThatIsSomethingElseNowIsNoLampAnyMore(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "F-1", Kind: devices.Streetlight}))
	s.step(1, s.says("F-1", 1, "lamp_on", true, "power_w", 60.0))
	s.step(2, s.census(registry.Facility{ID: "F-1", Kind: devices.Bridge}))
	same(t, s.told(), "1 F-1 ok\n2 F-1 unknown gone")
}

// What has left the census leaves its tickets to people.
func TestTheTicketsOfWhatHasLeftTheCensusStay(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "F-1", Kind: devices.Manhole}))
	s.step(1, s.says("F-1", 1, "cover_open", true))
	s.step(2, gone(t, "F-1"))
	s.until(3, 60)
	s.expect("1 opened F-1 cover_displaced")
}

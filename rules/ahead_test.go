package rules

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// A clock that runs ahead is believed by minutes. What the device says without it
// in these minutes is the state of now all the same.
func TestAClockThatRunsAheadMakesNothingAfterItLate(t *testing.T) {
	for _, received := range []bool{true, false} { // tests say only when a frame was written
		t.Run(fmt.Sprint(received), func(t *testing.T) {
			s := tell(t)
			s.step(-1, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}))
			says := func(at, ts float64, lift float64, missing bool) {
				it := s.says("MH-1", ts, "lift_mm", lift, "cover_missing", missing)
				if received {
					it.Uplink.Received = start + int64(at*1000)
					it.Message.Received = it.Uplink.Received
				}
				s.step(at, it)
			}
			says(0, 280, 0, false)
			says(1, 1, 60, true)
			says(2, 2, 60, true)
			s.until(3, 400)
			s.expect("1 opened MH-1 cover_displaced")
			if f := s.e.facilities["MH-1"]; f.book.Late != 0 || f.newest != start+2000 {
				t.Errorf("%d readings are late, the newest is of %d ms; want none, 2000", f.book.Late, f.newest-start)
			}
		})
	}
}

// The readings of one message keep their distances: what lasted, lasted.
func TestABatchOfAClockThatRunsAheadIsSetBackAsOne(t *testing.T) {
	s := tell(t)
	s.step(100, s.batch("MH-1", 330, 1, 340, 40, 350, 1, 395, 1)) // was over before anybody heard of it
	s.step(110, s.batch("MH-1", 404, 40, 400, 1, 401, 40))        // in any order
	s.until(111, 500)
	s.expect("100 historic MH-1 cover_displaced 45–55", "110 opened MH-1 cover_displaced")
}

// What a broker has kept is no different, nor is what a device has found by itself.
func TestRetainedAndEventsOfAClockThatRunsAhead(t *testing.T) {
	s := tell(t)
	kept := s.says("MH-1", 200, "tilt_deg", 1.0)
	kept.Uplink.Flags = devices.FlagRetained
	event := devices.Item{Type: devices.ItemUplink, Message: &devices.Message{Type: devices.Event, Device: "MH-1", Seq: 90, HasSeq: true, Event: devices.EventReport{Name: "cover_open", Time: start + 250_000}}}
	s.step(0, kept)
	s.step(10, s.says("MH-1", 10, "tilt_deg", 40.0))
	s.until(11, 19)
	s.step(20, s.says("MH-1", 20, "tilt_deg", 1.0))
	s.until(21, 60)
	s.step(61, event)
	s.step(62, s.says("MH-1", 62, "tilt_deg", 1.0, "cover_open", false))
	s.until(63, 120)
	s.expect("12 opened MH-1 cover_displaced", "50 closed MH-1 cover_displaced", "61 opened MH-1 cover_displaced", "92 closed MH-1 cover_displaced")
}

package rules

import (
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

func goodNight(s *story, sent float64, next int64) devices.Item {
	it := s.says("MH-1", sent)
	it.Message.Type, it.Message.Readings, it.Message.State = devices.State, nil, devices.StateReport{Status: "sleep", NextS: next}
	return it
}

// A cover was heard last at second 1800, and is found silent three intervals later;
// what comes at 8460 says whether it is there now.
func TestWhatWasUnderWayBeforeASilenceDoesNotEndIt(t *testing.T) {
	const came = 8460
	for _, x := range []struct {
		name string
		says func(*story) devices.Item
		ends bool
	}{
		{"measured before it was found silent", func(s *story) devices.Item { return s.says("MH-1", 3600, "tilt_deg", 1.0) }, false},
		{"measured since", func(s *story) devices.Item { return s.says("MH-1", 7210, "tilt_deg", 1.0) }, true},
		{"without a clock", func(s *story) devices.Item {
			it := s.says("MH-1", came, "tilt_deg", 1.0)
			it.Message.Sent = 0
			return it
		}, true},
		{"a batch whose newest reading is of now", func(s *story) devices.Item {
			it := s.says("MH-1", came-1, "tilt_deg", 1.0)
			it.Message.Readings = append(s.says("MH-1", 3600, "tilt_deg", 1.0).Message.Readings, it.Message.Readings...)
			return it
		}, true},
		{"a good-night that is over", func(s *story) devices.Item { return goodNight(s, 3600, 3000) }, false},
		{"a good-night that is not", func(s *story) devices.Item { return goodNight(s, 3600, 36000) }, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := tell(t)
			s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 1800}))
			s.step(1800, s.says("MH-1", 1800, "tilt_deg", 1.0))
			for sec := 1805; sec < came; sec += 5 {
				s.step(float64(sec))
			}
			s.expect("7220 opened MH-1 comm_lost")
			s.e = restarted(t, s.e, s.seq)
			s.step(came, x.says(s))
			for sec := came + 5; sec < came+4*1800; sec += 5 {
				s.step(float64(sec))
			}
			s.only("opened", "closed")
			want := []string{"7220 opened MH-1 comm_lost"}
			if x.ends {
				want = append(want, "8460 closed MH-1 comm_lost")
				s.log = slices.DeleteFunc(s.log, func(l string) bool { return strings.HasPrefix(l, "138") }) // it falls silent again
			}
			s.expect(want...)
		})
	}
}

// A clock that is an hour behind says of every message that it was under way for an
// hour. Where it was so before, a silence ends at once, and a good-night holds from when
// it came; else a silence ends an hour late, not never.
func TestAClockThatIsBehindEndsASilence(t *testing.T) {
	for before, want := range map[float64]string{3600: "9000", 0: "10800"} {
		s := tell(t)
		s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 1800}))
		for sec := 5; sec <= 16200; sec += 5 {
			switch at := float64(sec); {
			case sec == 1800:
				s.step(at, s.says("MH-1", at-before, "tilt_deg", 1.0))
			case sec%1800 == 0 && sec >= 9000:
				s.step(at, s.says("MH-1", at-3600, "tilt_deg", 1.0))
			default:
				s.step(at)
			}
		}
		s.step(16205, goodNight(s, 16205-3600, 7200))
		for sec := 16210; sec <= 16200+7200+5000; sec += 5 {
			s.step(float64(sec))
		}
		s.expect("7220 opened MH-1 comm_lost", want+" closed MH-1 comm_lost")
	}
}

// A logger that measures each hour and sends twice a day is there when it sends, though
// it measured before it was found silent.
func TestALoggerMayMeasureAnIntervalBeforeItSends(t *testing.T) {
	const half = 12 * 3600
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: half}))
	s.step(5, s.says("MH-1", 0, "tilt_deg", 1.0))
	for sec := 10; sec < 3*half+1800; sec += 5 {
		s.step(float64(sec))
	}
	s.step(3*half+1800, s.says("MH-1", 3*half-1800, "tilt_deg", 1.0))
	s.expect("129625 opened MH-1 comm_lost", "131400 closed MH-1 comm_lost")
}

// What another broker keeps of a state it tells with every session: nobody was heard,
// and only the first time does a good-night excuse.
func TestAStateThatABrokerHasKeptEndsNoSilence(t *testing.T) {
	s := tell(t)
	kept := func(sec float64, st devices.StateReport) {
		it := s.says("MH-1", sec)
		it.Message.Type, it.Message.Readings, it.Message.State, it.Message.Sent, it.Message.HasSeq = devices.State, nil, st, 0, false
		it.Uplink.Flags = devices.FlagRetained
		s.step(sec, it)
	}
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}))
	kept(1, devices.StateReport{Status: "online", ExpectS: 60}) // it was there once
	s.until(2, 210)
	kept(211, devices.StateReport{Status: "offline"})
	s.step(212, s.says("MH-1", 212, "tilt_deg", 1.0))
	s.until(213, 220)
	kept(221, devices.StateReport{Status: "sleep", NextS: 600})
	s.until(222, 700)
	kept(701, devices.StateReport{Status: "sleep", NextS: 600})
	s.until(702, 1100)
	s.expect("201 opened MH-1 comm_lost", "212 closed MH-1 comm_lost", "1021 opened MH-1 comm_lost") // 221 + 600 + 180 + 20
}

// The queue of a gateway that died with its circuit comes hours later: neither who is
// silent nor who is only late comes back by it.
func TestTheQueueOfADarkCircuitDoesNotBringItBack(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := quarterly(3, 8)
	s.sparse(fs, 3600, 3600+2000, nobody)
	s.expect("5430 opened CAB cabinet")
	for i, f := range fs {
		s.step(5601+float64(i), s.says(string(f.ID), 3600-float64(i), "lamp_failure", false))
	}
	for sec := 5630; sec < 12000; sec += 5 {
		s.step(float64(sec))
	}
	s.only("opened", "closed")
	s.expect("5430 opened CAB cabinet")
}

// Who is heard again is no longer unknown, also where its message has to wait for those
// before it.
func TestWhoIsHeardIsKnownThoughItsMessageWaits(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 10}),
		devices.Item{Type: devices.ItemRuleSet, Control: []byte(strings.Replace(string(Default()), "  - kind: manhole\n", "  - kind: manhole\n    lateness: 5s\n", 1))})
	s.step(1, s.says("MH-1", 1, "tilt_deg", 1.0))
	s.until(2, 60)
	s.seq += 7 // messages that are lost
	s.step(61, s.says("MH-1", 61, "tilt_deg", 1.0))
	if f := s.e.facilities["MH-1"]; f.shows() != OK || len(f.more.held) != 1 {
		t.Errorf("it stands %s with %d messages that wait, want ok and 1", f.shows(), len(f.more.held))
	}
}

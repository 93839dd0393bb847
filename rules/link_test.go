package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// via is an item that came through a link.
func via(link string, it devices.Item) devices.Item {
	it.Uplink.Source = link
	return it
}

func (s *story) link(name string, up bool, since float64) devices.Item {
	s.t.Helper()
	b, err := (&Link{Name: name, Up: up, Since: start + int64(since*1000)}).Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	return devices.Item{Type: devices.ItemLink, Control: b}
}

// twoBrokers is a cover behind each of two brokers, both heard at second 1.
func twoBrokers(t *testing.T) *story {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-A", Kind: devices.Manhole, ExpectS: 10}, registry.Facility{ID: "MH-B", Kind: devices.Manhole, ExpectS: 10}), s.link("a", true, 0), s.link("b", true, 0))
	s.step(1, via("a", s.says("MH-A", 1, "tilt_deg", 1.0)), via("b", s.says("MH-B", 1, "tilt_deg", 1.0)))
	return s
}

// ticks lets time pass while the links in up say so every ten seconds.
func (s *story) ticks(from, to int, up ...string) {
	s.t.Helper()
	for sec := from; sec <= to; sec++ {
		var items []devices.Item
		for _, l := range up {
			if sec%LinkEvery == 0 {
				items = append(items, s.link(l, true, float64(sec)))
			}
		}
		s.step(float64(sec), items...)
	}
}

func TestWhoIsBehindADeadBrokerIsNotSilent(t *testing.T) {
	s := twoBrokers(t)
	s.ticks(2, 9, "a", "b")
	s.step(9.5, s.link("b", false, 9.5))
	s.ticks(10, 199, "a")
	s.expect("51 opened MH-A comm_lost") // 1 + 3 × 10 s, and 20 s for a common cause
	if f := s.e.facilities["MH-B"]; s.e.stands(f) != Unknown || f.since != start+1000 {
		t.Errorf("MH-B stands %s since %d ms; want unknown since it was last heard, 1000", s.e.stands(f), f.since-start)
	}
	s.log = nil
	s.step(200, s.link("b", true, 200))
	s.ticks(201, 300, "a", "b")
	s.expect("250 opened MH-B comm_lost") // its three intervals anew
}

func TestAMomentWithoutALinkExcusesAMoment(t *testing.T) {
	s := twoBrokers(t)
	s.ticks(2, 19, "a", "b")
	s.step(20, s.link("b", false, 20), s.link("a", true, 20))
	s.step(22, s.link("b", true, 22))
	s.ticks(23, 100, "a", "b")
	s.expect("51 opened MH-A comm_lost", "53 opened MH-B comm_lost")
}

// A link that is away for a second of every ten does not hide for ever who is silent.
func TestALinkThatFlapsHidesNobody(t *testing.T) {
	s := twoBrokers(t)
	for sec := 2; sec < 100; sec++ {
		items := []devices.Item{s.link("a", true, float64(sec))}
		if sec%10 < 2 {
			items = append(items, s.link("b", sec%10 == 1, float64(sec)))
		}
		s.step(float64(sec), items...)
	}
	s.expect("51 opened MH-A comm_lost", "56 opened MH-B comm_lost")
}

// Each rule about silence holds after its own number of intervals.
func TestTwoRulesAboutSilenceHoldEachInItsTime(t *testing.T) {
	for at := 5; at < 330; at += 20 {
		s := under(t, lost, "name: gone, silent: 30")
		s.step(0, s.census(tree(1, 1)...), s.says("SL-0-0", 0, "lamp_on", true))
		for sec := 1; sec < 320; sec++ {
			s.step(float64(sec))
			if sec == at {
				s.e = restarted(t, s.e, s.seq)
			}
		}
		s.step(320, s.says("SL-0-0", 320, "lamp_on", true))
		s.expect("35 opened SL-0-0 lost", "300 opened SL-0-0 gone", "320 closed SL-0-0 lost", "320 closed SL-0-0 gone")
	}
}

// Who is late for one rule is not yet for another, also among many.
func TestACauseOfTheMoreTolerantRuleWaits(t *testing.T) {
	s := under(t, lost, "name: gone, silent: 30", "name: all_gone, collapse: {of: gone, by: circuit, share: 0.8, at_least: 3}")
	fs := tree(1, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 310)
	s.only("opened")
	s.log = slices.DeleteFunc(s.log, func(l string) bool { return strings.HasSuffix(l, " lost") })
	s.expect("302 opened CAB:C0 all_gone")
}

func TestWhoWasAboutToBeCalledSilentHasItsTimeAnew(t *testing.T) {
	s := twoBrokers(t)
	s.ticks(2, 39, "a", "b") // silent since 31, no ticket before 51
	s.step(40, s.link("b", false, 40), s.link("a", true, 40))
	s.ticks(41, 99, "a")
	s.step(100, s.link("b", true, 100))
	s.ticks(101, 160, "a", "b")
	s.expect("51 opened MH-A comm_lost", "150 opened MH-B comm_lost")
}

func TestAnHourWithoutADaemonWakesNobody(t *testing.T) {
	s := tell(t)
	var fs []registry.Facility
	for i := range 300 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%d", i)), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: fmt.Sprint("C", i%3), ExpectS: 10})
	}
	all := func(sec float64) (items []devices.Item) {
		for _, f := range fs {
			items = append(items, via("listener", s.says(string(f.ID), sec, "lamp_on", true, "power_w", 60.0)))
		}
		return items
	}
	s.step(0, s.census(fs...), s.link("listener", true, 0))
	s.step(1, all(1)...)
	s.ticks(2, 25, "listener") // killed here
	for sec := 3625; sec < 3645; sec++ {
		s.step(float64(sec)) // up, but not listening yet
	}
	s.step(3645, s.link("listener", true, 3645))
	s.ticks(3646, 3670, "listener")
	s.step(3671, all(3671)...)
	s.ticks(3672, 3690, "listener")
	s.expect()
}

func TestADaemonThatIsKilledNeverSaysThatItsLinkIsDown(t *testing.T) {
	s := twoBrokers(t)
	s.ticks(2, 10, "a", "b") // the daemon that reads b is killed; another one writes on
	s.step(11, via("b", s.says("MH-B", 11, "tilt_deg", 1.0)))
	for sec := 12; sec < 200; sec++ {
		s.step(float64(sec), s.link("a", true, float64(sec)), via("a", s.says("MH-A", float64(sec), "tilt_deg", 1.0)))
	}
	// for the minute until its word runs out, nobody knows better
	s.expect("61 opened MH-B comm_lost")
}

func TestACommonCauseIsNotFoundInADeadBroker(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(3, 4)
	s.step(0, s.census(fs...), s.link("b", true, 0))
	var items []devices.Item
	for _, f := range fs {
		items = append(items, via("b", s.says(string(f.ID), 1, "lamp_failure", false)))
	}
	s.step(1, items...)
	s.ticks(2, 20, "b")
	s.step(21, s.link("b", false, 21))
	s.until(22, 300)
	s.expect()
	s.step(301, s.link("b", true, 301))
	s.ticks(302, 330, "b")
	s.expect()
	en, _ := s.why(331)
	if want := "of the 12 facilities of the cabinet were bad at once by rule lost; it takes at least 3 and 80%.\nFrom 2026-01-01 08:00:21 to 2026-01-01 08:05:01 nothing could be heard of it: Lamplighter did not run, or its link b was down; that does not count.\n"; !strings.Contains(en, want) {
		t.Errorf("got\n%swant in it\n%s", en, want)
	}
	s.ticks(332, 340, "b")
	s.only("opened", "closed")
	s.expect()
}

func TestATicketOfACommonCauseOutlivesItsBroker(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(3, 4)
	say := func(sec float64) {
		var items []devices.Item
		for _, f := range fs {
			items = append(items, via("b", s.says(string(f.ID), sec, "lamp_failure", false)))
		}
		s.step(sec, items...)
	}
	s.step(0, s.census(fs...), s.link("b", true, 0))
	say(1)
	s.ticks(2, 32, "b") // opened at 31
	s.step(33, s.link("b", false, 33))
	s.until(34, 100)
	s.step(101, s.link("b", true, 101))
	s.ticks(102, 110, "b")
	say(111)
	s.ticks(112, 120, "b")
	s.only("opened", "closed")
	s.expect("31 opened CAB cabinet", "111 closed CAB cabinet")
}

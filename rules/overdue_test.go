package rules

import (
	"fmt"
	"slices"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// sparse is lamps that report every quarter of an hour, one after the other,
// until the power goes; alive tells who still speaks after that.
func (s *story) sparse(fs []registry.Facility, power, end int, alive func(i int) bool) {
	s.t.Helper()
	s.step(0, s.census(fs...))
	for sec := 1; sec <= end; sec++ {
		var items []devices.Item
		for i, f := range fs {
			if sec%900 == 30+i*800/len(fs) && (sec < power || alive(i)) {
				items = append(items, s.says(string(f.ID), float64(sec), "lamp_failure", false))
			}
		}
		s.step(float64(sec), items...)
	}
	s.only("opened", "closed")
}

func quarterly(circuits, lamps int) []registry.Facility {
	fs := tree(circuits, lamps)
	for i := range fs {
		fs[i].ExpectS = 900
	}
	return fs
}

func nobody(int) bool { return false }

// What reports every quarter of an hour is missed in the course of a quarter of
// an hour; still it is one cabinet.
func TestLampsThatReportSeldomAreOneCauseFromTheFirstThatIsMissed(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	s.sparse(quarterly(3, 8), 3600, 3600+5400, nobody)
	s.expect("5430 opened CAB cabinet") // the first was heard last at 2730
}

func TestACircuitOfLampsThatReportSeldomIsNotItsCabinet(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	s.sparse(quarterly(3, 8), 3600, 3600+5400, func(i int) bool { return i >= 8 })
	s.expect("5432 opened CAB:C0 circuit")
}

// Two that fall silent for reasons of their own have their full time each.
func TestWhoIsLateByItselfIsNotMissedAnySooner(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	s.sparse(quarterly(3, 8), 3600, 3600+5400, func(i int) bool { return i > 1 })
	s.expect("5435 opened SL-0-0 lost", fmt.Sprintf("%d opened SL-0-1 lost", 2763+2700+5))
}

func TestALateMemberIsKnownAfterARestart(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := quarterly(3, 8)
	s.sparse(fs, 3600, 5431, nobody)
	f := s.e.facilities[fs[20].ID]
	if !f.overdue || f.silent {
		t.Fatalf("a lamp that was heard later is late %v, silent %v; want late only", f.overdue, f.silent)
	}
	s.e = restarted(t, s.e, s.seq)
	if f = s.e.facilities[fs[20].ID]; !f.overdue || f.silent {
		t.Fatalf("after a restart it is late %v, silent %v", f.overdue, f.silent)
	}
	if p := s.e.parents[parentKey{Cabinet, "CAB"}]; len(p.members) != 24 || !slices.Contains(p.members, f) {
		t.Errorf("%d members after a restart", len(p.members))
	}
	s.all(5432, fs)
	s.until(5433, 5440)
	s.only("opened", "closed")
	s.expect("5430 opened CAB cabinet", "5432 closed CAB cabinet")
}

// One lamp whose last message was lost is missed too soon to see that all of
// them are late. The next one sees it.
func TestTheOthersAreLookedAtAgainWhenTheNextOneIsMissed(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := quarterly(3, 8)
	for i := range fs {
		fs[i].Circuit = fmt.Sprint("C", i%3)
	}
	s.step(0, s.census(fs...))
	for sec := 1; sec <= 9000; sec++ {
		var items []devices.Item
		for i, f := range fs {
			if sec%900 == 30+i*800/len(fs) && sec < 3600 && (sec < 2700 || i != 12) { // 12 is heard at 2230 the last time
				items = append(items, s.says(string(f.ID), float64(sec), "lamp_failure", false))
			}
		}
		s.step(float64(sec), items...)
	}
	s.only("opened", "closed")
	s.expect("4935 opened SL-1-4 lost", "5430 opened CAB cabinet")
}

// Lamps that came back together report within seconds of each other: when the
// one whose last message was lost is missed, some are late and some are not yet.
func TestTheOthersAreLookedAtOnceMoreBeforeATicketOfItsOwn(t *testing.T) {
	s := under(t, "name: lost, silent: 3, for: 200s", circuit, cabinet)
	fs := quarterly(1, 10)
	s.step(0, s.census(fs...))
	for sec := 1; sec <= 6000; sec++ {
		var items []devices.Item
		for i, f := range fs {
			if sec%900 == 30+i*20 && sec < 3600 && (sec < 2700 || i > 0) {
				items = append(items, s.says(string(f.ID), float64(sec), "lamp_failure", false))
			}
		}
		s.step(float64(sec), items...)
	}
	s.only("opened", "closed")
	// 0 is missed at 4530 and would have a ticket at 4730; then 1, heard at 2750,
	// and its nine neighbours are late by 1.9 intervals.
	s.expect("4733 opened CAB:C0 circuit")
}

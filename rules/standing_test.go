package rules

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

const leaks = "name: leaks, when: leakage, clear_for: 1s"

// metered is a circuit of five lamps with a meter.
func metered() (lamps []registry.Facility, meter registry.Facility) {
	return tree(1, 5), registry.Facility{ID: "CAB:C0", Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C0", ExpectS: 10}
}

// shown is how a facility is shown in every place, with since when in seconds
// after the start.
func (s *story) shown(id devices.FacilityID) string {
	s.t.Helper()
	w := &Worker{engine: s.e}
	x, ok := w.Inspect(id)
	if !ok {
		return "not there"
	}
	list := make([]Standing, 1)
	if w.Standings([]devices.FacilityID{id}, list); list[0] != x.Standing {
		s.t.Errorf("%s stands %s in its facts, %s in lists", id, x.Standing, list[0])
	}
	var all [4]Counts
	w.Count(&all)
	var want Counts
	for _, f := range s.e.facilities {
		want[f.shows()]++
	}
	if all[devices.Streetlight] != want {
		s.t.Errorf("counted %v, shown %v", all[devices.Streetlight], want)
	}
	return fmt.Sprint(x.Standing, " since ", float64(x.Since-start)/1000)
}

func TestAMeterIsShownAsTheWorseOfItselfAndItsCircuit(t *testing.T) {
	s := under(t, lost, out, leaks, circuit+", clear_for: 2s", "name: dark, collapse: {of: out, by: circuit, share: 0.5, at_least: 3}, clear_for: 2s")
	lamps, meter := metered()
	s.step(0, s.census(append(lamps, meter)...))
	says := func(sec int, failed, leakage bool, fs []registry.Facility) {
		items := []devices.Item{s.says(string(meter.ID), float64(sec), "leakage", leakage)}
		for _, f := range fs {
			items = append(items, s.says(string(f.ID), float64(sec), "lamp_failure", failed))
		}
		s.step(float64(sec), items...)
	}
	for _, c := range []struct {
		to              int
		failed, leakage bool
		lamps           []registry.Facility
		want            string
	}{
		{10, false, false, lamps, "ok since 1"},
		{41, false, false, nil, "ok since 1"},
		{50, false, false, nil, "unknown since 40"}, // its lamps are silent: no more is known of the circuit
		{55, false, true, nil, "faulty since 51"},   // and it leaks
		{60, false, false, nil, "unknown since 40"}, // that is over
		{70, false, false, lamps, "ok since 63"},
		{80, true, false, lamps, "faulty since 71"},
		{90, true, true, lamps, "faulty since 71"},
		{100, false, true, lamps, "faulty since 81"},
		{110, false, false, lamps, "ok since 102"},
	} {
		for sec := int(s.e.wall-start)/1000 + 1; sec <= c.to; sec++ {
			says(sec, c.failed, c.leakage, c.lamps)
		}
		if got := s.shown(meter.ID); got != c.want {
			t.Errorf("at %d s: %s, want %s", c.to, got, c.want)
		}
	}
}

func TestAMetersOwnStandingIsWhatTheLampsAccountIsTold(t *testing.T) {
	s := under(t, lost, circuit)
	lamps, meter := metered()
	s.step(0, s.census(append(lamps, meter)...))
	s.all(1, lamps)
	for sec := 2; sec < 60; sec++ {
		s.step(float64(sec), s.says(string(meter.ID), float64(sec), "leakage", false))
	}
	if got := s.shown(meter.ID); got != "unknown since 31" {
		t.Errorf("%s", got)
	}
	for _, x := range s.stood {
		if x.Facility == meter.ID && x.Is != OK {
			t.Errorf("the account of the lamps was told that %s is %s", x.Facility, x.Is)
		}
	}
}

func TestMaintenanceOfAMeterIsShownWhateverItsCircuitDoes(t *testing.T) {
	s := under(t, lost, circuit)
	lamps, meter := metered()
	s.step(0, s.census(append(lamps, meter)...))
	s.all(1, lamps)
	w := Window{ID: "W", Facility: meter.ID, From: start + 50_000, To: start + 60_000, Reason: "r", By: "b"}
	b, err := w.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for sec := 2; sec < 70; sec++ {
		items := []devices.Item{s.says(string(meter.ID), float64(sec), "leakage", false)}
		if sec == 45 {
			items = append(items, devices.Item{Type: devices.ItemWindow, Control: b})
		}
		s.step(float64(sec), items...)
		want := map[int]string{49: "unknown since 31", 55: "maintenance since 50", 65: "unknown since 31"}[sec]
		if got := s.shown(meter.ID); want != "" && got != want {
			t.Errorf("at %d s: %s, want %s", sec, got, want)
		}
	}
}

func TestAMeterThatComesLaterIsShownByTheTicketThatIsThere(t *testing.T) {
	s := under(t, lost, circuit)
	lamps, meter := metered()
	s.step(0, s.census(lamps...))
	s.all(1, lamps)
	s.until(2, 50)
	s.step(51, s.census(meter))
	s.step(52, s.says(string(meter.ID), 52, "leakage", false))
	if got := s.shown(meter.ID); got != "unknown since 31" {
		t.Errorf("%s", got)
	}
	rules := lampRules(t, s, lost)
	s.step(53, devices.Item{Type: devices.ItemRuleSet, Control: []byte(rules.text)})
	if got := s.shown(meter.ID); got != "ok since 53" {
		t.Errorf("without the rule: %s", got)
	}
}

// A window that names the rule keeps the ticket back, and not what is seen.
func TestAWindowForARuleHidesNoFault(t *testing.T) {
	s := under(t, out)
	s.step(0, s.census(tree(1, 1)...), s.window(Window{Rule: "out"}, 0, 60))
	for _, x := range []struct {
		sec    float64
		failed bool
		want   string // in the second before the next
	}{{1, false, "ok since 1"}, {10, true, "faulty since 10"}, {20, false, "ok since 20"}, {30, true, "faulty since 30"}, {50, true, "faulty since 30"}, {60, false, "ok since 64"}} {
		s.step(x.sec, s.says("SL-0-0", x.sec, "lamp_failure", x.failed))
		s.until(int(x.sec)+1, int(x.sec)+9)
		if got := s.shown("SL-0-0"); got != x.want {
			t.Errorf("after %g s: %s, want %s", x.sec, got, x.want)
		}
		s.e = restarted(t, s.e, s.seq)
	}
	s.expect("60 opened SL-0-0 out", "64 closed SL-0-0 out")
	if got, want := s.told(), "1 SL-0-0 ok\n12 SL-0-0 faulty out\n20 SL-0-0 ok\n32 SL-0-0 faulty out\n64 SL-0-0 ok"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// Behind the ticket of their circuit members are out at once, whatever their own for
// is, and whether they were there when it opened or came later.
func TestWhoIsBehindACommonCauseIsFaultyAtOnce(t *testing.T) {
	s := under(t, "name: out, when: lamp_failure, for: 10m", "name: surge, collapse: {of: out, by: circuit, at_least: 2}, for: 5s")
	s.step(0, s.census(tree(1, 5)...), s.says("SL-0-0", 0, "lamp_failure", false), s.says("SL-0-1", 0, "lamp_failure", false), s.says("SL-0-2", 0, "lamp_failure", false))
	s.step(1, s.says("SL-0-0", 1, "lamp_failure", true), s.says("SL-0-1", 1, "lamp_failure", true))
	s.until(2, 9)
	s.step(10, s.says("SL-0-2", 10, "lamp_failure", true))
	s.step(20, s.says("SL-0-1", 20, "lamp_failure", false))
	s.e = restarted(t, s.e, s.seq)
	s.step(21, s.says("SL-0-0", 21, "lamp_failure", false), s.says("SL-0-2", 21, "lamp_failure", false))
	if got, want := s.told(), "0 SL-0-0 ok\n0 SL-0-1 ok\n0 SL-0-2 ok\n6 SL-0-0 faulty out\n6 SL-0-1 faulty out\n10 SL-0-2 faulty out\n20 SL-0-1 ok\n21 SL-0-0 ok\n21 SL-0-2 ok"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// A meter that is behind the ticket on its own circuit stands as it stood when other
// rules are switched on, whatever their number.
func TestASwitchLeavesAMeterBehindItsOwnCircuitAsItStands(t *testing.T) {
	const slow, dark = "name: out, when: lamp_failure, for: 10m", "name: surge, collapse: {of: out, by: circuit, at_least: 2}"
	lamps, meter := metered()
	for name, next := range map[string][]string{
		"the same":      {slow, dark + ", page: {after: 1m}"},
		"another":       {slow, "name: all, collapse: {of: out, by: cabinet, at_least: 9}", dark},
		"one that goes": {slow, "name: all, collapse: {of: out, by: cabinet, at_least: 9}"},
	} {
		s := under(t, slow, dark)
		s.step(0, s.census(append(lamps, meter)...))
		s.step(1, s.says(string(meter.ID), 1, "lamp_failure", true), s.says("SL-0-0", 1, "lamp_failure", true))
		s.step(2)
		if got := s.shown(meter.ID); got != "faulty since 1" {
			t.Fatalf("%s: before %s", name, got)
		}
		s.step(3, devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, next...).text)})
		want := "faulty since 1"
		if name == "one that goes" {
			want = "ok since 3"
		}
		if got := s.shown(meter.ID); got != want {
			t.Errorf("%s: after it %s, want %s", name, got, want)
		}
	}
}

package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// tree is lamps on the circuits of one cabinet.
func tree(circuits, lamps int) []registry.Facility {
	var fs []registry.Facility
	for c := range circuits {
		for i := range lamps {
			fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%d-%d", c, i)), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: fmt.Sprint("C", c), ExpectS: 10})
		}
	}
	return fs
}

// under tells a story that is judged by rules of lamps, one a line of flow YAML.
func under(t *testing.T, rules ...string) *story {
	t.Helper()
	s := tell(t)
	s.e = NewEngine(lampRules(t, s, rules...), s.dict, nil)
	return s
}

func lampRules(t interface{ Fatal(...any) }, s *story, rules ...string) *Set {
	text := "groups:\n  - kind: streetlight\n    rules:\n"
	for _, r := range rules {
		text += "      - {severity: minor, summary: {zh: 甲, en: a}, " + r + "}\n"
	}
	set, err := Parse([]byte(text), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const (
	lost    = "name: lost, silent: 3, for: 5s"
	out     = "name: out, when: lamp_failure, for: 2s, clear_for: 4s"
	circuit = "name: circuit, collapse: {of: lost, by: circuit, share: 0.8, at_least: 3}, for: 2s"
	cabinet = "name: cabinet, collapse: {of: lost, by: cabinet, share: 0.8, at_least: 3}"
)

// all is every lamp saying that it is well.
func (s *story) all(sec float64, fs []registry.Facility) {
	s.t.Helper()
	var items []devices.Item
	for _, f := range fs {
		items = append(items, s.says(string(f.ID), sec, "lamp_failure", false))
	}
	s.step(sec, items...)
}

func TestADarkCabinetIsOneTicketForAllItsCircuits(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(3, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 60)
	s.all(61, fs)
	s.until(62, 80)
	if got := strings.Count(strings.Join(s.log, "\n"), "joined CAB cabinet"); got != 12 {
		t.Errorf("%d lamps are attached, want 12", got)
	}
	s.only("opened", "closed")
	s.expect("31 opened CAB cabinet", "61 closed CAB cabinet")
}

func TestOneDarkCircuitIsNotItsCabinet(t *testing.T) {
	s := under(t, lost, circuit, strings.Replace(cabinet, "0.8", "0.1", 1))
	fs := tree(3, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	for sec := 2; sec < 60; sec++ {
		s.all(float64(sec), fs[4:])
	}
	s.only("opened", "closed")
	s.expect("33 opened CAB:C0 circuit")
}

func TestWhoIsLeftWhenTheCauseEndsGetsATicketAfterItsOwnFor(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(2, 5)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 39)
	for sec := 40; sec < 60; sec++ {
		s.all(float64(sec), fs[1:])
	}
	s.only("opened", "closed")
	s.expect("31 opened CAB cabinet", "40 closed CAB cabinet", "45 opened SL-0-0 lost")
}

func TestWhoHasATicketKeepsItWhenTheCauseIsFound(t *testing.T) {
	s := under(t, lost, circuit)
	fs := tree(1, 5)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	for sec := 2; sec <= 20; sec++ {
		s.all(float64(sec), fs[1:])
	}
	s.until(21, 60)
	s.all(61, fs)
	s.until(62, 70)
	s.only("opened", "closed")
	s.expect("36 opened SL-0-0 lost", "52 opened CAB:C0 circuit", "61 closed SL-0-0 lost", "61 closed CAB:C0 circuit")
}

func TestLampsThatFailTogetherAreOneTicketToo(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 3, within: 5m}, clear_for: 10s")
	fs := tree(1, 10)
	s.step(0, s.census(fs...))
	fails := func(sec float64, lamp int, bad bool) {
		s.step(sec, s.says(string(fs[lamp].ID), sec, "lamp_failure", bad))
	}
	fails(1, 0, true) // worn out, ten minutes before the surge: no part of it
	s.until(2, 600)
	fails(601, 1, true)
	fails(601, 2, true)
	fails(601.5, 3, true)
	s.until(602, 620)
	if st := s.e.stands(s.e.facilities[fs[2].ID]); st != Faulty {
		t.Errorf("a lamp without a ticket of its own stands %s, want faulty", st)
	}
	fails(621, 1, false)
	fails(621, 2, false)
	fails(621, 3, false)
	s.until(622, 640)
	fails(641, 0, false)
	s.until(642, 650)
	s.expect("3 opened "+string(fs[0].ID)+" out",
		"601.5 opened CAB:C0 surge", "601.5 joined CAB:C0 surge SL-0-1", "601.5 joined CAB:C0 surge SL-0-2", "601.5 joined CAB:C0 surge SL-0-3",
		"621 left CAB:C0 surge SL-0-1", "621 left CAB:C0 surge SL-0-2", "621 left CAB:C0 surge SL-0-3",
		"631 closed CAB:C0 surge", "645 closed "+string(fs[0].ID)+" out")
}

func TestLampsThatFailOneByOneAreNoCommonCause(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 3, within: 1m}")
	fs := tree(1, 10)
	s.step(0, s.census(fs...))
	for i := range 5 {
		s.step(float64(i*40), s.says(string(fs[i].ID), float64(i*40), "lamp_failure", true))
	}
	s.until(161, 170)
	for _, l := range s.log {
		if strings.Contains(l, "surge") {
			t.Errorf("%s", l)
		}
	}
	if len(s.log) != 5 {
		t.Errorf("story %q, want a ticket for each lamp", s.log)
	}
}

func TestACauseThatWaitsHoldsItsMembersBackAndLetsThemGo(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 3}, for: 10s")
	fs := tree(1, 10)
	s.step(0, s.census(fs...))
	for i := range 3 {
		s.step(1, s.says(string(fs[i].ID), 1, "lamp_failure", true))
	}
	s.until(2, 7)
	s.expect() // they have been bad for long enough, but so may be their circuit
	s.step(8, s.says(string(fs[0].ID), 8, "lamp_failure", false))
	s.expect("8 opened SL-0-1 out", "8 opened SL-0-2 out")
}

func TestAnotherRuleSetEndsACauseThatItDoesNotKnow(t *testing.T) {
	s := under(t, lost, circuit)
	fs := tree(1, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 40)
	s.step(41, devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, lost).Text())})
	s.until(42, 50)
	s.only("opened", "closed")
	s.expect("33 opened CAB:C0 circuit", "41 closed CAB:C0 circuit by rules "+s.e.set.Version(), "46 opened SL-0-0 lost", "46 opened SL-0-1 lost", "46 opened SL-0-2 lost", "46 opened SL-0-3 lost")
}

func TestAMemberThatHangsElsewhereNowWaitsForItsOwnTicket(t *testing.T) {
	s := under(t, lost, circuit)
	fs := tree(1, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 40)
	f := fs[0]
	f.Circuit = "C9"
	s.step(41, s.census(f))
	s.until(42, 50)
	s.only("opened", "left")
	s.expect("33 opened CAB:C0 circuit", "41 left CAB:C0 circuit SL-0-0", "46 opened SL-0-0 lost")
}

func TestTenThousandLampsBehindOneCabinet(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(40, 250)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.until(2, 100)
	s.all(101, fs)
	s.until(102, 110)
	if n := len(s.e.stirred) + len(s.e.waiting); n != 0 {
		t.Errorf("%d things still wait for time to pass", n)
	}
	s.only("opened", "closed")
	s.expect("31 opened CAB cabinet", "101 closed CAB cabinet")
}

func BenchmarkDarkCabinet(b *testing.B) {
	for b.Loop() {
		s := tell(&testing.T{})
		s.e = NewEngine(lampRules(b, s, lost, circuit, cabinet), s.dict, nil)
		fs := tree(40, 250)
		s.step(0, s.census(fs...))
		s.all(1, fs)
		began := time.Now()
		s.until(2, 100)
		s.all(101, fs)
		b.ReportMetric(float64(time.Since(began).Microseconds())/float64(len(fs)), "µs/lamp")
	}
}

// open is the tickets that a log leaves open, and what they cover; it fails when
// one is opened twice.
func open(t interface{ Fatalf(string, ...any) }, log []string) (tickets, members map[string]bool) {
	tickets, members = make(map[string]bool), make(map[string]bool)
	for _, l := range log {
		w := strings.Fields(l)
		switch k := w[2] + " " + w[3]; w[1] {
		case "opened":
			if tickets[k] {
				t.Fatalf("%s: there is one open already", l)
			}
			tickets[k] = true
		case "closed":
			if !tickets[k] {
				t.Fatalf("%s: there is none open", l)
			}
			delete(tickets, k)
			for m := range members {
				if strings.HasSuffix(m, " "+k) {
					delete(members, m)
				}
			}
		case "joined":
			if !tickets[k] {
				t.Fatalf("%s: there is no ticket to join", l)
			}
			members[w[4]+" "+k] = true
		case "left":
			delete(members, w[4]+" "+k)
		}
	}
	return tickets, members
}

// Whatever order the messages of a second have, and wherever the engine is
// restarted, the same tickets are open at the end; who is bad has a ticket or
// is behind one, who is good is neither, and nobody ever has two.
func TestAnyInterleavingLeavesTheSameTicketsOpen(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rapid.Check(t, func(r *rapid.T) {
		a, b := tell(t), tell(t)
		set := lampRules(r, a, lost, circuit, cabinet, out,
			"name: surge, collapse: {of: out, by: circuit, at_least: 2, within: 20s}, for: 3s, clear_for: 3s",
			"name: storm, collapse: {of: out, by: cabinet, share: 0.6}, clear_for: 5s")
		a.e, b.e = NewEngine(set, a.dict, nil), NewEngine(set, b.dict, nil)
		fs := tree(3, 3)
		a.step(0, a.census(fs...))
		b.step(0, b.census(fs...))
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 1))
		quiet := make([]bool, len(fs)) // says nothing
		bad := make([]bool, len(fs))
		end := rapid.IntRange(60, 200).Draw(r, "seconds")
		for sec := 1; sec <= end+40; sec++ {
			if sec > 1 && sec < end { // who was never heard is not missed
				for range rapid.IntRange(0, 3).Draw(r, "changes") {
					i := rapid.IntRange(0, len(fs)-1).Draw(r, "lamp")
					n := 1
					if rapid.Bool().Draw(r, "circuit") {
						i, n = i/3*3, 3
					}
					q, x := rapid.Bool().Draw(r, "quiet"), rapid.Bool().Draw(r, "bad")
					for j := range n {
						quiet[i+j], bad[i+j] = q, x
					}
				}
			}
			var items []devices.Item
			for i := range fs {
				if !quiet[i] {
					items = append(items, a.says(string(fs[i].ID), float64(sec), "lamp_failure", bad[i]))
				}
			}
			a.step(float64(sec), items...)
			dice.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			b.seq = a.seq - 1
			b.step(float64(sec), items...)
			if dice.IntN(15) == 0 {
				b.e = restarted(t, b.e, b.seq)
			}
		}
		at, am := open(r, a.log)
		bt, bm := open(r, b.log)
		if x, y := lines(at)+lines(am), lines(bt)+lines(bm); x != y {
			r.Fatalf("in order\n%s\nin another order\n%s", x, y)
		}
		for i, f := range fs {
			for rule, is := range map[string]bool{"lost": quiet[i], "out": !quiet[i] && bad[i]} {
				if quiet[i] && rule == "out" {
					continue // what it was when it was last heard
				}
				seen := at[string(f.ID)+" "+rule]
				for m := range am {
					lampOf := strings.HasPrefix(m, string(f.ID)+" ")
					seen = seen || lampOf && (rule == "out") == (strings.HasSuffix(m, "surge") || strings.HasSuffix(m, "storm"))
				}
				if seen != is {
					r.Fatalf("%s: %s is %v, and has or is behind a ticket: %v\n%s", f.ID, rule, is, seen, strings.Join(a.log, "\n"))
				}
			}
		}
	})
}

func lines(m map[string]bool) string {
	var out []string
	for k := range m {
		out = append(out, k+"\n")
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

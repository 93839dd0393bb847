package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

// stepped is a rule file with one rule, minor above 10 degrees, and its steps as
// "major 20" says.
func stepped(steps ...string) devices.Item {
	var b strings.Builder
	for _, s := range steps {
		severity, above, _ := strings.Cut(s, " ")
		fmt.Fprintf(&b, "{severity: %s, when: tilt_deg > %s.0},", severity, above)
	}
	return devices.Item{Type: devices.ItemRuleSet, Control: fmt.Appendf(nil, "groups:\n  - kind: manhole\n    rules:\n      - {name: it, when: tilt_deg > 10.0, severity: minor, steps: [%s], summary: {zh: 甲, en: a}}\n", b.String())}
}

// graded is the severities that a frame gives tickets.
func (s *story) graded(sec float64, items ...devices.Item) string {
	s.t.Helper()
	var out []string
	for _, x := range s.transitions(sec, items...) {
		out = append(out, string(x.Severity))
	}
	return strings.Join(out, ", ")
}

// A step that is taken out while a ticket stands on it, heard again or not, and with
// a restart on the way or without one.
func TestAStepCanBeTakenOutUnderATicket(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := tell(t)
		s.step(0, stepped("major 20", "critical 30"))
		same(t, s.graded(1, s.says("MH-1", 1, "tilt_deg", 35.0)), "critical")
		s.step(7200, stepped("major 20")) // nobody knows whether it still stands so
		if restarts {
			s.e = restarted(t, s.e, s.seq)
		}
		s.step(7201, s.says("MH-1", 7201, "tilt_deg", 35.0))
		s.step(7202, stepped())
		s.step(7203, s.says("MH-1", 7203, "tilt_deg", 35.0))
		same(t, s.graded(7204, s.says("MH-1", 7204, "tilt_deg", 5.0)), "minor")
	}
}

// A daemon that did not take care of it has written down a step that is not there.
func TestASnapshotWithAStepThatIsNotThereIsRead(t *testing.T) {
	s := tell(t)
	s.step(0, stepped("major 20"))
	same(t, s.graded(1, s.says("MH-1", 1, "tilt_deg", 35.0)), "major")
	a := &s.e.facilities["MH-1"].alerts[0]
	a.step, a.words = 2, 7
	s.e = restarted(t, s.e, s.seq)
	s.step(2, s.says("MH-1", 2, "tilt_deg", 36.0))
	same(t, s.graded(3, s.says("MH-1", 3, "tilt_deg", 15.0)), "minor")
}

// At a switch a ticket is as bad as the new rules say by what is known; of what is not
// known any more it stays as bad as it was, if the rule still has that.
func TestATicketIsAsBadAsTheRulesThatAreSwitchedOnSay(t *testing.T) {
	for _, x := range []struct {
		what     string
		old, new []string
		tilt     float64
		known    bool
		want     string // at the switch, "" = as it was
		then     float64
		later    string // when that is heard
	}{
		{"the lesser step goes", []string{"major 20", "critical 30"}, []string{"critical 30"}, 25, true, "minor", 35, "critical"},
		{"a step is put below", []string{"critical 30"}, []string{"major 20", "critical 30"}, 35, true, "", 25, "major"},
		{"a bound is lowered", []string{"major 20", "critical 30"}, []string{"major 20", "critical 24"}, 25, true, "critical", 25, ""},
		{"a bound is raised", []string{"major 20"}, []string{"major 40"}, 25, true, "minor", 45, "major"},
		{"all steps go", []string{"major 20"}, nil, 25, true, "minor", 35, ""},
		{"a step comes", nil, []string{"major 20"}, 25, true, "major", 15, "minor"},
		{"nobody knows", []string{"major 20", "critical 30"}, []string{"critical 50"}, 35, false, "", 35, "minor"},
		{"nobody knows, and it has gone", []string{"major 20"}, []string{"critical 30"}, 35, false, "minor", 35, "critical"},
	} {
		s := tell(t)
		s.step(0, stepped(x.old...))
		s.step(1, s.says("MH-1", 1, "tilt_deg", x.tilt))
		at := 2.0
		if !x.known {
			at = 3600
		}
		if got := s.graded(at, stepped(x.new...)); got != x.want {
			t.Errorf("%s: at the switch %q, want %q", x.what, got, x.want)
		}
		s.e = restarted(t, s.e, s.seq)
		if got := s.graded(at+1, s.says("MH-1", at+1, "tilt_deg", x.then)); got != x.later {
			t.Errorf("%s: after it %q, want %q", x.what, got, x.later)
		}
	}
}

func TestTheSeverityThatRulesGiveIsExplained(t *testing.T) {
	s := tell(t)
	s.step(0, stepped())
	s.step(1, s.says("MH-1", 1, "tilt_deg", 25.0))
	en, zh := s.became(2, stepped("major 20"))
	same(t, en, `It went from minor to major at 2026-01-01 08:00:02, as rule set VERSION was switched on (rule it, rule set VERSION).
What decided was tilt_deg: 25 deg, and its bound 20 deg.
tilt_deg was 25 deg at 2026-01-01 08:00:01.
`)
	if want := "于 2026-01-01 08:00:02 由“一般”升为“严重”：规则集 VERSION 启用（规则 it，规则集版本 VERSION）。\n"; !strings.HasPrefix(zh, want) {
		t.Errorf("got\n%swant first\n%s", zh, want)
	}
}

// graver is rules of lamps, all of which are major.
func graver(t *testing.T, s *story, rules ...string) devices.Item {
	return devices.Item{Type: devices.ItemRuleSet, Control: []byte(strings.ReplaceAll(lampRules(t, s, rules...).Text(), "severity: minor", "severity: major"))}
}

// The ticket of a common cause follows too, also of one that several partitions have
// part in.
func TestACommonCauseIsAsBadAsTheRulesThatAreSwitchedOnSay(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 2}")
	fs := tree(1, 3)
	s.step(0, s.census(fs...))
	s.step(1, s.says(string(fs[0].ID), 1, "lamp_failure", true), s.says(string(fs[1].ID), 1, "lamp_failure", true))
	s.until(2, 10)
	var got []string
	for _, x := range s.transitions(11, graver(t, s, out, "name: surge, collapse: {of: out, by: circuit, at_least: 2}")) {
		got = append(got, fmt.Sprint(x.Type == Changed, " ", x.Defect, " ", x.Severity, " ", x.Rules == s.e.set.version, " ", x.Evidence.Was))
	}
	same(t, strings.Join(got, "\n"), "true surge major true minor")

	w := newTown(t, 3, dark, feederOff)
	lamps := street("350102001", "F-1", 6, 10)
	w.learn(lamps...)
	w.run(1)
	w.say(true, lamps...)
	w.run(20)
	w.log = nil
	w.broadcast(graver(t, w.parts[0], dark, feederOff))
	w.run(40)
	if len(w.log) != 1 || !strings.HasSuffix(w.log[0], " changed feeder:F-1 feeder_off") {
		t.Errorf("after the switch %q", w.log)
	}
}

// anyRules is some rules out of many, in some order, each in some version.
func anyRules(r *rand.Rand) devices.Item {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	severity := func() string { return one("info", "minor") }
	steps := func(channel string) string {
		return one("", ", steps: [{severity: critical, when: "+channel+" < 1.0}]", ", steps: [{severity: major, when: "+channel+" < 31.0, clear: "+channel+" > 40.0}, {severity: critical, when: "+channel+" < 1.0}]")
	}
	words := one("", ", wording: [{when: lamp_on, zh: 乙, en: b}]", ", wording: [{when: power_w < 1.0, zh: 丙, en: c}, {when: lamp_on, zh: 乙, en: b}]")
	all := []string{
		"name: lost, silent: " + one("3", "6") + ", for: 5s",
		"name: out, when: power_w < " + one("1.0", "31.0") + ", for: " + one("0s", "8s", "2m") + ", clear_for: 3s" + steps("power_w") + words,
		"name: leaks, when: leakage, clear_for: 1s",
	}
	for _, of := range []string{"lost", "out"} {
		for _, by := range []string{"circuit", "cabinet"} {
			all = append(all, fmt.Sprintf("name: %s_%s, collapse: {of: %s, by: %s, at_least: %s%s}, for: %s", of, by, of, by, one("3", "5"), one("", ", within: 20s", ", share: 0.5"), one("0s", "4s")))
		}
	}
	text := "groups:\n  - kind: streetlight\n    rules:\n"
	gone := r.IntN(12)
	for _, i := range r.Perm(len(all)) {
		if i == gone && i > 1 || gone < 2 && strings.Contains(all[i], []string{"lost", "out,", "out_"}[gone]) {
			continue
		}
		text += "      - {severity: " + severity() + ", summary: {zh: 甲, en: a}, " + all[i] + "}\n"
	}
	return devices.Item{Type: devices.ItemRuleSet, Control: []byte(text)}
}

// Whatever rules are switched on when, open tickets are as bad as they were told to
// be, nobody stands since never, and a restart changes nothing.
func TestRulesMayBeSwitchedAtAnyTime(t *testing.T) {
	switches, changes := 0, 0
	for seed := range uint64(devicestest.Sized(20, 5)) {
		a, b := tell(t), tell(t)
		past := stormy(a, seed, 400)
		r := rand.New(rand.NewPCG(seed, 4))
		open := make(map[[2]string]Severity)
		for sec, items := range past {
			if sec == 0 || r.IntN(15) == 0 {
				items = append(items, anyRules(r))
				switches++
			}
			b.seq = a.seq
			var twin *Engine
			if r.IntN(8) == 0 {
				twin = restarted(t, a.e, a.seq)
			}
			for _, x := range a.transitions(float64(sec), items...) {
				k := [2]string{string(x.Facility), x.Defect}
				switch x.Type {
				case Opened:
					open[k] = x.Severity
				case Ended:
					delete(open, k)
				case Changed:
					changes++
					open[k] = x.Severity
				}
			}
			if twin != nil {
				b.e = twin
				b.step(float64(sec), items...)
				if b.e.counts != a.e.counts {
					t.Fatalf("seed %d: at %d s counts %v, without a restart %v", seed, sec, b.e.counts, a.e.counts)
				}
			}
			for _, f := range a.e.facilities {
				for i := range f.alerts {
					if x, rule := &f.alerts[i], a.e.set.kinds[f.kind].rules[f.alerts[i].rule]; x.firing && open[[2]string{string(f.id), rule.Name}] != rule.severity(x.step) {
						t.Fatalf("seed %d: at %d s %s %s is %s, and was told to be %q", seed, sec, f.id, rule.Name, rule.severity(x.step), open[[2]string{string(f.id), rule.Name}])
					}
				}
				if f.since > a.e.wall {
					t.Fatalf("seed %d: at %d s %s stands %s since %d", seed, sec, f.id, f.shown, f.since)
				}
			}
		}
	}
	if switches < 100 || changes < 100 {
		t.Errorf("%d switches and %d changes: that shows nothing", switches, changes)
	}
}

package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

const surge = "name: surge, collapse: {of: out, by: circuit, at_least: 3, within: 1m}"

// Three lamps fail while a window lasts, and are bad at its end. Only where they
// failed together is that one cause: of the others each is told of by itself.
func TestAtTheEndOfAWindowOnlyWhatFailedTogetherIsOneCause(t *testing.T) {
	for name, x := range map[string]struct {
		fails []int // s
		want  []string
		why   string // of the first ticket
	}{
		"apart": {[]int{20, 110, 200}, []string{"600 opened SL-0-0 out", "600 opened SL-0-1 out", "600 opened SL-0-2 out"},
			"Maintenance window W (test, chen) kept it back until 2026-01-01 08:10:00."},
		"together": {[]int{20, 50, 79}, []string{"600 opened CAB:C0 surge", "600 joined CAB:C0 surge SL-0-0", "600 joined CAB:C0 surge SL-0-1", "600 joined CAB:C0 surge SL-0-2"},
			"Maintenance window W (test, chen) kept 3 of them from counting until 2026-01-01 08:10:00."},
		"together, before the window": {[]int{1, 2, 3}, []string{"3 opened CAB:C0 surge", "3 joined CAB:C0 surge SL-0-0", "3 joined CAB:C0 surge SL-0-1", "3 joined CAB:C0 surge SL-0-2"}, ""},
		"one before the window":       {[]int{4, 50, 63}, []string{"6 opened SL-0-0 out", "600 opened CAB:C0 surge", "600 joined CAB:C0 surge SL-0-0", "600 joined CAB:C0 surge SL-0-1", "600 joined CAB:C0 surge SL-0-2"}, ""},
		"one long before":             {[]int{4, 65, 66}, []string{"6 opened SL-0-0 out", "600 opened SL-0-1 out", "600 opened SL-0-2 out"}, ""},
		"a fourth, later":             {[]int{20, 50, 79, 300}, []string{"600 opened CAB:C0 surge", "600 joined CAB:C0 surge SL-0-0", "600 joined CAB:C0 surge SL-0-1", "600 joined CAB:C0 surge SL-0-2", "600 joined CAB:C0 surge SL-0-3"}, ""},
	} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(name, again), func(t *testing.T) {
				s := under(t, out, surge)
				fs := tree(1, 10)
				s.step(0, s.census(fs...), s.window(Window{Circuit: "C0", Cabinet: "CAB"}, 10, 600))
				for sec := 1; sec <= 620; sec++ {
					var items []devices.Item
					for i, at := range x.fails {
						if at == sec {
							items = append(items, s.says(string(fs[i].ID), float64(sec), "lamp_failure", true))
						}
					}
					if sec == 600 && x.why != "" {
						twin := *s
						twin.e = restarted(t, s.e, s.seq)
						if en, _ := twin.why(600); !strings.HasSuffix(en, x.why+"\n") {
							t.Errorf("explained by\n%s, want at its end\n%s", en, x.why)
						}
					}
					s.step(float64(sec), items...)
					if again {
						s.e = restarted(t, s.e, s.seq)
					}
				}
				s.expect(x.want...)
			})
		}
	}
}

// A lamp whose ticket is old, that was well for a moment and fails with others, is
// one of them; one that was bad all the time is not.
func TestWhatCameBackCountsFromThen(t *testing.T) {
	for back, want := range map[bool]int{true: 3, false: 0} {
		s := under(t, out, surge)
		fs := tree(1, 10)
		s.step(0, s.census(fs...), s.says("SL-0-0", 0, "lamp_failure", true))
		s.until(1, 299)
		s.step(300, s.says("SL-0-0", 300, "lamp_failure", !back))
		s.step(302, s.says("SL-0-0", 302, "lamp_failure", true), s.says("SL-0-1", 302, "lamp_failure", true), s.says("SL-0-2", 302, "lamp_failure", true))
		s.until(303, 310)
		s.only("joined")
		if len(s.log) != want {
			t.Errorf("back %v: %q, want %d members", back, s.log, want)
		}
	}
}

// Rules that are switched on find what has been bad for long all at once.
func TestNewRulesMakeNoCauseOfOldFaults(t *testing.T) {
	s := under(t, out)
	fs := tree(1, 10)
	s.step(0, s.census(fs...))
	for i := range 4 {
		s.step(float64(100*(i+1)), s.says(string(fs[i].ID), float64(100*(i+1)), "lamp_failure", true))
	}
	s.step(500, devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, out, surge).Text())})
	s.until(501, 520)
	s.only("opened")
	s.expect("200 opened SL-0-0 out", "300 opened SL-0-1 out", "400 opened SL-0-2 out", "500 opened SL-0-3 out")
}

// While a window is on, a cause tells who it keeps from counting.
func TestACauseTellsWhoAWindowKeepsFromCounting(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 3}")
	fs := tree(1, 10)
	s.step(0, s.census(fs...), s.window(Window{ID: "W3", Facility: "SL-0-3"}, 0, 600))
	s.step(1, s.says("SL-0-3", 1, "lamp_failure", true))
	en, zh := s.why(2, s.says("SL-0-0", 2, "lamp_failure", true), s.says("SL-0-1", 2, "lamp_failure", true), s.says("SL-0-2", 2, "lamp_failure", true))
	if !strings.HasSuffix(en, "\n1 more are bad, but do not count during maintenance window W3 (test, chen), which lasts until 2026-01-01 08:10:00.\n") ||
		!strings.HasSuffix(zh, "\n另有 1 个设施也触发该规则，但处于维护窗口 W3（test，chen，至 2026-01-01 08:10:00）内，未计入。\n") {
		t.Errorf("got\n%s%s", en, zh)
	}
}

// A window of the cause's own rule keeps nobody from counting, but the ticket back.
func TestAWindowOfTheCauseIsNamedToo(t *testing.T) {
	s := under(t, "name: out, when: lamp_failure, for: 1h", "name: surge, collapse: {of: out, by: circuit, at_least: 3}, for: 10s")
	fs := tree(1, 10)
	s.step(0, s.census(fs...), s.window(Window{Rule: "surge"}, 0, 60))
	s.step(1, s.says("SL-0-0", 1, "lamp_failure", true), s.says("SL-0-1", 1, "lamp_failure", true), s.says("SL-0-2", 1, "lamp_failure", true))
	s.until(2, 69)
	if en, _ := s.why(70); !strings.HasSuffix(en, "\nMaintenance window W (test, chen) kept it back until 2026-01-01 08:01:00.\n") {
		t.Errorf("got\n%s", en)
	}
}

// The lamps of a street are judged in several partitions: at the end of a window
// those that failed together are one ticket, and none of them has its own.
func TestAtTheEndOfAWindowAStreetIsOneCauseOnlyOfWhatFailedTogether(t *testing.T) {
	for name, x := range map[string]struct {
		every float64 // s between two cabinets
		want  []string
		why   []string
	}{
		"together": {1, []string{"32 opened area:350102001 street_flash"}, []string{"w 30"}},
		"apart":    {6, nil, nil},
	} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(name, again), func(t *testing.T) {
				w := newTown(t, 3, dark, "name: street_flash, collapse: {of: dark, by: area, level: street, at_least: 25, within: 5s}")
				fs := street("350102001", "", 3, 10)
				w.learn(fs...)
				text, err := (&Window{ID: "w", Area: "350102", From: start, To: start + 30_000, Reason: "r", By: "b"}).Encode()
				if err != nil {
					t.Fatal(err)
				}
				w.broadcast(devices.Item{Type: devices.ItemWindow, Control: text})
				for c := range 3 {
					w.run(2 + float64(c)*x.every)
					w.say(true, fs[10*c:10*c+10]...)
				}
				for sec := 16; sec <= 50; sec++ {
					w.run(float64(sec))
					for p, s := range w.parts {
						if again {
							s.e = restarted(t, s.e, s.seq)
							s.e.partition = p
						}
					}
				}
				got, joined := w.tickets()
				if x.want != nil {
					w.expect(x.want...)
					if joined != 30 || !slices.Equal(w.windows, x.why) {
						t.Errorf("%d lamps are attached, and windows %q named; want 30 and %q", joined, w.windows, x.why)
					}
					return
				}
				if len(got) != 30 || joined != 0 || !strings.HasPrefix(got[0], "35") || !slices.Equal(w.windows, slices.Repeat([]string{"w 0"}, 30)) {
					t.Errorf("tickets %q, windows %q", got, w.windows)
				}
			})
		}
	}
}

// However faults are spread over partitions, what is found of their sums is found of
// the instants themselves, but for what lies a step's length from the limit.
func TestOnsetsAreInstantsToAStep(t *testing.T) {
	x := &Collapse{Within: 160 * time.Second}
	dice := rand.New(rand.NewPCG(1, 2))
	together := func(at []int64, n int, within int64) bool {
		for i := range at {
			if i >= n-1 && at[i]-at[i-n+1] < within {
				return true
			}
		}
		return false
	}
	var both, neither int
	for range 2000 {
		var at []int64
		parts := []onsets{{}, {}, {}}
		for range 3 + dice.IntN(8) {
			s := 1_000_000 + dice.Int64N(600_000)
			at = append(at, s)
			parts[dice.IntN(3)][s/x.step()]++
		}
		slices.Sort(at)
		all := onsets{}
		for _, p := range parts {
			all.add(p)
		}
		n := 2 + dice.IntN(4)
		reached, got := all.together(x, func(k int) bool { return k >= n })
		switch {
		case got && !together(at, n, x.Within.Milliseconds()):
			t.Fatalf("%d of %v are together, but do not lie within %s", n, at, x.Within)
		case !got && together(at, n, x.Within.Milliseconds()-x.step()):
			t.Fatalf("%d of %v lie within %s, but are not found", n, at, x.Within)
		case got:
			both++
			counted := 0
			for _, s := range at {
				if s > reached-x.Within.Milliseconds() && s <= reached {
					counted++
				}
			}
			if counted < n {
				t.Fatalf("of %v %d count at %d, want %d", at, counted, reached, n)
			}
		default:
			neither++
		}
	}
	if both < 200 || neither < 200 {
		t.Errorf("%d found and %d not: that tests nothing", both, neither)
	}
}

// A share from before faults were told by when they began says only how many are
// young: they count as of when that came.
func TestAShareFromBefore(t *testing.T) {
	old := struct {
		_                               struct{} `cbor:",toarray"`
		Of                              wideKey
		Partition                       int
		Frame                           uint64
		Known                           stage
		Heard                           uint64
		Total, Bad, Young, Waits, Attac int
		Under                           map[string]int
	}{Of: wideKey{Rule: "street_off", Place: "350102001"}, Partition: 2, Frame: 7, Total: 9, Bad: 5, Young: 3, Under: map[string]int{"x": 1}}
	b, err := cbor.Marshal(&old)
	if err != nil {
		t.Fatal(err)
	}
	var s share
	if err := cbor.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	x := &Collapse{Within: 16 * time.Second}
	s.Onsets.date(x, 100_000)
	if s.Of != old.Of || s.Partition != 2 || s.Bad != 5 || s.Under["x"] != 1 || s.Kept != nil || len(s.Onsets) != 1 || s.Onsets[100] != 3 {
		t.Errorf("read %+v", s)
	}
	s.Kept = map[string]int{"w": 2}
	if b, err = cbor.Marshal(&s); err != nil {
		t.Fatal(err)
	}
	var again share
	if err := cbor.Unmarshal(b, &again); err != nil || again.Kept["w"] != 2 || again.Onsets[100] != 3 || again.Bad != 5 {
		t.Errorf("read %+v (%v)", again, err)
	}
}

// Who went bad too far from each other is no cause, however long the cause waits; who
// goes bad while it waits comes under its ticket, but is not one of those that opened it.
func TestOnlyWhoWentBadTogetherOpensACause(t *testing.T) {
	const late = "name: surge, collapse: {of: out, by: circuit, at_least: 3, within: 20s}, for: 50s"
	for name, x := range map[string]struct {
		fails map[int]int // lamp: s
		mends map[int]int
		want  string
		since float64 // s
		bad   float64
		join  int
	}{
		"apart":                {map[int]int{0: 10, 1: 30, 2: 50}, nil, "", 0, 0, 0},
		"together":             {map[int]int{0: 10, 1: 20, 2: 29}, nil, "79 opened CAB:C0 surge", 29, 3, 3},
		"some later":           {map[int]int{0: 10, 1: 11, 2: 12, 3: 50, 4: 55}, nil, "62 opened CAB:C0 surge", 12, 3, 5},
		"more a little later":  {map[int]int{0: 10, 1: 11, 2: 12, 3: 20, 4: 55}, nil, "62 opened CAB:C0 surge", 12, 4, 5},
		"one of them is well":  {map[int]int{0: 10, 1: 11, 2: 12, 3: 50}, map[int]int{0: 52}, "", 0, 0, 0},
		"others are too, then": {map[int]int{0: 10, 1: 11, 2: 12, 3: 50, 4: 51, 5: 52}, map[int]int{0: 55}, "105 opened CAB:C0 surge", 52, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := under(t, strings.Replace(out, "for: 2s", "for: 10m", 1), late)
			s.step(0, s.census(tree(1, 10)...))
			for sec := 1; sec <= 200; sec++ {
				var items []devices.Item
				for lamp := range 10 {
					for bad, at := range map[bool]map[int]int{true: x.fails, false: x.mends} {
						if at[lamp] == sec {
							items = append(items, s.says(fmt.Sprint("SL-0-", lamp), float64(sec), "lamp_failure", bad))
						}
					}
				}
				twin := *s
				twin.e = restarted(t, s.e, s.seq)
				for _, tr := range twin.transitions(float64(sec), items...) {
					if tr.Type == Opened && (tr.At != tr.Evidence.Since || tr.Value != x.bad || tr.Evidence.Cause.Bad != int(x.bad) || float64(tr.Evidence.Since-start)/1000 != x.since) {
						t.Errorf("opened by %g (%d) since %g s; want %g since %g", tr.Value, tr.Evidence.Cause.Bad, float64(tr.Evidence.Since-start)/1000, x.bad, x.since)
					}
				}
				s.step(float64(sec), items...)
			}
			joined := strings.Count(strings.Join(s.log, "\n"), " joined ")
			s.only("opened")
			if x.want == "" {
				s.expect()
				return
			}
			s.expect(x.want)
			if joined != x.join {
				t.Errorf("%d lamps are attached, want %d", joined, x.join)
			}
		})
	}
}

// So it is where several partitions have part in it.
func TestOnlyWhoWentBadTogetherOpensACauseOfAStreet(t *testing.T) {
	for apart, want := range map[float64]string{1: "opened by 30, held since 4", 6: ""} {
		w := newTown(t, 3, strings.Replace(dark, "for: 5s", "for: 10m", 1), "name: street_flash, collapse: {of: dark, by: area, level: street, at_least: 25, within: 5s}, for: 20s")
		fs := street("350102001", "", 4, 10)
		w.learn(fs...)
		for c := range 3 {
			w.run(2 + float64(c)*apart)
			w.say(true, fs[10*c:10*c+10]...)
		}
		w.run(18)
		w.say(true, fs[30:]...)
		got := ""
		w.opened = func(x *Transition) {
			got = fmt.Sprintf("opened by %d, held since %d", x.Evidence.Cause.Bad, (x.At-start)/1000)
		}
		w.run(60)
		if got != want {
			t.Errorf("%g s apart: %s, want %s", apart, got, want)
		}
		if _, joined := w.tickets(); want != "" && joined != 40 {
			t.Errorf("%d lamps are attached, want all: who comes later too", joined)
		}
	}
}

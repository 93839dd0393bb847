package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// window is a record that makes or changes a window; from and to are seconds.
func (s *story) window(w Window, from, to int64) devices.Item {
	s.t.Helper()
	w.From, w.To, w.Reason, w.By = start+from*1000, start+to*1000, "test", "chen"
	if w.ID == "" {
		w.ID = "W"
	}
	b, err := w.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	return devices.Item{Type: devices.ItemWindow, Control: b}
}

func TestNothingOpensInAWindowAndWhatIsStillBadOpensAtItsEnd(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}, registry.Facility{ID: "MH-2", Kind: devices.Manhole}, registry.Facility{ID: "MH-3", Kind: devices.Manhole}))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 30.0))
	s.until(2, 4) // what was open before may close
	s.step(5, s.window(Window{Kind: "manhole"}, 10, 60))
	s.until(6, 11)
	s.step(12, s.says("MH-1", 12, "tilt_deg", 1.0), s.says("MH-2", 12, "tilt_deg", 30.0), s.says("MH-3", 12, "tilt_deg", 30.0))
	if st := s.e.stands(s.e.facilities["MH-2"]); st != Maintenance || s.e.counts[devices.Manhole][Maintenance] != 3 {
		t.Errorf("it stands %s, and counts are %v", st, s.e.counts)
	}
	s.step(30, s.says("MH-3", 30, "tilt_deg", 1.0))
	s.until(31, 70)
	s.expect("3 opened MH-1 cover_displaced", "42 closed MH-1 cover_displaced", "60 opened MH-2 cover_displaced")
	if s.e.counts[devices.Manhole][Maintenance] != 0 || len(s.e.windows) != 0 {
		t.Errorf("the window is still there: counts %v", s.e.counts)
	}
}

func TestAWindowThatIsEndedEarly(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 1.0), s.window(Window{Facility: "MH-1"}, 0, 1000))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 30.0))
	s.until(2, 10)
	s.expect()
	s.step(11, s.window(Window{Facility: "MH-1"}, 0, 11))
	s.expect("11 opened MH-1 cover_displaced")
}

func TestWhatAWindowNames(t *testing.T) {
	for _, c := range []struct {
		w    Window
		want string // of A and B, which is left
	}{
		{Window{Facility: "A"}, "B"}, {Window{Cabinet: "CAB"}, ""}, {Window{Cabinet: "CAB", Circuit: "C1"}, "B"}, {Window{Cabinet: "CAB", Circuit: "C9"}, "A B"},
		{Window{Feeder: "F1"}, ""}, {Window{Feeder: "F1", Circuit: "C1", Cabinet: "CAB"}, "B"}, {Window{Feeder: "F2"}, "A B"}, {Window{Area: "350102"}, ""}, {Window{Area: "350102001"}, "B"}, {Window{Kind: "streetlight"}, ""}, {Window{Kind: "bridge"}, "A B"},
		{Window{Rule: "lamp_out"}, ""}, {Window{Rule: "comm_lost"}, "A B"}, {Window{Rule: "lamp_out", Facility: "B"}, "A"},
	} {
		s := tell(t)
		s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C1", Area: "350102001"},
			registry.Facility{ID: "B", Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C2", Area: "350102002"}, registry.Facility{ID: "CAB", Kind: devices.Streetlight, Feeder: "F1"}), s.window(c.w, 0, 100))
		s.step(1, s.says("A", 1, "lamp_failure", true), s.says("B", 1, "lamp_failure", true))
		s.until(2, 10)
		var got []string
		for _, l := range s.log {
			got = append(got, strings.Fields(l)[2])
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("window %+v: tickets of %q, want of %q", c.w, g, c.want)
		}
	}
}

func TestACabinetUnderMaintenanceOpensAtTheEndAsOne(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(3, 4)
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.step(2, s.window(Window{Cabinet: "CAB"}, 2, 100))
	s.until(3, 110)
	s.only("opened")
	s.expect("100 opened CAB cabinet")
}

// What hangs on a feeder is a matter of the census, which may change while the
// window lasts.
func TestAWindowForAFeederFollowsTheCensus(t *testing.T) {
	for _, c := range []struct {
		feeder []string // of the cabinet's row, at 20 s and at 40 s
		want   string
	}{
		{[]string{"F1", "F1"}, "100 opened CAB cabinet"},
		{[]string{"F1", "F2"}, "40 opened CAB cabinet"},
		{[]string{"F2", "F1"}, "31 opened CAB cabinet"},
	} {
		s := under(t, lost, circuit, cabinet)
		fs := tree(3, 4)
		row := registry.Facility{ID: "CAB", Kind: devices.Streetlight, Feeder: "F1"}
		s.step(0, s.census(append(fs, row)...))
		s.all(1, fs)
		s.step(2, s.window(Window{Feeder: "F1"}, 2, 100))
		s.until(3, 19)
		row.Feeder = c.feeder[0]
		s.step(20, s.census(row))
		s.until(21, 39)
		row.Feeder = c.feeder[1]
		s.step(40, s.census(row))
		s.until(41, 110)
		s.only("opened")
		s.expect(c.want)
	}
}

// What the census moves out of the area of a window opens then, also of a device that
// says nothing more.
func TestAWindowForAnAreaFollowsTheCensus(t *testing.T) {
	s := tell(t)
	in := func(area devices.AreaCode) devices.Item {
		return s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, Area: area})
	}
	s.step(0, in("350102001001"), s.window(Window{Area: "350102001"}, 0, 9000))
	s.step(2, s.says("MH-1", 2, "tilt_deg", 30.0))
	s.until(3, 10)
	s.until(3000, 3010)
	s.step(3011, in("350102002001"))
	s.until(3012, 3020)
	s.expect("3011 opened MH-1 cover_displaced")
}

// A cabinet with a lamp on another feeder is not all under maintenance, and its
// ticket opens; a window for a feeder is one for the feeder's ticket.
func TestAWindowForAFeederIsOneForWhatItAloneSupplies(t *testing.T) {
	s := under(t, lost, cabinet, "name: feeder, collapse: {of: lost, by: feeder, share: 0.8, at_least: 3}")
	fs := tree(1, 10)
	for i := range fs {
		fs[i].Feeder = "F1"
	}
	s.step(0, s.census(fs...))
	s.all(1, fs)
	s.step(2, s.window(Window{Feeder: "F1"}, 60, 100))
	s.until(3, 39) // lost now, before the window
	s.only("opened")
	if len(s.log) != 1 {
		t.Fatalf("%v, want one ticket", s.log)
	}
	for _, c := range []struct {
		w    Window
		want bool
	}{{Window{Feeder: "F1"}, true}, {Window{Feeder: "F2"}, false}, {Window{Feeder: "F1", Kind: "bridge"}, false}} {
		s.e.windows = []Window{c.w}
		s.e.windows[0].To = s.e.wall + 1
		for _, p := range s.e.parents {
			for _, x := range p.causes {
				if p.level == Cabinet && s.e.maintainedCause(x) != c.want {
					t.Errorf("window %+v: the cabinet is under maintenance: %t", c.w, !c.want)
				}
			}
		}
		for _, x := range s.e.wholes {
			if s.e.maintainedWhole(x) != c.want {
				t.Errorf("window %+v: the feeder is under maintenance: %t", c.w, !c.want)
			}
		}
	}
	s.e.windows[0] = Window{Feeder: "F1", To: s.e.wall + 1}
	s.e.facilities[fs[0].ID].feeder = s.e.texts.id("F2")
	for _, x := range s.e.parents[parentKey{Cabinet, "CAB"}].causes {
		if s.e.maintainedCause(x) {
			t.Error("a cabinet with a lamp on another feeder is under maintenance")
		}
	}
}

// Lamps fail before a window begins, and their circuit has to be dark for longer:
// who is under maintenance is none of those that are bad together.
func TestNoCauseOpensOfMembersUnderMaintenance(t *testing.T) {
	for _, w := range []Window{{Area: "350102"}, {Rule: "out"}, {Facility: "SL-0-1"}} {
		s := under(t, "name: out, when: lamp_failure, for: 10s", "name: cir, collapse: {of: out, by: circuit, share: 1, at_least: 3}, for: 30s")
		fs := tree(1, 4)
		for i := range fs {
			fs[i].Area = "350102001001"
		}
		s.step(0, s.census(fs...))
		for i, f := range fs {
			s.step(float64(i+1), s.says(string(f.ID), float64(i+1), "lamp_on", true, "lamp_failure", true))
		}
		s.step(6, s.window(w, 6, 100))
		s.until(7, 99)
		s.only("opened")
		if len(s.log) > 0 && w.Facility == "" || slices.ContainsFunc(s.log, func(l string) bool { return strings.HasSuffix(l, " cir") }) {
			t.Errorf("window %+v: %v", w, s.log)
		}
		s.log = nil
		s.until(100, 140)
		s.only("opened")
		if w.Facility == "" {
			s.expect("130 opened CAB:C0 cir")
		}
	}
}

func TestAWindowSurvivesARestartAnywhere(t *testing.T) {
	for at := 0; at < 60; at += devicestest.Sized(1, 3) {
		a, b := tell(t), tell(t)
		for sec := range 60 {
			var items []devices.Item
			switch {
			case sec == 5:
				items = append(items, a.window(Window{Rule: "cover_displaced", Facility: "MH-1"}, 10, 40))
			case sec%7 == 3:
				items = append(items, a.says("MH-1", float64(sec), "tilt_deg", 30.0))
			}
			if sec == 0 {
				items = append(items, a.says("MH-1", 0, "tilt_deg", 1.0))
			}
			if sec == 8 {
				items = append(items, a.says("MH-1", 8, "tilt_deg", 1.0))
			}
			a.step(float64(sec), items...)
			b.seq = a.seq - 1
			b.step(float64(sec), items...)
			if sec == at {
				b.e = restarted(t, b.e, b.seq)
			}
		}
		if got, want := strings.Join(b.log, "\n"), strings.Join(a.log, "\n"); got != want {
			t.Fatalf("restarted after second %d\n%s\nwithout\n%s", at, got, want)
		}
	}
}

func TestWhatIsNoWindow(t *testing.T) {
	good := Window{ID: "W", Facility: "A", From: 1, To: 2, Reason: "r", By: "chen"}
	if field, err := good.Check(); err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	for field, change := range map[string]func(*Window){
		"id": func(w *Window) { w.ID = "" }, "facility": func(w *Window) { w.Facility = "" }, "cabinet": func(w *Window) { w.Circuit = "C1" },
		"reason": func(w *Window) { w.Reason = " " }, "by": func(w *Window) { w.By = "" }, "kind": func(w *Window) { w.Kind = "tree" },
		"to": func(w *Window) { w.To = w.From + MaxWindow.Milliseconds() + 1 },
	} {
		w := good
		change(&w)
		if got, err := w.Check(); err == nil || got != field {
			t.Errorf("%s: got %q, %v", field, got, err)
		}
	}
	s := tell(t)
	for _, text := range []string{"", "{}", `{"id":"W","from":0,"to":99999999999}`} {
		if err := s.e.window([]byte(text)); err == nil {
			t.Errorf("%q was taken from the log", text)
		}
	}
}

// A window over a million facilities begins and ends in one walk each.
func BenchmarkWindow(b *testing.B) {
	s := tell(&testing.T{})
	for i := range 100_000 {
		id := devices.FacilityID(fmt.Sprint("MH-", i))
		f := s.e.settle(id)
		f.kind = devices.Manhole
	}
	s.step(0, s.window(Window{Area: "350102"}, 0, 100))
	for b.Loop() {
		s.e.turn()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/facility")
}

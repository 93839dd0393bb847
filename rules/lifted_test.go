package rules

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// What comes late of the time of a maintenance window opens no ticket that there
// would not have been had it come in time.
func TestWhatComesLateOfTheTimeOfAWindow(t *testing.T) {
	hour := 3600.0
	for name, x := range map[string]struct {
		told  []float64 // time, tilt, …
		at    float64   // when it is told
		want  string    // had it come in time
		alone string    // as it is told, where that differs
	}{
		"began and ended under it, told soon":     {[]float64{1000, 1, 1003, 40, 1008, 40, 1010, 1}, 1030, "", ""},
		"began and ended under it, told late":     {[]float64{1000, 1, 1003, 40, 1008, 40, 1010, 1}, 1000 + 3*hour, "", ""},
		"began and ended under it, cleared later": {[]float64{1000, 1, 1003, 40, 1008, 40, 1010, 1, 1050, 1}, 1060, "", ""},
		"bad at its end, told soon":               {[]float64{1003, 40, 1008, 40, 1014, 1, 1050, 1}, 1060, "opened closed", "historic 1003–1014"},
		"bad at its end, told late":               {[]float64{1003, 40, 1008, 40, 1014, 1, 1050, 1}, 1000 + 3*hour, "opened closed", "historic 1003–1014"},
		"opened before it, told late":             {[]float64{990, 40, 993, 40, 1005, 1, 1050, 1}, 1000 + 3*hour, "opened closed", "historic 990–1005"},
		"began too shortly before, told late":     {[]float64{999, 40, 1005, 40, 1007, 1, 1050, 1}, 1000 + 3*hour, "", ""},
		"under one after another":                 {[]float64{1005, 40, 1015, 40, 1017, 1, 1090, 1}, 1000 + 3*hour, "opened closed", "historic 1005–1017"},
		"bad now":                                 {[]float64{1003, 40, 1008, 40}, 1030, "opened", ""},
	} {
		t.Run(name, func(t *testing.T) {
			windows := []devices.Item{}
			begin := func() *story {
				s := tell(t)
				windows = []devices.Item{s.window(Window{Facility: "MH-1"}, 1000, 1012)}
				if name == "under one after another" {
					windows = append(windows, s.window(Window{ID: "V", Kind: "manhole", Rule: "cover_displaced"}, 1011, 1016))
				}
				s.step(900, append(windows, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}))...)
				return s
			}
			said := func(s *story) (out string) {
				for _, l := range s.log {
					var at float64
					var what, id, rule, span string
					fmt.Sscan(l, &at, &what, &id, &rule, &span)
					if out += " " + what; span != "" {
						out += " " + span
					}
				}
				return out
			}
			if x.want != "" {
				x.want = " " + x.want
			}
			s := begin()
			for i := 0; i < len(x.told); i += 2 {
				s.until(int(max(s.since(), 900)), int(x.told[i])-1)
				s.step(x.told[i], s.says("MH-1", x.told[i], "tilt_deg", x.told[i+1]))
			}
			s.until(int(s.since())+1, 1100)
			if got := said(s); got != x.want {
				t.Errorf("in time:%s, want%s", got, x.want)
			}
			want := x.want
			if x.alone != "" {
				want = " " + x.alone
			}
			for _, restart := range []bool{false, true} {
				s := begin()
				s.until(901, 1020)
				if restart {
					s.e = restarted(t, s.e, s.seq)
				}
				s.step(x.at, s.batch("MH-1", x.told...))
				s.until(int(x.at)+1, int(x.at)+80)
				if got := said(s); got != want {
					t.Errorf("late, after a restart %t:%s, want%s", restart, got, want)
				}
			}
		})
	}
}

// since is the second of the newest frame.
func (s *story) since() float64 { return float64(s.e.wall-start) / 1000 }

// A window that was over before the engine began, or that was ended early, is
// known as it was; and only so many are.
func TestWindowsThatAreOver(t *testing.T) {
	s := tell(t)
	s.step(100, s.window(Window{ID: "A", Kind: "manhole"}, 10, 20), s.window(Window{ID: "B", Kind: "manhole"}, 50, 500))
	s.step(110, s.window(Window{ID: "B", Kind: "manhole"}, 50, 110), s.window(Window{ID: "A", Kind: "manhole"}, 10, 20))
	s.step(120, s.window(Window{ID: "C", Kind: "manhole"}, 30, 40))
	got := ""
	for _, l := range s.e.lifted {
		got += fmt.Sprintf("%s %d–%d ", l.ID, (l.From-start)/1000, (l.To-start)/1000)
	}
	if want := "A 10–20 C 30–40 B 50–110 "; got != want {
		t.Errorf("known are %s, want %s", got, want)
	}
	for i := range maxLifted {
		s.step(200, s.window(Window{ID: fmt.Sprint(i), Kind: "manhole"}, 150, 151))
	}
	if n := len(s.e.lifted); n != maxLifted || s.e.lifted[0].ID != "0" {
		t.Errorf("%d windows are known, the oldest is %s", n, s.e.lifted[0].ID)
	}
}

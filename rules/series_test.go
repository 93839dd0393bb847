package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lamplighter/devices"
)

// goesOn has another channel of MH-1 report each minute of a stretch of time.
func (s *story) goesOn(from, to int) {
	s.t.Helper()
	for i := from; i <= to; i += 60 {
		s.step(float64(i), s.says("MH-1", float64(i), "water_level_m", 0.1))
	}
}

func TestAWindowMovesOnWhileItsChannelIsSilent(t *testing.T) {
	for _, c := range []struct{ aggregate, when, want string }{
		{"max", "x > 800.0", "0 opened MH-1 it\n600 closed MH-1 it"}, // from then on it holds the 5 only
		{"count", "x >= 2.0", "60 opened MH-1 it\n600 closed MH-1 it"},
		{"count", "x < 1.0", "660 opened MH-1 it"},
		{"sum", "x < 1.0", ""}, // the sum of nothing is not known
	} {
		s := by(t, devices.Manhole, "severity: minor\nvalues: {x: {channel: vibration_mg, window: 10m, aggregate: "+c.aggregate+"}}\nwhen: "+c.when)
		s.step(0, s.says("MH-1", 0, "tilt_deg", 1.0, "vibration_mg", 900.0))
		s.step(60, s.says("MH-1", 60, "vibration_mg", 5.0))
		s.goesOn(120, 3600)
		if got := strings.Join(s.log, "\n"); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.when, got, c.want)
		}
	}
}

func TestALongWindowForgetsNothing(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nvalues: {most: {channel: vibration_mg, window: 24h, aggregate: max}, n: {channel: vibration_mg, window: 24h, aggregate: count}}\nwhen: most > 800.0 || n > 1400.0\nsteps: [{severity: major, when: n > 1400.0}]")
	for i := 0; i <= 26*60; i++ {
		shock := 5.0
		if i == 0 {
			shock = 900
		}
		s.step(float64(60*i), s.says("MH-1", float64(60*i), "tilt_deg", 1.0, "vibration_mg", shock))
		if i%100 == 7 {
			s.e = restarted(t, s.e, s.seq)
		}
	}
	s.expect("0 opened MH-1 it", fmt.Sprint(1400*60, " changed MH-1 it"))
}

// A window over many values is told of stretches: it holds all that it should,
// and beyond its beginning no more than a fiftieth of its length.
func TestAWindowHoldsWhatItShould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []sample
		s := &series{}
		span := rapid.Int64Range(1000, 5_000_000).Draw(t, "span")
		now := int64(start)
		for range rapid.IntRange(1, 12).Draw(t, "bursts") {
			pause := rapid.Int64Range(1, 20_000).Draw(t, "pause")
			for range rapid.IntRange(1, 400).Draw(t, "values") {
				now += pause
				x := sample{now, float64((now * 7919) % 1013)}
				all = append(all, x)
				s.add(x, span)
			}
		}
		at := now + rapid.Int64Range(0, span).Draw(t, "later")
		edge := at - rapid.Int64Range(1, span).Draw(t, "window")
		in := s.after(edge)
		content := func(edge int64) content {
			i, _ := slices.BinarySearchFunc(all, edge, func(x sample, edge int64) int {
				if x.at > edge {
					return 1
				}
				return -1
			})
			return content{samples: all[i:]}
		}
		least, most := content(edge), content(edge-(at-edge)/blur-1)
		if in.empty() != least.empty() {
			t.Fatalf("it is empty: %t, want %t", in.empty(), least.empty())
		}
		if in.empty() {
			return
		}
		for _, name := range []string{counting, "sum", "max", turnovers} {
			if got, from, to := folds[name](in), folds[name](least), folds[name](most); got < from-1e-6 || got > to+1e-6 {
				t.Fatalf("%s is %g, want %g to %g", name, got, from, to)
			}
		}
		if got, from, to := folds["min"](in), folds["min"](most), folds["min"](least); got < from || got > to {
			t.Fatalf("min is %g, want %g to %g", got, from, to)
		}
		if p := in.rank(0.5); p < folds["min"](in) || p > folds["max"](in) {
			t.Fatalf("p50 is %g", p)
		}
		if first := s.at(edge); !slices.Contains(all, first) {
			t.Fatalf("%v was never told", first)
		}
		if n := len(s.samples) + len(s.stretches); n > maxSamples+20*blur {
			t.Fatalf("%d are kept", n)
		}
	})
}

package fleet

import (
	"math"
	"testing"
	"time"
)

// at reads "2006-01-02 15:04 -0700".
func at(t *testing.T, s string) time.Time {
	t.Helper()
	x, err := time.Parse("2006-01-02 15:04 -0700", s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestSunRisesAndSetsByTheAlmanac holds the sun against published times: at
// sunrise and sunset its upper edge touches the horizon, seen through the air,
// which is an altitude of -0.833 degrees. Almanacs round to the minute, in
// which the sun climbs a quarter of a degree.
func TestSunRisesAndSetsByTheAlmanac(t *testing.T) {
	greenwich, quito, sydney := Place{0, 51.4779}, Place{-78.52, -0.22}, Place{151.21, -33.87}
	for _, x := range []struct {
		when  string
		place Place
	}{
		{"2024-06-20 04:43 +0100", greenwich}, {"2024-06-20 21:21 +0100", greenwich}, // the longest day
		{"2024-12-21 08:04 +0000", greenwich}, {"2024-12-21 15:53 +0000", greenwich}, // the shortest
		{"2024-03-20 06:17 -0500", quito}, {"2024-03-20 18:24 -0500", quito}, // equal
		{"2024-12-21 05:41 +1100", sydney}, {"2024-12-21 20:05 +1100", sydney},
	} {
		if alt := Altitude(at(t, x.when), x.place); math.Abs(alt+0.833) > 0.3 {
			t.Errorf("%s at %v: the sun stands at %.2f degrees, want -0.83", x.when, x.place, alt)
		}
	}
}

// At noon of the solstices the sun stands 90 degrees minus the latitude, plus or
// minus the obliquity of the ecliptic.
func TestNoonOfTheSolstices(t *testing.T) {
	for when, want := range map[string]float64{"2026-06-21": 90 - 26.08 + 23.44, "2026-12-22": 90 - 26.08 - 23.44} {
		if want > 90 {
			want = 180 - want
		}
		best := -90.0
		for m := range 24 * 60 {
			best = max(best, Altitude(at(t, when+" 00:00 +0800").Add(time.Duration(m)*time.Minute), Place{119.3, 26.08}))
		}
		if math.Abs(best-want) > 0.15 {
			t.Errorf("%s: the highest altitude is %.2f, want %.2f", when, best, want)
		}
	}
}

// A photocell looks seldom and sees what one sees that looks all the time.
func TestThePhotocellMissesNoDusk(t *testing.T) {
	for _, p := range []Place{{119.3, 26.08}, {126.5, 45.8}, {103.8, 1.35}, {18.95, 69.65}} {
		cell := photocell{place: p}
		start, wrong := at(t, "2026-01-01 00:00 +0800"), time.Duration(0)
		for m := range 365 * 24 * 20 { // every three minutes of a year
			x := start.Add(time.Duration(m) * 3 * time.Minute)
			if cell.dark(x.UnixMilli()) != Night(x, p) {
				wrong += 3 * time.Minute
			}
		}
		if wrong > 0 {
			t.Errorf("%v: wrong for %v of the year", p, wrong)
		}
	}
}

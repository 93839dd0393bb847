package sun

import (
	"math"
	"testing"
	"time"
)

// At an equinox the sun stands over the equator; at noon of a solstice it is as
// high as the latitude and the obliquity say.
func TestAltitude(t *testing.T) {
	for name, c := range map[string]struct {
		at       time.Time
		lon, lat float64
		want     float64
	}{
		// the March equinox of 2026 is at 14:46 UTC; the equation of time is -7.4 min
		"equinox on the equator":     {time.Date(2026, 3, 20, 12, 7, 24, 0, time.UTC), 0, 0, 90},
		"June solstice in Greenwich": {time.Date(2026, 6, 21, 12, 1, 50, 0, time.UTC), 0, 51.4779, 90 - 51.4779 + 23.436},
		"midnight in Fuzhou":         {time.Date(2026, 6, 21, 16, 4, 30, 0, time.UTC), 119.3, 26.08, -(90 - 26.08 - 23.436)},
		"December at the pole":       {time.Date(2026, 12, 21, 20, 50, 0, 0, time.UTC), 0, 90, -23.436},
	} {
		if got := At(c.at).Altitude(c.lon, c.lat); math.Abs(got-c.want) > 0.1 {
			t.Errorf("%s: %.3f degrees, want %.3f", name, got, c.want)
		}
	}
}

func TestDuskComesInTheEvening(t *testing.T) {
	beijing := time.FixedZone("+8", 8*3600)
	for hour, down := range map[int]bool{0: true, 5: true, 9: false, 12: false, 16: false, 19: true, 23: true} {
		if got := At(time.Date(2026, 1, 10, hour, 0, 0, 0, beijing)).Down(119.3, 26.08); got != down {
			t.Errorf("Fuzhou at %d o'clock in January: sun down %v, want %v", hour, got, down)
		}
	}
}

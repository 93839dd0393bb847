package rules

import (
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// A cover that reports everything every half hour tells of a lorry in between,
// in a batch of its tilt alone. That it was not open is still known.
func TestTrafficIsNoDisplacementWhereTheCoverReportsSeldom(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 1800}))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 1.0, "cover_open", false))
	s.step(1500, s.says("MH-1", 1499.4, "tilt_deg", 34.0), s.says("MH-1", 1500, "tilt_deg", 1.0))
	s.until(1501, 1510)
	s.expect()
}

// Without a word from anybody how often it reports, a quarter of an hour counts.
func TestMaxAgeIsTwoIntervalsOrAQuarterOfAnHour(t *testing.T) {
	for expect, want := range map[int64]int64{0: 900, 5: 900, 600: 1200, 3600: 7200} {
		if got := (&Rule{}).maxAge(&facility{expectMS: expect * 1000}); got != want*1000 {
			t.Errorf("every %d s: %d ms, want %d s", expect, got, want)
		}
	}
	if got := (&Rule{MaxAge: 60e9}).maxAge(&facility{expectMS: 3600_000}); got != 60_000 {
		t.Errorf("what the rule says is not obeyed: %d ms", got)
	}
}

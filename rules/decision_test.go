package rules

import (
	"fmt"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// figures is what the tickets of a story show: of each that opens or changes its
// channel, value and limit, NaN = none.
func (s *story) figures(sec float64, items ...devices.Item) string {
	s.t.Helper()
	var out []string
	for _, x := range s.transitions(sec, items...) {
		if x.Type == Opened || x.Type == Changed || x.Type == Historic {
			out = append(out, fmt.Sprintf("%s %s %g/%g", x.Defect, x.Channel, x.Value, x.Limit))
		}
	}
	return strings.Join(out, ", ")
}

// A rule looks at several quantities, and has one channel.
func TestATicketShowsTheQuantityThatDecided(t *testing.T) {
	bridge := registry.Facility{ID: "F", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 10, "displacement_mm_2": 20, "displacement_mm_3": 30, "inclination_deg": 1, "inclination_deg_2": 1.2}}
	cover, lamp := registry.Facility{ID: "F", Kind: devices.Manhole, Limits: map[string]float64{"battery_v": 3.3}}, registry.Facility{ID: "F", Kind: devices.Streetlight}
	for name, x := range map[string]struct {
		f    registry.Facility
		at   float64 // when its ticket opens
		says []any
		want string
	}{
		"inclined, not displaced":                               {bridge, 3, []any{"displacement_mm", 5.0, "inclination_deg", -1.5}, "bridge_limit inclination_deg -1.5/-1.2"},
		"displaced and inclined":                                {bridge, 3, []any{"displacement_mm", -19.0, "inclination_deg", 1.1}, "bridge_limit displacement_mm -19/-10"},
		"at the step that it is at":                             {bridge, 3, []any{"displacement_mm", 25.0, "inclination_deg", 0.1}, "bridge_limit displacement_mm 25/20"},
		"lifted, not tilted":                                    {cover, 2, []any{"tilt_deg", 2.0, "lift_mm", 45.0}, "cover_displaced lift_mm 45/30"},
		"lifted further than tilted, in whose words it is told": {cover, 2, []any{"tilt_deg", 16.0, "lift_mm", 45.0}, "cover_displaced tilt_deg 16/15"},
		"open by its own word":                                  {cover, 0, []any{"tilt_deg", 2.0, "lift_mm", 1.0, "cover_open", true}, "cover_displaced tilt_deg NaN/NaN"},
		"sunk, and not out of it":                               {cover, 3600, []any{"tilt_deg", 14.0, "lift_mm", -31.0}, "cover_sunk lift_mm -31/-30"},
		"a step's own figure":                                   {cover, 60, []any{"methane_pct", 3.0}, "explosive_gas methane_pct 3/2.5"},
		"low volts":                                             {cover, 86400, []any{"battery_pct", 80.0, "battery_v", 3.1}, "battery_low battery_v 3.1/3.3"},
		"low by its own word":                                   {cover, 86400, []any{"battery_pct", 80.0, "battery_low", true}, "battery_low battery_pct NaN/NaN"},
		"the needed one of a pair":                              {lamp, 2400, []any{"voltage_v", 180.0}, "voltage_off voltage_v 180/187"},
		"no number is compared":                                 {lamp, 600, []any{"power_w", 60.0, "lamp_on", true, "day_burner", true}, "day_burner power_w 60/NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			x.f.ExpectS = 600
			got := s.figures(0, s.census(x.f), s.says("F", 0, x.says...))
			for sec := 600.0; got == "" && sec < x.at; sec += 600 {
				got = s.figures(sec, s.says("F", sec, x.says...))
			}
			if got == "" {
				got = s.figures(x.at, s.says("F", x.at, x.says...))
			}
			for sec := x.at; got == "" && sec < x.at+5; sec++ {
				got = s.figures(sec)
			}
			if got != x.want {
				t.Errorf("the ticket shows %s, want %s", got, x.want)
			}
		})
	}
}

// Of two branches the one that was taken decides.
func TestTheBranchThatWasTakenIsShown(t *testing.T) {
	for want, says := range map[string][]any{
		"dim power_w 20/60": {"power_w", 20.0, "dim_pct", 100.0},
		"dim power_w 30/40": {"power_w", 30.0},
	} {
		s := under(t, `name: dim, limits: {power_w: 2, rated_power_w: 100}, when: "power_w > limit_power_w && (has_dim_pct ? dim_pct > 30.0 && power_w < 0.6 * limit_rated_power_w * dim_pct / 100.0 : power_w < 0.4 * limit_rated_power_w)"`)
		if got := s.figures(0, s.says("SL-1", 0, says...)); got != want {
			t.Errorf("%v: the ticket shows %s, want %s", says, got, want)
		}
	}
}

func TestAStepDownShowsWhatHoldsItThere(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}), s.says("MH-1", 0, "methane_pct", 3.0))
	s.until(1, 59)
	same(t, s.figures(60, s.says("MH-1", 60, "methane_pct", 3.0)), "explosive_gas methane_pct 3/2.5")
	same(t, s.figures(61, s.says("MH-1", 61, "methane_pct", 1.9)), "explosive_gas methane_pct 1.9/1.25")
}

// An aggregate stands for its channel; what is left over of one, and a rate, do not.
func TestADerivedValueIsShownWhereItIsInTheChannelsUnit(t *testing.T) {
	s := by(t, devices.Manhole, `severity: minor
		values: {shake: {channel: vibration_mg, window: 1m, aggregate: avg}, rise: {channel: water_level_m, window: 1m, rate: 1m}}
		when: shake > limit_vibration_mg || rise > 0.5
		limits: {vibration_mg: 100}
		channel: water_level_m`)
	same(t, s.figures(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}), s.says("MH-1", 0, "vibration_mg", 50.0), s.says("MH-2", 0, "water_level_m", 1.0)), "")
	same(t, s.figures(30, s.says("MH-1", 30, "vibration_mg", 250.0), s.says("MH-2", 30, "water_level_m", 2.0)), "it vibration_mg 150/100, it water_level_m 2/NaN")
}

// rules.md writes its bounds as whole numbers.
func TestABoundIsShownHoweverItIsSpelled(t *testing.T) {
	for _, when := range []string{"tilt_deg > 30", "30 < tilt_deg", "abs(tilt_deg) >= 30", "tilt_deg > 30.0", "tilt_deg > 30u"} {
		s := by(t, devices.Manhole, "severity: critical\nwhen: "+when)
		xs := s.transitions(0, s.says("MH-1", 0, "tilt_deg", 35.0))
		if len(xs) != 1 {
			t.Fatalf("%s: %d tickets, want one", when, len(xs))
		}
		if x := xs[0]; x.Channel != "tilt_deg" || x.Value != 35 || x.Limit != 30 || x.Evidence == nil || x.Evidence.Decided == nil {
			t.Errorf("%s: shows %s %g/%g, decided by %+v", when, x.Channel, x.Value, x.Limit, x.Evidence)
		}
	}
}

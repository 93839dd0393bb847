package rules

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// The board says what a limit of the census is for: nobody else knows that a
// bridge's only limit is that of the alarm, or that volts are judged from below.
func TestLimitsOfTheCensusAreReadAsTheRulesReadThem(t *testing.T) {
	for name, x := range map[string]struct {
		kind   devices.Kind
		limits map[string]float64
		want   string
	}{
		"three tiers, either side":  {devices.Bridge, map[string]float64{"displacement_mm": 10, "displacement_mm_2": 20, "displacement_mm_3": 30}, "displacement_mm 1 above abs, displacement_mm_2 2 above abs, displacement_mm_3 3 above abs"},
		"one is that of the alarm":  {devices.Bridge, map[string]float64{"crack_mm": 2}, "crack_mm 3 above"},
		"no second":                 {devices.Bridge, map[string]float64{"crack_mm": 1, "crack_mm_3": 2}, "crack_mm 2 above, crack_mm_3 3 above"},
		"no tiers, from below":      {devices.Bridge, map[string]float64{"battery_v": 3.3}, "battery_v 0 below"},
		"one for each side":         {devices.Streetlight, map[string]float64{"voltage_v": 260, "voltage_v_low": 180}, "voltage_v 0 above, voltage_v_low 0 below"},
		"no rule looks at it":       {devices.Manhole, map[string]float64{"temperature_c": 60}, "temperature_c 0"},
		"of a facility without any": {devices.Manhole, nil, ""},
	} {
		s := tell(t)
		s.step(0, s.census(registry.Facility{ID: "F", Kind: x.kind, Limits: x.limits}))
		facts, ok := (&Worker{engine: s.e}).Inspect("F")
		if !ok {
			t.Fatal("not there")
		}
		got := ""
		for i, l := range facts.Limits {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(l.Name, " ", l.Tier)
			for _, w := range []struct {
				is   bool
				word string
			}{{l.Above, " above"}, {l.Below, " below"}, {l.Abs, " abs"}} {
				if w.is {
					got += w.word
				}
			}
		}
		if got != x.want {
			t.Errorf("%s: %s; want %s", name, got, x.want)
		}
	}
}

package rules

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Who has no place, nor a circuit or cabinet with one, is not judged by the sun, where
// a rule of its kind asks for that.
func TestWhoIsNotJudgedByTheSun(t *testing.T) {
	census := func(s *story) devices.Item {
		return s.census(registry.Facility{ID: "PLACED", Kind: devices.Streetlight, HasPlace: true, Lon: 119, Lat: 26}, registry.Facility{ID: "ALONE", Kind: devices.Streetlight},
			registry.Facility{ID: "HANGS", Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C1"}, registry.Facility{ID: "CAB", Kind: devices.Streetlight, HasPlace: true, Lon: 119, Lat: 26},
			registry.Facility{ID: "SWITCHED", Kind: devices.Streetlight, Supply: "switched"}, registry.Facility{ID: "BY-CLOCK", Kind: devices.Streetlight, Timetable: "18:00/06:00"}, registry.Facility{ID: "MH", Kind: devices.Manhole})
	}
	for rule, want := range map[string]int{
		"when: lamp_failure":                                         0,
		"when: lamp_failure, schedule: night":                        3,
		"when: lamp_failure, schedule: day":                          3,
		"when: lamp_failure && night":                                3,
		"when: lamp_failure, schedule: should_be_on":                 2,
		"when: lamp_failure && !should_be_on":                        2,
		"when: lamp_failure, schedule: powered":                      1,
		`when: lamp_failure, schedule: {from: "18:00", to: "06:00"}`: 0,
	} {
		s := under(t, "name: out, "+rule)
		s.step(0, census(s))
		if got := s.e.countSunless(); got != want {
			t.Errorf("%s: %d of the facilities, want %d", rule, got, want)
		}
	}
}

// The count follows the census and the rules, ten seconds later at most.
func TestTheCountOfWhoHasNoSunFollows(t *testing.T) {
	s := under(t, "name: out, when: lamp_failure, schedule: night")
	place := registry.Facility{ID: "B", Kind: devices.Streetlight, HasPlace: true, Lon: 119, Lat: 26}
	var got []int
	for i, items := range [][]devices.Item{
		{s.census(registry.Facility{ID: "A", Kind: devices.Streetlight}, registry.Facility{ID: "B", Kind: devices.Streetlight})},
		{s.census(place)},
		{{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, "name: out, when: lamp_failure").Text())}},
		{{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, "name: out, when: lamp_failure, schedule: day").Text())}},
		{s.says("NEW", 40, "lamp_failure", false)},
	} {
		s.step(float64(10*i), items...)
		got = append(got, s.e.countSunless())
		if i == 1 {
			s.e = restarted(t, s.e, s.seq)
		}
	}
	same(t, fmt.Sprint(got), "[2 1 0 1 2]")
}

package rules

import (
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
)

// The first lamp of a cabinet gets another area, and with it hangs on the cabinet anew;
// those that come after it hang on the same one.
func TestTheOnlyLampOfACabinetThatChangesStaysOnIt(t *testing.T) {
	s := under(t, lost, circuit, cabinet)
	fs := tree(1, 3)
	s.step(0, s.census(fs[0]))
	fs[0].Area = "350102001001"
	s.step(1, s.census(fs[0]))
	s.step(2, s.census(fs[1:]...))
	for i := range fs {
		s.step(3, s.says(string(fs[i].ID), 3, "lamp_failure", false))
	}
	s.until(4, 60)
	s.only("opened", "closed")
	s.expect("35 opened CAB:C0 circuit")
}

// Those who are late join an open ticket in the order of their ids, whatever order they
// were hung in: a restart hangs them in another.
func TestMembersThatAreLateJoinInTheOrderOfTheirIds(t *testing.T) {
	s := under(t, lost, strings.Replace(circuit, "0.8", "0.6", 1), cabinet)
	fs := tree(2, 8)
	last := make(map[string]float64) // when it is heard last
	for i := range fs {
		fs[i].ExpectS = 100
		switch id := string(fs[i].ID); {
		case id == "SL-0-0" || id == "SL-0-1":
			last[id] = 201
		case fs[i].Circuit == "C0":
			last[id] = 1
		case id == "SL-1-0":
			last[id] = 101
		default:
			last[id] = 1000
		}
	}
	slices.Reverse(fs)
	s.step(0, s.census(fs...))
	for sec := 1.0; sec < 405; sec++ {
		var items []devices.Item
		for i := range fs {
			if id := string(fs[i].ID); int(sec)%50 == 1 && sec <= last[id] {
				items = append(items, s.says(id, sec, "lamp_failure", false))
			}
		}
		s.step(sec, items...)
	}
	s.only("joined")
	s.log = slices.DeleteFunc(s.log, func(l string) bool { return strings.HasPrefix(l, "303 ") })
	s.expect("401 joined CAB:C0 circuit SL-0-0", "401 joined CAB:C0 circuit SL-0-1")
}

package rules

import (
	"fmt"
	"strings"
	"testing"

	"lamplighter/devices"
)

// stepped is a rule file with one rule, minor above 10 degrees, and its steps as
// "major 20" says.
func stepped(steps ...string) devices.Item {
	var b strings.Builder
	for _, s := range steps {
		severity, above, _ := strings.Cut(s, " ")
		fmt.Fprintf(&b, "{severity: %s, when: tilt_deg > %s.0},", severity, above)
	}
	return devices.Item{Type: devices.ItemRuleSet, Control: fmt.Appendf(nil, "groups:\n  - kind: manhole\n    rules:\n      - {name: it, when: tilt_deg > 10.0, severity: minor, steps: [%s], summary: {zh: 甲, en: a}}\n", b.String())}
}

// graded is the severities that a frame gives tickets.
func (s *story) graded(sec float64, items ...devices.Item) string {
	s.t.Helper()
	var out []string
	for _, x := range s.transitions(sec, items...) {
		out = append(out, string(x.Severity))
	}
	return strings.Join(out, ", ")
}

// A step that is taken out while a ticket stands on it, heard again or not, and with
// a restart on the way or without one.
func TestAStepCanBeTakenOutUnderATicket(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := tell(t)
		s.step(0, stepped("major 20", "critical 30"))
		same(t, s.graded(1, s.says("MH-1", 1, "tilt_deg", 35.0)), "critical")
		s.step(7200, stepped("major 20")) // nobody knows whether it still stands so
		if restarts {
			s.e = restarted(t, s.e, s.seq)
		}
		s.step(7201, s.says("MH-1", 7201, "tilt_deg", 35.0))
		s.step(7202, stepped())
		s.step(7203, s.says("MH-1", 7203, "tilt_deg", 35.0))
		same(t, s.graded(7204, s.says("MH-1", 7204, "tilt_deg", 5.0)), "minor")
	}
}

// A daemon that did not take care of it has written down a step that is not there.
func TestASnapshotWithAStepThatIsNotThereIsRead(t *testing.T) {
	s := tell(t)
	s.step(0, stepped("major 20"))
	same(t, s.graded(1, s.says("MH-1", 1, "tilt_deg", 35.0)), "major")
	a := &s.e.facilities["MH-1"].alerts[0]
	a.step, a.words = 2, 7
	s.e = restarted(t, s.e, s.seq)
	s.step(2, s.says("MH-1", 2, "tilt_deg", 36.0))
	same(t, s.graded(3, s.says("MH-1", 3, "tilt_deg", 15.0)), "minor")
}

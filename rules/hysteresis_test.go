package rules

import (
	"testing"

	"lamplighter/devices"
)

// A clear may be anywhere where its when does not hold, and of anything else.
func TestAClearApartFromItsWhenIsTaken(t *testing.T) {
	for _, rule := range []string{
		"when: tilt_deg > 20\nclear: tilt_deg < 20", "when: tilt_deg > 20\nclear: tilt_deg <= 20.0", "when: tilt_deg >= 20\nclear: 20 > tilt_deg",
		"when: abs(lift_mm) > 20\nclear: abs(lift_mm) < 10", "when: lift_mm < -20\nclear: lift_mm > -10", "when: tilt_deg > 20\nclear: lift_mm < 28", "when: tilt_deg > 20 && night\nclear: tilt_deg < 28 && !night",
		"when: tilt_deg > 20\nclear: 'false'", "when: tilt_deg > 20\nschedule: {from: '00:00', to: '24:00'}",
	} {
		by(t, devices.Manhole, "severity: minor\n"+rule)
	}
}

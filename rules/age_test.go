package rules

import (
	"testing"

	"lamplighter/devices"
)

func TestAValueThatGrowsOldNeitherRaisesNorClears(t *testing.T) {
	const levels = "severity: minor\nwhen: water_level_m > 1.0\nfor: 1h\nclear_for: 1h\nmax_age: 10m"
	alive := func(s *story, from, to int) { // another channel keeps the device alive
		for i := from; i <= to; i += 60 {
			s.step(float64(i), s.says("MH-1", float64(i), "battery_v", 3.6))
		}
	}
	s := by(t, devices.Manhole, levels)
	s.step(0, s.says("MH-1", 0, "water_level_m", 2.0))
	alive(s, 60, 7200)
	s.expect()

	s = by(t, devices.Manhole, levels)
	for i := 0; i <= 3600; i += 300 {
		s.step(float64(i), s.says("MH-1", float64(i), "water_level_m", 2.0))
	}
	s.step(3700, s.says("MH-1", 3700, "water_level_m", 0.2))
	alive(s, 3760, 3*3600)
	s.expect("3600 opened MH-1 it")
	s.step(12000, s.says("MH-1", 12000, "water_level_m", 0.2)) // good again, and begins to last
	s.step(12100, s.says("MH-1", 12100, "battery_v", 3.6))
	s.step(15600)
	s.expect("3600 opened MH-1 it", "15600 closed MH-1 it")

	s = by(t, devices.Manhole, levels)
	s.step(0, s.says("MH-1", 0, "water_level_m", 2.0))
	alive(s, 60, 1800)
	s.step(1801, s.says("MH-1", 1801, "water_level_m", 2.0)) // was unknown in between
	s.step(3601)
	s.expect()
	s.step(5401)
	s.expect("5401 opened MH-1 it") // the device says nothing more: that is for a rule about silence
}

func TestAValueThatGrowsOldInAHistoryRaisesNothing(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nwhen: tilt_deg > 15.0\nfor: 1h\nmax_age: 10m")
	s.step(0, s.says("MH-1", 0, "battery_v", 3.6))
	const ago = -5 * 3600
	m := s.batch("MH-1", ago, 40)
	for i := 60; i <= 2*3600; i += 60 {
		m.Message.Readings = append(m.Message.Readings, s.says("MH-1", ago+float64(i), "battery_v", 3.6).Message.Readings...)
	}
	s.step(1, m)
	s.step(100)
	s.expect()
}

func TestWhatIsConfirmedAgainAndAgainInTheSameWordsIsConfirmed(t *testing.T) {
	s := by(t, devices.Streetlight, "severity: minor\nwhen: day_burner\nfor: 10m\nconfirmed: true")
	for i := 0; i <= 1200; i += 60 {
		s.step(float64(i), s.says("SL-1", float64(i), "lamp_on", true, "day_burner", true))
	}
	s.expect("600 opened SL-1 it")
}

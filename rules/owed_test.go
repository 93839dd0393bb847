package rules

import (
	"fmt"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// tilts is a rule file with a limit of tilt.
func tilts(limit int) devices.Item {
	return devices.Item{Type: devices.ItemRuleSet, Control: fmt.Appendf(nil, "groups:\n  - kind: manhole\n    rules:\n      - {name: it, when: tilt_deg > %d.0, severity: minor, summary: {zh: 甲, en: a}}\n", limit)}
}

func TestRulesThatAreSwitchedOnJudgeWhatIsKnown(t *testing.T) {
	s := tell(t)
	s.step(0, tilts(10), s.census(registry.Facility{ID: "DAILY", Kind: devices.Manhole, ExpectS: 12 * 3600}))
	s.step(1, s.says("DAILY", 1, "tilt_deg", 8.0), s.says("MH-1", 1, "tilt_deg", 8.0), s.says("OLD", 1, "tilt_deg", 8.0))
	s.step(3600, s.says("MH-1", 3600, "tilt_deg", 8.0))
	s.step(3601, tilts(5))
	s.until(3602, 3610)
	s.step(3620, s.says("OLD", 3620, "battery_v", 3.6))
	s.step(3630, s.says("OLD", 3630, "tilt_deg", 8.0))
	s.step(3640, tilts(9))
	s.expect("3601 opened DAILY it", "3601 opened MH-1 it", "3630 opened OLD it", "3640 closed DAILY it", "3640 closed MH-1 it", "3640 closed OLD it")
}

// Many are asked some in each frame; who is heard in the meantime is asked then,
// and a restart goes on where it was.
func TestManyAreAskedOverSeveralFrames(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		s := tell(t)
		s.e.perFrame = 3
		items := []devices.Item{tilts(10)}
		for i := range 9 {
			items = append(items, s.says(fmt.Sprint("MH-", i), 0, "tilt_deg", 8.0))
		}
		s.step(0, items...)
		s.step(1, tilts(5), s.says("MH-7", 1, "tilt_deg", 8.0))
		for sec := 2; sec < 6; sec++ {
			if crashes {
				s.e = restarted(t, s.e, s.seq)
			}
			s.step(float64(sec))
		}
		if got, want := strings.Join(s.log, ", "), "1 opened MH-7 it, 1 opened MH-0 it, 1 opened MH-1 it, 1 opened MH-2 it, 2 opened MH-3 it, 2 opened MH-4 it, 2 opened MH-5 it, 3 opened MH-6 it, 3 opened MH-8 it"; got != want {
			t.Errorf("crashes: %t\ngot  %s\nwant %s", crashes, got, want)
		}
	}
}

func TestARuleAboutSilenceThatIsSwitchedOnHoldsForWhoIsSilent(t *testing.T) {
	const gone = "name: gone, silent: 12"
	s := under(t, lost)
	s.step(0, s.census(tree(1, 1)...))
	s.step(1, s.says("SL-0-0", 1, "lamp_on", true))
	s.until(2, 60)
	s.step(61, devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, s, lost, gone).Text())})
	s.until(62, 130)
	s.expect("36 opened SL-0-0 lost", "121 opened SL-0-0 gone")
}

// BenchmarkSwitch is a frame that switches the rules of a hundred thousand covers
// on, and the longest of those that ask them.
func BenchmarkSwitch(b *testing.B) {
	s := tell(&testing.T{})
	items := []devices.Item{tilts(10)}
	const n = 100_000
	for i := range n {
		items = append(items, s.says(fmt.Sprintf("MH-%06d", i), 0, "tilt_deg", 8.0))
	}
	s.step(0, items...)
	frames, limit := 0, 10
	for b.Loop() {
		limit = 19 - limit // nothing opens: 9 and 10
		for s.step(1, tilts(limit)); len(s.e.owed) > 0; frames++ {
			s.step(1)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/facility")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(frames), "µs/frame")
}

// A ticket about a limit ends like any other when the census takes the limit away: with a
// clear that compares with it, and of a rule whose baseline is for those that have it.
func TestATicketEndsWhenItsOnlyLimitIsTakenAway(t *testing.T) {
	without := registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600}
	with := without
	with.Limits = map[string]float64{"displacement_mm": 30}
	t.Run("clear", func(t *testing.T) {
		s := by(t, devices.Bridge, `severity: minor
			when: displacement_mm > limit_displacement_mm
			clear: displacement_mm < 0.9 * limit_displacement_mm
			limits: {displacement_mm: census}
			clear_for: 10s`)
		s.step(0, s.census(with))
		s.step(1, s.says("BR-1", 1, "displacement_mm", 40.0))
		s.step(2, s.says("BR-1", 2, "displacement_mm", 29.0))
		s.until(3, 19)
		s.step(20, s.census(without))
		s.until(21, 40)
		s.expect("1 opened BR-1 it", "30 closed BR-1 it")
	})
	t.Run("baseline", func(t *testing.T) {
		s := by(t, devices.Bridge, `severity: minor
			values: {beyond: {channel: displacement_mm, baseline: {over: 240h, min: 5h}}}
			when: abs(beyond) > 2.0
			limits: {displacement_mm: census}
			clear_for: 10s`)
		s.step(0, s.census(with))
		sec := 0.0
		for ; sec < 8*hours; sec += 10 * minute {
			s.step(sec, s.says("BR-1", sec, "displacement_mm", 5.0))
		}
		for ; len(s.log) == 0 && sec < 9*hours; sec += 10 * minute {
			s.step(sec, s.says("BR-1", sec, "displacement_mm", 25.0))
		}
		s.step(sec, s.census(without))
		s.until(int(sec)+1, int(sec)+20)
		s.step(sec+600, s.says("BR-1", sec+600, "displacement_mm", 25.0))
		s.expect("29400 opened BR-1 it", "30010 closed BR-1 it")
	})
}

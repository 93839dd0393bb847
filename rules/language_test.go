package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// by tells a story that is judged by one rule of a kind.
func by(t *testing.T, kind devices.Kind, rule string) *story {
	t.Helper()
	s := tell(t)
	text := "groups:\n  - kind: " + kind.String() + "\n    rules:\n      - name: it\n        summary: {zh: 甲, en: a}\n"
	for line := range strings.Lines(rule) {
		text += "        " + strings.TrimSpace(line) + "\n"
	}
	set, err := Parse([]byte(text), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	return s
}

func TestALimitIsTheFacilitysThenItsModelsThenTheRules(t *testing.T) {
	s := by(t, devices.Manhole, `severity: minor
		when: tilt_deg > limit_tilt_deg
		limits: {tilt_deg: {default: 15, models: {ACME-7: 10}}}`)
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole}, registry.Facility{ID: "B", Kind: devices.Manhole, Model: "ACME-7"},
		registry.Facility{ID: "C", Kind: devices.Manhole, Model: "ACME-7", Limits: map[string]float64{"tilt_deg": 20}}))
	s.step(1, s.says("A", 1, "tilt_deg", 12.0), s.says("B", 1, "tilt_deg", 12.0), s.says("C", 1, "tilt_deg", 12.0))
	s.step(2, s.says("A", 2, "tilt_deg", 16.0), s.says("C", 2, "tilt_deg", 16.0))
	s.step(3, s.says("C", 3, "tilt_deg", 21.0))
	s.expect("1 opened B it", "2 opened A it", "3 opened C it")
}

func TestAChangedLimitCountsAtOnce(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nwhen: tilt_deg > limit_tilt_deg\nlimits: {tilt_deg: 15}")
	s.step(1, s.says("A", 1, "tilt_deg", 12.0))
	s.step(2, s.census(registry.Facility{ID: "A", Kind: devices.Manhole, Limits: map[string]float64{"tilt_deg": 10}}))
	s.expect("2 opened A it")
}

func TestAStaleValueNeitherRaisesNorClears(t *testing.T) { // ThingsBoard 9249: a stale value shown as current
	s := by(t, devices.Manhole, "severity: minor\nwhen: tilt_deg > 15 && water_level_m > 1\nmax_age: 60s")
	s.step(0, s.says("A", 0, "tilt_deg", 30.0))
	s.step(61, s.says("A", 61, "water_level_m", 2.0)) // the tilt is too old to be believed
	s.step(62, s.says("A", 62, "tilt_deg", 30.0))
	s.step(200, s.says("A", 200, "tilt_deg", 31.0)) // now the water is
	s.expect("62 opened A it")
}

func TestHysteresis(t *testing.T) { // ThingsBoard 7943
	s := by(t, devices.Manhole, "severity: minor\nwhen: water_level_m > 2\nclear: water_level_m < 1.5")
	for i, level := range []float64{2.1, 1.9, 2.1, 1.6, 1.4, 1.6, 1.9} {
		s.step(float64(i), s.says("A", float64(i), "water_level_m", level))
	}
	s.expect("0 opened A it", "4 closed A it")
}

func TestSeverityClimbsAtOnceAndComesDownByItsOwnLimit(t *testing.T) {
	s := by(t, devices.Bridge, `severity: minor
		when: displacement_mm > 20
		steps: [{severity: major, when: displacement_mm > 30}, {severity: critical, when: displacement_mm > 40, clear: displacement_mm < 35}]`)
	var got []Severity
	for i, mm := range []float64{25, 31, 41, 36, 34, 29, 19} {
		s.seq++
		found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + int64(i)*1000, Items: []devices.Item{s.says("B", float64(i), "displacement_mm", mm)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found.Transitions {
			got = append(got, x.Severity)
		}
	}
	// opened, up, up, down to major at 34, down to minor at 29, ended
	if want := []Severity{Minor, Major, Critical, Major, Minor, Minor}; strings.Join(strs(got), " ") != strings.Join(strs(want), " ") {
		t.Errorf("severities %v, want %v", got, want)
	}
}

func strs(in []Severity) (out []string) {
	for _, s := range in {
		out = append(out, string(s))
	}
	return out
}

func TestARateIsTheChangePerTime(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nvalues: {rise: {channel: water_level_m, window: 10m, rate: 1m}}\nwhen: rise > 0.05")
	for i := range 30 { // 2 cm a minute, then 10 cm a minute
		level := 0.02 * float64(i)
		if i > 15 {
			level += 0.08 * float64(i-15)
		}
		s.step(float64(i*60), s.says("A", float64(i*60), "water_level_m", level))
	}
	s.expect("1140 opened A it") // over 10 minutes it is more than 5 cm a minute from the 19th on
}

func TestTwoNeighboursAreNoTrend(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nvalues: {rise: {channel: water_level_m, window: 10m, rate: 1m}}\nwhen: rise > 0.05")
	s.step(0, s.says("A", 0, "water_level_m", 0.30))
	s.step(1, s.says("A", 1, "water_level_m", 0.31))
	s.expect()
}

func TestWindowsAreOfEventTime(t *testing.T) {
	for aggregate, c := range map[string]struct {
		limit string
		want  string // when the window says so
	}{
		"avg": {"> 24.0", "40 opened A it"}, "max": {">= 40.0", "40 opened A it"}, "min": {"> 5.0", "40 opened A it"},
		"count": {"> 3.0", "30 opened A it"}, "sum": {">= 100.0", "40 opened A it"}, "p95": {"> 35.0", "40 opened A it"},
	} {
		s := by(t, devices.Manhole, "severity: minor\nvalues: {x: {channel: vibration_mg, window: 35s, aggregate: "+aggregate+"}}\nwhen: x "+c.limit)
		s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole}))
		for i := range 5 { // 0 10 20 30 40 at 0 10 20 30 40 s; the window holds four
			s.step(float64(i*10), s.says("A", float64(i*10), "vibration_mg", float64(i*10)))
		}
		s.expect(c.want)
	}
}

func TestByNightIsByTheSunAtItsPlace(t *testing.T) {
	s := by(t, devices.Streetlight, "severity: minor\nwhen: '!lamp_on'\nschedule: night")
	at := func(hour int) float64 { // of 2026-01-01 in Fuzhou, where start is 08:00
		return float64((hour - 8) * 3600)
	}
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Streetlight, HasPlace: true, Lon: 119.3, Lat: 26.08}, registry.Facility{ID: "NOWHERE", Kind: devices.Streetlight}))
	for _, h := range []int{12, 16, 19, 22} {
		s.step(at(h), s.says("A", at(h), "lamp_on", false), s.says("NOWHERE", at(h), "lamp_on", false))
	}
	s.step(at(34), s.says("A", at(34), "lamp_on", false)) // day again: what has begun stays
	s.step(at(44), s.says("A", at(44), "lamp_on", true))
	s.expect("39600 opened A it", "129600 closed A it")
}

func TestOutsideOfItsScheduleARuleClosesByItsClear(t *testing.T) {
	for clear, want := range map[string][]string{
		"\nclear: tilt_deg < 10.0": {"3600 opened MH-1 it", "14400 closed MH-1 it", "100000 historic MH-1 it 3600–14400"},
		"":                         {"3600 opened MH-1 it", "86400 closed MH-1 it", "100000 historic MH-1 it 3600–15000"}, // a lamp that is off by day may be dark at night
	} {
		s := by(t, devices.Manhole, "severity: minor\nwhen: tilt_deg > 15.0\nschedule: {from: \"08:00\", to: \"10:00\"}"+clear)
		told := []float64{3600, 40, 10800, 12, 14400, 1, 15000, 1}
		for i := 0; i < len(told); i += 2 {
			s.step(told[i], s.says("MH-1", told[i], "tilt_deg", told[i+1]))
		}
		s.step(86400, s.says("MH-1", 86400, "tilt_deg", 1.0))
		s.e.facilities = make(map[devices.FacilityID]*facility) // and the same told a day later
		s.step(100000, s.batch("MH-1", told...))
		s.until(100001, 100100)
		for i, l := range s.log { // when it is told is no matter here
			if strings.Contains(l, "historic") {
				s.log[i] = "100000" + l[strings.Index(l, " "):]
			}
		}
		s.expect(want...)
	}
}

func TestATimetable(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	s := &Schedule{From: 22 * 60, To: 6 * 60, Days: [7]bool{5: true}, zone: zone} // Friday night
	for _, c := range []struct {
		day, hour int // of January 2026; the 2nd is a Friday
		want      bool
	}{{2, 21, false}, {2, 22, true}, {3, 5, true}, {3, 6, false}, {3, 23, false}, {2, 3, false}} {
		if got, _ := s.active(nil, nil, time.Date(2026, 1, c.day, c.hour, 30, 0, 0, zone).Add(-30*time.Minute).UnixMilli()); got != c.want {
			t.Errorf("day %d, %d o'clock: %v, want %v", c.day, c.hour, got, c.want)
		}
	}
}

func TestALampWithoutPowerByDayIsNotLost(t *testing.T) {
	s := by(t, devices.Streetlight, "severity: minor\nsilent: 3\nschedule: night")
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Streetlight, ExpectS: 600, HasPlace: true, Lon: 119.3, Lat: 26.08}))
	s.step(1, s.says("A", 1, "lamp_on", false)) // 8 in the morning; then its circuit is off
	for sec := 60; sec < 12*3600; sec += 4 {
		s.step(float64(sec))
		if sec == 5*3600 && (len(s.e.waiting) != 0 || len(s.e.sleepers) != 1) {
			t.Errorf("by day %d lamps are looked at in every frame, %d sleep; want one that sleeps", len(s.e.waiting), len(s.e.sleepers))
		}
	}
	if len(s.log) != 1 {
		t.Fatalf("got %q, want one ticket", s.log)
	}
	var sec float64
	if _, err := fmt.Sscan(s.log[0], &sec); err != nil || sec < 10*3600 || sec > 11*3600 {
		t.Errorf("%s: want half an hour after dusk, which is at about half past five", s.log[0])
	}
}

// A lamp whose place the census does not tell has the night of its circuit or
// cabinet; one of which neither is known has none.
func TestTheSunIsAskedForTheCabinetWhereALampHasNoPlace(t *testing.T) {
	s := by(t, devices.Streetlight, "severity: minor\nwhen: '!lamp_on'\nschedule: night")
	var fs []registry.Facility
	for _, cabinet := range []string{"CAB-1", "CAB-2"} {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(cabinet), Kind: devices.Streetlight, Cabinet: cabinet, Lon: 119.3, Lat: 26.1, HasPlace: cabinet == "CAB-1"},
			registry.Facility{ID: devices.FacilityID("SL-" + cabinet), Kind: devices.Streetlight, Cabinet: cabinet, Circuit: "C1"})
	}
	const evening = 12 * 3600 // s after midnight UTC: 20:00 in the city
	s.step(0, s.census(fs...))
	s.step(evening, s.says("SL-CAB-1", evening, "lamp_on", false), s.says("SL-CAB-2", evening, "lamp_on", false))
	s.expect("43200 opened SL-CAB-1 it")
}

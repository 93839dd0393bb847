package rules

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// logger is a bridge whose sensors are read every 10 s.
type logger struct {
	*story
	dice *rand.Rand
	sec  float64
}

func logs(t *testing.T, seed uint64) *logger {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 10, Limits: map[string]float64{"displacement_mm": 40, "strain_ue": 900}}))
	return &logger{story: s, dice: rand.New(rand.NewPCG(seed, 9)), sec: 10}
}

// reads lets the sensors be read for some seconds; change alters a reading.
func (l *logger) reads(seconds float64, change func(m map[string]any)) {
	l.t.Helper()
	for end := l.sec + seconds; l.sec < end; l.sec += 10 {
		x := 5 + 2*l.dice.NormFloat64() // under traffic
		m := map[string]any{"displacement_mm": x, "inclination_deg": 0.02 + 0.004*x, "strain_ue": 110 + 6*x, "temperature_c": 20 + 0.1*l.dice.NormFloat64()}
		if change != nil {
			change(m)
		}
		var vals []any
		for _, name := range []string{"displacement_mm", "inclination_deg", "strain_ue", "temperature_c"} {
			if v, ok := m[name]; ok {
				vals = append(vals, name, v)
			}
		}
		l.step(l.sec, l.says("BR-1", l.sec, vals...))
	}
}

func (l *logger) tickets(want ...string) {
	l.t.Helper()
	var got []string
	for _, x := range l.log {
		got = append(got, strings.Join(strings.Fields(x)[1:], " "))
	}
	if !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
		l.t.Errorf("got %q, want %q", got, want)
	}
}

func TestASpikeIsNoLoad(t *testing.T) {
	l := logs(t, 1)
	l.reads(600, nil)
	for range 3 {
		l.reads(10, func(m map[string]any) { m["displacement_mm"] = 75.0 }) // one value of one sensor
		l.reads(100, nil)
	}
	l.tickets()
	l.reads(400, nil)
	l.tickets("opened BR-1 sensor_fault")
	l.reads(90_000, nil)
	l.tickets("opened BR-1 sensor_fault", "closed BR-1 sensor_fault")
}

// What moves by five usual steps while another makes hundreds has not moved with it.
func TestASpikeIsNoLoadThoughAnotherSensorMovesALittle(t *testing.T) {
	l := logs(t, 31)
	l.reads(600, nil)
	l.reads(10, func(m map[string]any) { m["inclination_deg"], m["strain_ue"], m["displacement_mm"] = 4.0, 200.0, 75.0 })
	l.tickets()
	for _, p := range l.e.facilities["BR-1"].more.sensors.probes {
		if want := p.last == 4.0; p.jumped != want {
			t.Errorf("channel %d at %g: doubted %v, want %v", p.channel, p.last, p.jumped, want)
		}
	}
}

// A lorry that the logger was triggered by: the top is over the limit, and what
// comes after it is believed, or the top would seem to last.
func TestALorryThatComesAndGoesIsNoSpikeAndNoLimit(t *testing.T) {
	l := logs(t, 11)
	l.reads(600, nil)
	for range 3 {
		l.lorry()
	}
	l.reads(600, nil)
	l.tickets()
	l.reads(7*hours, func(m map[string]any) { m["displacement_mm"] = 14.0 }) // stuck, off its level
	l.lorry()
	l.tickets("opened BR-1 sensor_fault")
}

// lorry passes, and the logger sends the two seconds of it; then all is quiet.
func (l *logger) lorry() {
	l.t.Helper()
	it := l.says("BR-1", l.sec-2, "displacement_mm", 5.0)
	for i, mm := range []float64{14, 41, 66, 67, 68, 66, 5.1} {
		it.Message.Readings = append(it.Message.Readings, l.says("BR-1", l.sec-1.75+0.25*float64(i), "displacement_mm", mm).Message.Readings...)
	}
	l.step(l.sec, it)
	for i := range 9 {
		l.step(l.sec + float64(i+1))
	}
	l.sec += 10
	l.reads(60, nil)
}

func TestALoadMovesAllSensorsAtOnce(t *testing.T) {
	l := logs(t, 2)
	l.reads(600, nil)
	at := l.sec
	l.reads(20, func(m map[string]any) { m["displacement_mm"], m["inclination_deg"], m["strain_ue"] = 75.0, 0.3, 560.0 })
	l.tickets("opened BR-1 bridge_limit")
	if got := l.log[0]; !strings.HasPrefix(got, "620 ") {
		t.Errorf("%s; the load came at %g", got, at)
	}
}

func TestAJumpOfOneSensorIsBelievedWhenTheNextValueConfirmsIt(t *testing.T) {
	l := logs(t, 3)
	l.reads(600, nil)
	l.reads(60, func(m map[string]any) { m["displacement_mm"] = 75 + l.dice.NormFloat64() })
	l.tickets("opened BR-1 bridge_limit")
}

func TestAStuckSensorIsNoLimit(t *testing.T) {
	l := logs(t, 4)
	l.reads(600, nil)
	l.reads(200, func(m map[string]any) { m["displacement_mm"] = 75.0 }) // jumps, and says exactly the same
	l.reads(400, func(m map[string]any) { m["displacement_mm"] = 75.0 })
	l.tickets("opened BR-1 sensor_fault")
	l.reads(600, func(m map[string]any) { m["displacement_mm"], m["strain_ue"] = 75.0, 1000+l.dice.NormFloat64() })
	l.tickets("opened BR-1 sensor_fault", "opened BR-1 bridge_limit") // the others are still believed

	l = logs(t, 5)
	l.reads(600, nil)
	l.reads(7*hours, func(m map[string]any) { m["strain_ue"] = 123.0 })
	l.tickets("opened BR-1 sensor_fault")
	if got := l.log[0]; !strings.HasPrefix(got, "22") {
		t.Errorf("%s; want after 6 h and 5 min", got)
	}
	en := l.e.facilities["BR-1"]
	if x := l.e.faultySensors(en); len(x) != 1 || x[0].What != stuck || x[0].Channel != "strain_ue" || x[0].Value != 123 {
		t.Errorf("found %+v", x)
	}
	l.reads(3600, nil)
	l.tickets("opened BR-1 sensor_fault", "closed BR-1 sensor_fault")
}

func TestABridgeThatStandsStillHasNoStuckSensors(t *testing.T) {
	l := logs(t, 6)
	l.reads(600, nil)
	l.reads(8*hours, func(m map[string]any) {
		for k := range m {
			m[k] = 1.0
		}
	})
	l.tickets()
}

func TestASensorWithoutValuesIsDead(t *testing.T) {
	l := logs(t, 7)
	l.reads(600, nil)
	l.reads(600, func(m map[string]any) { delete(m, "displacement_mm") })
	l.tickets("opened BR-1 sensor_fault")
	l.reads(40*minute, nil)
	l.tickets("opened BR-1 sensor_fault", "closed BR-1 sensor_fault")
}

func TestAWrongClockIsASensorFault(t *testing.T) {
	for _, off := range []int64{-206 * 86400_000, 206 * 86400_000} { // day and month swapped: 2022-11-04 for 2022-04-11
		l := logs(t, 8)
		for range 60 {
			it := l.says("BR-1", l.sec, "displacement_mm", 5.0)
			r := &it.Message.Readings[0]
			it.Message.Received = r.Time
			if r.Device = r.Time + off; off < 0 {
				r.Time = r.Device
			} else {
				r.Source = devices.TimeReceived // it lies in the future, and was not used
			}
			l.step(l.sec, it)
			l.sec += 10
		}
		l.tickets("opened BR-1 sensor_fault")
		if x := l.e.faultySensors(l.e.facilities["BR-1"]); len(x) != 1 || x[0].What != wrong || x[0].Value != float64(-off/1000) {
			t.Errorf("found %+v", x)
		}
		for range 240 {
			it := l.says("BR-1", l.sec, "displacement_mm", 5+l.dice.NormFloat64())
			it.Message.Received, it.Message.Readings[0].Device = it.Message.Readings[0].Time, it.Message.Readings[0].Time
			l.step(l.sec, it)
			l.sec += 10
		}
		l.tickets("opened BR-1 sensor_fault", "closed BR-1 sensor_fault")
	}
}

// A spike that a batch tells of later is doubted by what is usual of its sensor, also
// when the daemon restarts in the middle of the batch. A load is not.
func TestASpikeOfThePastIsNoLoad(t *testing.T) {
	for _, x := range []struct {
		bad  func(m map[string]any)
		long int // readings
		want []string
	}{
		{func(m map[string]any) { m["displacement_mm"] = 75.0 }, 1, nil},
		{func(m map[string]any) { m["displacement_mm"], m["inclination_deg"], m["strain_ue"] = 75.0, 0.4, 560.0 }, 4, []string{"historic BR-1 bridge_limit"}},
	} {
		l := logs(t, 21)
		l.reads(600, nil)
		l.sec += 7200 // nobody heard it
		l.reads(100, nil)
		now := l.sec
		l.sec = 3600
		late := func(n int, change func(m map[string]any)) {
			for range n {
				at := l.sec
				x := 5 + 2*l.dice.NormFloat64()
				m := map[string]any{"displacement_mm": x, "inclination_deg": 0.02 + 0.004*x, "strain_ue": 110 + 6*x, "temperature_c": 20.0}
				if change != nil {
					change(m)
				}
				it := l.says("BR-1", at, "displacement_mm", m["displacement_mm"], "inclination_deg", m["inclination_deg"], "strain_ue", m["strain_ue"], "temperature_c", m["temperature_c"])
				it.Message.Seq, it.Message.HasSeq, it.Message.Hash = 0, false, uint64(at)
				now += 0.01
				l.step(now, it)
				l.sec += 60
			}
		}
		late(8, nil)
		late(x.long, x.bad)
		l.e = restarted(t, l.e, l.seq)
		late(8, nil)
		l.until(int(now)+1, int(now)+120)
		l.only("historic")
		for i, line := range l.log {
			l.log[i] = strings.Join(strings.Fields(line)[:4], " ") // without its times
		}
		l.tickets(x.want...)
	}
}

func TestSensorsSurviveARestart(t *testing.T) {
	l := logs(t, 10)
	l.reads(600, nil)
	l.reads(10, func(m map[string]any) { m["displacement_mm"] = 75.0 })
	l.reads(100, nil)
	l.reads(10, func(m map[string]any) { m["displacement_mm"] = 75.0 })
	f := l.e.facilities["BR-1"].more.sensors
	g := restarted(t, l.e, l.seq).facilities["BR-1"].more.sensors
	if !reflect.DeepEqual(f, g) || len(f.probes) != 4 || !f.probes[0].jumped || len(f.probes[0].spikes) != 1 {
		t.Errorf("before %+v\nafter %+v", f, g)
	}
}

func TestMistakesAboutSensorsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"{channels: [displacement_mm], stuck: 1h}":                  "found 1 channels; want two at least",
		"{channels: [displacement_mm, strain], stuck: 1h}":          "sensor.channels: strain is no channel of a bridge; did you mean strain_ue?",
		"{channels: [displacement_mm, tamper], stuck: 1h}":          "tamper is no channel of numbers",
		"{channels: [displacement_mm, strain_ue], jump: 9}":         "want both or none",
		"{channels: [displacement_mm, strain_ue]}":                  "want one of stuck, dead, jump with spikes, and clock",
		"{channels: [displacement_mm, strain_ue], clock: 5s}":       "want a minute or more",
		"{channels: [displacement_mm, displacement_mm], stuck: 1h}": "displacement_mm comes twice",
		"{channels: [strain_ue, crack_mm], stuck: 1h}}, {name: other, severity: minor, summary: {zh: 甲, en: a}, sensor: {channels: [strain_ue, crack_mm], stuck: 1h}": "rule it is about the sensors of a bridge already",
	} {
		_, err := Parse([]byte("groups: [{kind: bridge, rules: [{name: it, severity: minor, summary: {zh: 甲, en: a}, sensor: "+text+"}]}]"), tell(t).dict)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// Three limits are notice, warning and alarm, in words and colours.
func TestTiersAreWordsAndColours(t *testing.T) {
	s := tell(t)
	tiers := map[string]float64{"displacement_mm": 10, "displacement_mm_2": 15, "displacement_mm_3": 20}
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, Limits: tiers}, registry.Facility{ID: "BR-2", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 10}},
		registry.Facility{ID: "BR-3", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 10, "displacement_mm_2": 15}}))
	var got []string
	for i, mm := range []float64{8, 12, -16, 21, 12, 5} {
		for sec := range 70 {
			at := float64(i*70 + sec)
			var items []devices.Item
			if sec == 0 {
				for _, id := range []string{"BR-1", "BR-2", "BR-3"} {
					items = append(items, s.says(id, at, "displacement_mm", mm))
				}
			}
			s.seq++
			found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + int64(at*1000), Items: items})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range found.Transitions {
				got = append(got, strings.Join([]string{string(x.Facility), string(x.Severity), x.Summary.EN}, " "))
				if x.Facility == "BR-1" && x.Type == Opened {
					sentence := x.Evidence.Values[0].sentence(func(int64) string { return "T" })
					same(t, sentence.EN, "displacement_mm was 12 mm at T; its limit is 10 mm, the facility's own (yellow, notice: 10; orange, warning: 15; red, alarm: 20).")
				}
			}
		}
	}
	want := []string{"BR-1 minor Bridge over limit: yellow, notice", "BR-2 critical Bridge over limit: red, alarm", "BR-3 minor Bridge over limit: yellow, notice",
		"BR-1 major Bridge over limit: orange, warning", "BR-3 critical Bridge over limit: red, alarm",
		"BR-1 critical Bridge over limit: red, alarm", "BR-1 minor Bridge over limit: yellow, notice", "BR-3 minor Bridge over limit: yellow, notice"}
	if len(got) < len(want) || !reflect.DeepEqual(got[:len(want)], want) || len(got) != len(want)+3 {
		t.Errorf("got\n%s\nwant\n%s\nand three that are closed", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

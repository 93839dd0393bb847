package rules

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

const minute, hours = 60.0, 3600.0

// bridgeAt is what a bridge reports at a second: warm at 15:00, lower by 0.4 mm a
// degree two hours later, and by off.
func (s *story) bridgeAt(dice *rand.Rand, sec, off float64) devices.Item {
	warm := func(sec float64) float64 { return 12 * math.Cos(2*math.Pi*(sec/hours+8-15)/24) }
	return s.says("BR-1", sec, "temperature_c", 25+warm(sec)+0.2*dice.NormFloat64(), "displacement_mm", 5-0.4*warm(sec-2*hours)+off+0.2*dice.NormFloat64())
}

const compensated = `severity: minor
	values: {beyond: {channel: displacement_mm, baseline: {on: temperature_c, lag: 2h, over: 240h, min: 72h}}}
	when: beyond > 5.0 * beyond_band || beyond < -5.0 * beyond_band
	for: 30m
	clear_for: 1h`

func TestAResidualIsWhatTemperatureDoesNotExplain(t *testing.T) {
	s := by(t, devices.Bridge, compensated)
	dice := rand.New(rand.NewPCG(1, 1))
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600}))
	for sec := 0.0; sec < 10*24*hours; sec += 10 * minute {
		s.step(sec, s.bridgeAt(dice, sec, 0))
		u := s.e.facilities["BR-1"].usuals(s.e.set)
		if len(u) != 1 || (u[0].At > 0) != (sec > 78*hours+20*minute) && math.Abs(sec-78*hours) > hours {
			t.Fatalf("after %g h it knows %+v", sec/hours, u)
		}
	}
	s.expect()
	u := s.e.facilities["BR-1"].usuals(s.e.set)[0]
	if *u.Band < 0.1 || *u.Band > 0.4 || math.Abs(*u.Residual) > 4**u.Band || u.On != "temperature_c" || u.Channel != "displacement_mm" {
		t.Errorf("residual %g, band %g of %+v; the noise is 0.2 mm", *u.Residual, *u.Band, u)
	}
	var en string
	for sec := 10 * 24 * hours; en == ""; sec += 10 * minute {
		it := s.bridgeAt(dice, sec, 3)
		if sec < 10*24*hours+40*minute {
			s.step(sec, it)
			continue
		}
		en, _ = s.why(sec, it)
	}
	for _, part := range []string{"beyond is ", "displacement_mm averaged ", " mm is usual at this temperature_c"} {
		if !strings.Contains(strings.ReplaceAll(en, "beyond was ", "beyond is "), part) {
			t.Errorf("got\n%swant %q in it", en, part)
		}
	}
}

// A logger that a lorry triggers tells of two seconds in ten values; they are two
// seconds of ten minutes, not most of their readings.
func TestABurstOfReadingsCountsForItsTime(t *testing.T) {
	s := by(t, devices.Bridge, compensated)
	dice := rand.New(rand.NewPCG(6, 1))
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 60}))
	for sec := 0.0; sec < 5*24*hours; sec += minute {
		s.step(sec, s.bridgeAt(dice, sec, 0))
		if dice.IntN(8) > 0 {
			continue
		}
		for i := range 10 { // the first is of before it came
			s.step(sec+30+float64(i)/5, s.bridgeAt(dice, sec+30+float64(i)/5, 30*float64(min(i, 1))))
		}
	}
	u := s.e.facilities["BR-1"].usuals(s.e.set)[0]
	if u.At == 0 || *u.Band > 0.3 || math.Abs(*u.Residual) > 4**u.Band {
		t.Errorf("residual %g, band %g: lorries of 30 mm are in it; want some 0.1 mm", *u.Residual, *u.Band)
	}
}

// What is usual over a past day is what the steps of that day were held against,
// but for what was learned since.
func TestWhatWasUsualIsToldOfAPastDay(t *testing.T) {
	s := by(t, devices.Bridge, compensated)
	dice := rand.New(rand.NewPCG(5, 1))
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600}))
	w := &Worker{engine: s.e}
	ask := func(from, to float64, on []Sample) []Expectation {
		t.Helper()
		out, ok := w.Expected(&Expecting{Facility: "BR-1", Rule: "it", Name: "beyond", From: start + int64(from*1000), To: start + int64(to*1000), On: on})
		if !ok {
			t.Fatal("there is no such baseline")
		}
		return out
	}
	var on []Sample
	temperature := s.e.set.kinds[devices.Bridge].baselines[0].on.ID
	judged := map[int64]Usual{} // by the middle of the step
	for sec := 0.0; sec < 8*24*hours; sec += 10 * minute {
		s.step(sec, s.bridgeAt(dice, sec, 0))
		v, _ := s.e.facilities["BR-1"].value(temperature, math.MaxInt64)
		on = append(on, Sample{v.at, v.num})
		if sec == 24*hours && len(ask(0, sec, on)) != 0 {
			t.Error("something is usual after a day; want three")
		}
		if u := s.e.facilities["BR-1"].usuals(s.e.set)[0]; u.At > 0 {
			judged[u.At-u.Step/2] = u
		}
	}
	u := s.e.facilities["BR-1"].usuals(s.e.set)[0]
	if u.Settling() != 6*3600_000 || u.Step != 600_000 || u.Lag != 2*3600_000 || u.Least != 72*3600_000 || u.Wants != 30 || *u.R2 < 0.98 {
		t.Errorf("%+v, R² %g", u, *u.R2)
	}
	day := ask(7*24*hours, 8*24*hours, on[6*24*6-40:])
	if len(day) != 144 {
		t.Errorf("%d steps of a day, want 144", len(day))
	}
	for _, x := range day {
		if was, ok := judged[x.At]; ok && (math.Abs(x.Expected-*was.Expected) > 0.1 || math.Abs(x.Band-*was.Band) > 0.1) {
			t.Errorf("at %d usual is %g ± %g; the step was held against %g ± %g", x.At, x.Expected, x.Band, *was.Expected, *was.Band)
		}
	}
	if cold := ask(7*24*hours, 8*24*hours, on[7*24*6:]); len(cold) != 144-36 {
		t.Errorf("%d steps where the low pass begins with the day, want the first 6 h left out", len(cold))
	}
	if year := ask(0, 365*24*hours, on); len(year) == 0 || len(year) > maxExpectations {
		t.Errorf("%d steps of a year, want at most %d", len(year), maxExpectations)
	}
	if _, ok := w.Expected(&Expecting{Facility: "BR-1", Rule: "it", Name: "other"}); ok {
		t.Error("a baseline that there is not")
	}
}

// While it is bad nothing is learned, so that what is bad does not become usual.
func TestAFaultIsNotLearned(t *testing.T) {
	s := by(t, devices.Bridge, compensated)
	dice := rand.New(rand.NewPCG(2, 1))
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600}))
	sec := 0.0
	run := func(until, off float64) {
		for ; sec < until*24*hours; sec += 10 * minute {
			s.step(sec, s.bridgeAt(dice, sec, off))
		}
	}
	run(8, 0)
	run(40, 3)
	s.only("opened", "closed")
	if len(s.log) != 1 || !strings.Contains(s.log[0], "opened BR-1 it") {
		t.Fatalf("after a month of 3 mm: %v, want one ticket that stays", s.log)
	}
	run(42, 0)
	if len(s.log) != 2 || !strings.Contains(s.log[1], "closed BR-1 it") {
		t.Fatalf("back where it was: %v", s.log)
	}
	// it was lifted, on purpose: a window of the rule lets it be learned anew
	s.step(sec, s.window(Window{Rule: "it", Facility: "BR-1"}, int64(sec)-10, int64(sec)+3600))
	run(43, 3)
	if u := s.e.facilities["BR-1"].usuals(s.e.set); u[0].At != 0 {
		t.Errorf("the usual was not forgotten: %+v", u[0])
	}
	run(60, 3)
	if len(s.log) != 2 {
		t.Errorf("where it is now is not usual: %v", s.log)
	}
}

func TestWhatWasLearnedSurvivesARestartAndBelongsToItsDevice(t *testing.T) {
	a, b := by(t, devices.Bridge, compensated), by(t, devices.Bridge, compensated)
	dice := rand.New(rand.NewPCG(3, 1))
	city := a.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600})
	a.step(0, city)
	b.step(0, city)
	for sec := 0.0; sec < 8*24*hours; sec += 10 * minute {
		it := a.bridgeAt(dice, sec, 3*float64(int(sec/(6*24*hours))))
		a.step(sec, it)
		b.step(sec, it)
		if dice.IntN(20) == 0 {
			b.e = restarted(t, b.e, b.seq)
		}
	}
	if got, want := strings.Join(b.log, "\n"), strings.Join(a.log, "\n"); got != want || want == "" {
		t.Errorf("with restarts\n%s\nwithout\n%s", got, want)
	}
	x, y := a.e.facilities["BR-1"].more.learned, b.e.facilities["BR-1"].more.learned
	if len(x) != 1 || len(y) != 1 || x[0] != y[0] {
		t.Errorf("learned %+v, with restarts %+v", x, y)
	}
	a.e.takeDevice(a.e.facilities["BR-1"], "NEW")
	if n := len(a.e.facilities["BR-1"].more.learned); n != 0 {
		t.Error("another device is judged by the zero of the one before")
	}
}

// A rule for the circuits that have a limit costs the lamps nothing.
func TestABaselineWithLimitsOfTheCensusIsForThoseThatHaveOne(t *testing.T) {
	s := by(t, devices.Streetlight, `severity: minor
		values: {missing: {channel: current_a, baseline: {over: 240h, min: 24h}}}
		when: missing < -limit_current_a
		limits: {current_a: census}`)
	s.step(0, s.census(registry.Facility{ID: "CAB:C1", Kind: devices.Streetlight, ExpectS: 600, Limits: map[string]float64{"current_a": 0.3}}, registry.Facility{ID: "SL-1", Kind: devices.Streetlight, ExpectS: 600}))
	dice := rand.New(rand.NewPCG(4, 1))
	for sec := 0.0; sec < 40*hours; sec += 10 * minute {
		amps := 6.0 + 0.02*dice.NormFloat64()
		if sec > 36*hours {
			amps -= 0.62
		}
		s.step(sec, s.says("CAB:C1", sec, "current_a", amps), s.says("SL-1", sec, "current_a", 0.3))
	}
	s.expect("130800 opened CAB:C1 it")
	if s.e.facilities["SL-1"].more != nil {
		t.Error("something is kept of a lamp that has no limit")
	}
}

func TestMistakesInBaselinesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"{channel: displacement_mm, baseline: {on: temperatur_c}}":                    "baseline.on: temperatur_c is no channel of a bridge; did you mean temperature_c?",
		"{channel: displacement_mm, baseline: {lag: 2h}}":                             "lag without on",
		"{channel: displacement_mm, baseline: {on: displacement_mm}}":                 "found displacement_mm; want another channel",
		"{channel: displacement_mm, baseline: {step: 1h, over: 2h}}":                  "found step 1h0m0s and over 2h0m0s",
		"{channel: displacement_mm, baseline: {min: 1m}}":                             "found min 1m0s; want at least a step",
		"{channel: displacement_mm, window: 1h, aggregate: avg, baseline: {min: 1h}}": "or channel and baseline",
		"{channel: displacement_mm, baseline: {learn: 1h}}":                           "unknown key learn",
	} {
		_, err := Parse([]byte("groups: [{kind: bridge, rules: [{name: it, values: {x: "+text+"}, when: x > 1.0, severity: minor, summary: {zh: 甲, en: a}}]}]"), tell(t).dict)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// BenchmarkBridge is a bridge under the rules of deploy/rules, ten channels a message.
func BenchmarkBridge(b *testing.B) {
	s := tell(&testing.T{})
	ss, err := Sources([]string{"default", "../deploy/rules"})
	if err != nil {
		b.Fatal(err)
	}
	set, err := Parse(Bundle("", ss), s.dict)
	if err != nil {
		b.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	dice := rand.New(rand.NewPCG(1, 1))
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600, Limits: map[string]float64{"displacement_mm": 40}}))
	sec := 0.0
	for b.Loop() {
		s.step(sec, s.bridgeAt(dice, sec, 0))
		sec += 10 * minute
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/message")
}

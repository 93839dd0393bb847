package rules

import (
	"fmt"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

const hour = 3600.0

// batch is one message with several readings: time, tilt, time, tilt …
func (s *story) batch(dev string, pairs ...float64) devices.Item {
	s.t.Helper()
	m := s.says(dev, pairs[0], "tilt_deg", pairs[1])
	for i := 2; i < len(pairs); i += 2 {
		m.Message.Readings = append(m.Message.Readings, s.says(dev, pairs[i], "tilt_deg", pairs[i+1]).Message.Readings...)
	}
	s.seq++
	m.Message.Seq, m.Message.HasSeq = 0, false
	m.Message.Hash = s.seq
	return m
}

// A cover was open from 02:00 to 02:40; the batch that tells of it comes at 05:00.
func buffered(s *story, dev string) devices.Item {
	return s.batch(dev, 1.9*hour, 1, 2*hour, 40, 2.3*hour, 41, 2*hour+2400, 1, 2.8*hour, 1, 4*hour, 1)
}

const fiveOClock = "7200–9600"

func TestABufferedBatchIsHistoryBeforeTheDeviceIsHeardLive(t *testing.T) {
	s := tell(t)
	s.step(5*hour, buffered(s, "MH-1"))
	s.step(5*hour+1, s.says("MH-1", 5*hour+1, "tilt_deg", 1.0))
	s.until(5*hour+2, 5*hour+100)
	s.expect("18000 historic MH-1 cover_displaced " + fiveOClock)
}

func TestABufferedBatchIsHistoryAfterTheDeviceWasHeardLive(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, buffered(s, "MH-1"))
	s.step(5*hour+1, buffered(s, "MH-1")) // the same again, under another number
	s.step(5*hour+200, buffered(s, "MH-1"))
	s.until(5*hour+201, 5*hour+400)
	s.expect("18000 historic MH-1 cover_displaced " + fiveOClock)
	if st := s.e.stands(s.e.facilities["MH-1"]); st != OK {
		t.Errorf("MH-1 stands %s after a batch of the past", st)
	}
}

func TestABatchInPiecesIsOneHistory(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, s.batch("MH-1", 1.9*hour, 1, 2*hour, 40))
	s.step(5*hour+20, s.batch("MH-1", 2.3*hour, 41, 2.4*hour, 42))
	s.step(5*hour+40, s.batch("MH-1", 2*hour+2400, 1, 2.8*hour, 1))
	s.until(5*hour+41, 5*hour+200)
	s.expect("18040 historic MH-1 cover_displaced " + fiveOClock)
}

func TestTheNewestBatchMayComeFirst(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, s.batch("MH-1", 4*hour, 40, 4*hour+60, 1, 4*hour+120, 1))
	s.step(5*hour+1, s.batch("MH-1", 2*hour, 40, 2*hour+60, 1, 2*hour+120, 1))
	s.step(5*hour+2, s.batch("MH-1", 3*hour, 1, 3*hour+60, 1), s.batch("MH-1", 2*hour, 40, 2*hour+60, 40))
	s.until(5*hour+3, 5*hour+100)
	s.expect("18000 historic MH-1 cover_displaced 14400–14460", "18001 historic MH-1 cover_displaced 7200–7260")
}

func TestHistoryThatEndsBadEndsWithWhatWasTold(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, s.batch("MH-1", 2*hour, 40, 2*hour+300, 40))
	s.until(5*hour+1, 5*hour+59)
	s.expect()
	s.until(5*hour+60, 5*hour+70)
	s.expect("18060 historic MH-1 cover_displaced 7200–7500")
}

// What began in the time that a batch tells of and holds now is one ticket of
// now, with the time when it began.
func TestHistoryThatHoldsNowIsNoHistory(t *testing.T) {
	s := tell(t)
	s.step(5*hour, s.batch("MH-1", 2*hour, 1, 3*hour, 40, 4*hour, 40, 5*hour-5, 40))
	s.until(5*hour+1, 5*hour+100)
	s.expect("18000 opened MH-1 cover_displaced")
}

// A logger that measures each hour and sends twice a day has nothing to tell that is
// younger than an hour: what it told last is the state of now, a minute after it came.
func TestALoggerTellsOfNowThoughAllThatItTellsIsOld(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		s := tell(t)
		s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 12 * 3600, Limits: map[string]float64{"water_level_m": 1}}))
		flooded := func(h int) bool { return h > 15 && h < 40 || h > 52 && h < 55 }
		for came := 12; came <= 60; came += 12 {
			var m devices.Item
			for h := came - 12; h < came; h++ {
				level := 0.2
				if flooded(h) {
					level = 1.5
				}
				one := s.says("MH-1", float64(h)*hour, "water_level_m", level)
				if m.Message == nil {
					m = one
				} else {
					m.Message.Readings = append(m.Message.Readings, one.Message.Readings...)
				}
			}
			at := came * 3600
			s.step(float64(at), m)
			s.until(at+1, at+30)
			if crashes {
				s.e = restarted(t, s.e, s.seq)
			}
			s.until(at+31, at+2000)
		}
		// its rule waits 5 minutes by the clock for the other shafts of the street, and its clear_for is 30
		s.expect("86760 opened MH-1 shaft_flooded", "174660 closed MH-1 shaft_flooded", "216000 historic MH-1 shaft_flooded 190800–198000")
	}
}

// A logger tells of each minute of the last hour at once, and nothing changes in it:
// what is bad all the time is a ticket of now, and what is good all the time ends one.
func TestABatchInWhichNothingChangesIsJudged(t *testing.T) {
	s := tell(t)
	all := func(came int, tilt float64) devices.Item {
		var pairs []float64
		for sec := came - 3540; sec <= came; sec += 60 {
			pairs = append(pairs, float64(sec), tilt)
		}
		return s.batch("MH-1", pairs...)
	}
	s.step(1, s.says("MH-1", 1, "tilt_deg", 1.0))
	s.step(3600, all(3600, 40))
	s.until(3601, 3700)
	s.step(7200, all(7200, 1))
	s.until(7201, 7300)
	s.expect("3600 opened MH-1 cover_displaced", "7200 closed MH-1 cover_displaced")
}

// What the last reading of a batch would not begin, and does not end, is open: its
// ticket begins when the past does.
func TestHistoryThatIsNotClearedNowIsNoHistory(t *testing.T) {
	for clears, want := range map[float64]string{0.8: "18000 opened MH-1 high", 0.1: "18000 historic MH-1 high 10800–17995"} {
		s := tell(t)
		set, err := Parse([]byte(`groups:
  - kind: manhole
    rules:
      - {name: high, when: water_level_m > 1.0, clear: water_level_m < 0.5, for: 1m, severity: minor, summary: {zh: 高, en: High}}
`), s.dict)
		if err != nil {
			t.Fatal(err)
		}
		s.e = NewEngine(set, s.dict, nil)
		it := s.batch("MH-1", 2*hour, 1, 3*hour, 1, 5*hour-5, 1)
		for i, level := range []float64{0.1, 1.5, clears} {
			r := &it.Message.Readings[i]
			r.Values = append(r.Values, devices.Value{Channel: s.dict.Lookup([]byte("water_level_m")), Num: level})
		}
		s.step(5*hour, it)
		s.until(5*hour+1, 5*hour+100)
		s.expect(want)
	}
}

func TestAnOpenTicketIsNoHistoryAgain(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 40.0))
	s.until(1, 3)
	s.step(5*hour, s.says("MH-1", 5*hour, "tilt_deg", 40.0))
	s.step(5*hour+1, s.batch("MH-1", 1*hour, 40, 2*hour, 41, 3*hour, 40, 4*hour, 1, 4*hour+100, 1))
	s.until(5*hour+2, 5*hour+100)
	s.expect("2 opened MH-1 cover_displaced")
}

func TestAShockOfThePastIsTrafficToo(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, s.batch("MH-1", 2*hour, 1, 2*hour+10, 40, 2*hour+11.5, 1, 2*hour+100, 1))
	s.until(5*hour+1, 5*hour+100)
	s.expect()
}

// A channel of which nothing newer is known is the state of now, even if the
// message overtook another one.
func TestAChannelOfItsOwnIsNotLate(t *testing.T) {
	s := tell(t)
	s.step(10, s.says("MH-1", 10, "tilt_deg", 1.0))
	s.step(11, s.says("MH-1", 9, "cover_open", true))
	s.step(12, s.says("MH-1", 8, "cover_open", false), s.says("MH-1", 8, "tilt_deg", 40.0)) // older than what is known
	s.until(13, 100)
	s.expect("11 opened MH-1 cover_displaced")
}

func TestReadingsOfOneMessageAreJudgedByTheirTime(t *testing.T) {
	s := tell(t)
	s.step(100, s.batch("MH-1", 99, 1, 60, 40, 30, 1, 55, 40)) // in any order: displaced until 99
	s.until(101, 200)
	s.expect("100 opened MH-1 cover_displaced", "130 closed MH-1 cover_displaced")
}

func TestWhatWasOverBeforeAnybodyHeardOfItIsHistory(t *testing.T) {
	s := tell(t)
	s.step(100, s.batch("MH-1", 30, 1, 40, 40, 50, 1, 90, 1))
	s.until(101, 200)
	s.expect("100 historic MH-1 cover_displaced 40–50")
}

func TestARuleSetThatIsSwitchedOnEndsTheRunOfTheOldOne(t *testing.T) {
	s := tell(t)
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "tilt_deg", 1.0))
	s.step(5*hour, s.batch("MH-1", 2*hour, 40, 2*hour+300, 40))
	s.step(5*hour+1, devices.Item{Type: devices.ItemRuleSet, Control: []byte(strings.ReplaceAll(string(Default()), "cover_displaced", "cover_moved"))})
	s.until(5*hour+2, 5*hour+100)
	s.expect("18001 historic MH-1 cover_displaced 7200–7500")
}

func TestHistoryBySeverityAndByClear(t *testing.T) {
	s := tell(t)
	set, err := Parse([]byte(`groups:
  - kind: manhole
    rules:
      - name: high
        when: water_level_m > 1.0
        clear: water_level_m < 0.5
        severity: minor
        steps: [{severity: critical, when: water_level_m > 2.0}]
        summary: {zh: 高, en: High}
`), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	var told []Transition
	s.step(5*hour-1, s.says("MH-1", 5*hour-1, "water_level_m", 0.1))
	for i, level := range []float64{0.1, 1.5, 2.5, 0.8, 0.4, 0.1} {
		s.seq++
		found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + 5*3_600_000 + int64(i), Items: []devices.Item{s.says("MH-1", 2*hour+float64(i), "water_level_m", level)}})
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, found.Transitions...)
	}
	if len(told) != 1 || told[0].Severity != Critical || told[0].At != start+7_201_000 || told[0].Until != start+7_204_000 || told[0].Evidence == nil {
		t.Errorf("told %+v, want one critical from 7201 to 7204 with its evidence", told)
	}
}

func TestWhatARestartKnowsOfHistory(t *testing.T) {
	for cut := 0; cut < 7; cut++ {
		t.Run(fmt.Sprint("restart after step ", cut), func(t *testing.T) {
			s := tell(t)
			steps := [][]devices.Item{
				{s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}), s.says("MH-1", 5*hour-1, "tilt_deg", 1.0)},
				{s.batch("MH-1", 1.9*hour, 1, 2*hour, 40)},
				{s.batch("MH-1", 2.3*hour, 41)},
				{s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, Limits: map[string]float64{"tilt_deg": 20}})},
				{s.batch("MH-1", 2*hour+2400, 19, 2.8*hour, 1)},
				{s.batch("MH-1", 2*hour, 40, 2.3*hour, 41)},
				nil,
			}
			for i, items := range steps {
				s.step(5*hour+float64(i), items...)
				if i == cut {
					s.e = restarted(t, s.e, s.seq)
				}
			}
			s.until(5*hour+10, 5*hour+100)
			s.expect("18004 historic MH-1 cover_displaced " + fiveOClock)
		})
	}
}

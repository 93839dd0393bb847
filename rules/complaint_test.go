package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// What people complain about in other systems, as far as the rules are
// concerned; the numbers are of the complaints.

// displaced is the log of a cover that is open from second 0 to 20, a frame a
// second.
func displaced(s *story) [][]devices.Item {
	out := make([][]devices.Item, 100)
	for i := range out {
		tilt := 1.0
		if i < 20 {
			tilt = 40
		}
		if i%2 == 0 {
			out[i] = []devices.Item{s.says("MH-1", float64(i+1), "tilt_deg", tilt)} // run begins at second 1
		}
	}
	return out
}

// restartedAt is what is written down of a past when the rules are killed after
// one of its frames.
func restartedAt(t *testing.T, s *story, past [][]devices.Item, kill int) []string {
	t.Helper()
	archive, err := OpenArchive(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &ledgerDesk{}
	for _, n := range []int{kill, len(past)} {
		w := NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: &bounds{1, uint64(len(past))}, Desk: d, Archive: archive, Every: 7 * time.Second, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
		run(t, w, past, n)
		w.saving.Wait()
	}
	return d.got
}

// Kapacitor 744, 1115, 1898, 2336; wherever the rules are killed, each alarm is
// raised once and ended once.
func TestComplaintAlarmsAreFiredAgainOrLostAfterARestart(t *testing.T) {
	s := tell(t)
	past := displaced(s)
	want := restartedAt(t, s, past, len(past))
	if len(want) != 2 {
		t.Fatalf("%q, want one that opens and closes", want)
	}
	for kill := 1; kill < len(past); kill += devicestest.Sized(1, 4) {
		if got := restartedAt(t, s, past, kill); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("killed after frame %d: %q, want %q", kill, got, want)
		}
	}
}

// ThingsBoard 13710, 15614, 7909: who reports seldom, who sleeps, and who could
// not be heard is called lost; who is lost is not.
func TestComplaintOfflineDetectionLies(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(
		registry.Facility{ID: "MH-HOURLY", Kind: devices.Manhole, ExpectS: 3600}, registry.Facility{ID: "MH-ASLEEP", Kind: devices.Manhole, ExpectS: 10},
		registry.Facility{ID: "MH-CUT-OFF", Kind: devices.Manhole, ExpectS: 10}, registry.Facility{ID: "MH-LOST", Kind: devices.Manhole, ExpectS: 10}, registry.Facility{ID: "MH-NEVER-HEARD", Kind: devices.Manhole, ExpectS: 10}),
		s.link("a", true, 0), s.link("b", true, 0))
	night := via("a", s.says("MH-ASLEEP", 1))
	night.Message.Type, night.Message.State = devices.State, devices.StateReport{Status: "sleep", NextS: 7200}
	s.step(1, night, via("a", s.says("MH-HOURLY", 1, "tilt_deg", 1.0)), via("b", s.says("MH-CUT-OFF", 1, "tilt_deg", 1.0)), via("a", s.says("MH-LOST", 1, "tilt_deg", 1.0)))
	s.step(2, s.link("b", false, 2))
	s.ticks(3, 3600, "a")
	s.expect("51 opened MH-LOST comm_lost")
}

// ThingsBoard 8681, 14210, 4207, 3119.
func TestComplaintALateBatchIsTakenForNow(t *testing.T) {
	s := tell(t)
	s.step(5*hour, s.says("MH-OPEN", 5*hour, "tilt_deg", 40.0), s.says("MH-SHUT", 5*hour, "tilt_deg", 1.0))
	s.until(5*hour+1, 5*hour+9)
	s.step(5*hour+10, s.batch("MH-OPEN", 2*hour, 1, 3*hour, 1), s.batch("MH-SHUT", 2*hour, 50, 3*hour, 1, 3*hour+60, 1))
	s.until(5*hour+11, 5*hour+200)
	s.expect("18002 opened MH-OPEN cover_displaced", "18010 historic MH-SHUT cover_displaced 7200–10800")
}

// ThingsBoard 6492, 15685; Telegraf 17104, 15121: nobody is told what is missing.
func TestComplaintLossIsSilent(t *testing.T) {
	s := tell(t)
	for i, seq := range []uint64{1, 2, 5, 4} {
		it := s.says("MH-1", float64(i), "tilt_deg", 1.0)
		it.Message.Seq, it.Message.Boot = seq, "b"
		s.step(float64(i), it)
	}
	want := fmt.Sprint([]Gap{{Device: "MH-1", Boot: "b", From: 3, To: 4, At: start + 2000}, {Device: "MH-1", Boot: "b", From: 4, To: 4, At: start + 3000, Filled: true}})
	if got := fmt.Sprint(s.gaps); got != want {
		t.Errorf("ledger %s, want %s", got, want)
	}
	if b := s.e.facilities["MH-1"].book; b.Missing != 1 {
		t.Errorf("%d are missing, want 1", b.Missing)
	}
}

// Telegraf 13476.
func TestComplaintOneBadPayloadStarvesTheRest(t *testing.T) {
	s := tell(t)
	bad := devices.Item{Type: devices.ItemUplink, Message: &devices.Message{Device: "MH-1"}, Refusal: &devices.Refusal{Code: devices.CodeJSON}}
	garbage := []byte("{\xff")
	items := []devices.Item{bad, {Type: devices.ItemCensus, Control: garbage}, {Type: devices.ItemRuleSet, Control: garbage}, {Type: devices.ItemWindow, Control: garbage}, {Type: devices.ItemLink, Control: garbage}, {Type: 250, Control: garbage},
		s.says("MH-2", 0, "tilt_deg", 40.0, "cover_open", true)}
	found, err := s.e.Step(&devices.Batch{Seq: 1, Wall: start, Items: items})
	if err == nil || len(found.Transitions) != 1 || found.Transitions[0].Facility != "MH-2" {
		t.Errorf("found %+v (%v), want the ticket of MH-2 and a word about the rest", found.Transitions, err)
	}
}

// ThingsBoard 7943.
func TestComplaintThereIsNoHysteresis(t *testing.T) {
	s := tell(t)
	set, err := Parse([]byte("groups: [{kind: manhole, rules: [{name: high, when: water_level_m > 2.0, clear: water_level_m < 1.5, severity: minor, summary: {zh: 高, en: High}}]}]"), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	for i := range 100 {
		s.step(float64(i), s.says("MH-1", float64(i), "water_level_m", 1.9+float64(i%3)/10)) // around the limit
	}
	s.step(100, s.says("MH-1", 100, "water_level_m", 1.4))
	s.expect("2 opened MH-1 high", "100 closed MH-1 high")
}

// ThingsBoard 13665: one reading of 2036, and nothing is ever new again.
func TestComplaintTheYear2036PoisonsWhatIsLatest(t *testing.T) {
	s := tell(t)
	dec := codec.New(s.dict, codec.Options{})
	say := func(sec float64, payload string) devices.Item {
		t.Helper()
		u := devices.Uplink{Device: "MH-1", Topic: "f/1/MH-1/telemetry", Payload: []byte(payload), Received: start + int64(sec*1000)}
		m := &devices.Message{}
		if r := dec.Decode(&u, m); r != nil {
			t.Fatal(r)
		}
		return devices.Item{Type: devices.ItemUplink, Uplink: u, Message: m}
	}
	future := time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC).UnixMilli()
	s.step(0, say(0, fmt.Sprintf(`{"seq":1,"boot":"b","clk":"sync","ts":%d,"tilt_deg":40,"cover_open":true}`, future)))
	s.step(5, say(5, fmt.Sprintf(`{"seq":2,"boot":"b","clk":"sync","ts":%d,"tilt_deg":1,"cover_open":false}`, start+5000)))
	s.until(6, 60)
	s.expect("0 opened MH-1 cover_displaced", "35 closed MH-1 cover_displaced")
	if f := s.e.facilities["MH-1"]; f.newest != start+5000 {
		t.Errorf("the newest reading is of %s", time.UnixMilli(f.newest))
	}
}

// ThingsBoard 9249: the last value is shown, and judged, as if it were of now.
func TestComplaintAStaleValueIsTakenForCurrent(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 60}))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 40.0, "cover_open", false, "cover_missing", false))
	s.until(2, 4)
	s.step(1000, s.says("MH-1", 1000, "battery_v", 3.6)) // of its tilt nothing is known any more
	s.step(1001, s.says("MH-1", 1001, "cover_open", false))
	s.until(1002, 1100)
	s.expect("3 opened MH-1 cover_displaced") // neither good nor bad: the ticket stays
	s.until(1101, 1200)
	if st := s.e.stands(s.e.facilities["MH-1"]); st != Unknown {
		t.Errorf("after 199 s without a word, three intervals of a minute, it stands %s", st)
	}
}

// ThingsBoard 5600, 12501: what waits for time waits for data.
func TestComplaintNothingHappensWithoutNewData(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 60}))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 40.0))
	s.until(2, 9)
	s.step(10, s.says("MH-1", 10, "tilt_deg", 1.0, "cover_open", false, "cover_missing", false))
	s.until(11, 300)
	s.expect("3 opened MH-1 cover_displaced", "40 closed MH-1 cover_displaced", "210 opened MH-1 comm_lost")
}

// ThingsBoard 2986, 5652, 15583, where one device is concerned: the rest is the
// desk's, see package tickets.
func TestComplaintTheSameAlarmTwice(t *testing.T) {
	s := tell(t)
	open := s.says("MH-1", 0, "tilt_deg", 40.0, "cover_open", true)
	s.step(0, open, open)
	for i := 1; i < 60; i++ {
		s.step(float64(i), open, s.says("MH-1", float64(i), "tilt_deg", 40.0+float64(i), "cover_open", i%2 == 0))
	}
	s.expect("0 opened MH-1 cover_displaced")
}

// Unknown is a state: where nobody says how often a facility reports, it does not
// stand as it last stood for ever. It is no fault either.
func TestWhatNobodyExpectsToReportIsUnknownAfterADay(t *testing.T) {
	s := tell(t)
	const day = 24 * 3600
	s.step(0, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}, registry.Facility{ID: "MH-2", Kind: devices.Manhole}), s.says("MH-1", 0, "tilt_deg", 1.0), s.says("MH-2", 0, "tilt_deg", 1.0))
	stands := func(sec float64, want1, want2 Standing) {
		t.Helper()
		got1, got2 := s.e.stands(s.e.facilities["MH-1"]), s.e.stands(s.e.facilities["MH-2"])
		if got1 != want1 || got2 != want2 || s.e.counts[devices.Manhole][want1] < 1 || s.e.counts[devices.Manhole][want2] < 1 {
			t.Errorf("at %g s they stand %s and %s, counts %v; want %s and %s", sec, got1, got2, s.e.counts, want1, want2)
		}
	}
	s.step(day/2, s.says("MH-2", day/2, "tilt_deg", 1.0))
	s.step(day - 1)
	stands(day-1, OK, OK)
	s.step(day)
	stands(day, Unknown, OK)
	s.step(2 * day)
	stands(2*day, Unknown, Unknown)
	s.step(2*day+1, s.says("MH-1", 2*day+1, "tilt_deg", 1.0))
	stands(2*day+1, OK, Unknown)
	s.step(3*day + 1)
	stands(3*day+1, Unknown, Unknown)
	s.expect()
}

package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
)

const start = 1767225600_000

// story drives an engine along a timeline of seconds.
type story struct {
	t     *testing.T
	e     *Engine
	dict  *devices.Dictionary
	seq   uint64
	log   []string
	gaps  []Gap
	stood []Stood // in the order of the frames and, within one, of the ids
}

func tell(t *testing.T) *story {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridge.Channels())
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse(Default(), dict)
	if err != nil {
		t.Fatal(err)
	}
	return &story{t: t, e: NewEngine(set, dict, nil), dict: dict}
}

// transitions is what the next frame finds.
func (s *story) transitions(sec float64, items ...devices.Item) []Transition {
	s.t.Helper()
	s.seq++
	found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + int64(sec*1000), Items: items})
	if err != nil {
		s.t.Fatal(err)
	}
	return found.Transitions
}

func (s *story) step(sec float64, items ...devices.Item) {
	s.t.Helper()
	s.seq++
	found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + int64(sec*1000), Items: items})
	if err != nil && !strings.Contains(err.Error(), "rule set") {
		s.t.Fatal(err)
	}
	for _, x := range found.Transitions {
		line := strings.TrimSpace(fmt.Sprintf("%g %s %s %s %s", sec, [...]string{Opened: "opened", Ended: "closed", Joined: "joined", Left: "left", Changed: "changed", Historic: "historic"}[x.Type], x.Facility, x.Defect, x.Member))
		if x.Type == Historic {
			line += fmt.Sprintf(" %g–%g", float64(x.At-start)/1000, float64(x.Until-start)/1000)
		}
		if x.Withdrawn {
			line += " by rules " + x.Rules
		}
		s.log = append(s.log, line)
	}
	s.gaps = append(s.gaps, found.Gaps...)
	slices.SortStableFunc(found.Stood, func(a, b Stood) int { return strings.Compare(string(a.Facility), string(b.Facility)) })
	s.stood = append(s.stood, found.Stood...)
}

// until lets time pass, a tick a second.
func (s *story) until(from, to int) {
	for i := from; i <= to; i++ {
		s.step(float64(i))
	}
}

// says is a message of a device: at is its event time, vals are channel, value.
func (s *story) says(dev string, at float64, vals ...any) devices.Item {
	s.t.Helper()
	r := devices.Reading{Time: start + int64(at*1000), Source: devices.TimeDevice}
	for i := 0; i < len(vals); i += 2 {
		c := s.dict.Lookup([]byte(vals[i].(string)))
		n, ok := vals[i+1].(float64)
		if !ok && vals[i+1].(bool) {
			n = 1
		}
		r.Values = append(r.Values, devices.Value{Channel: c, Num: n})
	}
	s.seq++
	return devices.Item{Type: devices.ItemUplink, Message: &devices.Message{Type: devices.Telemetry, Device: devices.DeviceID(dev), Seq: s.seq, HasSeq: true, Sent: r.Time, Readings: []devices.Reading{r}}}
}

func (s *story) census(fs ...registry.Facility) devices.Item {
	s.t.Helper()
	var cs []registry.Fed
	for _, f := range fs {
		f.Device = devices.DeviceID(f.ID)
		cs = append(cs, registry.Fed{Facility: f})
	}
	b, err := registry.EncodeFed(cs)
	if err != nil {
		s.t.Fatal(err)
	}
	return devices.Item{Type: devices.ItemCensus, Control: b}
}

// only forgets what is of another type.
func (s *story) only(types ...string) {
	s.log = slices.DeleteFunc(s.log, func(l string) bool { return !slices.Contains(types, strings.Fields(l)[1]) })
}

func (s *story) expect(want ...string) {
	s.t.Helper()
	if got := strings.Join(s.log, "\n"); got != strings.Join(want, "\n") {
		s.t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestTrafficIsNoDisplacement(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 30.0))
	s.step(1.5, s.says("MH-1", 1.5, "tilt_deg", 1.0)) // a lorry
	s.until(2, 10)
	s.expect()
}

func TestDisplacedCoverOpensOnceAndClosesWhenGood(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 30.0))
	s.until(1, 3)
	s.step(4, s.says("MH-1", 4, "tilt_deg", 31.0))
	s.step(10, s.says("MH-1", 10, "tilt_deg", 1.0, "cover_open", false, "cover_missing", false))
	s.until(11, 45)
	s.expect("2 opened MH-1 cover_displaced", "40 closed MH-1 cover_displaced")
}

func TestALateBatchNeitherPagesNorClears(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 30.0))
	s.until(1, 5)
	s.step(6, s.says("MH-1", -7200, "tilt_deg", 1.0, "cover_open", false, "cover_missing", false)) // two hours old
	s.step(7, s.says("MH-2", 7, "tilt_deg", 1.0), s.says("MH-2", -7200, "tilt_deg", 60.0))
	s.until(8, 60)
	s.expect("2 opened MH-1 cover_displaced")
}

func TestADarkCircuitIsOneTicketAndNotTen(t *testing.T) {
	s := tell(t)
	var fs []registry.Facility
	for i := range 10 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%d", i)), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C1", ExpectS: 10})
	}
	s.step(0, s.census(fs...))
	for i := range 10 {
		s.step(1, s.says(fmt.Sprintf("SL-%d", i), 1, "lamp_on", true, "power_w", 60.0))
	}
	s.until(2, 90)
	for i := range 10 {
		s.step(100, s.says(fmt.Sprintf("SL-%d", i), 100, "lamp_on", true, "power_w", 60.0))
	}
	s.until(101, 110)
	if got := strings.Count(strings.Join(s.log, "\n"), "joined"); got != 10 {
		t.Errorf("%d lamps are attached to the ticket, want 10", got)
	}
	s.only("opened", "closed")
	s.expect("34 opened CAB:C1 circuit_silent", "100 closed CAB:C1 circuit_silent")
}

func TestABridgeWithoutLimitsIsNeverJudged(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge}, registry.Facility{ID: "BR-2", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 40}}))
	s.step(1, s.says("BR-1", 1, "displacement_mm", 4000.0), s.says("BR-2", 1, "displacement_mm", 41.0))
	s.until(2, 10)
	s.expect("4 opened BR-2 bridge_limit")
}

func TestAFacilityThatMovedHereMayHaveTicketsThatNobodyKnowsOf(t *testing.T) {
	s := tell(t)
	moved := func(id string) devices.Item {
		b, err := registry.EncodeFed([]registry.Fed{{Facility: registry.Facility{ID: devices.FacilityID(id), Kind: devices.Manhole}, Moved: true}})
		if err != nil {
			t.Fatal(err)
		}
		return devices.Item{Type: devices.ItemCensus, Control: b}
	}
	s.step(0, moved("MH-1"), moved("MH-2"))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 1.0, "cover_open", false), s.says("MH-2", 1, "tilt_deg", 40.0))
	s.until(2, 40)
	// what is over is ended in any case, what holds is opened: the desk knows which of them was open
	s.expect("1 closed MH-1 comm_lost", "1 closed MH-2 comm_lost", "3 opened MH-2 cover_displaced", "31 closed MH-1 cover_displaced")
}

func TestAFacilityThatMovedAwayIsNoLongerJudged(t *testing.T) {
	s := tell(t)
	here := true
	s.e.owns = func(*registry.Facility) bool { return here }
	f := registry.Facility{ID: "SL-1", Kind: devices.Streetlight, Cabinet: "CAB", Circuit: "C1", ExpectS: 10}
	s.step(0, s.census(f))
	s.step(1, s.says("SL-1", 1, "lamp_on", true, "power_w", 60.0))
	here = false
	s.step(2, s.census(f))
	s.until(3, 100)
	s.expect()
	if n := len(s.e.facilities) + len(s.e.parents) + len(s.e.devices); n != 0 {
		t.Errorf("%d things are still kept", n)
	}
	if s.e.counts != ([4]Counts{}) {
		t.Errorf("counts %v, want none", s.e.counts)
	}
}

func TestARetainedMessageIsNotNow(t *testing.T) {
	s := tell(t)
	it := s.says("MH-1", 0, "tilt_deg", 60.0)
	it.Uplink.Flags = devices.FlagRetained
	it.Message.Readings[0].Source = devices.TimeReceived
	s.step(0, it)
	s.until(1, 10)
	s.expect()
}

func TestABatchOfThePastCountsByItsOwnTime(t *testing.T) {
	s := tell(t)
	m := s.says("MH-1", -60, "tilt_deg", 30.0)
	m.Message.Readings = append(m.Message.Readings, s.says("MH-1", -1, "tilt_deg", 31.0).Message.Readings...)
	s.step(0, m) // displaced for a minute when we hear of it: no need to wait two seconds more
	s.expect("0 opened MH-1 cover_displaced")
}

func TestAnotherRuleSetEndsWhatItDoesNotKnow(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 30.0), s.says("SL-1", 0, "lamp_on", true, "power_w", 0.0))
	s.until(1, 6)
	text := strings.Replace(string(Default()), "name: cover_displaced", "name: cover_moved", 1)
	s.step(7, devices.Item{Type: devices.ItemRuleSet, Control: []byte(text)})
	s.step(8, devices.Item{Type: devices.ItemRuleSet, Control: []byte("groups: 7")}) // changes nothing
	s.step(10, s.says("MH-1", 10, "tilt_deg", 30.0))
	s.until(11, 12)
	s.expect("2 opened MH-1 cover_displaced", "5 opened SL-1 lamp_out", "7 closed MH-1 cover_displaced by rules "+s.e.set.Version(), "10 opened MH-1 cover_moved")
}

// What is asked of rule files now was not asked of those that the log has.
func TestTheLogHasRuleSetsThatFilesMayNotSay(t *testing.T) {
	s := tell(t)
	for i, text := range []string{"groups: [{kind: manhole, rules: [{name: odd, when: tilt_deg > limit_tilt_deg || lift_mm > 99999.0, limits: {tilt_deg: {models: {A: 999}}, lift_mm: 5}, severity: minor, summary: {zh: z, en: e}}]}]", "groups: []",
		"groups: [{kind: manhole, rules: [{name: odd, when: tilt_deg > 3 / 2, severity: minor, summary: {zh: z, en: e}}]}]",
		`groups: [{kind: manhole, rules: [{name: odd, when: tilt_deg > 20, clear: tilt_deg < 28, steps: [{severity: major, when: tilt_deg > 40, clear: tilt_deg > 40}], severity: minor, schedule: {from: "22:00", to: "22:00", days: []}, summary: {zh: z, en: e}},
			{name: odder, when: "true", clear: tilt_deg / 0.0 > 1.0, severity: minor, summary: {zh: z, en: e}}]}]`} {
		if _, err := Parse([]byte(text), s.dict); err == nil {
			t.Errorf("as a file it was taken: %s", text)
		}
		s.step(float64(i), devices.Item{Type: devices.ItemRuleSet, Control: []byte(text)})
		if s.e.set.Text() != text {
			t.Errorf("from the log it was not taken: %s", text)
		}
	}
}

func TestTheSameMessageTenTimesIsOneMessage(t *testing.T) {
	s := tell(t)
	m := s.says("MH-1", 0, "tilt_deg", 1.0)
	for i := range 10 {
		s.step(float64(i), m)
	}
	if b := s.e.facilities["MH-1"].book; b.Received != 10 || b.Duplicates != 9 {
		t.Errorf("ledger %+v", b)
	}
}

func BenchmarkStep(b *testing.B) {
	s := tell(&testing.T{})
	batch := &devices.Batch{Wall: start}
	for i := range 1000 {
		batch.Items = append(batch.Items, s.says(fmt.Sprintf("SL-%d", i), 0, "lamp_on", true, "power_w", 60.0, "voltage_v", 221.0))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		batch.Wall += 1000
		for j := range batch.Items {
			batch.Items[j].Message.Seq++
			r := &batch.Items[j].Message.Readings[0]
			r.Time += 1000
			r.Values[1].Num = 60 + float64(i%8)/4 // so that the rules have something to think about
		}
		if _, err := s.e.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
}

func TestACoverThatSaysItIsOpenWaitsForNothing(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 40.0), s.says("MH-2", 0, "tilt_deg", 40.0, "cover_open", true))
	s.step(1, s.says("MH-3", 1, "tilt_deg", 40.0, "cover_open", false))
	s.step(1.5, s.says("MH-3", 1.5, "tilt_deg", 40.0, "cover_open", true), s.says("MH-1", 1.5, "tilt_deg", 1.0))
	s.until(2, 5)
	want := []string{"0 opened MH-2 cover_displaced", "1.5 opened MH-3 cover_displaced"}
	if !slices.Equal(s.log, want) {
		t.Errorf("story %q, want %q", s.log, want)
	}
}

func TestWhatComesBackFromQuarantineIsHistory(t *testing.T) {
	s := tell(t)
	first := s.says("MH-1", 0, "tilt_deg", 1.0)
	lost := s.says("MH-1", 1, "tilt_deg", 40.0)
	lost.Uplink.Flags |= devices.FlagRetaken
	s.step(0, first)
	s.step(2, s.says("MH-1", 2, "tilt_deg", 1.0))
	if len(s.gaps) != 1 || s.gaps[0].Filled {
		t.Fatalf("gaps %+v", s.gaps)
	}
	young := s.says("MH-1", 3, "tilt_deg", 40.0) // younger than all that came, and history all the same
	young.Uplink.Flags |= devices.FlagRetaken
	s.step(3, lost, young)
	s.until(4, 20)
	s.expect()
	f := s.e.facilities["MH-1"]
	if f.newest != start+2000 || f.book.Late != 2 || f.book.Missing != s.gaps[0].lack()-1 {
		t.Errorf("newest %d, late %d, missing %d", f.newest-start, f.book.Late, f.book.Missing)
	}
	if g := s.gaps[len(s.gaps)-1]; !g.Filled || g.From != lost.Message.Seq {
		t.Errorf("the ledger was not told: %+v", g)
	}
}

// lack is how many numbers a gap has.
func (g *Gap) lack() int64 { return int64(g.To - g.From + 1) }

func TestAMessageThatComesLateWakesNoSleeper(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "MH-1", Device: "MH-1", Kind: devices.Manhole, ExpectS: 10}))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 1.0))
	s.step(2, devices.Item{Type: devices.ItemUplink, Message: &devices.Message{Type: devices.State, Device: "MH-1", State: devices.StateReport{Status: "sleep", NextS: 300}}})
	s.step(3, s.says("MH-1", 1.5, "tilt_deg", 1.0)) // sent before the good-night, and overtaken by it
	s.until(4, 320)
	s.expect()
	if f := s.e.facilities["MH-1"]; f.seen != start+3000 {
		t.Errorf("last heard %d ms after the start, want 3000", f.seen-start)
	}
	s.until(321, 400)
	s.expect("352 opened MH-1 comm_lost")
}

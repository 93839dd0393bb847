package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/rules"
)

// shelf is a store in memory.
type shelf struct {
	lines  []shelved
	asked  int   // exports
	longer int64 // the longest span of an export that was not broken off, ms
}

type shelved struct {
	id, channel, text string
	at                int64
	num               float64
}

// Export tells each point as a series of its own, the newest first.
func (s *shelf) Export(_ context.Context, ids []string, from, to int64, fn func(id, channel, text string, at []int64, values []float64) error) error {
	s.asked++
	for _, l := range slices.Backward(s.lines) {
		if l.at < from || l.at >= to || !slices.Contains(ids, l.id) {
			continue
		}
		if err := fn(l.id, l.channel, l.text, []int64{l.at}, []float64{l.num}); err != nil {
			return err
		}
	}
	s.longer = max(s.longer, to-from)
	return nil
}

// put shelves values of an instant of the day: numbers, truths and texts.
func (s *shelf) put(id string, at time.Duration, pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		l := shelved{id: id, channel: pairs[i].(string), at: day.Add(at).UnixMilli(), num: 1}
		switch v := pairs[i+1].(type) {
		case float64:
			l.num = v
		case bool:
			if !v {
				l.num = 0
			}
		case string:
			l.text = v
		}
		s.lines = append(s.lines, l)
	}
}

const storedRules = `groups:
  - kind: manhole
    rules:
      - {name: tilted, when: tilt_deg > 15, for: 2s, clear_for: 30s, severity: major, summary: {zh: 倾斜, en: Tilted}}
      - {name: gone_quiet, silent: 3, severity: minor, summary: {zh: 失联, en: Quiet}}
  - kind: streetlight
    rules:
      - {name: dark_lamps, collapse: {of: lamp_out, by: circuit, share: 0.6, at_least: 2}, severity: critical, summary: {zh: 回路不亮, en: Circuit dark}}
      - {name: dead_circuit, collapse: {of: gone_quiet, by: circuit, at_least: 2}, severity: critical, summary: {zh: 回路失联, en: Circuit quiet}}
      - {name: lamp_out, when: lamp_on && power_w < 2, for: 5s, clear_for: 30s, severity: major, summary: {zh: 不亮, en: Out}}
      - {name: gone_quiet, silent: 3, severity: minor, summary: {zh: 失联, en: Quiet}}
      - {name: bad_sensor, sensor: {channels: [power_w, temperature_c], stuck: 1h}, severity: minor, summary: {zh: 传感器, en: Sensor}}
`

// storedOptions judges by storedRules.
func storedOptions(t *testing.T, partitions int) Options {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), []devices.Channel{{Name: "mode", Type: devices.Text, Min: devices.Open(), Max: devices.Open()}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse([]byte(storedRules), dict)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Set: set, Fixed: true, Dict: dict, Partitions: partitions, Partition: func(key string) int { return int(key[len(key)-1]) % partitions }, Decoder: func() Decoder { return none{} }}
}

// none decodes nothing: what comes from a store is decoded.
type none struct{}

func (none) Decode(*devices.Uplink, *devices.Message) *devices.Refusal { return &devices.Refusal{} }
func (none) Reset()                                                    {}

// storedCity is two covers, a lamp by itself and three lamps of a circuit.
func storedCity() []registry.Fed {
	fs := []registry.Facility{{ID: "MH-1", Kind: devices.Manhole, Device: "D-1", ExpectS: 300}, {ID: "MH-2", Kind: devices.Manhole, ExpectS: 300}, {ID: "SL-9", Kind: devices.Streetlight}}
	for i := range 3 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprint("SL-", i)), Kind: devices.Streetlight, Cabinet: "C-1", Circuit: "1"})
	}
	out := make([]registry.Fed, len(fs))
	for i := range fs {
		if fs[i].Device == "" {
			fs[i].Device = devices.DeviceID(fs[i].ID)
		}
		out[i].Facility = fs[i]
	}
	return out
}

// spoken is tickets in words, to the second: frames of the other facilities of a
// partition decide when the time is looked at.
func spoken(ts []*Ticket) string {
	var b strings.Builder
	for _, t := range ts {
		end := "open"
		if t.ClosedAt != nil {
			end = t.ClosedAt.Sub(day).Truncate(time.Second).String()
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", t.Facility, t.Defect, t.OpenedAt.Sub(day).Truncate(time.Second), end)
	}
	return b.String()
}

func TestAStoreIsJudgedAsItsReadingsCame(t *testing.T) {
	s := &shelf{}
	for at := time.Duration(0); at < 3*time.Hour; at += 5 * time.Minute {
		tilt := 1.0
		if at >= time.Hour && at < 90*time.Minute {
			tilt = 40
		}
		s.put("MH-1", at, "tilt_deg", tilt, "seq", 7.0, "battery_v", 3.6, "field_of_a_vendor", 1.5)
	}
	s.put("MH-2", 0, "tilt_deg", 1.0) // then nothing more: quiet, of which a store tells nothing
	s.put("MH-2", 10*time.Minute, "tilt_deg", 1e6)
	s.put("MH-2", 20*time.Minute, "tilt_deg", "of a text that it is not")
	s.put("MH-3", 30*time.Minute, "tilt_deg", 80.0) // not in the census
	s.put("SL-9", time.Hour+700*time.Millisecond, "mode", "manual", "lamp_on", true, "power_w", 0.0)
	s.put("SL-9", 2*time.Hour, "mode", "auto", "lamp_on", false)
	for i := range 3 {
		s.put(fmt.Sprint("SL-", i), 0, "lamp_on", true, "power_w", 80.0)
		s.put(fmt.Sprint("SL-", i), 2*time.Hour+time.Duration(i)*time.Second, "lamp_on", true, "power_w", 0.5)
	}
	past := &Past{From: day.UnixMilli(), To: day.Add(3 * time.Hour).UnixMilli(), Census: storedCity()}
	want := `MH-1 tilted 1h0m2s 1h30m30s
SL-9 lamp_out 1h0m5s 2h0m30s
C-1:1 dark_lamps 2h0m1s open
`
	for _, partitions := range []int{1, 4} {
		done := 0.0
		r, err := Stored(t.Context(), s, past, storedOptions(t, partitions), func(x float64) {
			if x < done {
				t.Errorf("%v is done after %v", x, done)
			}
			done = x
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := spoken(r.Tickets); got != want || done != 1 {
			t.Errorf("%d partitions, %v done:\n%swant\n%s", partitions, done, got, want)
		}
		if r.Late+r.Duplicates+r.Refused+r.Missing > 0 || r.Trouble != nil || r.Messages == 0 {
			t.Errorf("%+v", r)
		}
	}
}

// What the codec gave stands in the reading again: truths, texts, what is not
// plausible; all of one instant in one.
func TestAReadingIsPutTogetherAgain(t *testing.T) {
	s := &shelf{}
	s.put("SL-9", time.Second, "mode", "manual", "lamp_on", true, "power_w", -1e9, "of_a_vendor", "x", "seq", 3.0)
	s.put("SL-9", 2*time.Second, "lamp_on", false, "of_a_vendor", "y")
	r, x := newSlicer(s, storedOptions(t, 1).Dict, storedCity()), &slice{}
	if err := r.fill(t.Context(), x, day.UnixMilli(), day.Add(time.Minute).UnixMilli(), true); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range x.points {
		v := x.value(&x.points[i])
		fmt.Fprintf(&b, "%d %s %s %v %q %s\n", x.points[i].at-day.UnixMilli(), v.Channel.Name, v.Channel.Type, v.Num, v.Text, v.Quality)
	}
	if want := `1000 lamp_on bool 1 "" good
1000 power_w number -1e+09 "" implausible
1000 mode text 0 "manual" good
1000 of_a_vendor text 0 "x" good
2000 lamp_on bool 0 "" good
2000 of_a_vendor text 0 "y" good
`; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestNoSliceHoldsMuchMoreThanIsWanted(t *testing.T) {
	s := &shelf{}
	for i := range 20_000 { // two a second in the first hours, two an hour afterwards
		at := time.Duration(i) * 500 * time.Millisecond
		if i > 15_000 {
			at = time.Duration(i-15_000) * 30 * time.Minute
		}
		s.put("MH-1", at, "tilt_deg", float64(i))
	}
	r := newSlicer(s, storedOptions(t, 1).Dict, storedCity())
	r.wanted = 500
	past := &Past{From: day.UnixMilli(), To: day.Add(200 * 24 * time.Hour).UnixMilli()}
	free, read, done := make(chan *slice, 1), make(chan *slice), make(chan error, 1)
	free <- &slice{}
	go func() { defer close(read); done <- r.run(t.Context(), past, free, read) }()
	n, until := 0, past.From
	for x := range read {
		if x.from != until || len(x.points) > overfull*r.wanted {
			t.Errorf("a slice of %d points from %d, want at most %d from %d", len(x.points), x.from, overfull*r.wanted, until)
		}
		n, until = n+len(x.points), x.to
		free <- x
	}
	if err := <-done; err != nil || n != len(s.lines) || until != past.To {
		t.Errorf("%d of %d points to %d, %v", n, len(s.lines), until, err)
	}
	if s.longer != longest || s.asked > 400 {
		t.Errorf("%d questions, of %d ms at most", s.asked, s.longer)
	}
}

func TestTheTroubleOfAStoreIsTold(t *testing.T) {
	past := &Past{From: day.UnixMilli(), To: day.Add(time.Hour).UnixMilli(), Census: storedCity()}
	broken := errors.New("it broke")
	if _, err := Stored(t.Context(), sick{broken}, past, storedOptions(t, 2), nil); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type sick struct{ err error }

func (s sick) Export(context.Context, []string, int64, int64, func(string, string, string, []int64, []float64) error) error {
	return s.err
}

// A store cannot tell of silence, nor of rules that are not among those that
// judge; and a ticket that was opened later, as its reading came, is the same.
func TestOnlyWhatWasJudgedIsCompared(t *testing.T) {
	set := storedOptions(t, 1).Set
	ticket := func(facility, kind, defect string, opened, closed int) *Ticket {
		x := kept(facility, opened, closed)
		x.Kind, x.Defect, x.EventAt = kind, defect, x.OpenedAt
		return x
	}
	late := ticket("MH-2", "manhole", "tilted", 100, 111)
	late.EventAt = day.Add(91 * time.Minute)
	told := ticket("MH-4", "manhole", "tilted", 90, 110)
	told.Historic = true
	found := ticket("MH-4", "manhole", "tilted", 90, 150)
	found.over = day.Add(110 * time.Minute)
	d := CompareStored([]*Ticket{
		ticket("MH-1", "manhole", "gone_quiet", 70, 80), ticket("SL-1", "streetlight", "of_before", 70, 80), ticket("C-1:1", "streetlight", "dead_circuit", 10, 80),
		late, told, ticket("MH-3", "manhole", "tilted", 80, 85),
	}, []*Ticket{ticket("MH-2", "manhole", "tilted", 91, 111), found}, Span{From: day.Add(time.Hour), To: day.Add(5 * time.Hour), Known: day}, set)
	if got, want := fmt.Sprint(d.NotJudged), "[{{manhole gone_quiet} silence 1} {{streetlight bad_sensor} sensors 0} {{streetlight dead_circuit} silence 0} {{streetlight gone_quiet} silence 0} {{streetlight of_before} absent 1}]"; got != want {
		t.Errorf("not judged\n%s, want\n%s", got, want)
	}
	if d.Same != 2 || len(d.Times)+len(d.OnlyNew) > 0 || len(d.OnlyWas) != 1 || d.OnlyWas[0].Facility != "MH-3" {
		t.Errorf("%d the same, other times %v, only would %v, only was %v", d.Same, d.Times, d.OnlyNew, d.OnlyWas)
	}
	var b strings.Builder
	if err := d.Write(&b, time.UTC); err != nil || !strings.Contains(b.String(), "\nnot judged     dead_circuit             streetlight          the store does not tell of silence; 0 tickets were\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// A street whose lamps hang on many cabinets goes dark: one ticket.
func TestAStoreTellsOfADarkStreet(t *testing.T) {
	fed, s := lampsOfAStreet(), &shelf{}
	for i := range fed {
		id, at := string(fed[i].Facility.ID), 10*time.Second+time.Duration(i)*time.Millisecond
		s.put(id, at, "lamp_failure", true)
		s.put(id, at+90*time.Second, "lamp_failure", false)
	}
	r, err := Stored(t.Context(), s, &Past{From: day.UnixMilli(), To: day.UnixMilli() + 120_000, Census: fed}, streetOptions(t, 1, true), nil)
	if err != nil {
		t.Fatal(err)
	}
	oneStreet(t, r)
}

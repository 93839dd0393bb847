package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	bridges "lamplighter/devices/bridge"
	"lamplighter/devices/codec"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/rules"
)

// judge is the real decoder and the real rules, fed with what a city sends.
type judge struct {
	t       *testing.T
	city    *City
	decoder *codec.Decoder
	engine  *rules.Engine
	frame   uint64
	refused map[string]int // by device
	waits   map[string]time.Duration
	sent    int
}

func dictionary(t *testing.T) *devices.Dictionary {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridges.Channels())
	if err != nil {
		t.Fatal(err)
	}
	return dict
}

func newJudge(t *testing.T, o Options) *judge {
	t.Helper()
	dict := dictionary(t)
	text, err := os.ReadFile("../../rules/default/default.yml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse(text, dict)
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, city: New(o), decoder: codec.New(dict, codec.Options{}), engine: rules.NewEngine(set, dict, nil), refused: map[string]int{}, waits: map[string]time.Duration{}}
	for k := devices.Manhole; k <= devices.Bridge; k++ {
		for _, r := range set.Rules(k) {
			j.waits[r.Name] = r.For
		}
	}
	var fed []registry.Fed
	for _, f := range j.city.Census() {
		fed = append(fed, registry.Fed{Facility: registry.Facility{ID: devices.FacilityID(f.ID), Device: devices.DeviceID(f.ID), Kind: f.Kind,
			Lon: f.Lon, Lat: f.Lat, HasPlace: true, Cabinet: f.Cabinet, Circuit: f.Circuit, ExpectS: f.ExpectS, Supply: f.Supply, Limits: f.Limits}})
	}
	control, err := registry.EncodeFed(fed)
	if err != nil {
		t.Fatal(err)
	}
	j.judge(&devices.Batch{Wall: o.Start.UnixMilli(), Items: []devices.Item{{Type: devices.ItemCensus, Control: control}}})
	return j
}

func (j *judge) judge(b *devices.Batch) []rules.Transition {
	j.t.Helper()
	j.frame++
	b.Seq = j.frame
	found, err := j.engine.Step(b)
	if err != nil {
		j.t.Fatal(err)
	}
	return found.Transitions
}

// step is one frame of the log: all that the city sent up to now.
func (j *judge) step(now time.Time) []rules.Transition {
	j.t.Helper()
	j.decoder.Reset()
	b := &devices.Batch{Wall: now.UnixMilli()}
	sent := j.city.Step(now)
	messages := make([]devices.Message, len(sent))
	for i, p := range sent {
		u := devices.Uplink{Device: devices.DeviceID(p.Device), Topic: p.Topic, Payload: p.Payload, Received: p.At, Flags: devices.FlagQoS1}
		it := devices.Item{Type: devices.ItemUplink, Uplink: u, Message: &messages[i]}
		if it.Refusal = j.decoder.Decode(&u, &messages[i]); it.Refusal != nil {
			j.refused[p.Device]++
		}
		b.Items = append(b.Items, it)
	}
	j.sent += len(sent)
	return j.judge(b)
}

func TestTheOpeningMinuteOpensOneTicketOfEachKind(t *testing.T) {
	for _, start := range []string{"2026-06-21 12:00 +0800", "2026-06-21 19:08 +0800", "2026-11-24 17:30 +0800", "2026-11-24 23:59 +0800", "2026-02-03 06:35 +0800"} {
		t.Run(start, func(t *testing.T) {
			o := Demo(at(t, start))
			j := newJudge(t, o)
			if n := len(j.city.Census()); n != 500 {
				t.Errorf("the city has %d facilities", n)
			}
			when := map[string]time.Duration{}
			for d := time.Duration(0); d < calm*time.Millisecond; d += 250 * time.Millisecond {
				for _, x := range j.step(o.Start.Add(d)) {
					if x.Type == rules.Opened || x.Type == rules.Ended {
						when[fmt.Sprint(x.Type, " ", x.Facility, " ", x.Defect)] = d
					}
				}
			}
			want := []string{"MH-00001 cover_displaced", "SL-00001 lamp_out", "CAB-001:C2 circuit_silent", "BR-001 bridge_limit"}
			for _, w := range want {
				if d, ok := when[fmt.Sprint(rules.Opened, " ", w)]; !ok || d > time.Minute {
					t.Errorf("%s: opened %v after %v", w, ok, d)
				}
			}
			if len(when) != len(want) {
				t.Errorf("more happened than was planned: %v", when)
			}
		})
	}
}

// interval is a defect of the truth file.
type interval struct {
	begin, end time.Time
	cause      string
	ticket     bool
	seen       bool
}

type truths map[string][]*interval // by facility and defect

func readTruth(t *testing.T, text string, end time.Time) truths {
	t.Helper()
	out, open := truths{}, map[int64]*interval{}
	for line := range strings.Lines(text) {
		var x struct {
			At                            time.Time
			What, Facility, Defect, Cause string
			N                             int64
			Ticket                        bool
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch x.What {
		case "begin":
			i := &interval{begin: x.At, end: end, cause: x.Cause, ticket: x.Ticket}
			open[x.N] = i
			key := x.Facility + " " + x.Defect
			out[key] = append(out[key], i)
		case "end":
			if open[x.N] == nil {
				t.Fatalf("%s: it never began", line)
			}
			open[x.N].end = x.At
			delete(open, x.N)
		}
	}
	return out
}

// TestTheTruthIsWhatTheRulesFind lets a city live from the afternoon into the night and holds every
// ticket against the truth: none without a cause, none missed.
func TestTheTruthIsWhatTheRulesFind(t *testing.T) {
	begin := summer.Add(time.Duration(devicestest.Sized(4, 6)) * time.Hour)
	for _, switched := range []bool{false, true} {
		t.Run(fmt.Sprint("switched ", switched), func(t *testing.T) {
			var told bytes.Buffer
			o := Options{Seed: 11, Manholes: 60, Streetlights: 100, Bridges: 2, Meters: true, Start: begin, Every: 10 * time.Second, Pace: 2000, Trouble: 150, Haste: 60, Truth: &told, Notes: true, Switched: switched}
			j, got := newJudge(t, o), []rules.Transition{}
			end := o.Start.Add(time.Duration(devicestest.Sized(9, 3)) * time.Hour)
			for now := o.Start; now.Before(end); now = now.Add(500 * time.Millisecond) {
				for _, x := range j.step(now) {
					if x.Type == rules.Opened {
						got = append(got, x)
					}
				}
			}
			found := j.compare(readTruth(t, told.String(), end), got, switched)
			for _, d := range []string{"cover_displaced", "lamp_out", "bridge_limit", "comm_lost", "circuit_silent", "explosive_gas", "lamp_cycling", "leakage"}[:devicestest.Sized(8, 1)] {
				if found[d] == 0 {
					t.Errorf("no %s all the time", d)
				}
			}
			t.Logf("%d messages, %d tickets %v", j.sent, len(got), found)
		})
	}
}

func (j *judge) compare(truth truths, got []rules.Transition, switched bool) (found map[string]int) {
	t := j.t
	t.Helper()
	found = map[string]int{}
	for _, x := range got {
		ok := false
		for _, i := range truth[string(x.Facility)+" "+x.Defect] {
			if w := time.UnixMilli(x.Wall); !w.Before(i.begin) && !w.After(i.end.Add(wait(x.Defect))) {
				ok, i.seen = true, true
			}
		}
		if !ok {
			t.Errorf("%s %s at %v: nothing of that kind has happened", x.Facility, x.Defect, time.UnixMilli(x.Wall).UTC())
		}
		found[x.Defect]++
	}
	for key, is := range truth {
		for _, i := range is {
			if i.ticket && !i.seen && !j.excused(truth, key, i, switched) {
				t.Errorf("%s (%s) from %v to %v had no ticket", key, i.cause, i.begin.UTC(), i.end.UTC())
			}
		}
	}
	return found
}

// wait is how long after the end of a defect a ticket may open: a contact that
// was bad is found when that has lasted for five minutes.
func wait(defect string) time.Duration {
	if defect == "sensor_fault" {
		return 6 * time.Minute
	}
	return 5 * time.Second
}

// excused tells why rules could not find what has happened: it was over too
// soon, the device was off the air or had just got its power, or its clock had
// just been put back.
func (j *judge) excused(truth truths, key string, i *interval, switched bool) bool {
	facility, defect, _ := strings.Cut(key, " ")
	if i.end.Sub(i.begin) < 3*time.Minute+j.waits[defect] {
		return true
	}
	if switched && strings.HasSuffix(defect, "_silent") && !Night(i.end.Add(-40*time.Minute), j.city.opt.Middle) {
		return true
	}
	for _, other := range []string{"comm_lost", "clock_wrong"} {
		for _, o := range truth[facility+" "+other] {
			if other != defect && o.begin.Before(i.end) && o.end.Add(4*time.Minute).After(i.begin) {
				return true
			}
		}
	}
	return defect == "comm_lost" && strings.HasPrefix(facility, "SL-")
}

package fleet

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/devices/devicestest"
)

// TestEveryDialectIsUnderstood decodes all that a city without faults of the
// radio sends: nothing is refused but what a wrong clock spoils.
func TestEveryDialectIsUnderstood(t *testing.T) {
	j := newJudge(t, Options{Seed: 5, Manholes: 200, Streetlights: 200, Bridges: 3, Meters: true, Start: summer, Every: 20 * time.Second, Clean: true, Pace: 3000})
	shapes := map[dialect]int{}
	for now := summer; now.Before(summer.Add(20 * time.Minute)); now = now.Add(time.Second) {
		j.step(now)
	}
	for _, d := range j.city.devices {
		shapes[d.model.dialect]++
	}
	if len(j.refused) > 0 || len(shapes) != 5 {
		t.Errorf("refused %v, shapes %v", j.refused, shapes)
	}
}

// TestGarbageOfEveryShapeIsRefused holds garble against the real decoder.
func TestGarbageOfEveryShapeIsRefused(t *testing.T) {
	dict, err := devices.NewDictionary(devices.CommonChannels())
	if err != nil {
		t.Fatal(err)
	}
	dec, dice := codec.New(dict, codec.Options{}), newDice(1, 1)
	for range 2000 {
		u := devices.Uplink{Device: "MH-1", Topic: "f/1/MH-1/telemetry", Received: summer.UnixMilli(), Payload: garble(dice, []byte(`{"seq":7,"boot":"a1","v":{"tilt_deg":1.25}}`))}
		var m devices.Message
		dec.Reset()
		if dec.Decode(&u, &m) == nil {
			t.Fatalf("taken: %q", u.Payload)
		}
	}
}

// TestTrafficNeverHoldsForTwoSeconds follows the tilt of covers that nothing is
// wrong with, as their devices tell it: it is over every limit now and then, and
// never for 2 s.
func TestTrafficNeverHoldsForTwoSeconds(t *testing.T) {
	var told bytes.Buffer
	o := Options{Seed: 9, Manholes: 400, Start: summer, Every: 5 * time.Second, Pace: 1e-9, Trouble: 1e-9, Truth: &told, Notes: true}
	c, dec := New(o), codec.New(dictionary(t), codec.Options{})
	over, peaks := map[devices.DeviceID]int64{}, 0
	for now := summer; now.Before(summer.Add(time.Duration(devicestest.Sized(60, 20)) * time.Minute)); now = now.Add(time.Second) {
		dec.Reset()
		for _, p := range c.Step(now) {
			u := devices.Uplink{Device: devices.DeviceID(p.Device), Topic: p.Topic, Payload: p.Payload, Received: p.At}
			var m devices.Message
			if dec.Decode(&u, &m) != nil {
				continue
			}
			for _, r := range m.Readings {
				for _, v := range r.Values {
					since, is := over[u.Device]
					switch {
					case v.Channel.Name != "tilt_deg":
					case v.Num > 15 && !is:
						over[u.Device] = r.Time
						peaks++
					case v.Num <= 15 && is:
						if r.Time-since >= 2000 {
							t.Errorf("%s was over 15 degrees for %d ms", u.Device, r.Time-since)
						}
						delete(over, u.Device)
					}
				}
			}
		}
	}
	if shocks := strings.Count(told.String(), `"shock"`); peaks < devicestest.Sized(20, 5) || shocks < peaks || strings.Contains(told.String(), "begin") {
		t.Errorf("%d shocks, %d peaks seen: no traffic, or more than traffic", shocks, peaks)
	}
}

func TestAppendFixedIsWhatPrintfWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, dec := rapid.Float64Range(-1e9, 1e9).Draw(t, "x"), rapid.IntRange(0, 4).Draw(t, "dec")
		got, err := strconv.ParseFloat(string(appendFixed(nil, x, dec)), 64)
		if half := 0.5 / scales[dec]; err != nil || math.Abs(got-x) > half*1.0001+1e-6 {
			t.Fatalf("%v with %d decimals became %v (%v)", x, dec, got, err)
		}
	})
}

// TestWhatSleepsSaysSo follows a summer of storms: a device that sleeps is
// silent for longer than its interval only after it has said good night, also
// when the water in its shaft has kept it awake.
func TestWhatSleepsSaysSo(t *testing.T) {
	const every = 30 * time.Minute
	var told bytes.Buffer
	c := New(Options{Seed: 4, Manholes: 300, Start: summer, Every: every, Clean: true, Pace: 1e-9, Trouble: 1e-9, Truth: &told})
	sleepy := map[string]bool{}
	for _, d := range c.devices {
		sleepy[string(d.ID)] = d.model.sleepy
	}
	heard, until, naps := map[string]int64{}, map[string]int64{}, 0
	for now := summer; now.Before(summer.Add(20 * 24 * time.Hour)); now = now.Add(time.Hour) {
		for _, p := range c.Step(now) {
			id := string(p.Device)
			if !sleepy[id] {
				continue
			}
			if at, ok := heard[id]; ok && p.At > at+2*every.Milliseconds() && p.At > until[id]+every.Milliseconds() {
				t.Fatalf("%s was silent from %d to %d and had promised to be back at %d", id, at, p.At, until[id])
			}
			heard[id] = p.At
			if _, rest, ok := strings.Cut(string(p.Payload), `"st":"sleep","next_s":`); ok {
				s, err := strconv.ParseInt(strings.TrimSuffix(rest, "}"), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				until[id] = p.At + 1000*s
				naps++
			}
		}
	}
	if floods := strings.Count(told.String(), `"shaft_flooded"`); floods < 10 || naps < 1000 {
		t.Errorf("%d floods, %d naps: no summer of storms", floods, naps)
	}
}

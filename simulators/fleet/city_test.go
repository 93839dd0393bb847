package fleet

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lamplighter/devices/devicestest"
)

var summer = time.Unix(1782878400, 0) // 2026-07-01 12:00 in Fuzhou

// small is a city in which a lot happens.
func small(seed uint64) Options {
	return Options{Seed: seed, Manholes: 15, Streetlights: 50, Bridges: 2, Meters: true, Start: summer, Every: 10 * time.Second, Pace: 20000, Trouble: 2000, Haste: 200, Notes: true}
}

// live lets a city live for d in steps, and tells all it sent and its truth.
func live(o Options, d time.Duration, step func(i int) time.Duration) (sent, truth string) {
	var told bytes.Buffer
	o.Truth = &told
	c := New(o)
	var b strings.Builder
	for i, t := 0, time.Duration(0); t < d; i++ {
		t = min(d, t+step(i))
		for _, p := range c.Step(o.Start.Add(t)) {
			fmt.Fprintln(&b, p.At, p.Topic, p.Retain, string(p.Payload))
		}
	}
	return b.String(), told.String()
}

func evenly(int) time.Duration { return time.Minute }

func TestTheSameSeedTellsTheSameStoryHoweverLongTheSteps(t *testing.T) {
	checks := 0
	rapid.Check(t, func(t *rapid.T) {
		if checks++; checks > devicestest.Sized(15, 3) {
			return // a story takes a while
		}
		o := small(rapid.Uint64().Draw(t, "seed"))
		o.Opening, o.Switched = rapid.Bool().Draw(t, "opening"), rapid.Bool().Draw(t, "switched")
		steps := rapid.SliceOfN(rapid.IntRange(1, 600_000), 1, 10).Draw(t, "steps, ms")
		sent, truth := live(o, time.Hour, func(i int) time.Duration {
			return time.Duration(steps[i%len(steps)]) * time.Duration(1+i) * time.Millisecond // ever longer, so that it ends
		})
		again, truthAgain := live(o, time.Hour, evenly)
		if sent != again || truth != truthAgain {
			t.Fatal("the same seed told another story")
		}
		if strings.Count(sent, "\n") < 500 || !strings.Contains(truth, `"begin"`) {
			t.Fatalf("%d messages and %d lines of truth: no story", strings.Count(sent, "\n"), strings.Count(truth, "\n"))
		}
	})
}

func TestAnotherSeedTellsAnotherStory(t *testing.T) {
	a, _ := live(small(1), time.Hour, evenly)
	b, _ := live(small(2), time.Hour, evenly)
	if a == b {
		t.Error("two seeds, one story")
	}
}

// A city that is taken up twice knows nothing of the first time: a boot of then would
// make the messages of now repetitions of those.
func TestNoTwoRestartsHaveABootInCommon(t *testing.T) {
	boots := regexp.MustCompile(`"boot":"([0-9a-f]+)"`)
	seen := make(map[string]int)
	for n := range 3 {
		c, now := New(small(3)), summer.Add(time.Duration(10+n)*time.Minute)
		c.Skip(now)
		c.Restart(now)
		of := make(map[string]bool)
		for _, p := range c.Step(now.Add(15 * time.Second)) {
			if m := boots.FindSubmatch(p.Payload); m != nil && p.Retain {
				of[p.Device+" "+string(m[1])] = true
			}
		}
		if len(of) < 30 {
			t.Errorf("restart %d: %d boots, want one of nearly every device", n, len(of))
		}
		for b := range of {
			if seen[b]++; seen[b] > 1 {
				t.Fatalf("%s has been before", b)
			}
		}
	}
}

// What was skipped has happened all the same.
func TestSkipLeavesTheCityAsItWouldBe(t *testing.T) {
	lived, skipped := New(small(3)), New(small(3))
	for m := range 90 {
		lived.Step(summer.Add(time.Duration(m+1) * time.Minute))
	}
	skipped.Skip(summer.Add(90 * time.Minute))
	a, b := lived.Step(summer.Add(92*time.Minute)), skipped.Step(summer.Add(92*time.Minute))
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d messages against %d", len(a), len(b))
	}
	for i := range a {
		if a[i].Topic != b[i].Topic || !bytes.Equal(a[i].Payload, b[i].Payload) {
			t.Fatalf("message %d: %s %s against %s %s", i, a[i].Topic, a[i].Payload, b[i].Topic, b[i].Payload)
		}
	}
}

func TestEveryFacilityLiesInItsArea(t *testing.T) {
	c := New(Options{Seed: 1, Manholes: 300, Streetlights: 400, Bridges: 5, Meters: true, Start: summer})
	outlines := map[string][]Place{}
	for _, a := range c.Areas() {
		outlines[string(a.Code)] = a.Outline
	}
	if len(outlines) != 1+4+16+64 {
		t.Errorf("%d areas", len(outlines))
	}
	ids := map[string]bool{}
	for _, f := range c.Census() {
		o := outlines[string(f.Area)]
		if o == nil || f.Lon < o[0].Lon || f.Lon > o[2].Lon || f.Lat < o[0].Lat || f.Lat > o[2].Lat {
			t.Errorf("%s at %f, %f is not in %s %v", f.ID, f.Lon, f.Lat, f.Area, o)
		}
		if ids[f.ID] {
			t.Errorf("two facilities are called %s", f.ID)
		}
		ids[f.ID] = true
	}
}

// BenchmarkMonth is issue 3's load: what a message costs when a month of a city
// is told as fast as it goes.
func BenchmarkMonth(b *testing.B) {
	o := Options{Seed: 1, Manholes: 6000, Streetlights: 13990, Bridges: 10, Start: summer, Every: 5 * time.Minute, Truth: &bytes.Buffer{}}
	c, now, n := New(o), summer, 0
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Minute)
		n += len(c.Step(now))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
	b.ReportMetric(float64(n)/float64(b.N), "messages/op")
}

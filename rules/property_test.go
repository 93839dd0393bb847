package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// lateBy is the lateness of the rules below; frames come every half second.
const (
	lateBy  = 5 * time.Second
	perTick = 500
)

const orderedRules = `groups:
  - kind: manhole
    lateness: 5s
    rules:
      - {name: displaced, when: tilt_deg > 15.0 || cover_open, for: 2s, at_once: cover_open, clear_for: 3s, severity: major, summary: {zh: 甲, en: a}}
      - {name: high, when: water_level_m > 2.0, clear: water_level_m < 1.0, severity: major, summary: {zh: 乙, en: b}}
      - {name: rattle, values: {mean: {channel: vibration_mg, window: 6s, aggregate: avg}}, when: mean > 50.0, for: 1s, clear_for: 1s, severity: minor, summary: {zh: 丙, en: c}}
`

// sent is a message with the half seconds at which it is sent and arrives.
type sent struct {
	item     devices.Item
	at, when int
}

// dispatches draws what some covers send, each message on time.
func dispatches(t *rapid.T, s *story) []sent {
	var out []sent
	for d := range rapid.IntRange(1, 3).Draw(t, "covers") {
		at := 0
		for n := range rapid.IntRange(5, 40).Draw(t, "messages") {
			if n > 0 {
				at += rapid.IntRange(1, 8).Draw(t, "pause")
			}
			sec := float64(at) / 2
			it := s.says(fmt.Sprint("MH-", d), sec,
				"tilt_deg", rapid.SampledFrom([]float64{1, 1, 40}).Draw(t, "tilt"), "cover_open", rapid.IntRange(0, 9).Draw(t, "open") == 0,
				"water_level_m", rapid.SampledFrom([]float64{0.5, 1.5, 2.5}).Draw(t, "level"), "vibration_mg", rapid.SampledFrom([]float64{0, 10, 200}).Draw(t, "shock"))
			it.Message.Seq, it.Message.Boot = uint64(n), "b"
			out = append(out, sent{it, at, at})
		}
	}
	return out
}

// story is what the tickets of covers say in the end: when each fault began and
// when it was over, whoever was told when.
func (s *story) faults(ms []sent) []string {
	byFrame := make(map[int][]devices.Item)
	last := 0
	for _, m := range ms {
		byFrame[m.when] = append(byFrame[m.when], m.item)
		last = max(last, m.when)
	}
	var out []string
	for frame := 0; frame <= last+2*30; frame++ {
		s.seq++
		found, err := s.e.Step(&devices.Batch{Seq: s.seq, Wall: start + int64(frame)*perTick, Items: byFrame[frame]})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, x := range found.Transitions {
			began, over := fmt.Sprint(x.Facility, x.Defect, " began ", x.At-start), fmt.Sprint(x.Facility, x.Defect, " over ", x.At-start)
			switch x.Type {
			case Opened:
				out = append(out, began)
			case Ended:
				out = append(out, over)
			case Historic:
				out = append(out, began, fmt.Sprint(x.Facility, x.Defect, " over ", x.Until-start))
			}
		}
	}
	slices.Sort(out)
	return out
}

// Any interleaving, duplication and delay within the lateness gives the tickets
// that messages in order and on time give.
func TestDelayWithinTheBoundChangesNoTicket(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		fresh := func() *story {
			s := tell(t)
			set, err := Parse([]byte(orderedRules), s.dict)
			if err != nil {
				rt.Fatal(err)
			}
			s.e = NewEngine(set, s.dict, nil)
			return s
		}
		s := fresh()
		ms := dispatches(rt, s)
		want := s.faults(ms)
		var moved []sent
		for _, m := range ms {
			if m.at > 0 {
				m.when += rapid.IntRange(0, int(lateBy.Milliseconds()/perTick)).Draw(rt, "delay")
			}
			moved = append(moved, m)
			if rapid.IntRange(0, 5).Draw(rt, "copy") == 0 {
				m.when += rapid.IntRange(0, 20).Draw(rt, "later")
				moved = append(moved, m)
			}
		}
		moved = rapid.Permutation(moved).Draw(rt, "order")
		slices.SortStableFunc(moved, func(a, b sent) int { return a.when - b.when })
		if first := func(m sent) bool { return m.at == 0 }; !slices.ContainsFunc(moved, first) {
			rt.Fatal("nobody begins")
		}
		// within a frame the first message of a device is the first: what came before it is not known
		slices.SortStableFunc(moved, func(a, b sent) int {
			if a.when != b.when {
				return a.when - b.when
			}
			return min(a.at, 1) - min(b.at, 1)
		})
		if got := fresh().faults(moved); !slices.Equal(got, want) {
			rt.Fatalf("delayed\n%s\non time\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// apart is rules of covers that see when one channel stops while another goes on.
const apart = `      - {name: apart, when: tilt_deg > 15.0, clear: tilt_deg < 10.0, for: 8s, clear_for: 8s, max_age: 6s, severity: minor, summary: {zh: 甲, en: a}}
      - {name: knocked, values: {n: {channel: vibration_mg, window: 20s, aggregate: count}}, when: n > 2.0, for: 1s, clear_for: 1s, severity: minor, summary: {zh: 乙, en: b}}
      - {name: shaken, values: {m: {channel: vibration_mg, window: 20s, aggregate: max}}, when: m > 50.0, for: 3s, clear_for: 3s, severity: minor, summary: {zh: 丙, en: c}}
      - {name: long_gone, silent: 5, severity: minor, summary: {zh: 丁, en: d}}
`

// troubled draws the past of a small city in which everything goes wrong:
// common causes, batches of the past, losses, copies, dead links, maintenance,
// other rules, a changing census and a daemon that is away.
func troubled(t *rapid.T, s *story) (frames []devices.Batch) {
	var fs []registry.Facility
	for i := range 8 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%d", i)), Kind: devices.Streetlight, Cabinet: "CAB", Circuit: fmt.Sprint("C", i%2), ExpectS: 10})
	}
	fs = append(fs, registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 20})
	lamps := strings.Replace(string(Default()), "  - kind: streetlight\n", "  - kind: streetlight\n    lateness: 3s\n", 1)
	lamps = strings.Replace(lamps, "  - kind: manhole\n    rules:\n", "  - kind: manhole\n    lateness: 2s\n    rules:\n"+apart, 1)
	quiet := "" // a channel of the cover that has stopped, while others go on
	sec, seq := 0.0, uint64(0)
	dark := -1
	for range rapid.IntRange(60, 200).Draw(t, "frames") {
		var items []devices.Item
		say := func(id string, late float64, vals ...any) {
			it := s.says(id, sec-late, vals...)
			seq++
			it.Message.Seq = seq + uint64(rapid.IntRange(0, 1).Draw(t, "jump"))*3 - uint64(rapid.IntRange(0, 1).Draw(t, "back"))
			it.Uplink.Source = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "link")
			items = append(items, it)
		}
		switch rapid.IntRange(0, 30).Draw(t, "what") {
		case 0:
			items = append(items, s.link(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "which"), rapid.Bool().Draw(t, "up"), sec-2))
		case 1:
			dark = rapid.IntRange(-2, 1).Draw(t, "dark")
		case 2:
			sec += 300 // nobody ran
		case 3:
			items = append(items, s.window(Window{ID: "w", Kind: "streetlight", Reason: "r", By: "b"}, int64(sec), int64(sec)+20))
		case 4:
			items = append(items, devices.Item{Type: devices.ItemRuleSet, Control: []byte(rapid.SampledFrom([]string{lamps, string(Default())}).Draw(t, "rules"))})
		case 5:
			f := &fs[rapid.IntRange(0, 7).Draw(t, "lamp")]
			switch rapid.IntRange(0, 3).Draw(t, "another") {
			case 0:
				f.Circuit = fmt.Sprint("C", rapid.IntRange(0, 2).Draw(t, "circuit"))
			case 1:
				f.Cabinet = rapid.SampledFrom([]string{"CAB", "CAB2"}).Draw(t, "cabinet")
			case 2:
				f.Area = rapid.SampledFrom([]devices.AreaCode{"350102001001", "350102002001"}).Draw(t, "area")
			case 3:
				f.Kind = rapid.SampledFrom([]devices.Kind{devices.Streetlight, devices.Manhole}).Draw(t, "kind")
			}
			items = append(items, s.census(*f))
		case 8, 9, 10:
			quiet = rapid.SampledFrom([]string{"", "tilt_deg", "vibration_mg"}).Draw(t, "quiet")
		case 6, 7:
			items = append(items, s.batch("MH-1", sec-7000, 1, sec-7000+float64(rapid.IntRange(0, 5).Draw(t, "part")*600), 40, sec-3600, 1, sec-3500, 1))
		}
		if len(frames) == 0 {
			items = append(items, s.census(fs...), devices.Item{Type: devices.ItemRuleSet, Control: []byte(lamps)})
		}
		for i, f := range fs {
			if i%2 != dark && rapid.IntRange(0, 3).Draw(t, "speaks") == 0 {
				if f.Kind == devices.Manhole {
					vals := []any{"methane_pct", 0.1}
					if quiet != "tilt_deg" {
						vals = append(vals, "tilt_deg", rapid.SampledFrom([]float64{1, 40}).Draw(t, "tilt"))
					}
					if quiet != "vibration_mg" {
						vals = append(vals, "vibration_mg", rapid.SampledFrom([]float64{5, 60}).Draw(t, "shock"))
					}
					say(string(f.ID), 0, vals...)
				} else {
					say(string(f.ID), float64(rapid.IntRange(0, 4).Draw(t, "late")), "lamp_on", true, "power_w", rapid.SampledFrom([]float64{0, 60}).Draw(t, "power"))
				}
			}
		}
		frames = append(frames, devices.Batch{Seq: uint64(len(frames) + 1), Wall: start + int64(sec*1000), Items: items})
		sec += rapid.SampledFrom([]float64{0.1, 1, 1, 3}).Draw(t, "step")
	}
	return frames
}

// noted keeps what a desk would have written down, evidence and all.
type noted struct {
	epoch, seq uint64
	got        []string
}

func (d *noted) Resume(_ context.Context, _ int, newest uint64) (Position, error) {
	d.epoch++
	return Position{Epoch: d.epoch, Seq: d.seq}, nil
}

func (d *noted) Commit(_ context.Context, o *Outcome) error {
	if o.Epoch != d.epoch || o.OldSeq != d.seq {
		return devices.ErrFenced
	}
	d.seq = o.NewSeq
	for _, t := range o.Transitions {
		ev := "-"
		if t.Evidence != nil {
			ev = fmt.Sprint(t.Evidence.Sentences(time.UTC))
		}
		d.got = append(d.got, fmt.Sprint(o.NewSeq, " ", t.Wall-start, " ", t.Type, " ", t.Facility, " ", t.Defect, " ", t.Member, " ", t.At-start, " ", t.Until, " ", t.Severity, " ", ev))
	}
	for _, g := range o.Gaps {
		d.got = append(d.got, fmt.Sprintf("%d %+v", o.NewSeq, g))
	}
	return nil
}

// feed runs a worker over the frames up to n.
func feed(t *rapid.T, s *story, d Desk, a *Archive, frames []devices.Batch, n int) *Worker {
	w := NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: &bounds{1, uint64(len(frames))}, Desk: d, Archive: a, Every: 5 * time.Second, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
	from, err := w.Start(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := max(from, 1); i <= uint64(n); i++ {
		b := frames[i-1]
		if err := w.Consume(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// Any crash and what is judged again after it equals no crash; and a replay of
// the log equals what was judged live, to the last word of the evidence.
func TestCrashesAndReplaysChangeNothing(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		s := tell(t)
		frames := troubled(rt, s)
		live, replayed, crashed := &noted{}, &noted{}, &noted{}
		feed(rt, s, live, nil, frames, len(frames))
		feed(rt, s, replayed, nil, frames, len(frames))
		if !slices.Equal(replayed.got, live.got) {
			rt.Fatalf("replayed\n%s\nlive\n%s", strings.Join(replayed.got, "\n"), strings.Join(live.got, "\n"))
		}
		archive, err := OpenArchive(t.TempDir())
		if err != nil {
			rt.Fatal(err)
		}
		for at := 0; at < len(frames); {
			at = min(len(frames), at+rapid.IntRange(1, 60).Draw(rt, "until it crashes"))
			w := feed(rt, s, crashed, archive, frames, at)
			w.saving.Wait()
			if rapid.Bool().Draw(rt, "orderly") {
				if err := w.Stop(context.Background()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		if !slices.Equal(crashed.got, live.got) {
			rt.Fatalf("with crashes\n%s\nwithout\n%s", strings.Join(crashed.got, "\n"), strings.Join(live.got, "\n"))
		}
	})
}

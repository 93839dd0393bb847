package rules

import (
	"context"
	"fmt"
	"hash/crc32"
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

// exchange is the logs of several partitions, with a worker on each. What a
// worker has to tell others stands in their next frame; what comes once more,
// after a crash, too.
type exchange struct {
	t       *rapid.T
	s       *story
	dir     string
	desks   []*noted
	frames  [][]devices.Batch // by partition
	next    [][]devices.Item
	workers []*Worker
	deaf    bool // letters stand in the frames already
}

func newExchange(t *rapid.T, s *story, partitions int, dir string) *exchange {
	x := &exchange{t: t, s: s, dir: dir, frames: make([][]devices.Batch, partitions), next: make([][]devices.Item, partitions), workers: make([]*Worker, partitions)}
	for p := range partitions {
		x.desks = append(x.desks, &noted{})
		x.start(p)
	}
	return x
}

func partitionOf(key string, n int) int { return int(crc32.ChecksumIEEE([]byte(key)) % uint32(n)) }

// start begins or restarts the worker of a partition, which judges again what it
// has not kept.
func (x *exchange) start(p int) {
	n := len(x.frames)
	archive, err := OpenArchive(x.dir)
	if err != nil {
		x.t.Fatal(err)
	}
	w := NewWorker(Options{Set: x.s.e.set, Dict: x.s.dict, Owns: func(f *registry.Facility) bool { return partitionOf(f.Key(), n) == p }, Log: &bounds{1, uint64(len(x.frames[p]))}, Desk: x.desks[p],
		Archive: archive, Every: 5 * time.Second, Partitions: n, Forward: x.forward, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
	from, err := w.Start(context.Background(), p)
	if err != nil {
		x.t.Fatal(err)
	}
	x.workers[p] = w
	for i := max(from, 1); i <= uint64(len(x.frames[p])); i++ {
		x.consume(p, x.frames[p][i-1])
	}
}

func (x *exchange) consume(p int, b devices.Batch) {
	if err := x.workers[p].Consume(context.Background(), &b); err != nil {
		x.t.Fatal(err)
	}
}

func (x *exchange) forward(_ context.Context, ls []Letter) error {
	for _, l := range ls {
		for q := range x.next {
			if !x.deaf && (l.Key == "" || partitionOf(l.Key, len(x.next)) == q) {
				x.next[q] = append(x.next[q], devices.Item{Type: l.Type, Control: slices.Clone(l.Record)})
			}
		}
	}
	return nil
}

// step writes a frame into each log and has it judged; items are by partition.
func (x *exchange) step(wall int64, items [][]devices.Item) {
	sealed := x.next
	x.next = make([][]devices.Item, len(sealed))
	for p := range sealed {
		b := devices.Batch{Partition: p, Seq: uint64(len(x.frames[p]) + 1), Wall: wall, Items: append(sealed[p], items[p]...)}
		x.frames[p] = append(x.frames[p], b)
		x.consume(p, b)
	}
}

func (x *exchange) crash(p int, orderly bool) {
	w := x.workers[p]
	w.saving.Wait()
	if orderly {
		if err := w.Stop(context.Background()); err != nil {
			x.t.Fatal(err)
		}
	}
	x.start(p)
}

// differ fails at the first line that two tell otherwise.
func differ(t *rapid.T, p int, how string, was, is []string) {
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			from := max(0, i-5)
			t.Fatalf("partition %d, %s\n%s\nlive\n%s", p, how, strings.Join(is[min(from, len(is)):min(len(is), i+3)], "\n"), strings.Join(was[min(from, len(was)):min(len(was), i+3)], "\n"))
		}
	}
}

// Wherever partitions crash, and whatever they tell each other once more, the
// tickets of areas and feeders are those without a crash, and those of a replay
// of the logs.
func TestCrashesAndReplaysChangeNoTicketOfAnArea(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		s := tell(t)
		rules := []string{dark, lost, cabinetOff, cabinet,
			"name: feeder_off, collapse: {of: dark, by: feeder, share: 0.6, at_least: 4}, clear_for: 3s",
			"name: street_off, collapse: {of: dark, by: area, level: street, share: 0.3, at_least: 5}, clear_for: 4s",
			"name: street_flash, collapse: {of: dark, by: area, level: street, at_least: 4, within: 4s}",
			"name: city_lost, collapse: {of: lost, by: area, level: city, share: 0.6}, for: 4s"}
		sets := [][]byte{[]byte(lampRules(rt, s, rules...).Text()), []byte(lampRules(rt, s, rules[:6]...).Text())}
		s.e.set = lampRules(rt, s, rules...)
		n := rapid.IntRange(2, 3).Draw(rt, "partitions")
		live, crashed := newExchange(rt, s, n, t.TempDir()), newExchange(rt, s, n, t.TempDir())
		var fs []registry.Facility
		for i := range 18 {
			fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%02d", i)), Kind: devices.Streetlight, ExpectS: 8, Area: devices.AreaCode(fmt.Sprintf("35010200%d", 1+i/9)),
				Feeder: fmt.Sprint("F-", i%9/5), Cabinet: fmt.Sprint("CAB-", i/3)})
		}
		wall := int64(start)
		bad, mute := make([]bool, len(fs)), make([]bool, len(fs))
		for tick := range rapid.IntRange(60, 160).Draw(rt, "ticks") {
			items := make([][]devices.Item, n)
			put := func(p int, it devices.Item) { items[p] = append(items[p], it) }
			all := func(it devices.Item) {
				for p := range n {
					put(p, it)
				}
			}
			if tick == 0 {
				all(s.census(fs...))
			}
			switch rapid.IntRange(0, 12).Draw(rt, "what") {
			case 0, 1, 2:
				from := rapid.IntRange(0, len(fs)-1).Draw(rt, "from")
				to, is, of := min(len(fs), from+rapid.SampledFrom([]int{1, 3, 9, 18}).Draw(rt, "many")), rapid.Bool().Draw(rt, "bad"), rapid.SampledFrom([][]bool{bad, bad, mute}).Draw(rt, "of")
				for i := from; i < to; i++ {
					of[i] = is
				}
			case 3:
				i := rapid.IntRange(0, len(fs)-1).Draw(rt, "lamp")
				was := partitionOf(fs[i].Key(), n)
				fs[i].Cabinet, fs[i].Area = fmt.Sprint("CAB-", rapid.IntRange(0, 5).Draw(rt, "cabinet")), devices.AreaCode(fmt.Sprintf("35010200%d", rapid.IntRange(1, 2).Draw(rt, "street")))
				fs[i].Feeder = rapid.SampledFrom([]string{"", "F-0", "F-1"}).Draw(rt, "feeder")
				f := fs[i]
				f.Device = devices.DeviceID(f.ID)
				text, err := registry.EncodeFed([]registry.Fed{{Facility: f, Moved: was != partitionOf(f.Key(), n)}})
				if err != nil {
					rt.Fatal(err)
				}
				all(devices.Item{Type: devices.ItemCensus, Control: text})
			case 4:
				all(s.window(Window{ID: "w", Area: "350102001", Kind: "streetlight", Reason: "r", By: "b"}, (wall-start)/1000, (wall-start)/1000+6))
			case 5:
				if rapid.IntRange(0, 4).Draw(rt, "other rules") == 0 {
					all(devices.Item{Type: devices.ItemRuleSet, Control: rapid.SampledFrom(sets).Draw(rt, "set")})
				}
			case 6:
				c := registry.Facility{ID: "CAB-2", Kind: devices.Streetlight, Feeder: rapid.SampledFrom([]string{"", "F-0", "F-1"}).Draw(rt, "feeder of the cabinet")}
				put(partitionOf(c.Key(), n), s.census(c))
			}
			for i, f := range fs {
				if !mute[i] && rapid.IntRange(0, 2).Draw(rt, "speaks") == 0 {
					it := s.says(string(f.ID), float64(wall-start)/1000, "lamp_failure", bad[i])
					it.Message.HasSeq = false
					put(partitionOf(f.Key(), n), it)
				}
			}
			live.step(wall, items)
			crashed.step(wall, items)
			if rapid.IntRange(0, 7).Draw(rt, "crash") == 0 {
				crashed.crash(rapid.IntRange(0, n-1).Draw(rt, "of"), rapid.Bool().Draw(rt, "orderly"))
			}
			wall += rapid.SampledFrom([]int64{100, 500, 1000}).Draw(rt, "passes")
		}
		for p := range n {
			differ(rt, p, "with crashes", live.desks[p].got, crashed.desks[p].got)
		}
		replayed := newExchange(rt, s, n, t.TempDir())
		replayed.deaf = true
		open := make(map[string]int)
		for p := range n {
			for _, b := range live.frames[p] {
				replayed.consume(p, b)
			}
			differ(rt, p, "replayed", live.desks[p].got, replayed.desks[p].got)
			for _, l := range live.desks[p].got { // the two who may open a ticket are one
				if w := strings.Fields(l); strings.HasPrefix(w[3], "area:") || strings.HasPrefix(w[3], "feeder:") {
					switch k := w[3] + " " + w[4]; w[2] {
					case fmt.Sprint(Opened):
						open[k]++
					case fmt.Sprint(Ended):
						open[k]--
					}
					if open[w[3]+" "+w[4]] > 1 {
						rt.Fatalf("%s is opened twice", w[3])
					}
				}
			}
		}
	})
}

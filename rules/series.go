package rules

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// series is the past of one channel, ascending in time. The newest values are
// kept one by one. Of more than maxSamples the oldest are told together, in
// stretches that are no longer than a part of the time since: however long a
// window is, and however often a device reports, the window reaches back less than
// that part too far, and nothing in it is forgotten.
type series struct {
	channel   uint32
	stretches []stretch // before all samples
	samples   []sample
}

// sample is one value of a channel's past.
type sample struct {
	at  int64
	num float64
}

// stretch is several samples that follow each other.
type stretch struct {
	from, to      int64 // event times of the first and the last
	n             int64
	sum, min, max float64
	first, last   float64
	turns         int64 // how often two neighbours are not alike
}

const (
	maxSamples = 600
	// blur is the part of the time since it ended that a stretch may last: 1/blur.
	blur = 50
)

// series is what is kept of a channel of f, nil if nothing is.
func (f *facility) series(channel uint32) *series {
	if f.more == nil {
		return nil
	}
	for i := range f.more.series {
		if f.more.series[i].channel == channel {
			return &f.more.series[i]
		}
	}
	return nil
}

// add takes a value over that is no older than the last, and forgets what lies
// further back than span, ms.
func (s *series) add(x sample, span int64) {
	old := 0
	for old < len(s.stretches) && s.stretches[old].to < x.at-span {
		old++
	}
	s.stretches = slices.Delete(s.stretches, 0, old)
	old = 0
	for old < len(s.samples) && s.samples[old].at < x.at-span {
		old++
	}
	s.samples = slices.Delete(s.samples, 0, old)
	if n := len(s.samples); n > 0 && s.samples[n-1].at == x.at {
		s.samples[n-1].num = x.num
		return
	}
	if len(s.samples) >= maxSamples {
		s.fold(x.at)
	}
	s.samples = append(s.samples, x)
}

// fold makes stretches of the oldest samples, and longer ones of what has grown
// older.
func (s *series) fold(now int64) {
	const oldest = maxSamples / 4
	for _, x := range s.samples[:oldest] {
		s.stretches = append(s.stretches, stretch{from: x.at, to: x.at, n: 1, sum: x.num, min: x.num, max: x.num, first: x.num, last: x.num})
	}
	s.samples = slices.Delete(s.samples, 0, oldest)
	kept := s.stretches[:0]
	for _, x := range s.stretches {
		if n := len(kept); n > 0 && x.to-kept[n-1].from <= (now-x.to)/blur {
			kept[n-1].join(&x)
			continue
		}
		kept = append(kept, x)
	}
	s.stretches = kept
}

// join adds the stretch that follows t.
func (t *stretch) join(x *stretch) {
	if t.last != x.first {
		t.turns++
	}
	t.to, t.last = x.to, x.last
	t.n, t.sum, t.turns = t.n+x.n, t.sum+x.sum, t.turns+x.turns
	t.min, t.max = min(t.min, x.min), max(t.max, x.max)
}

// older is how much of the series a window that begins at edge does not hold.
func (s *series) older(edge int64) int {
	return sort.Search(len(s.stretches)+len(s.samples), func(i int) bool {
		if i < len(s.stretches) {
			return s.stretches[i].to > edge
		}
		return s.samples[i-len(s.stretches)].at > edge
	})
}

// after is what a window that begins at edge holds.
func (s *series) after(edge int64) content {
	i, n := s.older(edge), len(s.stretches)
	return content{s.stretches[min(i, n):], s.samples[max(0, i-n):]}
}

// at is the last value at edge, or the first after it.
func (s *series) at(edge int64) sample {
	i, n := s.older(edge), len(s.stretches)
	switch {
	case i < n && (s.stretches[i].from <= edge || i == 0):
		return sample{s.stretches[i].from, s.stretches[i].first}
	case i > 0 && i <= n:
		return sample{s.stretches[i-1].to, s.stretches[i-1].last}
	case i == 0:
		return s.samples[0]
	}
	return s.samples[i-n-1]
}

// newest is the last value: there is one, for only a newer one makes it go.
func (s *series) newest() sample { return s.samples[len(s.samples)-1] }

// content is the part of a series that a window holds.
type content struct {
	stretches []stretch
	samples   []sample
}

func (x content) empty() bool { return len(x.stretches)+len(x.samples) == 0 }

// folds are the aggregates. None but count and changes is asked of an empty
// window.
var folds = map[string]func(content) float64{
	"avg": func(x content) float64 { return x.sum() / x.count() },
	"min": func(x content) float64 {
		return x.least(func(t *stretch) float64 { return t.min }, func(a, b float64) float64 { return min(a, b) })
	},
	"max": func(x content) float64 {
		return x.least(func(t *stretch) float64 { return t.max }, func(a, b float64) float64 { return max(a, b) })
	},
	"sum":     content.sum,
	counting:  content.count,
	"p50":     func(x content) float64 { return x.rank(0.50) },
	"p95":     func(x content) float64 { return x.rank(0.95) },
	turnovers: content.turns,
}

const (
	counting  = "count"
	turnovers = "changes" // how often a yes-or-no channel turned over
)

// alike are the aggregates that compare with the channel's own limit.
var alike = []string{"avg", "min", "max", "p50", "p95"}

func (x content) count() float64 {
	n := int64(len(x.samples))
	for i := range x.stretches {
		n += x.stretches[i].n
	}
	return float64(n)
}

func (x content) sum() (sum float64) {
	for i := range x.stretches {
		sum += x.stretches[i].sum
	}
	for i := range x.samples {
		sum += x.samples[i].num
	}
	return sum
}

// least is the least of all by an order; of is that of a stretch.
func (x content) least(of func(*stretch) float64, less func(a, b float64) float64) float64 {
	out := math.NaN()
	take := func(n float64) {
		if math.IsNaN(out) {
			out = n
		}
		out = less(out, n)
	}
	for i := range x.stretches {
		take(of(&x.stretches[i]))
	}
	for i := range x.samples {
		take(x.samples[i].num)
	}
	return out
}

func (x content) turns() float64 {
	n, last := int64(0), math.NaN()
	turn := func(to float64) {
		if last != to && !math.IsNaN(last) {
			n++
		}
	}
	for i := range x.stretches {
		turn(x.stretches[i].first)
		n += x.stretches[i].turns
		last = x.stretches[i].last
	}
	for i := range x.samples {
		turn(x.samples[i].num)
		last = x.samples[i].num
	}
	return float64(n)
}

// rank is the nearest-rank percentile. Of a stretch the least and the greatest
// are known, and the mean of the others.
func (x content) rank(part float64) float64 {
	type weighted struct {
		num float64
		n   int64
	}
	all := make([]weighted, 0, 3*len(x.stretches)+len(x.samples))
	for i := range x.stretches {
		t := &x.stretches[i]
		if t.n > 2 {
			all = append(all, weighted{(t.sum - t.min - t.max) / float64(t.n-2), t.n - 2})
		}
		if t.n > 1 {
			all = append(all, weighted{t.min, 1})
		}
		all = append(all, weighted{t.max, 1})
	}
	for i := range x.samples {
		all = append(all, weighted{x.samples[i].num, 1})
	}
	slices.SortFunc(all, func(a, b weighted) int { return cmp.Compare(a.num, b.num) })
	left := int64(math.Ceil(part * x.count()))
	for i := range all {
		if left -= all[i].n; left <= 0 {
			return all[i].num
		}
	}
	return math.NaN()
}

func (x *rare) clone() *rare {
	if x == nil {
		return nil
	}
	c := &rare{series: slices.Clone(x.series), past: x.past.clone(), held: slices.Clone(x.held), next: x.next, learned: slices.Clone(x.learned), sensors: x.sensors.clone()}
	for i := range c.series {
		c.series[i].samples, c.series[i].stretches = slices.Clone(c.series[i].samples), slices.Clone(c.series[i].stretches)
	}
	return c
}

// frozen is the series as a snapshot has them.
func (x *rare) frozen() []snapshotSeries {
	if x == nil {
		return nil
	}
	out := make([]snapshotSeries, len(x.series))
	for i, s := range x.series {
		out[i].Channel = s.channel
		for _, p := range s.samples {
			out[i].At, out[i].Num = append(out[i].At, p.at), append(out[i].Num, p.num)
		}
	}
	return out
}

func (f *facility) thawSeries(all []snapshotSeries, channels []uint32) {
	for _, s := range all {
		if int(s.Channel) >= len(channels) || channels[s.Channel] == none || len(s.At) == 0 || len(s.At) != len(s.Num) {
			continue
		}
		n := series{channel: channels[s.Channel]}
		for i := range s.At {
			n.samples = append(n.samples, sample{s.At[i], s.Num[i]})
		}
		f.rare().series = append(f.rare().series, n)
	}
}

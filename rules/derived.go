package rules

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// derived is a value that a rule makes of the past of a channel: its change per
// time, or an aggregate over a window of event time.
type derived struct {
	name    string
	channel *devices.Channel
	span    int64 // ms of the past that are looked at
	per     int64 // ms: of a rate; 0 = an aggregate
	fold    func([]sample) float64
	base    *baseline // nil = of the window
	part    int       // in baselineParts
	alike   bool      // in the channel's unit, and on its scale
}

// derivedText is one as it stands in a file.
type derivedText struct {
	name, channel string
	window, rate  time.Duration
	aggregate     string
	base          *baselineText
	at            *yaml.Node
}

// sample is one value of a channel's past.
type sample struct {
	at  int64
	num float64
}

// series is the past of one channel, ascending in time.
type series struct {
	channel uint32
	samples []sample
}

// maxSamples bounds a series: of a device that reports more in one window, the
// newest count.
const maxSamples = 600

var folds = map[string]func([]sample) float64{
	"avg":   average,
	"min":   func(s []sample) float64 { return slices.MinFunc(s, byNum).num },
	"max":   func(s []sample) float64 { return slices.MaxFunc(s, byNum).num },
	"sum":   func(s []sample) float64 { return average(s) * float64(len(s)) },
	"count": func(s []sample) float64 { return float64(len(s)) },
	"p50":   func(s []sample) float64 { return rank(s, 0.50) },
	"p95":   func(s []sample) float64 { return rank(s, 0.95) },
	// how often a yes-or-no channel turned over
	turnovers: func(s []sample) float64 {
		n := 0
		for i := 1; i < len(s); i++ {
			if s[i].num != s[i-1].num {
				n++
			}
		}
		return float64(n)
	},
}

const turnovers = "changes"

// alike are the aggregates that compare with the channel's own limit.
var alike = []string{"avg", "min", "max", "p50", "p95"}

func byNum(a, b sample) int {
	switch {
	case a.num < b.num:
		return -1
	case a.num > b.num:
		return 1
	}
	return 0
}

func average(s []sample) float64 {
	sum := 0.0
	for _, x := range s {
		sum += x.num
	}
	return sum / float64(len(s))
}

// rank is the nearest-rank percentile.
func rank(s []sample, part float64) float64 {
	nums := make([]float64, len(s))
	for i, x := range s {
		nums[i] = x.num
	}
	sort.Float64s(nums)
	return nums[int(math.Ceil(part*float64(len(nums))))-1]
}

// values reads the derived values of a rule.
func (t *ruleText) values(r *reader, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.Fail(n, "values: found %s; want names, such as {rise: {channel: water_level_m, window: 10m, rate: 1m}}", strict.Shape(n))
		return
	}
	words := make([]string, 0, len(folds))
	for w := range folds {
		words = append(words, w)
	}
	slices.Sort(words)
	r.Entries(n, "values", func(k, v *yaml.Node) { t.value(r, k.Value, v, words) })
}

// value reads one of them; words are the aggregates.
func (t *ruleText) value(r *reader, name string, n *yaml.Node, words []string) {
	d := derivedText{name: name, at: n}
	what, before := "values."+name, len(r.Wrong)
	if !r.Mapping(n, what, strict.Fields{
		"channel":   r.Text(what+".channel", &d.channel),
		"window":    r.Duration(what+".window", &d.window),
		"rate":      r.Duration(what+".rate", &d.rate),
		"baseline":  func(n *yaml.Node) { d.base = r.baseline(n, what) },
		"aggregate": r.Choice(what+".aggregate", words, func(s string) { d.aggregate = s }),
	}) || len(r.Wrong) > before {
		return
	}
	if past := d.window != 0 || d.rate != 0 || d.aggregate != ""; d.channel == "" || past == (d.base != nil) || past && (d.window == 0 || (d.rate == 0) == (d.aggregate == "")) {
		r.Fail(n, "%s: want channel, window, and either aggregate: %s, or rate: the time that the change is told per; or channel and baseline", what, strict.Either(words))
		return
	}
	t.derived = append(t.derived, d)
}

func (t *ruleText) derivedNames() []string {
	var out []string
	for i := range t.derived {
		out = append(out, t.derived[i].name)
		if t.derived[i].base != nil {
			out = append(out, t.derived[i].name+baselineParts[1], t.derived[i].name+baselineParts[2])
		}
	}
	return out
}

// declare makes the rule's own values known to its expressions.
func (x *expressions) declare() {
	for i := range x.t.derived {
		d := &x.t.derived[i]
		ch := x.l.channels[d.channel]
		switch {
		case ch == nil:
			x.r.Fail(d.at, "values.%s: %s", d.name, x.l.stranger(d.channel, x.c.dict))
		case ch.Type == devices.Text:
			x.r.Fail(d.at, "values.%s: %s is a text; want a channel of numbers", d.name, d.channel)
		case d.aggregate == turnovers && ch.Type != devices.Bool:
			x.r.Fail(d.at, "values.%s: %s is a number, of which no two are alike; changes counts how often a yes-or-no channel turns over", d.name, d.channel)
		case !ruleName.MatchString(d.name) || slices.Contains(x.l.words, d.name) || strings.HasPrefix(d.name, limitPrefix):
			x.r.Fail(d.at, "values.%s: the name is taken, or no name: want small letters, digits and _, unlike any channel", d.name)
		default:
			all := []*derived{{name: d.name, channel: ch, span: d.window.Milliseconds(), per: d.rate.Milliseconds(), fold: folds[d.aggregate], alike: slices.Contains(alike, d.aggregate)}}
			if d.base != nil {
				all = x.declareBaseline(d, ch)
			}
			x.extend(d, all)
		}
	}
}

// extend makes variables of derived values.
func (x *expressions) extend(text *derivedText, all []*derived) {
	for _, d := range all {
		env, err := x.env.Extend(cel.Variable(d.name, cel.DoubleType))
		if err != nil {
			x.r.Fail(text.at, "values.%s: %v", d.name, err)
			return
		}
		x.env = env
		x.t.Rule.derived = append(x.t.Rule.derived, d)
	}
}

// remember keeps what derived values of f's kind will need of a reading; false
// if they need nothing.
func (e *Engine) remember(f *facility, k *kindRules, v *value) bool {
	span := int64(0)
	for _, r := range k.rules {
		for _, d := range r.derived {
			if uint32(d.channel.ID) == v.channel {
				span = max(span, d.span)
			}
		}
	}
	if span == 0 {
		return false
	}
	x := f.rare()
	i := slices.IndexFunc(x.series, func(s series) bool { return s.channel == v.channel })
	if i < 0 {
		x.series = append(x.series, series{channel: v.channel})
		i = len(x.series) - 1
	}
	s := &x.series[i]
	old := 0
	for old < len(s.samples) && (s.samples[old].at < v.at-span || len(s.samples)-old >= maxSamples) {
		old++
	}
	s.samples = append(s.samples[:0], s.samples[old:]...)
	if n := len(s.samples); n > 0 && s.samples[n-1].at == v.at {
		s.samples[n-1].num = v.num
		return true
	}
	s.samples = append(s.samples, sample{v.at, v.num})
	return true
}

// of is the derived value at instant at; ok is false when too little is known. Of
// a channel that was never reported it is NaN, as the channel itself is.
func (d *derived) of(f *facility, at int64) (x float64, ok bool) {
	if !f.has(d.channel) {
		return math.NaN(), true
	}
	if d.base != nil {
		return d.base.of(f, d.part, at)
	}
	var all []sample
	if f.more != nil {
		for i := range f.more.series {
			if f.more.series[i].channel == uint32(d.channel.ID) {
				all = f.more.series[i].samples
			}
		}
	}
	from := sort.Search(len(all), func(i int) bool { return all[i].at > at-d.span })
	if in := all[from:]; d.per == 0 {
		if len(in) == 0 {
			return 0, false
		}
		return d.fold(in), true
	}
	// a rate looks back to the edge of the window: the last sample before it too
	if from > 0 {
		from--
	}
	in := all[from:]
	if len(in) < 2 {
		return 0, false
	}
	first, last := in[0], in[len(in)-1]
	if last.at-first.at < d.span/2 {
		return 0, false // noise of neighbours is no trend
	}
	return (last.num - first.num) / float64(last.at-first.at) * float64(d.per), true
}

func (x *rare) clone() *rare {
	if x == nil {
		return nil
	}
	c := &rare{series: slices.Clone(x.series), past: x.past.clone(), held: slices.Clone(x.held), next: x.next, learned: slices.Clone(x.learned), sensors: x.sensors.clone()}
	for i := range c.series {
		c.series[i].samples = slices.Clone(c.series[i].samples)
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
		if int(s.Channel) >= len(channels) || channels[s.Channel] == none || len(s.At) != len(s.Num) {
			continue
		}
		n := series{channel: channels[s.Channel]}
		for i := range s.At {
			n.samples = append(n.samples, sample{s.At[i], s.Num[i]})
		}
		f.rare().series = append(f.rare().series, n)
	}
}

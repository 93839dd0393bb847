package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// A baseline is what a channel usually is at one facility: the mean of what it
// was, or a straight line over another channel, such as the temperature, and over
// the same with a lag. It is learned, and forgets; what is judged is the residual,
// what the channel is beyond that.
//
// Readings are averaged over steps of event time first, so that neither a lorry
// nor a burst of readings counts for more than its time. A step is not learned
// from while the rule holds, while the sensor is not believed, and where it lies
// further off than wild bands, or the residual's own mean further than drifts: a
// fault does not become the usual.
type baseline struct {
	key     string // rule, name and declaration: what was learned under another is of no use
	rule    *Rule
	name    string
	channel *devices.Channel
	on      *devices.Channel // nil = the mean
	lag     int64            // ms: time constant of the low pass of on, 0 = there is none
	over    int64            // ms: what is older counts 1/e
	least   int64            // ms of learning before anything is judged
	step    int64            // ms
	smooth  int64            // ms: time constant of the residual's own mean, 0 = none
	near    float64          // what lies further from the centre, as a share of that, is left out; 0 = nothing is
	by      *devices.Channel // its square is what a value counts for when the center is looked for; nil = all count alike
	census  bool             // only for facilities that have a limit of the channel of their own
}

const (
	// wild is how many bands off a step may lie and still be learned from.
	wild = 4
	// drifts is how many bands off the residual's own mean may lie: noise is gone
	// from it, and what would be learned is what goes on for long.
	drifts = 2
	// leastSteps is how many have to be learned before anything is judged.
	leastSteps = 30
	// day is the unit in which what was learned counts as independent: the
	// residuals of one day are much alike.
	dayMS = 24 * 3600_000
)

// baselineText is one as it stands in a file.
type baselineText struct {
	on                           string
	lag, over, least, step, mean time.Duration
	near                         float64
	by                           string
}

// baseline reads the declaration under a value's name.
func (r *reader) baseline(n *yaml.Node, what string) *baselineText {
	b := &baselineText{over: 30 * 24 * time.Hour, least: 3 * 24 * time.Hour, step: 10 * time.Minute}
	what += ".baseline"
	ok := r.Mapping(n, what, strict.Fields{
		"on": r.Text(what+".on", &b.on), "lag": r.Duration(what+".lag", &b.lag), "over": r.Duration(what+".over", &b.over),
		"min": r.Duration(what+".min", &b.least), "step": r.Duration(what+".step", &b.step), "mean": r.Duration(what+".mean", &b.mean),
		"near": r.Number(what+".near", 0.01, 0.9, &b.near), "by": r.Text(what+".by", &b.by),
	})
	switch {
	case !ok:
	case b.lag > 0 && b.on == "":
		r.Fail(n, "%s: lag without on: of which channel?", what)
	case b.by != "" && b.near == 0:
		r.Fail(n, "%s: by without near: what would it be the weight of?", what)
	case b.step < time.Second || b.over < 10*b.step:
		r.Fail(n, "%s: found step %s and over %s; want steps of 1s or more, and over at least ten of them", what, b.step, b.over)
	case b.least < b.step:
		r.Fail(n, "%s: found min %s; want at least a step, %s", what, b.least, b.step)
	}
	return b
}

// baselineParts are the variables that a baseline gives, after its name: the
// residual, its error band (one standard deviation), and what is usual.
var baselineParts = [...]string{"", "_band", "_expected"}

// declareBaseline makes the variables of a baseline known.
func (x *expressions) declareBaseline(d *derivedText, ch *devices.Channel) []*derived {
	t := d.base
	b := &baseline{name: d.name, channel: ch, lag: t.lag.Milliseconds(), over: t.over.Milliseconds(), least: t.least.Milliseconds(), step: t.step.Milliseconds(), smooth: t.mean.Milliseconds(), near: t.near}
	var on, by bool
	b.on, on = x.another(d, "on", t.on)
	if b.by, by = x.another(d, "by", t.by); !on || !by {
		return nil
	}
	l, limited := x.t.Limits[ch.Name]
	b.census = limited && math.IsNaN(l.Default) && len(l.Models) == 0
	b.key = strings.Join([]string{x.t.Name, d.name, ch.Name, t.on, t.lag.String(), t.over.String(), t.step.String(), t.mean.String()}, " ")
	if t.near > 0 {
		b.key += fmt.Sprint(" near ", t.near, " ", t.by)
	}
	var out []*derived
	for i, part := range baselineParts {
		out = append(out, &derived{name: d.name + part, channel: ch, base: b, part: i})
	}
	return out
}

// another is the channel that a key of a baseline names, nil where it names none;
// ok is false for a mistake.
func (x *expressions) another(d *derivedText, key, name string) (ch *devices.Channel, ok bool) {
	if name == "" {
		return nil, true
	}
	switch ch = x.l.channels[name]; {
	case ch == nil:
		x.r.Fail(d.at, "values.%s: baseline.%s: %s", d.name, key, x.l.stranger(name, x.c.dict))
	case ch.Type == devices.Text || ch.Name == d.channel:
		x.r.Fail(d.at, "values.%s: baseline.%s: found %s; want another channel of numbers", d.name, key, name)
	default:
		return ch, true
	}
	return nil, false
}

// wants tells whether b is learned at f.
func (b *baseline) wants(f *facility) bool {
	if !b.census {
		return true
	}
	_, ok := f.limits[b.channel.Name]
	return ok
}

// usualOf is what is known of b at f, nil if nothing is.
func (f *facility) usualOf(b *baseline) *learned {
	if f.more == nil {
		return nil
	}
	for i := range f.more.learned {
		if f.more.learned[i].key == b.key {
			return &f.more.learned[i]
		}
	}
	return nil
}

// of is a part of a baseline at instant at; ok is false where it is not known.
func (b *baseline) of(f *facility, part int, at int64) (float64, bool) {
	l := f.usualOf(b)
	if l == nil || l.at == 0 || at-l.at > 2*b.step+leastMaxAge.Milliseconds()+2*f.expectMS {
		return 0, false
	}
	switch part {
	case 0:
		return b.residual(l), true
	case 1:
		return l.band, true
	}
	return l.usual, true
}

func (b *baseline) residual(l *learned) float64 {
	if b.smooth > 0 {
		return l.drift
	}
	return l.now - l.usual
}

// learn lets the baselines of f's kind see a reading that is of now; the bits
// are those of the channels of which a step ended.
func (e *Engine) learn(f *facility, k *kindRules, r *devices.Reading) (ended uint64) {
	for _, b := range k.baselines {
		if !b.wants(f) {
			continue
		}
		if s := b.rule.Schedule; s != nil {
			// a step in which the lamps are just switched on is half dark
			if active, known := s.active(e, f, r.Time); !active || !known {
				continue
			}
			if active, known := s.active(e, f, r.Time-b.step); !active || !known {
				continue
			}
		}
		for i := range r.Values {
			v := &r.Values[i]
			on, own := b.on != nil && v.Channel.ID == b.on.ID, v.Channel.ID == b.channel.ID
			switch {
			case v.Quality != devices.Good || !on && !own || f.doubted(uint32(v.Channel.ID)):
			case on:
				b.sees(f, v.Num, r.Time)
			case b.takes(e, f, v.Num, r.Time):
				ended |= k.bit(b.channel.ID)
			}
		}
	}
	return ended
}

// sees keeps the low pass of what b is regressed on.
func (b *baseline) sees(f *facility, x float64, at int64) {
	if b.lag > 0 {
		b.filter(b.known(f), x, at)
	}
}

// known is what is known of b at f, made if it is not there.
func (b *baseline) known(f *facility) *learned {
	if l := f.usualOf(b); l != nil {
		return l
	}
	x := f.rare()
	x.learned = append(x.learned, learned{key: b.key})
	return &x.learned[len(x.learned)-1]
}

// takes adds a value to the step at hand; true when the one before has ended.
func (b *baseline) takes(e *Engine, f *facility, y float64, at int64) (ended bool) {
	x, z := 0.0, 0.0
	if b.on != nil {
		v, fresh := f.value(b.on.ID, b.rule.maxAge(f))
		if v.at == 0 || !fresh || f.doubted(v.channel) {
			return false
		}
		x = v.num
	}
	l := b.known(f)
	if b.near > 0 && !b.belongs(f, l, y) {
		l.left++
		return false
	}
	if b.lag > 0 {
		if l.lowAt == 0 || at-l.lowOf < settling*b.lag {
			return false // it still remembers where it began
		}
		z = l.low
	}
	cell, current := b.began(at), b.began(l.last)
	if cell < current {
		return false
	}
	if cell > current && l.cellN > 0 {
		b.judge(l, f.maintained || b.frozen(f))
		ended = true
		l.cellN, l.cellS = 0, [3]float64{}
	}
	// It stands for the time since the one before: a lorry that a logger tells of in
	// ten values is not ten minutes.
	w := float64(max(1, min(b.step, at-l.last)))
	l.last = max(l.last, at)
	l.cellN += w
	for i, v := range [3]float64{x, z, y} {
		l.cellS[i] += w * v
	}
	return ended
}

// began is when the step began that an instant lies in.
func (b *baseline) began(at int64) int64 { return at - at%b.step }

// belongs tells whether a value is of what the baseline is about. What comes out of
// a block of waveform is the frequency that was strongest in it: of a bridge that
// nothing drives over that may be another than its own. Its own is known by the
// census (the facility's limit of the channel), or is that around which most of what
// was told lies: each value near the center is a vote for it, each other one against,
// and where none are left the next value is the center and all is learned anew
// (Boyer and Moore). What is usual, once enough was learned, stays the center.
func (b *baseline) belongs(f *facility, l *learned, y float64) bool {
	around := func(c float64) bool { return math.Abs(y-c) <= b.near*math.Abs(c) }
	if c, ok := f.limits[b.channel.Name]; ok {
		return around(c)
	}
	if l.at > 0 {
		return around(l.usual)
	}
	w := b.weight(f)
	switch {
	case l.votes > 0 && around(l.center):
		l.votes += w
		l.center += (y - l.center) * w / l.votes
		return true
	case l.votes > w:
		l.votes -= w
		return false
	}
	*l = learned{key: l.key, left: l.left, low: l.low, lowAt: l.lowAt, lowOf: l.lowOf, center: y, votes: w}
	return true
}

// weight is how much the newest value counts: where the rule names a channel for
// it, the square of that, for a bridge shows its own frequency when it moves.
func (b *baseline) weight(f *facility) float64 {
	if b.by != nil {
		if v, _ := f.value(b.by.ID, 0); v.at > 0 {
			return v.num * v.num
		}
	}
	return 1
}

// frozen tells whether nothing is learned now, because the rule holds.
func (b *baseline) frozen(f *facility) bool {
	a := f.find(b.rule.index)
	return a != nil && !a.heir && (a.pending != 0 || a.firing || a.held)
}

// judge holds the step at hand against what is usual, and learns from it.
func (b *baseline) judge(l *learned, frozen bool) {
	p := l.cellS
	for i := range p {
		p[i] /= l.cellN
	}
	begin := b.began(l.last)
	if l.since == 0 {
		l.since = begin
	}
	end := begin + b.step
	if l.steps >= leastSteps && end-l.since >= b.least {
		l.usual, l.band = l.expect(p[0], p[1], b.step)
		l.now = p[2]
		if b.smooth > 0 {
			past := b.step
			if l.at > 0 {
				past = end - l.at
			}
			l.drift += (l.now - l.usual - l.drift) * (1 - math.Exp(-float64(past)/float64(b.smooth)))
		}
		l.at = end
		frozen = frozen || l.band > 0 && (math.Abs(l.now-l.usual) > wild*l.band || math.Abs(l.drift) > drifts*l.band)
	}
	if !frozen {
		l.add(p, math.Exp(-float64(b.step)/float64(b.over)))
	}
}

// relearn forgets what the baselines of a rule know of the facilities that a
// window names, which has ended: the facility was worked on, and its usual is
// another one.
func (e *Engine) relearn(w *Window) {
	if w.Rule == "" {
		return
	}
	for _, f := range e.facilities {
		if f.more != nil && w.at(e, f) {
			f.more.learned = slices.DeleteFunc(f.more.learned, func(l learned) bool { return strings.HasPrefix(l.key, w.Rule+" ") })
			if r := e.set.find(f.kind, w.Rule); r != nil && len(r.bases) > 0 {
				e.outside(f, r) // what has not begun does not begin
			}
		}
	}
}

// keepLearned forgets what no baseline of s is about.
func (f *facility) keepLearned(s *Set) {
	if f.more == nil {
		return
	}
	f.more.learned = slices.DeleteFunc(f.more.learned, func(l learned) bool {
		return !slices.ContainsFunc(s.kinds[f.kind].baselines, func(b *baseline) bool { return b.key == l.key })
	})
}

package rules

import (
	"math"
	"slices"
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
	fold    func(content) float64
	none    bool      // 0 of a window without a value, where others are unknown
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
			all := []*derived{{name: d.name, channel: ch, span: d.window.Milliseconds(), per: d.rate.Milliseconds(), fold: folds[d.aggregate], none: d.aggregate == counting || d.aggregate == turnovers, alike: slices.Contains(alike, d.aggregate)}}
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
	s := f.series(v.channel)
	if s == nil {
		x := f.rare()
		x.series = append(x.series, series{channel: v.channel})
		s = &x.series[len(x.series)-1]
	}
	s.add(sample{v.at, v.num}, span)
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
	s := f.series(uint32(d.channel.ID))
	if s == nil {
		return 0, false
	}
	edge := at - d.span
	if d.per > 0 {
		return s.rate(edge, d)
	}
	in := s.after(edge)
	if in.empty() {
		return 0, d.none
	}
	return d.fold(in), true
}

// rate is the change of a series since the edge of the window, or since the last
// value before it.
func (s *series) rate(edge int64, d *derived) (float64, bool) {
	first, last := s.at(edge), s.newest()
	if last.at == first.at || last.at-first.at < d.span/2 {
		return 0, false // noise of neighbours is no trend
	}
	return (last.num - first.num) / float64(last.at-first.at) * float64(d.per), true
}

// passes is the bits of the channels of which something has left a window since
// event time stood at before.
func (f *facility) passes(k *kindRules, before int64) (bits uint64) {
	if !k.derives || f.more == nil || len(f.more.series) == 0 {
		return 0
	}
	for _, r := range k.rules {
		for _, d := range r.derived {
			if s := f.series(uint32(d.channel.ID)); d.base == nil && s != nil && s.older(before-d.span) != s.older(f.newest-d.span) {
				bits |= k.bit(d.channel.ID)
			}
		}
	}
	return bits
}

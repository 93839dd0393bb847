package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/manhole"
	"lamplighter/devices/streetlight"
	"lamplighter/rules/strict"
)

// compiler makes a Set of rule files.
type compiler struct {
	set   *Set
	dict  *devices.Dictionary
	zone  *time.Location
	langs [4]*language // by kind, made when needed
	where map[*Rule]string
	says  int // rules and latenesses so far
	wrong strict.Mistakes
}

// language is the variables that an expression about one kind may use.
type language struct {
	kind     devices.Kind
	env      *cel.Env
	channels map[string]*devices.Channel
	words    []string // all variables
	bits     map[string]uint64
}

const (
	limitPrefix = "limit_" // limit_tilt_deg is the limit of tilt_deg
	nightWord   = "night"  // the sun is down at the facility's place
	membersWord = "members"
	hasPrefix   = "has_"     // has_lamp_on: the facility has reported lamp_on, however long ago
	tellPrefix  = "members_" // members_voltage_v: how many of members have reported voltage_v
	// celCost bounds one evaluation, by what it may cost at most.
	celCost = 10000
)

// kindChannels is what a facility of a kind may report.
func kindChannels(k devices.Kind) []devices.Channel {
	own := map[devices.Kind]func() []devices.Channel{devices.Manhole: manhole.Channels, devices.Streetlight: streetlight.Channels, devices.Bridge: bridge.Channels}[k]
	return append(devices.CommonChannels(), own()...)
}

// channelsOf is the language of a kind with its channels alone.
func channelsOf(k devices.Kind, dict *devices.Dictionary) *language {
	l := &language{kind: k, channels: make(map[string]*devices.Channel), bits: make(map[string]uint64)}
	for _, x := range kindChannels(k) {
		if ch := dict.Lookup([]byte(x.Name)); ch != nil && l.channels[x.Name] == nil {
			l.channels[x.Name] = ch
			l.words = append(l.words, x.Name)
		}
	}
	return l
}

// language declares the channels of a kind, their limits, and what is known of a
// facility without its saying so.
func (c *compiler) language(k devices.Kind) (*language, error) {
	if c.langs[k] != nil {
		return c.langs[k], nil
	}
	l := channelsOf(k, c.dict)
	opts := []cel.EnvOption{cel.CrossTypeNumericComparisons(true), cel.Variable(nightWord, cel.BoolType), cel.Variable(onWord, cel.BoolType), cel.Variable(membersWord, cel.DoubleType), absolute()}
	for _, name := range slices.Clone(l.words) {
		x := l.channels[name]
		l.words = append(l.words, hasPrefix+name, tellPrefix+name)
		opts = append(opts, cel.Variable(hasPrefix+name, cel.BoolType), cel.Variable(tellPrefix+name, cel.DoubleType))
		opts = append(opts, cel.Variable(x.Name, map[devices.ValueType]*cel.Type{devices.Number: cel.DoubleType, devices.Bool: cel.BoolType, devices.Text: cel.StringType}[x.Type]))
		if x.Type == devices.Number {
			names := []string{x.Name + lowSuffix}
			for tier := 1; tier <= tiers; tier++ {
				names = append(names, tierName(x.Name, tier))
			}
			for _, n := range names {
				l.words = append(l.words, limitPrefix+n)
				opts = append(opts, cel.Variable(limitPrefix+n, cel.DoubleType))
			}
		}
	}
	l.words = append(l.words, nightWord, onWord, membersWord)
	var err error
	if l.env, err = cel.NewEnv(opts...); err != nil {
		return nil, fmt.Errorf("prepare rules: %w", err)
	}
	c.langs[k] = l
	return l, nil
}

const absWord = "abs"

// absolute is abs(x), for what may go either way.
func absolute() cel.EnvOption {
	return cel.Function(absWord, cel.Overload("abs_double", []*cel.Type{cel.DoubleType}, cel.DoubleType, cel.UnaryBinding(func(x ref.Val) ref.Val {
		return types.Double(math.Abs(float64(x.(types.Double))))
	})))
}

// bit is one of 64 that stands for a channel; from the 64th on they share one.
func (l *language) bit(kr *kindRules, ch *devices.Channel) uint64 {
	b, ok := l.bits[ch.Name]
	if !ok {
		b = 1 << min(len(l.bits), 63)
		l.bits[ch.Name] = b
	}
	for len(kr.bits) <= ch.ID {
		kr.bits = append(kr.bits, 0)
	}
	kr.bits[ch.ID] |= b
	return b
}

// compile makes a rule of its text.
func (c *compiler) compile(r *reader, t *ruleText) {
	l, err := c.language(t.Kind)
	if err != nil {
		r.Fail(t.at, "%v", err)
		return
	}
	before := len(r.Wrong)
	x := &expressions{c: c, r: r, l: l, env: l.env, t: t, use: make(map[string]bool)}
	x.declare()
	if x.watch(); len(r.Wrong) > before {
		return
	}
	for ch := range t.Limits {
		if l.limitOf(ch) == nil {
			r.Fail(t.limitsAt, "limits: %s", l.stranger(ch, c.dict))
		}
	}
	if t.channel != nil {
		if t.Channel = l.channels[t.channel.Value]; t.Channel == nil {
			r.Fail(t.channel, "channel: %s", l.stranger(t.channel.Value, c.dict))
		}
	}
	t.when, t.why = x.deciding("when", t.whenAt, t.When)
	var clear *cel.Ast
	if t.clear, clear = x.planned("clear", t.clearAt, t.Clear); clear != nil {
		t.clearLimits = limitsIn(clear.NativeRep().Expr())
	}
	t.atOnce = x.program("at_once", t.onceAt, t.AtOnce)
	for i := range t.Steps {
		s, at := &t.Steps[i], t.stepsAt[i]
		s.when, s.why = x.deciding("steps: when", at.when, s.When)
		s.clear = x.program("steps: clear", at.clear, s.Clear)
	}
	for i := range t.Wordings {
		w := &t.Wordings[i]
		w.when, w.why = x.deciding("wording: when", t.wordingsAt[i], w.When)
	}
	if t.Schedule != nil {
		t.Schedule.zone = c.zone
	}
	x.apart("clear", t.clearAt, t.When, t.Clear)
	for i, s := range t.Steps {
		x.apart("steps: clear", t.stepsAt[i].clear, s.When, s.Clear)
	}
	if len(r.Wrong) == before && !r.taken {
		x.idle()
	}
	if have := c.set.find(t.Kind, t.Name); have != nil {
		r.Fail(t.at, "the name comes twice, first in %s", c.where[have])
	}
	if len(r.Wrong) > before {
		return
	}
	rule := t.Rule
	for _, d := range rule.derived {
		if d.base != nil && d.part == 0 {
			d.base.rule = &rule
			rule.bases = append(rule.bases, d.base)
		}
	}
	rule.index = len(c.set.kinds[t.Kind].rules)
	c.set.kinds[t.Kind].rules = append(c.set.kinds[t.Kind].rules, &rule)
	c.where[&rule] = r.Where(t.at)
}

package rules

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"

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
	t.clear = x.program("clear", t.clearAt, t.Clear)
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

// expressions compiles those of one rule.
type expressions struct {
	c   *compiler
	r   *reader
	l   *language
	env *cel.Env // with the rule's own values
	t   *ruleText
	use map[string]bool // the variables that they use
}

// program compiles one expression; nil if there is none, or a mistake in it.
func (x *expressions) program(what string, n *yaml.Node, text string) *condition {
	p, _ := x.planned(what, n, text)
	return p
}

// deciding compiles one that makes a ticket, or a worse one.
func (x *expressions) deciding(what string, n *yaml.Node, text string) (*condition, *decision) {
	p, ast := x.planned(what, n, text)
	if p == nil {
		return nil, nil
	}
	return p, x.decides(ast)
}

func (x *expressions) planned(what string, n *yaml.Node, text string) (*condition, *cel.Ast) {
	if n == nil {
		return nil, nil
	}
	ast, iss := x.env.Compile(text)
	if iss.Err() != nil {
		for i, e := range iss.Errors() {
			if i > 0 && strings.HasPrefix(e.Message, "Syntax error") {
				break // what follows from the first
			}
			before := head(text, e.Location.Line(), e.Location.Column())
			line, column := x.r.Place(n, before)
			x.r.FailAt(line, column, "%s: %s", what, x.explain(e.Message, before, text))
		}
		return nil, nil
	}
	if !ast.OutputType().IsEquivalentType(cel.BoolType) {
		x.r.Fail(n, "%s: %s is a %s; want true or false: compare it with something", what, text, typeName(ast.OutputType().String()))
		return nil, nil
	}
	if cost, err := x.env.EstimateCost(ast, textSizes{}); err != nil || cost.Max > celCost {
		x.r.Fail(n, "%s: it may cost %d steps each time; want at most %d: make two rules of it", what, cost.Max, celCost)
		return nil, nil
	}
	x.uses(what, n, ast)
	x.possible(what, n, text, ast)
	// The steps are not counted each time: that would cost a third more, and there are
	// never more than estimated.
	p, err := x.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		x.r.Fail(n, "%s: %v", what, err)
		return nil, nil
	}
	return &condition{p, (&direct{x, ast.NativeRep()}).test(ast.NativeRep().Expr())}, ast
}

// uses notes which channels an expression looks at, and asks for the limits.
func (x *expressions) uses(what string, n *yaml.Node, ast *cel.Ast) {
	kr := &x.c.set.kinds[x.t.Kind]
	names := make([]string, 0, 8)
	for _, ref := range ast.NativeRep().ReferenceMap() {
		names = append(names, ref.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		x.use[name] = true
		if ch := x.l.channels[name]; ch != nil {
			x.t.read(ch)
			x.t.inputs |= x.l.bit(kr, ch)
			continue
		}
		if ch, ok := strings.CutPrefix(name, limitPrefix); ok {
			ch, _ = tierOf(ch)
			x.t.read(x.l.limitOf(ch))
			if _, ok := x.t.Limits[ch]; !ok {
				x.r.Fail(n, "%s: %s has no default; write limits: {%s: NUMBER}, or {%s: census} where only the census knows it", what, name, ch, ch)
			}
			continue
		}
		if ch, ok := strings.CutPrefix(name, hasPrefix); ok && x.l.channels[ch] != nil {
			x.t.inputs |= x.l.bit(kr, x.l.channels[ch])
			continue
		}
		if name == nightWord || name == onWord {
			x.t.timed, x.t.nightly = true, x.t.nightly || name == nightWord
		}
	}
	for _, d := range x.t.Rule.derived {
		x.t.inputs |= x.l.bit(kr, d.channel)
	}
}

// idle finds limits and values that decide nothing. The limit of the channel that
// a ticket shows, and that of a baseline, say something all the same.
func (x *expressions) idle() {
	t := x.t
	for _, ch := range slices.Sorted(maps.Keys(t.Limits)) {
		used := t.Channel != nil && t.Channel.Name == ch || slices.ContainsFunc(t.Rule.derived, func(d *derived) bool { return d.base != nil && d.channel.Name == ch })
		for tier := 1; tier <= tiers; tier++ {
			used = used || x.use[limitPrefix+tierName(ch, tier)]
		}
		if !used {
			x.r.Fail(t.limitsAt, "limits: no expression asks for %s%s; use it, or take the limit of %s out", limitPrefix, ch, ch)
		}
	}
	for i := range t.derived {
		d := &t.derived[i]
		if !slices.ContainsFunc(baselineParts[:], func(part string) bool { return x.use[d.name+part] }) {
			x.r.Fail(d.at, "values.%s: no expression asks for it; use it, or take it out", d.name)
		}
	}
}

// head is what stands before line and column (from 1 and 0) of a text.
func head(text string, line, column int) string {
	var b strings.Builder
	n := 1
	for l := range strings.Lines(text) {
		if n == line {
			runes := []rune(l)
			b.WriteString(string(runes[:min(column, len(runes))]))
			break
		}
		b.WriteString(l)
		n++
	}
	return b.String()
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	leftOver   = regexp.MustCompile(`^(?:extraneous|mismatched) input ('[^']*') expecting <EOF>`)
	overload   = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '\(([^)]*)\)'`)
)

// explain says a message of the CEL compiler about what stands after before in
// words that lead to a cure.
func (x *expressions) explain(msg, before, text string) string {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		return x.l.stranger(m[1], x.c.dict, x.t.derivedNames()...)
	}
	m := overload.FindStringSubmatch(msg)
	if m == nil {
		return x.l.syntax(msg, before, text)
	}
	op := strings.Trim(m[1], "_@")
	types := strings.Split(m[2], ", ")
	for i := range types {
		types[i] = typeName(types[i])
	}
	if len(types) == 1 {
		return fmt.Sprintf("%s does not take a %s", op, types[0])
	}
	out := fmt.Sprintf("%s stands between a %s and a %s", op, types[0], types[1])
	cure := x.l.inUnit(before, text)
	switch {
	case types[0] == "number" && types[1] == "text" && cure != "":
		return out + cure
	case slices.Contains(types, "text"):
		return out + `; a text compares with a text only: "on"`
	case slices.Contains(types, "yes-or-no"):
		return out + "; a yes-or-no channel needs no comparison: write it alone, or ! before it"
	case slices.Contains(types, "whole number"):
		return out + "; write whole numbers with a point: 2.0"
	}
	return out + "; want two of one sort"
}

// syntax says what the CEL parser stumbled over.
func (l *language) syntax(msg, before, text string) string {
	msg = strings.TrimPrefix(strings.TrimSpace(msg), "Syntax error: ")
	if strings.HasPrefix(msg, "token recognition error at: '= ") {
		return "= compares nothing; write =="
	}
	if m := leftOver.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("found %s where the expression should end or go on with && or ||%s", m[1], l.inUnit(before, text))
	}
	if found, _, ok := strings.Cut(msg, " expecting {"); ok {
		found = strings.TrimPrefix(strings.TrimPrefix(found, "extraneous input "), "mismatched input ")
		return fmt.Sprintf("found %s where a channel, a number, ! or ( is wanted", found)
	}
	return msg
}

func typeName(cel string) string {
	switch cel {
	case "double":
		return "number"
	case "int", "uint":
		return "whole number"
	case "string":
		return "text"
	case "bool":
		return "yes-or-no"
	}
	return cel
}

// stranger says what may be meant by a word that is no variable of the kind.
func (l *language) stranger(word string, dict *devices.Dictionary, own ...string) string {
	bare, _ := tierOf(strings.TrimPrefix(word, limitPrefix))
	if ch := dict.Lookup([]byte(bare)); ch != nil && !ch.Unknown {
		if ch.Name != bare {
			return fmt.Sprintf("%s is another name of %s; write %s", bare, ch.Name, strings.TrimSuffix(word, bare)+ch.Name)
		}
		if l.channels[bare] == nil {
			return fmt.Sprintf("%s is no channel of a %s%s", bare, l.kind, otherKinds(bare))
		}
		return fmt.Sprintf("%s has no limit: it is no number", bare)
	}
	return fmt.Sprintf("%s is no channel of a %s%s", word, l.kind, strict.Meant(word, append(own, l.words...)))
}

// otherKinds says which kinds have a channel.
func otherKinds(name string) string {
	var have []string
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		if slices.ContainsFunc(kindChannels(k), func(c devices.Channel) bool { return c.Name == name }) {
			have = append(have, "a "+k.String())
		}
	}
	if len(have) == 0 {
		return ""
	}
	return "; " + strings.Join(have, " and ") + " has it"
}

// textSizes tells the estimate of costs how long a text can be.
type textSizes struct{}

// EstimateSize is at most 64 bytes.
func (textSizes) EstimateSize(cost.AstNode) *cost.SizeEstimate {
	return &cost.SizeEstimate{Min: 0, Max: devices.MaxIDLen}
}

// EstimateCallCost leaves calls to the estimate.
func (textSizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

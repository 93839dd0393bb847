package rules

import (
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
)

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
	x.sensible(what, n, text, ast)
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

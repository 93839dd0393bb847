package rules

import (
	"math"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"lamplighter/devices"
)

// decision knows which quantities an expression compares with which bounds. It is
// made when the expression is compiled, and asked only when there is a ticket to
// write: while messages are judged it costs nothing.
type decision struct {
	prog cel.Program // tells what every part of the expression was
	root clause
}

// clause is a comparison of a quantity with a bound, or parts of which all or any
// have to hold, or (neither) something else: a flag, an exclusion.
type clause struct {
	id     int64 // of the expression, as those below
	parts  []clause
	all    bool  // of parts
	choice int64 // the expression that chooses one of two parts, 0 = none does
	of     *quantity
	value  int64
	bound  int64
	limits []string // that stand in the bound, by name
	below  bool     // the value may not fall below the bound
	abs    bool     // abs(…) is compared: the bound is one on either side
}

// quantity is a number that an expression looks at.
type quantity struct {
	name    string // of the channel, or of a value that the rule makes of it
	channel *devices.Channel
	usual   bool // it is what the channel is beyond its usual: in its unit
	own     bool // it is the channel's, or an aggregate that stands for it: in its unit and on its scale
}

// measure is a quantity against its bound.
type measure struct {
	of           *quantity
	value, bound float64
	limited      bool
}

// over is how far the value lies from its bound, in parts of it.
func (m *measure) over() float64 { return math.Abs(m.value-m.bound) / math.Abs(m.bound) }

// decides makes the decision of an expression, nil where it compares no quantity.
func (x *expressions) decides(a *cel.Ast) *decision {
	root := x.clause(a.NativeRep().Expr())
	if root.of == nil && root.parts == nil {
		return nil
	}
	p, err := x.env.Program(a, cel.EvalOptions(cel.OptExhaustiveEval))
	if err != nil {
		return nil // it has just been made without the option
	}
	return &decision{p, root}
}

func (x *expressions) clause(n ast.Expr) clause {
	c := clause{id: n.ID()}
	if n.Kind() != ast.CallKind {
		return c
	}
	args := n.AsCall().Args()
	switch n.AsCall().FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr:
		c.all = n.AsCall().FunctionName() == operators.LogicalAnd
		for _, a := range args {
			if p := x.clause(a); p.of != nil || p.parts != nil {
				c.parts = append(c.parts, p)
			}
		}
	case operators.Conditional:
		a, b := x.clause(args[1]), x.clause(args[2])
		if a.of != nil || a.parts != nil || b.of != nil || b.parts != nil {
			c.choice, c.parts = args[0].ID(), []clause{a, b}
		}
	case operators.Greater, operators.GreaterEquals, operators.Less, operators.LessEquals:
		value, bound := args[0], args[1]
		if c.of = x.quantity(bare(value)); c.of == nil {
			value, bound = bound, value
			c.of = x.quantity(bare(value))
			c.below = true
		}
		if f := n.AsCall().FunctionName(); f == operators.Less || f == operators.LessEquals {
			c.below = !c.below
		}
		c.abs = bare(value) != value
		value = bare(value)
		c.value, c.bound, c.limits = value.ID(), bound.ID(), limitsIn(bound)
	}
	return c
}

// bare is what stands in abs(…), n itself of anything else.
func bare(n ast.Expr) ast.Expr {
	if n.Kind() == ast.CallKind && n.AsCall().FunctionName() == absWord && len(n.AsCall().Args()) == 1 {
		return n.AsCall().Args()[0]
	}
	return n
}

// quantity is what a side of a comparison is, nil of what is none by itself.
func (x *expressions) quantity(n ast.Expr) *quantity {
	if n.Kind() != ast.IdentKind {
		return nil
	}
	if ch := x.l.channels[n.AsIdent()]; ch != nil && ch.Type == devices.Number {
		return &quantity{name: ch.Name, channel: ch, own: true}
	}
	for _, d := range x.t.Rule.derived {
		if d.name == n.AsIdent() && d.part == 0 {
			return &quantity{name: d.name, channel: d.channel, usual: d.base != nil, own: d.alike && d.channel.Type == devices.Number}
		}
	}
	return nil
}

// limitsIn is the names of the limits that stand in an expression.
func limitsIn(n ast.Expr) (names []string) {
	if n.Kind() == ast.CallKind {
		for _, a := range n.AsCall().Args() {
			names = append(names, limitsIn(a)...)
		}
	}
	if n.Kind() == ast.IdentKind {
		if name, ok := strings.CutPrefix(n.AsIdent(), limitPrefix); ok {
			names = append(names, name)
		}
	}
	return names
}

// measured is the comparison that decided about what v shows; nil where no number
// did. Where the expression does not hold (a step or a ticket that only its clear
// ends) it is the one that is nearest to it.
func (d *decision) measured(v *view) *measure {
	if d == nil {
		return nil
	}
	_, details, _ := d.prog.Eval(v) // an error is about a part that is not known
	if details == nil || details.State() == nil {
		return nil
	}
	s := details.State()
	switch answer(s, d.root.id) {
	case yes:
		return d.root.held(s)
	case no:
		return d.root.nearest(s)
	}
	return nil
}

// answer is what a part of an expression said.
func answer(s interpreter.EvalState, id int64) truth {
	x, _ := s.Value(id)
	switch x {
	case types.True:
		return yes
	case types.False:
		return no
	}
	return unknown
}

// held is what made c hold. Of several that would do it is the one furthest over
// its bound, of several that are all needed the one that was hardest to reach; a
// bound that somebody has set as a limit comes before one of the rule's own.
func (c *clause) held(s interpreter.EvalState) *measure {
	if answer(s, c.id) != yes {
		return nil
	}
	if c.parts == nil {
		return c.measure(s)
	}
	return choose(c.chosen(s), c.all, func(p *clause) *measure { return p.held(s) })
}

// nearest is the comparison that lacks least.
func (c *clause) nearest(s interpreter.EvalState) *measure {
	if c.parts == nil {
		return c.measure(s)
	}
	return choose(c.chosen(s), true, func(p *clause) *measure { return p.nearest(s) })
}

// chosen is the parts that say something: all, or the one of two that is chosen.
func (c *clause) chosen(s interpreter.EvalState) []clause {
	if c.choice == 0 {
		return c.parts
	}
	switch answer(s, c.choice) {
	case yes:
		return c.parts[:1]
	case no:
		return c.parts[1:]
	}
	return nil
}

func choose(parts []clause, least bool, of func(*clause) *measure) (best *measure) {
	for i := range parts {
		m := of(&parts[i])
		switch {
		case m == nil:
		case best == nil, m.limited && !best.limited, m.limited == best.limited && (m.over() < best.over()) == least && m.over() != best.over():
			best = m
		}
	}
	return best
}

// measure is the two sides of a comparison, nil where they are not known.
func (c *clause) measure(s interpreter.EvalState) *measure {
	if c.of == nil {
		return nil
	}
	value, ok := num(s, c.value)
	bound, known := num(s, c.bound)
	if !ok || !known {
		return nil
	}
	if c.abs {
		bound = math.Copysign(bound, value)
	}
	return &measure{c.of, value, bound, len(c.limits) > 0}
}

// num is a number that stands in an expression.
func num(s interpreter.EvalState, id int64) (float64, bool) {
	x, _ := s.Value(id)
	switch n := x.(type) {
	case types.Double:
		return float64(n), number(float64(n)) != nil
	case types.Int: // 30 is a bound as 30.0 is
		return float64(n), true
	case types.Uint:
		return float64(n), true
	}
	return 0, false
}

// evidence is m as it is kept, nil of none.
func (m *measure) evidence() *Measure {
	if m == nil {
		return nil
	}
	x := &Measure{Name: m.of.name, Title: devices.Title{ZH: m.of.name, EN: m.of.name}, Value: m.value, Limit: m.bound}
	ch := m.of.channel
	if x.Name == ch.Name {
		x.Title = ch.Title
	}
	if m.of.own {
		x.Channel = ch.Name
	}
	if m.of.own || m.of.usual {
		x.Unit = ch.Unit
	}
	return x
}

// compares tells whether a quantity of the channel is compared in c.
func (c *clause) compares(ch *devices.Channel) bool {
	if c.of != nil && c.of.channel == ch {
		return true
	}
	for i := range c.parts {
		if c.parts[i].compares(ch) {
			return true
		}
	}
	return false
}

// decided is what decided that f is as bad as a step of r says, 0 = none; nil where
// no number did. Where the words of the ticket, 0 = none, are about another quantity, it
// is theirs: number and words say the same.
func (e *Engine) decided(f *facility, r *Rule, step uint8, words uint16) *measure {
	v := &e.view
	v.f, v.e, v.rule = f, e, r
	m := r.decision(step).measured(v)
	if w := r.wording(words); w != nil && w.when.ask(v) == yes {
		if said := w.why.measured(v); said != nil && (m == nil || said.of.channel != m.of.channel) {
			return said
		}
	}
	return m
}

// decision is that of the expression of a step, 0 = none.
func (r *Rule) decision(step uint8) *decision {
	if step == 0 || int(step) > len(r.Steps) {
		return r.why
	}
	return r.Steps[step-1].why
}

// shown is the channel, value and limit that a ticket shows, NaN = none: those that
// decided. Where no number did, but one of the rule's own channel could have, there
// is none to be shown; else that channel says how things are.
func (e *Engine) shown(f *facility, r *Rule, step uint8, m *measure) (channel string, value, limit float64) {
	if r.Channel != nil {
		channel = r.Channel.Name
	}
	if m != nil && m.of.own {
		return m.of.channel.Name, m.value, m.bound
	}
	value, limit = math.NaN(), math.NaN()
	if d := r.decision(step); r.Channel == nil || m == nil && d != nil && d.root.compares(r.Channel) {
		return channel, value, limit
	}
	if v, ok := f.value(r.Channel.ID, r.maxAge(f)); ok {
		value = v.num
	}
	return channel, value, limit
}

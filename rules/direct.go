package rules

import (
	"math"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"lamplighter/devices"
)

// Every message asks a dozen expressions, and CEL boxes each number that it looks at.
// So what nearly all of them are made of (quantities, flags, comparisons, and what
// joins them) is also kept as Go functions, made of the expression that CEL has
// checked. They answer what CEL answers, for what is unknown too.

// test is an expression that is true or false.
type test func(v *view) truth

// amount is one that is a number: NaN where nothing was reported, not known where
// what was reported is not to be believed.
type amount func(v *view) (x float64, known bool)

// direct makes them of one expression of a rule.
type direct struct {
	*expressions
	ast *ast.AST
}

// is makes a truth of what is known.
func is(b bool) truth {
	if b {
		return yes
	}
	return no
}

// test makes one of an expression, nil where only CEL can.
func (x *direct) test(n ast.Expr) test {
	switch n.Kind() {
	case ast.IdentKind:
		return x.flag(n.AsIdent())
	case ast.CallKind:
		args := n.AsCall().Args()
		switch name := n.AsCall().FunctionName(); name {
		case operators.LogicalAnd, operators.LogicalOr:
			return x.joined(args, name == operators.LogicalAnd)
		case operators.Conditional:
			c, a, b := x.test(args[0]), x.test(args[1]), x.test(args[2])
			if c == nil || a == nil || b == nil {
				return nil
			}
			return func(v *view) truth {
				switch c(v) {
				case yes:
					return a(v)
				case no:
					return b(v)
				}
				return unknown
			}
		case operators.LogicalNot:
			if t := x.test(args[0]); t != nil {
				return func(v *view) truth { return not(t(v)) }
			}
		case operators.Greater, operators.GreaterEquals, operators.Less, operators.LessEquals, operators.Equals, operators.NotEquals:
			return x.comparison(args, name)
		}
	}
	return nil
}

// joined is whether all or any of args hold. What decides by itself does so whatever
// is unknown beside it.
func (x *direct) joined(args []ast.Expr, all bool) test {
	parts := make([]test, len(args))
	for i, a := range args {
		if parts[i] = x.test(a); parts[i] == nil {
			return nil
		}
	}
	decides := is(!all)
	return func(v *view) truth {
		out := not(decides)
		for _, p := range parts {
			switch p(v) {
			case decides:
				return decides
			case unknown:
				out = unknown
			}
		}
		return out
	}
}

// flag is a variable that is true or false.
func (x *direct) flag(name string) test {
	switch name {
	case nightWord:
		return func(v *view) truth { return sure(v.e.night(v.f, v.f.newest)) }
	case onWord:
		return func(v *view) truth { return sure(v.e.shouldBeOn(v.f, v.f.newest)) }
	}
	if ch := x.l.channels[strings.TrimPrefix(name, hasPrefix)]; ch != nil && strings.HasPrefix(name, hasPrefix) {
		return func(v *view) truth { return is(v.f.has(ch)) }
	}
	ch := x.l.channels[name]
	if _, limited := x.t.Limits[name]; ch == nil || ch.Type != devices.Bool || limited {
		return nil
	}
	return func(v *view) truth {
		y, ok := v.read(ch)
		return sure(y.num == 1, ok)
	}
}

// sure is what is known of what may not be.
func sure(b, known bool) truth {
	if !known {
		return unknown
	}
	return is(b)
}

// comparison of two numbers. With NaN nothing but != holds, as in CEL.
func (x *direct) comparison(args []ast.Expr, op string) test {
	a, b := x.amount(args[0]), x.amount(args[1])
	if a == nil || b == nil {
		return nil
	}
	holds := func(p, q float64) bool { return p > q }
	switch op {
	case operators.GreaterEquals:
		holds = func(p, q float64) bool { return p >= q }
	case operators.Less:
		holds = func(p, q float64) bool { return p < q }
	case operators.LessEquals:
		holds = func(p, q float64) bool { return p <= q }
	case operators.Equals:
		holds = func(p, q float64) bool { return p == q }
	case operators.NotEquals:
		holds = func(p, q float64) bool { return p != q }
	}
	return func(v *view) truth {
		p, known := a(v)
		if !known {
			return unknown
		}
		q, known := b(v)
		return sure(holds(p, q), known)
	}
}

// amount makes one of an expression, nil where only CEL can.
func (x *direct) amount(n ast.Expr) amount {
	switch n.Kind() {
	case ast.LiteralKind:
		switch c := n.AsLiteral().(type) {
		case types.Double:
			return func(*view) (float64, bool) { return float64(c), true }
		case types.Int:
			if f := float64(c); types.Int(f) == c && math.Abs(f) < 1<<53 {
				return func(*view) (float64, bool) { return f, true }
			}
		}
	case ast.IdentKind:
		return x.quantified(n.AsIdent())
	case ast.CallKind:
		if n.AsCall().FunctionName() == operators.Conditional {
			return x.choice(n.AsCall().Args())
		}
		return x.calculation(n)
	}
	return nil
}

// choice is one of two numbers.
func (x *direct) choice(args []ast.Expr) amount {
	c, a, b := x.test(args[0]), x.amount(args[1]), x.amount(args[2])
	if c == nil || a == nil || b == nil {
		return nil
	}
	return func(v *view) (float64, bool) {
		switch c(v) {
		case yes:
			return a(v)
		case no:
			return b(v)
		}
		return 0, false
	}
}

// calculation is one with numbers. Whole numbers are CEL's own: it finds where they
// overflow.
func (x *direct) calculation(n ast.Expr) amount {
	args := n.AsCall().Args()
	parts := make([]amount, len(args))
	for i, a := range args {
		if !x.ast.GetType(a.ID()).IsExactType(types.DoubleType) {
			return nil
		}
		if parts[i] = x.amount(a); parts[i] == nil {
			return nil
		}
	}
	var of func(p, q float64) float64
	switch n.AsCall().FunctionName() {
	case operators.Add:
		of = func(p, q float64) float64 { return p + q }
	case operators.Subtract:
		of = func(p, q float64) float64 { return p - q }
	case operators.Multiply:
		of = func(p, q float64) float64 { return p * q }
	case operators.Divide:
		of = func(p, q float64) float64 { return p / q }
	case operators.Negate:
		of = func(p, _ float64) float64 { return -p }
	case absWord:
		of = func(p, _ float64) float64 { return math.Abs(p) }
	default:
		return nil
	}
	if len(parts) == 1 {
		return func(v *view) (float64, bool) {
			p, known := parts[0](v)
			return of(p, 0), known
		}
	}
	first, second := parts[0], parts[1]
	return func(v *view) (float64, bool) {
		p, known := first(v)
		if !known {
			return 0, false
		}
		q, known := second(v)
		return of(p, q), known
	}
}

// quantified is a variable that is a number.
func (x *direct) quantified(name string) amount {
	if ch := x.l.channels[name]; ch != nil {
		if ch.Type != devices.Number {
			return nil
		}
		return func(v *view) (float64, bool) {
			y, ok := v.read(ch)
			if !ok {
				return math.NaN(), v.rule.spares(v.f, ch.Name)
			}
			return y.num, true
		}
	}
	if of, ok := strings.CutPrefix(name, limitPrefix); ok {
		names := limitNames(of)
		limit := x.t.Limits[names[len(names)-1]]
		return func(v *view) (float64, bool) {
			l, _, ok := limit.of(v.f, names, v.e.texts)
			if !ok {
				l = math.NaN()
			}
			return l, true
		}
	}
	if name == membersWord {
		return func(v *view) (float64, bool) { return float64(v.e.telling(v.f, nil)), true }
	}
	if ch := x.l.channels[strings.TrimPrefix(name, tellPrefix)]; ch != nil {
		return func(v *view) (float64, bool) { return float64(v.e.telling(v.f, ch)), true }
	}
	for _, d := range x.t.Rule.derived {
		if d.name == name {
			return func(v *view) (float64, bool) { return d.of(v.f, v.f.newest) }
		}
	}
	return nil
}

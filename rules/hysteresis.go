package rules

import (
	"fmt"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// side is the numbers for which a comparison of a quantity with a number holds.
type side struct {
	of           string // the quantity, as written
	least, most  float64
	low, high    bool   // least and most are among them
	beyond, more string // what lies on the other side of the bound, in words
}

// apart finds a clear (at n) that holds while its when does: what it ends would begin
// again without end. It looks at comparisons of one quantity with a number only.
func (x *expressions) apart(what string, n *yaml.Node, when, clear string) {
	if n == nil || x.r.taken {
		return
	}
	a, iss := x.env.Parse(when)
	b, more := x.env.Parse(clear)
	if iss.Err() != nil || more.Err() != nil {
		return
	}
	if alikeText(a, b) {
		x.r.Fail(n, "%s: found %s, which is when itself: it would end as it begins; want what holds only once that is over, or no clear", what, clear)
		return
	}
	on, ok := sideOf(a.NativeRep().Expr())
	off, both := sideOf(b.NativeRep().Expr())
	if at, meet := on.meets(&off); ok && both && on.of == off.of && meet {
		x.r.Fail(n, "%s: found %s, and when: %s holds too at %g: it would come and go without end; want %s %s, or %s", what, clear, when, at, on.of, on.beyond, on.more)
	}
}

// alikeText tells whether two expressions are alike but for their spaces.
func alikeText(a, b *cel.Ast) bool {
	x, err := cel.AstToString(a)
	y, other := cel.AstToString(b)
	return err == nil && other == nil && x == y
}

// sideOf makes one of a comparison; ok is false of anything else.
func sideOf(n ast.Expr) (s side, ok bool) {
	if n.Kind() != ast.CallKind || len(n.AsCall().Args()) != 2 {
		return s, false
	}
	op, value, bound := n.AsCall().FunctionName(), n.AsCall().Args()[0], n.AsCall().Args()[1]
	if value.Kind() == ast.LiteralKind {
		op, value, bound = turned[op], bound, value
	}
	at, known := literal(bound)
	of := bare(value)
	if !known || of.Kind() != ast.IdentKind {
		return s, false
	}
	s = side{of: of.AsIdent(), least: math.Inf(-1), most: math.Inf(1)}
	if of != value {
		s.of, s.least, s.low = absWord+"("+s.of+")", 0, true
	}
	switch op {
	case operators.Greater:
		s.least, s.low, s.beyond, s.more = at, false, fmt.Sprintf("<= %g", at), "less"
	case operators.GreaterEquals:
		s.least, s.low, s.beyond, s.more = at, true, fmt.Sprintf("< %g", at), "less"
	case operators.Less:
		s.most, s.beyond, s.more = at, fmt.Sprintf(">= %g", at), "more"
	case operators.LessEquals:
		s.most, s.high, s.beyond, s.more = at, true, fmt.Sprintf("> %g", at), "more"
	default:
		return s, false
	}
	return s, true
}

// turned is a comparison seen from its other side.
var turned = map[string]string{operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals, operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals}

// literal is a number that stands in a file.
func literal(n ast.Expr) (float64, bool) {
	if n.Kind() != ast.LiteralKind {
		return 0, false
	}
	switch v := n.AsLiteral().(type) {
	case types.Double:
		return float64(v), true
	case types.Int:
		return float64(v), true
	}
	return 0, false
}

// meets finds a number that is on both sides.
func (s *side) meets(o *side) (at float64, ok bool) {
	least, most := max(s.least, o.least), min(s.most, o.most)
	switch {
	case least == most:
		in := (s.low || s.least < least) && (o.low || o.least < least) && (s.high || s.most > most) && (o.high || o.most > most)
		return least, in
	case math.IsInf(least, 0) && math.IsInf(most, 0):
		return 0, true
	case math.IsInf(most, 0):
		return least + 1, true
	case math.IsInf(least, 0):
		return most - 1, true
	}
	return (least + most) / 2, least < most
}

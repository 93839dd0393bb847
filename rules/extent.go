package rules

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
)

// extent is the unit of the numbers about a channel, and how large they can be.
type extent struct {
	unit        string
	least, most float64
}

// openEnd is the end of a range that has none.
const openEnd = 1e12

// extentOf is that of a channel of a kind, also for its lower limit; of any number where the kind has no
// such channel.
func (r *reader) extentOf(k devices.Kind, channel string) extent {
	for _, c := range kindChannels(k) {
		if !r.taken && (c.Name == channel || c.Name+lowSuffix == channel) && c.Type == devices.Number {
			return extentIn(&c)
		}
	}
	return extent{"", -openEnd, openEnd}
}

func extentIn(c *devices.Channel) extent {
	q := extent{c.Unit, c.Min, c.Max}
	if math.IsNaN(q.least) {
		q.least = -openEnd
	}
	if math.IsNaN(q.most) {
		q.most = openEnd
	}
	return q
}

var words = regexp.MustCompile(`[a-z][a-z0-9_]*`)

// inUnit is "; write the number alone: CHANNEL is in UNIT" for the number
// channel with a unit that stands last in before, else first in text; else "".
func (l *language) inUnit(before, text string) string {
	var of *devices.Channel
	look := func(s string, first bool) {
		for _, w := range words.FindAllString(s, -1) {
			if c := l.channels[strings.TrimPrefix(w, limitPrefix)]; c != nil && c.Type == devices.Number && c.Unit != "" && (of == nil || !first) {
				of = c
			}
		}
	}
	if look(before, false); of == nil {
		look(text, true)
	}
	if of == nil {
		return ""
	}
	return fmt.Sprintf("; write the number alone: %s is in %s", of.Name, of.Unit)
}

// comparisons are the operators that hold two numbers against each other.
var comparisons = map[string]bool{operators.Greater: true, operators.GreaterEquals: true, operators.Less: true, operators.LessEquals: true, operators.Equals: true, operators.NotEquals: true}

// possible finds channels that are compared with a number which they can never
// come to: most likely it is in another unit.
func (x *expressions) possible(what string, n *yaml.Node, text string, tree *cel.Ast) {
	if x.r.taken {
		return
	}
	native := tree.NativeRep()
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || !comparisons[e.AsCall().FunctionName()] || len(e.AsCall().Args()) != 2 {
			return
		}
		a, b := e.AsCall().Args()[0], e.AsCall().Args()[1]
		if a.Kind() == ast.LiteralKind {
			a, b = b, a
		}
		if a.Kind() != ast.IdentKind || b.Kind() != ast.LiteralKind {
			return
		}
		ch := x.l.channels[a.AsIdent()]
		var num float64
		switch v := b.AsLiteral().Value().(type) {
		case float64:
			num = v
		case int64:
			num = float64(v)
		default:
			return
		}
		if ch == nil || ch.Type != devices.Number || ch.Plausible(num) {
			return
		}
		q := extentIn(ch)
		at := native.SourceInfo().GetStartLocation(b.ID())
		line, column := x.r.Place(n, head(text, at.Line(), at.Column()))
		in := ""
		if ch.Unit != "" {
			in = ", in " + ch.Unit
		}
		x.r.FailAt(line, column, "%s: found %g; %s is from %g to %g%s", what, num, ch.Name, q.least, q.most, in)
	}))
}

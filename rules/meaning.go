package rules

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// arithmetic is the operators that make a number of numbers.
var arithmetic = map[string]string{operators.Add: "+", operators.Subtract: "-", operators.Multiply: "*", operators.Divide: "/", operators.Modulo: "%"}

// sensible finds what CEL takes, but what no writer means by it.
func (x *expressions) sensible(what string, n *yaml.Node, text string, tree *cel.Ast) {
	if x.r.taken {
		return
	}
	native := tree.NativeRep()
	if asksNothing(native) && (text != "false" || n != x.t.clearAt && !slices.ContainsFunc(x.t.stepsAt, func(at stepAt) bool { return n == at.clear })) {
		x.r.Fail(n, "%s: found %s, which is the same of every facility at any time; want one that asks for a channel", what, text)
		return
	}
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		if wrong := miscounts(native, e.AsCall()); wrong != "" {
			at := native.SourceInfo().GetStartLocation(e.ID())
			line, column := x.r.Place(n, head(text, at.Line(), at.Column()))
			x.r.FailAt(line, column, "%s: %s", what, wrong)
		}
	}))
}

// asksNothing tells whether no variable stands in an expression. A clear that is false
// is one all the same: only people close such tickets.
func asksNothing(tree *ast.AST) bool {
	for _, ref := range tree.ReferenceMap() {
		if ref.Name != "" {
			return false
		}
	}
	return true
}

// miscounts says what is wrong with a calculation, "" = nothing: CEL leaves out what
// stands behind the point where whole numbers are divided, and 3 / 2 is 1.
func miscounts(tree *ast.AST, c ast.CallExpr) string {
	op, args := arithmetic[c.FunctionName()], c.Args()
	if op == "/" && args[1].Kind() == ast.LiteralKind && args[1].AsLiteral() == types.Double(0) {
		return "found / 0.0, and nothing can be divided by 0; write the number that is meant"
	}
	if op == "" || len(args) != 2 || !integral(tree, args[0]) || !integral(tree, args[1]) {
		return ""
	}
	if calculated(args[0]) || calculated(args[1]) {
		return "" // which is told of
	}
	a, b := spelled(args[0]), spelled(args[1])
	if op == "%" {
		return fmt.Sprintf("found %s %% %s; %% is for whole numbers alone, and no channel is one: write the number that it makes", a, b)
	}
	return fmt.Sprintf("found %s %s %s, which counts in whole numbers (3 / 2 is 1); write %s %s %s", a, op, b, pointed(args[0]), op, pointed(args[1]))
}

// integral tells whether an expression is a whole number.
func integral(tree *ast.AST, n ast.Expr) bool {
	t := tree.GetType(n.ID())
	return t.IsExactType(types.IntType) || t.IsExactType(types.UintType)
}

// calculated tells whether an expression is a calculation itself.
func calculated(n ast.Expr) bool {
	return n.Kind() == ast.CallKind && arithmetic[n.AsCall().FunctionName()] != ""
}

// spelled is a number as it stands in a file, … of what is none.
func spelled(n ast.Expr) string {
	if n.Kind() != ast.LiteralKind {
		return "…"
	}
	return fmt.Sprint(n.AsLiteral().Value())
}

// pointed is an expression with a point in it.
func pointed(n ast.Expr) string {
	if n.Kind() != ast.LiteralKind {
		return "double(…)"
	}
	return spelled(n) + ".0"
}

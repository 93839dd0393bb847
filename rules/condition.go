package rules

import "cel.dev/cel-go/cel"

// condition is an expression that a rule asks of a facility.
type condition struct {
	prog   cel.Program
	direct test // says the same; nil of what only CEL can say
}

// truth is the outcome of an expression.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

// ask evaluates c for a facility. What cannot be decided is unknown.
func (c *condition) ask(v *view) truth {
	if c.direct != nil {
		return c.direct(v)
	}
	return c.evaluate(v)
}

// evaluate is ask by CEL.
func (c *condition) evaluate(v *view) truth {
	out, _, err := c.prog.Eval(v)
	if err != nil {
		return unknown
	}
	if b, ok := out.Value().(bool); ok && b {
		return yes
	}
	return no
}

// not turns an answer round; what is unknown stays so.
func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

package rules

import (
	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Wording is a summary for one of the ways in which a rule's condition can hold:
// one ticket, and words that say what is to be seen.
type Wording struct {
	When    string
	Summary devices.Title
	when    cel.Program
}

// wording reads one of a rule.
func (t *ruleText) wording(r *reader, n *yaml.Node) {
	var w Wording
	var at *yaml.Node
	if !r.Mapping(n, "wording", strict.Fields{"when": t.expression(r, "wording: when", &w.When, &at), "zh": r.Text("wording: zh", &w.Summary.ZH), "en": r.Text("wording: en", &w.Summary.EN)}) {
		return
	}
	if w.When == "" || w.Summary.ZH == "" || w.Summary.EN == "" {
		r.Fail(n, "wording: want when, zh and en")
		return
	}
	t.Wordings, t.wordingsAt = append(t.Wordings, w), append(t.wordingsAt, at)
}

// wordsOf is the summary of r for what is wrong with f: the first of its wordings
// that holds, else what would be said without them.
func (e *Engine) wordsOf(f *facility, r *Rule, without devices.Title) devices.Title {
	v := &e.view
	v.f, v.e, v.rule = f, e, r
	for i := range r.Wordings {
		if w := &r.Wordings[i]; ask(w.when, v) == yes {
			return w.Summary
		}
	}
	return without
}

package rules

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Wording is a summary for one of the ways in which a rule's condition can hold:
// one ticket, and words that say what is to be seen. They are in the order in which
// they are told, the worst first: a ticket takes over worse words, and never goes
// back to others.
type Wording struct {
	When    string
	Summary devices.Title
	when    *condition
	why     *decision // of when
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

// wordsOf is the first of the wordings of r that holds at f, from 1, of those that
// stand before the one that was told; else that one. 0 = none.
func (e *Engine) wordsOf(f *facility, r *Rule, told uint16) uint16 {
	v := &e.view
	v.f, v.e, v.rule = f, e, r
	n := uint16(len(r.Wordings))
	if told > 0 {
		n = min(n, told-1)
	}
	for i := range n {
		if r.Wordings[i].when.ask(v) == yes {
			return i + 1
		}
	}
	return told
}

// wording is one of r, from 1; nil if there is none.
func (r *Rule) wording(words uint16) *Wording {
	if words == 0 || int(words) > len(r.Wordings) {
		return nil
	}
	return &r.Wordings[words-1]
}

// sameWords is what a wording of another version of the rule is here, 0 = none.
func (r *Rule) sameWords(old *Rule, words uint16) uint16 {
	if w := old.wording(words); w != nil {
		return uint16(slices.IndexFunc(r.Wordings, func(x Wording) bool { return x.Summary == w.Summary }) + 1)
	}
	return 0
}

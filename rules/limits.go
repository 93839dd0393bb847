package rules

import (
	"math"

	"go.yaml.in/yaml/v3"
)

// limits reads channel: number, channel: census, or channel: {default, models}.
func (t *ruleText) limits(r *reader, n *yaml.Node) {
	t.limitsAt, t.Limits = n, make(map[string]Limit)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "limits: found %s; want channels and their limits, such as {tilt_deg: 15}", shape(n))
		return
	}
	fs := fields{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		ch := n.Content[i].Value
		fs[ch] = func(n *yaml.Node) { t.Limits[ch] = r.limit(n, ch) }
	}
	r.mapping(n, "limits", fs)
}

// censusOnly says that a limit is the facility's own business.
const censusOnly = "census"

func (r *reader) limit(n *yaml.Node, ch string) Limit {
	l := Limit{Default: math.NaN()}
	what := "limits." + ch
	one := func(to *float64) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if n.Value != censusOnly {
				r.number(what, -1e12, 1e12, to)(n)
			}
		}
	}
	if n.Kind != yaml.MappingNode {
		one(&l.Default)(n)
		return l
	}
	r.mapping(n, what, fields{"default": one(&l.Default), "models": func(n *yaml.Node) {
		l.Models = make(map[string]float64)
		fs := fields{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			model := n.Content[i].Value
			fs[model] = func(n *yaml.Node) {
				var x float64
				r.number(what+".models."+model, -1e12, 1e12, &x)(n)
				l.Models[model] = x
			}
		}
		r.mapping(n, what+".models", fs)
	}})
	return l
}

package rules

import (
	"math"

	"go.yaml.in/yaml/v3"

	"lamplighter/rules/strict"
)

// limits reads channel: number, channel: census, or channel: {default, models}.
func (t *ruleText) limits(r *reader, n *yaml.Node) {
	t.limitsAt, t.Limits = n, make(map[string]Limit)
	if n.Kind != yaml.MappingNode {
		r.Fail(n, "limits: found %s; want channels and their limits, such as {tilt_deg: 15}", strict.Shape(n))
		return
	}
	r.Entries(n, "limits", func(k, v *yaml.Node) { t.Limits[k.Value] = r.limit(v, k.Value, r.extentOf(t.Kind, k.Value)) })
}

// censusOnly says that a limit is the facility's own business.
const censusOnly = "census"

func (r *reader) limit(n *yaml.Node, ch string, q extent) Limit {
	l := Limit{Default: math.NaN()}
	what := "limits." + ch
	one := func(to *float64) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if n.Value != censusOnly {
				r.Quantity(what, q.unit, q.least, q.most, to)(n)
			}
		}
	}
	if n.Kind != yaml.MappingNode {
		one(&l.Default)(n)
		return l
	}
	given := false
	ok := r.Mapping(n, what, strict.Fields{"default": func(n *yaml.Node) { given = true; one(&l.Default)(n) }, "models": func(n *yaml.Node) {
		l.Models = make(map[string]float64)
		r.Entries(n, what+".models", func(k, v *yaml.Node) {
			var x float64
			r.Quantity(what+".models."+k.Value, q.unit, q.least, q.most, &x)(v)
			l.Models[k.Value] = x
		})
	}})
	if ok && !given && !r.taken {
		r.Fail(n, "%s: no default, so other models would never be judged; write default: NUMBER, or default: %s where only the census knows it", what, censusOnly)
	}
	return l
}

package rules

// cover is what a cause does to the tickets below it.
type cover uint8

const (
	uncovered cover = iota
	maybe           // there are enough, but not for long enough
	covered         // it has its ticket
)

// yields tells whether all bad members of a cabinet hang on one circuit that
// has a rule of its own and is dark: the nearer cause is the cause.
func (c *cause) yields() bool {
	for _, r := range c.rule.Collapse.of.causes {
		if r.Collapse.By >= c.rule.Collapse.By {
			continue
		}
		for f := range c.bad { // any one: if they all hang on one circuit, it is this one's
			p := f.above(r.Collapse.By)
			if p == nil {
				break
			}
			if x := p.find(r); x != nil && len(x.bad) == len(c.bad) && (x.firing || x.dark()) {
				return true
			}
			break
		}
	}
	return false
}

// higher is how the causes of the same rule above c stand.
func (e *Engine) higher(c *cause) (h cover) {
	for p := c.parent.up; p != nil; p = p.up {
		for _, r := range c.rule.Collapse.of.causes {
			if x := p.find(r); x != nil {
				h = max(h, x.cover())
			}
		}
	}
	return max(h, e.wider(c))
}

func (c *cause) cover() cover {
	switch {
	case c.firing:
		return covered
	case c.pending != 0:
		return maybe
	}
	return uncovered
}

// over tells what is above the alert of r at f, higher than a level.
func (e *Engine) over(f *facility, r *Rule, l Level) (h cover) {
	for _, x := range r.causes {
		if x.Collapse.By <= l || f.causes&x.Collapse.bit == 0 {
			continue
		}
		p := e.above(f, x.Collapse.By)
		if p == nil {
			continue
		}
		c := p.find(x)
		if m := c.bad[f]; c.firing && !m.attached || !c.firing && !c.counts(m) {
			continue
		}
		h = max(h, c.cover())
	}
	return h
}

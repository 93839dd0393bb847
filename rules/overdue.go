package rules

import (
	"slices"

	"lamplighter/devices"
)

// Devices of one circuit report one after the other, minutes apart, so they are
// missed one after the other too: the first of a dark circuit a whole interval
// before the last. Long before the last one is missed, the first ones would have
// tickets of their own. But when the first one is missed, all the others are
// late already: whoever is heard every I and was cut off with it has said
// nothing for (k-1)·I, while one that is well has said something within I. So
// a member that is missed has the others looked at, and who is that late counts
// towards the common cause. It does not count as silent: by itself, it has its
// full time.

// mostly is the share of members from which on a collapse counts those that are
// late: a few may be late by chance, most of them are not.
const mostly = 0.5

// missed has the others below the parents of f looked at: f is silent.
func (e *Engine) missed(f *facility) {
	f.overdue = false
	top := Level(0)
	for _, r := range e.set.kinds[f.kind].collapses {
		if r.countsLate() {
			top = max(top, r.Collapse.By)
		}
	}
	for p := f.parent; p != nil && p.level <= top; p = p.up {
		if p.known(f.kind) {
			continue
		}
		for _, g := range p.members {
			e.look(g, f)
		}
	}
}

// known tells whether a silence of p has its ticket: who is late adds nothing.
func (p *parent) known(k devices.Kind) bool {
	return slices.ContainsFunc(p.causes, func(c *cause) bool { return c.firing && c.rule.Kind == k && c.rule.countsLate() })
}

// look notes that g is late, if it is.
func (e *Engine) look(g, missed *facility) {
	if g == missed || g.silent || g.overdue || g.kind != missed.kind || g.expectMS == 0 || g.seen == 0 {
		return
	}
	if at := g.deadline(e); e.set.kinds[g.kind].silent <= 1 || at == never || e.blind(g) || at-g.expectMS > e.wall {
		return
	}
	g.overdue = true
	e.weigh(g)
}

// countsLate tells whether a collapse counts members that are late.
func (r *Rule) countsLate() bool {
	return r.Collapse.of.Silent > 0 && r.Collapse.Share >= mostly
}

// late tells whether f counts as bad for the collapse r by being late.
func (e *Engine) late(f *facility, r *Rule) bool {
	if !f.overdue || !r.countsLate() {
		return false
	}
	active, known := r.Collapse.of.active(e, f, e.wall)
	return active && known
}

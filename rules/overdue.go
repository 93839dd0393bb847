package rules

import "slices"

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

// Who is late has said nothing for (k-1)·I, less a little: lamps that came back
// together report within seconds of each other. Below leastK that would be less
// than what passes between two messages of one that is well.
const (
	slack  = 0.1
	leastK = 2
)

// missed has the others below the parents of f looked at: f is silent. It tells
// whether any of them turned out to be late.
func (e *Engine) missed(f *facility) (news bool) {
	f.overdue = false
	top := Level(0)
	k := &e.set.kinds[f.kind]
	for _, r := range k.collapses {
		if k.countsLate(r) {
			top = max(top, r.Collapse.By)
		}
	}
	for p := f.parent; p != nil && p.level <= top; p = p.up {
		if p.known(k) {
			continue
		}
		l := &p.looks[f.kind]
		if l.frame != e.frame { // else all were looked at in this very frame
			*l = looked{frame: e.frame}
			for _, g := range sorted(p.members) {
				l.news = e.look(g, f) || l.news
			}
		}
		news = news || l.news
	}
	return news
}

// looked is when the members of a parent were looked at last, and whether any
// was late then who had not been.
type looked struct {
	frame int64 // Engine.frame
	news  bool
}

// known tells whether a silence of p has its ticket: who is late adds nothing.
func (p *parent) known(k *kindRules) bool {
	return slices.ContainsFunc(p.causes, func(c *cause) bool {
		return c.firing && slices.Contains(k.collapses, c.rule) && k.countsLate(c.rule)
	})
}

// look notes that g is late, if it is and that is new.
func (e *Engine) look(g, missed *facility) bool {
	if g == missed || g.silent || g.overdue || g.kind != missed.kind || g.expectMS == 0 || g.seen == 0 {
		return false
	}
	k := e.set.kinds[g.kind].silent
	at := g.deadline(e, k)
	if k < leastK || at == never || e.blind(g) || at-int64(min(k-1, 1+slack)*float64(g.expectMS)) > e.wall {
		return false
	}
	g.overdue, g.absent = true, e.wall
	e.weigh(g)
	return true
}

// countsLate tells whether a collapse counts members that are late: that they are
// says nothing yet to a rule that allows more intervals than others do.
func (k *kindRules) countsLate(r *Rule) bool {
	return k.silent > 0 && r.Collapse.of.Silent == k.silent && r.Collapse.Share >= mostly
}

// late tells whether f counts as bad for the collapse r by being late.
func (e *Engine) late(f *facility, r *Rule) bool {
	if !f.overdue || !e.set.kinds[f.kind].countsLate(r) {
		return false
	}
	active, known := r.Collapse.of.active(e, f, e.wall)
	return active && known
}

package rules

import (
	"cmp"
	"slices"
	"strings"
)

// cause is a collapse rule at one parent: who is bad, and whether that has a
// ticket. Nothing here takes time for each member when one of them changes.
type cause struct {
	rule     *Rule
	parent   *parent
	bad      map[*facility]mark
	joins    uint64 // numbers the marks
	attached int    // of bad
	reached  int64  // wall clock when there were enough, 0 = there are not; with Collapse.Within when enough had gone bad together, as mark.since
	pending  int64  // wall clock of that, begun anew while a parent above has its ticket
	quiet    int64  // wall clock since when a firing cause is over
	firing   bool
	stirred  bool  // in Engine.stirred
	wide     *wide // of one that several partitions have part in
}

// mark is one bad member.
type mark struct {
	no       uint64
	since    int64 // when its own fault began, see Engine.began
	attached bool  // to the ticket
}

// weigh tells the causes above f whether it is bad. A member is bad from the
// moment that the condition of its rule holds, and no longer when it does not:
// for and clear_for are its own ticket's. What is under maintenance counts only
// for a ticket that it is a member of.
func (e *Engine) weigh(f *facility) {
	k := &e.set.kinds[f.kind]
	if f.parent == nil && len(k.wide) == 0 || len(k.collapses) == 0 || len(f.alerts) == 0 && f.causes == 0 && !f.overdue {
		return
	}
	for _, r := range k.collapses {
		p := e.above(f, r.Collapse.By)
		if p == nil {
			continue
		}
		bad := e.bad(f, r.Collapse.of) || e.late(f, r)
		if r.Collapse.of.Silent > 0 && e.blind(f) {
			bad = bad && f.causes&r.Collapse.bit != 0 && p.find(r).bad[f].attached // who nobody can hear begins nothing
		}
		if bad && e.maintained(f, r.Collapse.of) {
			bad = f.causes&r.Collapse.bit != 0 && p.find(r).bad[f].attached
		}
		switch {
		case bad && f.causes&r.Collapse.bit == 0:
			e.join(e.causeAt(p, r), f)
		case !bad && f.causes&r.Collapse.bit != 0:
			e.leave(p.find(r), f)
		}
	}
}

// bad tells whether the condition of a rule holds at f.
func (e *Engine) bad(f *facility, r *Rule) bool {
	a := f.find(r.index)
	if a == nil || a.heir || a.quiet != 0 || a.pending == 0 || a.pending > e.wall {
		return false
	}
	if a.firing || a.held {
		return true
	}
	active, known := r.active(e, f, e.wall)
	return active && known
}

func (e *Engine) causeAt(p *parent, r *Rule) *cause {
	c := p.find(r)
	if c == nil {
		c = &cause{rule: r, parent: p, bad: make(map[*facility]mark)}
		if p.level.wide() {
			c.wide = &wide{}
		}
		p.causes = append(p.causes, c)
	}
	return c
}

func (e *Engine) join(c *cause, f *facility) {
	m := mark{no: c.joins, since: e.began(f, c.rule.Collapse.of), attached: c.firing}
	c.joins++
	c.bad[f] = m
	f.causes |= c.rule.Collapse.bit
	if m.attached {
		c.attached++
		e.told(c, Joined, f)
	}
	e.stir(c)
}

func (e *Engine) leave(c *cause, f *facility) {
	m := c.bad[f]
	delete(c.bad, f)
	f.causes &^= c.rule.Collapse.bit
	if m.attached {
		c.attached--
		e.told(c, Left, f)
		e.free(f, c.rule.Collapse.of) // it may only hang elsewhere now
	}
	e.stir(c)
}

// leaveAll takes f out of every cause.
func (e *Engine) leaveAll(f *facility) {
	for _, r := range e.set.kinds[f.kind].collapses {
		if f.causes&r.Collapse.bit != 0 {
			e.leave(e.above(f, r.Collapse.By).find(r), f)
		}
	}
}

// stir has a cause looked at when the frame has been judged.
func (e *Engine) stir(c *cause) {
	if !c.stirred {
		c.stirred = true
		e.stirred = append(e.stirred, c)
	}
}

func (e *Engine) stirAll(p *parent) {
	for _, c := range p.causes {
		e.stir(c)
	}
}

// enough tells whether n members are as many as the rule wants, or part of it.
func (c *cause) enough(n int, part float64) bool {
	return c.rule.Collapse.enough(n, c.parent.total[c.rule.Kind], part)
}

func (x *Collapse) enough(n, total int, part float64) bool {
	return n > 0 && float64(n) >= part*float64(x.AtLeast) && float64(n) >= part*x.Share*float64(total)
}

// reckon looks at the causes that have changed or wait, the highest first, in
// an order that replays alike.
func (e *Engine) reckon() {
	if len(e.stirred) == 0 {
		return
	}
	slices.SortFunc(e.stirred, func(a, b *cause) int {
		return cmp.Or(-cmp.Compare(a.parent.level, b.parent.level), cmp.Compare(a.parent.id, b.parent.id), cmp.Compare(a.rule.Kind, b.rule.Kind), cmp.Compare(a.rule.index, b.rule.index))
	})
	before := e.stirred
	e.stirred = e.idle[:0]
	for _, c := range before {
		c.stirred = false
		switch {
		case c.wide != nil:
			e.tell(c)
		case c.firing:
			e.lasts(c)
		default:
			e.begins(c)
		}
		c.parent.tidy()
		e.forget(c.parent)
	}
	clear(before)
	e.idle = before
}

// begins opens the ticket of a cause when its time has come.
func (e *Engine) begins(c *cause) {
	if !c.dark() {
		c.reached, c.pending = 0, 0
		return
	}
	if c.yields() {
		c.reached, c.pending = 0, 0
		e.stir(c) // what it yields to may end
		return
	}
	if e.maintainedCause(c) {
		return // looked at again when the window ends
	}
	at := c.reach(e.wall)
	if c.reached == 0 || at > c.reached { // now it is others who are bad together
		c.pending = e.wall
	}
	c.reached = at
	h := e.higher(c)
	if h == covered {
		return // looked at again when that ends
	}
	if h == maybe || e.wall-c.pending < c.rule.wait().Milliseconds() {
		e.stir(c)
		return
	}
	c.firing, c.quiet = true, 0
	e.showPlace(c.parent)
	e.told(c, Opened, nil)
	e.attachAll(c)
}

// attachAll makes those who are bad together members of the ticket.
func (e *Engine) attachAll(c *cause) {
	for _, f := range c.members() {
		m := c.bad[f]
		if m.attached = c.counts(m); m.attached {
			c.attached++
			c.bad[f] = m
			e.told(c, Joined, f)
			e.count(f)
		}
	}
}

// lasts ends the ticket of a cause when less than half of what it wants has
// been left for long enough. Who is bad then waits for a ticket of its own.
func (e *Engine) lasts(c *cause) {
	if c.enough(c.attached, 0.5) {
		c.quiet = 0
		return
	}
	if c.quiet == 0 {
		c.quiet = e.wall
	}
	if e.wall-c.quiet < c.rule.ClearFor.Milliseconds() {
		e.stir(c)
		return
	}
	e.told(c, Ended, nil)
	e.release(c)
	e.showPlace(c.parent)
}

func (e *Engine) release(c *cause) {
	c.firing, c.quiet, c.reached, c.pending, c.attached = false, 0, 0, 0, 0
	for f, m := range c.bad {
		if m.attached {
			m.attached = false
			c.bad[f] = m
			e.free(f, c.rule.Collapse.of)
			e.stirBelow(c, f)
		}
	}
	e.stir(c)
}

// stirBelow has the causes between c and f looked at again: what c covered
// begins anew.
func (e *Engine) stirBelow(c *cause, f *facility) {
	for _, r := range c.rule.Collapse.of.causes {
		if r.Collapse.By >= c.parent.level {
			continue
		}
		p := e.above(f, r.Collapse.By)
		if p == nil {
			continue
		}
		switch x := p.find(r); {
		case x == nil || x.firing:
		case x.wide != nil:
			e.stir(x)
		case x.pending != 0:
			x.pending = e.wall
			e.stir(x)
		}
	}
}

// free lets the alert of r at f wait for its own ticket from now on.
func (e *Engine) free(f *facility, r *Rule) {
	a := f.find(r.index)
	if a == nil || a.firing {
		return
	}
	a.held, a.sure, a.pending = false, false, e.wall
	if r.Confirmed {
		a.event = a.told // it may have been over for long
	}
	e.await(f)
}

// members is who is bad, in the order of their ids.
func (c *cause) members() []*facility {
	out := make([]*facility, 0, len(c.bad))
	for f := range c.bad {
		out = append(out, f)
	}
	slices.SortFunc(out, byID)
	return out
}

func byID(a, b *facility) int { return strings.Compare(string(a.id), string(b.id)) }

// told is a transition of a cause.
func (e *Engine) told(c *cause, what TransitionType, member *facility) {
	t := Transition{Type: what, Facility: c.parent.facility(), Kind: c.rule.Kind, Defect: c.rule.Name, Severity: c.rule.Severity, Page: c.rule.Page, Rules: e.set.version, At: e.wall, Wall: e.wall,
		Value: float64(len(c.bad)), Limit: float64(c.parent.total[c.rule.Kind]), Summary: c.rule.Summary}
	switch what {
	case Opened:
		t.Evidence = c.evidence(e)
		t.Evidence.Outage = c.outage(e)
		t.At = t.Evidence.Since
		t.Evidence.Cause.Bad = c.atOnce()
		t.Value = float64(t.Evidence.Cause.Bad)
		t.Evidence.Window = e.keptBack(c)
	case Ended:
		t.Evidence = c.evidence(e).ended(c.rule, c.quiet)
	}
	if member != nil {
		t.Member = member.id
	}
	e.found.Transitions = append(e.found.Transitions, t)
}

// rejudge gives the causes the rules of another set. Those that it does not
// have, or that hang elsewhere now, end. What bears the names of their places is shown
// when the facilities have their rules too.
func (e *Engine) rejudge(set *Set) {
	ps := e.parentsInOrder()
	for _, p := range ps {
		for _, c := range p.causes {
			for f := range c.bad {
				f.causes = 0
			}
		}
	}
	for _, p := range ps {
		kept := p.causes[:0]
		for _, c := range p.causes {
			r := set.find(c.rule.Kind, c.rule.Name)
			if r != nil && r.Collapse != nil && r.Collapse.By == p.level && r.Collapse.Of == c.rule.Collapse.Of {
				was := c.rule.Severity
				c.rule = r
				c.mark()
				kept = append(kept, c)
				if c.firing && c.wide == nil && r.Severity != was {
					e.told(c, Changed, nil)
					e.switched(set, was)
				}
			} else if c.firing {
				if c.wide == nil { // else where it is put together
					e.told(c, Ended, nil)
				}
				e.release(c)
			}
		}
		clear(p.causes[len(kept):])
		p.causes = kept
	}
	for _, c := range e.stirred {
		c.stirred = false
	}
	e.stirred = e.stirred[:0]
	for _, p := range ps {
		e.stirAll(p)
	}
	e.rejudgeWholes(set)
}

// mark notes in the members that they are bad.
func (c *cause) mark() {
	for f := range c.bad {
		f.causes |= c.rule.Collapse.bit
	}
}

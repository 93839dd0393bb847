package rules

import "slices"

// lifted is a window that is over. What waited for its end may open a little later,
// and is to say so; what comes late of the time when it lasted is judged by it.
type lifted struct {
	Window
	ended int64 // wall clock of the frame in which it was over
}

// maxLifted bounds the windows that are over and known: late data may be years old.
const maxLifted = 2000

// lift ends a window.
func (e *Engine) lift(w *Window) {
	e.relearn(w)
	e.recallWindow(w, e.wall)
}

// recallWindow notes a window that was over at an instant of the wall clock.
func (e *Engine) recallWindow(w *Window, ended int64) {
	e.lifted = slices.DeleteFunc(e.lifted, func(l lifted) bool { return l.ID == w.ID })
	i := len(e.lifted)
	for i > 0 && e.lifted[i-1].ended > ended {
		i--
	}
	e.lifted = slices.Insert(e.lifted, i, lifted{*w, ended})
	if len(e.lifted) > maxLifted {
		e.lifted = slices.Delete(e.lifted, 0, 1)
	}
}

// withheld tells whether the window has kept r from opening, and from counting, at f.
func (w *Window) withheld(e *Engine, f *facility, r *Rule) bool {
	return (w.Rule == "" || w.Rule == r.Name) && w.at(e, f)
}

// maintainedUntil is when the window ends that lies on r at f at an event time, be it
// over by now; 0 if none does.
func (e *Engine) maintainedUntil(f *facility, r *Rule, at int64) int64 {
	for i := len(e.lifted) - 1; i >= 0; i-- {
		if l := &e.lifted[i]; l.on(at) && l.withheld(e, f, r) {
			return l.To
		}
	}
	for i := range e.windows {
		if w := &e.windows[i]; w.on(at) && w.withheld(e, f, r) {
			return w.To
		}
	}
	return 0
}

// maintainedFrom tells whether r was under maintenance at f from an event time until
// another: what would have opened then was over when it could.
func (e *Engine) maintainedFrom(f *facility, r *Rule, from, until int64) bool {
	for from <= until {
		if from = e.maintainedUntil(f, r, from); from == 0 {
			return false
		}
	}
	return true
}

func (l *lifted) evidence(members int) *WindowEvidence {
	return &WindowEvidence{ID: l.ID, Reason: l.Reason, By: l.By, To: l.To, Members: members}
}

// heldBy is the window that has kept the alert a of r at f back: at its end, not long
// ago, it had lasted for long enough. Nil if none has.
func (e *Engine) heldBy(f *facility, r *Rule, a *alert) *WindowEvidence {
	for i := len(e.lifted) - 1; i >= 0; i-- {
		l := &e.lifted[i]
		if l.To > a.pending && (l.ended == e.wall || l.To-a.pending >= r.For.Milliseconds()) && l.withheld(e, f, r) {
			return l.evidence(0)
		}
	}
	return nil
}

// justLifted tells whether who waits for a wide cause of r has to wait at f: a window
// is over that has kept it from counting, and the counts go through the log first.
func (e *Engine) justLifted(f *facility, r *Rule) bool {
	for i := len(e.lifted) - 1; i >= 0 && e.wall-e.lifted[i].ended < round.Milliseconds(); i-- {
		if e.lifted[i].withheld(e, f, r) {
			return true
		}
	}
	return false
}

// released is how many of the members of c have begun to count when a window ended.
func (l *lifted) released(e *Engine, c *cause) (n int) {
	for f, m := range c.bad {
		if m.since < l.ended && l.withheld(e, f, c.rule.Collapse.of) {
			n++
		}
	}
	return n
}

// keptBack is the window at whose end there were enough for c; else the one, still
// on, that keeps most of those who are bad from counting. Nil if there is none.
func (e *Engine) keptBack(c *cause) (x *WindowEvidence) {
	for i := range e.lifted {
		l := &e.lifted[i]
		if l.ended != c.pending {
			continue
		}
		if n := l.released(e, c); (n > 0 || l.atCause(e, c)) && (x == nil || n > x.Members) {
			x = l.evidence(n)
		}
	}
	if x != nil || len(e.windows) == 0 {
		return x
	}
	of := c.rule.Collapse.of
	out := slices.DeleteFunc(slices.Clone(c.parent.members), func(f *facility) bool {
		_, in := c.bad[f]
		return in || f.kind != c.rule.Kind || !e.maintained(f, of) || !e.bad(f, of) && !e.late(f, c.rule)
	})
	for i := range e.windows {
		l, n := lifted{Window: e.windows[i]}, 0
		if !l.on(e.wall) {
			continue
		}
		for _, f := range out {
			if l.withheld(e, f, of) {
				n++
			}
		}
		if n > 0 && (x == nil || n > x.Members) {
			x = l.evidence(n)
		}
	}
	return x
}

// soon is how long after the end of a window a wide cause may have enough because of
// that, ms: shares are told once a second, and answered.
const soon = 10_000

// kept is how many members of c have begun to count when a window ended not long ago,
// by its id.
func (e *Engine) kept(c *cause) (out map[string]int) {
	for i := len(e.lifted) - 1; i >= 0 && e.wall-e.lifted[i].ended <= soon; i-- {
		l := &e.lifted[i]
		if n := l.released(e, c); n > 0 {
			if out == nil {
				out = make(map[string]int)
			}
			out[l.ID] = n
		}
	}
	return out
}

// wholeKeptBack is the window at whose end there were enough for w, nil if there is
// none.
func (e *Engine) wholeKeptBack(w *whole) (x *WindowEvidence) {
	for i := range e.lifted {
		l, n := &e.lifted[i], 0
		if w.turning < l.ended || w.turning-l.ended > soon {
			continue
		}
		for _, p := range w.parts {
			n += p.Kept[l.ID]
		}
		if (n > 0 || l.atWhole(w)) && (x == nil || n > x.Members) {
			x = l.evidence(n)
		}
	}
	return x
}

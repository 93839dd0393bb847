package rules

import (
	"iter"
	"math"
)

// Standing is what is known of a facility.
type Standing uint8

// The standings. Unknown is a state: nothing was heard, or not for too long.
const (
	Unknown Standing = iota
	OK
	Faulty
	Maintenance
	standings
)

var standingNames = [...]string{"unknown", "ok", "faulty", "maintenance"}

// String is the name in the API.
func (s Standing) String() string { return standingNames[min(int(s), len(standingNames)-1)] }

// A cabinet and a circuit with a row of their own stand in two ways. Their own
// standing is what their messages tell, and what the account of the lamps is told:
// they may stand for lamps themselves. They are shown as the worse of that and of
// what the common causes tell that have a ticket on them: a meter is well while
// its circuit is not.

// stands is the facility's own standing now: of what is silent nothing is known,
// whatever it said last, and nothing that is being worked on is bad or good.
func (e *Engine) stands(f *facility) Standing {
	switch {
	case f.maintained:
		return Maintenance
	case f.silent || f.lost || f.seen == 0:
		return Unknown
	case e.faulty(f):
		return Faulty
	}
	return OK
}

// faulty tells whether something is wrong that is not silence.
func (e *Engine) faulty(f *facility) bool {
	for i := range f.alerts {
		if e.wrong(f, &f.alerts[i]) {
			return true
		}
	}
	return false
}

// wrong tells whether an alert of f is something that is wrong with it and not silence,
// whoever has the ticket: it has lasted for long enough, also where a maintenance
// window keeps its ticket back, or it is behind the ticket of a common cause.
func (e *Engine) wrong(f *facility, a *alert) bool {
	r := e.set.kinds[f.kind].rules[a.rule]
	switch {
	case r.Silent > 0:
		return false
	case a.firing || a.held:
		return true
	}
	return e.bad(f, r) && (a.sure || e.ripe(f, r, a, f.newest) || e.attached(f, r))
}

// broken is the event time when the oldest of what is wrong with f began.
func (e *Engine) broken(f *facility) int64 {
	at := int64(math.MaxInt64)
	for i := range f.alerts {
		if a := &f.alerts[i]; e.wrong(f, a) {
			at = min(at, a.event)
		}
	}
	return at
}

// count brings the standing of f up to date, and what follows from it.
func (e *Engine) count(f *facility) {
	s := e.stands(f)
	why := e.faults(f, s)
	if s == f.standing && why == f.why || f.gone {
		return
	}
	was := f.standing
	f.standing, f.why = s, why
	if s != was {
		e.show(f)
	}
	e.stood(f, was == standings)
}

// show counts f as it is to be shown now.
func (e *Engine) show(f *facility) {
	s := f.standing
	if s == standings {
		return // nothing was said of it yet
	}
	if s != Maintenance {
		for c := range e.causesAt(f) {
			if x := c.stands(); s == OK || x == Faulty {
				s = x
			}
		}
	}
	if s == f.shown && (s == OK || s == Maintenance) {
		return
	}
	if f.shown < standings {
		e.counts[f.kind][f.shown]--
	}
	f.shown, f.since = s, e.sinceWhen(f, s) // as bad as before it may be by another cause
	e.counts[f.kind][s]++
}

// shows is how f is shown: of what is in no count yet nothing is known.
func (f *facility) shows() Standing {
	if f.shown == standings {
		return Unknown
	}
	return f.shown
}

// sinceWhen is since when f, which changes now, stands as it is to be shown.
func (e *Engine) sinceWhen(f *facility, s Standing) int64 {
	at := int64(math.MaxInt64)
	if f.standing == s {
		switch s {
		case Unknown:
			at = f.seen
		case Faulty:
			at = e.broken(f)
		default:
			return e.wall
		}
	}
	for c := range e.causesAt(f) {
		if c.stands() == s {
			at = min(at, c.reached)
		}
	}
	if at == math.MaxInt64 {
		return f.since // its own standing is about to be looked at
	}
	return at
}

// causesAt is the causes that have a ticket on the circuit or cabinet that bears
// the id of f.
func (e *Engine) causesAt(f *facility) iter.Seq[*cause] {
	return func(yield func(*cause) bool) {
		for l := Circuit; l <= Cabinet; l++ {
			p := e.parents[parentKey{l, f.id}]
			if p == nil {
				continue
			}
			for _, c := range p.causes {
				if c.firing && !yield(c) {
					return
				}
			}
		}
	}
}

// stands is what a cause with a ticket tells of its place: of one whose members
// are silent no more is known than of them.
func (c *cause) stands() Standing {
	if c.rule.Collapse.of.Silent > 0 {
		return Unknown
	}
	return Faulty
}

// showPlace shows the facility that bears the id of p by the causes that p has now.
func (e *Engine) showPlace(p *parent) {
	if p.own != nil {
		e.show(p.own)
	}
}

func (e *Engine) uncount(f *facility) {
	if f.shown < standings {
		e.counts[f.kind][f.shown]--
	}
	f.standing, f.shown = standings, standings
}

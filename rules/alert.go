package rules

import (
	"container/heap"
	"slices"

	"lamplighter/devices"
)

// TransitionType is what a Transition says.
type TransitionType uint8

// The types of transition. Members join and leave what is open at their circuit.
const (
	Opened TransitionType = iota + 1
	Ended
	Joined
	Left
	Changed  // its severity, or its words
	Historic // began and ended, and only then was it told: At and Until
)

// Transition is an alert that began or ended, or a member of its cause.
type Transition struct {
	Type      TransitionType
	Facility  devices.FacilityID
	Member    devices.FacilityID // of Joined and Left
	Kind      devices.Kind
	Defect    string
	Severity  Severity
	At        int64 // event time, Unix ms; of the opening of a common cause when it began to hold
	Until     int64 // of Historic: event time when it was over
	Wall      int64 // of the frame that decided it
	Channel   string
	Value     float64 // NaN = none
	Limit     float64 // NaN = none
	Summary   devices.Title
	Words     uint16 // which of the rule's wordings Summary is, from 1, the worst first; 0 = none
	Worded    bool   // of Changed: it has worse words
	Page      PageDelay
	Rules     string    // version of the rule set
	Withdrawn bool      // of Ended: Rules has that rule no longer, or Facility is of another kind now; nobody has seen that anything is over
	Evidence  *Evidence // of Opened, Changed, Ended and Historic: what decided it
}

// holds notes whether a rule's condition holds; at is the event time that says
// so. Nothing begins or ends before [Engine.ripen].
func (e *Engine) holds(f *facility, r *Rule, t truth, at int64) {
	a := f.find(r.index)
	if t == unknown || a == nil && t == no {
		return
	}
	if a == nil {
		f.alerts = append(f.alerts, alert{rule: r.index})
		a = &f.alerts[len(f.alerts)-1]
	}
	if a.heir {
		a.heir = false
		a.firing = t == no // what is over is ended in any case; what holds is opened once more, for the desk to see
	}
	if t == yes {
		a.told = at
	}
	switch {
	case t == yes && a.firing && a.quiet != 0:
		a.quiet, a.calm = 0, at
		if r.Silent > 0 {
			a.calm = e.wall
		}
	case t == yes && !a.firing && a.pending == 0:
		a.pending, a.event = e.wall, at
	case t == no && a.firing && a.quiet == 0:
		a.quiet, a.calm, a.anew = e.wall, at, e.paying
	case t == no && !a.firing:
		f.rest(r.index)
	}
}

// ripen lets every alert of f begin or end whose time has come; at is the
// newest event time that was judged.
func (e *Engine) ripen(f *facility, at int64) {
	wait := false
	for i := 0; i < len(f.alerts); i++ {
		a := &f.alerts[i]
		r := e.set.kinds[f.kind].rules[a.rule]
		switch {
		case a.heir:
		case a.held && e.over(f, r, 0) == covered: // it waits for that to end, not for time
		case !a.firing && (!r.wide || e.wall-a.pending >= r.For.Milliseconds()) && (a.sure || e.ripe(f, r, a, at)):
			if r.Silent > 0 && e.blind(f) {
				continue // begins anew when the link is back
			}
			if active, known := r.active(e, f, e.wall); !active || !known {
				if r.Silent == 0 {
					f.rest(a.rule)
					i--
					continue
				}
				a.pending = e.wall + int64(r.Silent*float64(f.expectMS)) // once it is judged again, a device has its time to be heard
				e.wake(f, a.pending)
				continue
			}
			if e.maintained(f, r) {
				continue // looked at again when the window ends
			}
			if r.Silent == 0 && at != 0 && e.maintainedUntil(f, r, at) != 0 {
				a.sure, wait = true, true // whether it was over at the end of the window shows at the end of the frame
				continue
			}
			if r.wide && e.justLifted(f, r) {
				wait = true
				continue
			}
			if r.Silent > 0 && e.counted(f) {
				wait = true // who else is, from this frame on, shows in the next
				continue
			}
			if (len(r.causes) > 0 && f.parent != nil || r.wide) && !e.passing {
				a.sure, wait = true, true // who else is bad shows at the end of the frame
				continue
			}
			if r.Silent > 0 && e.missed(f) {
				wait = true // whether that has a common cause shows in the next frame
				continue
			}
			if h := e.over(f, r, 0); h != uncovered {
				a.held, wait = h == covered, wait || h == maybe
				continue
			}
			a.firing, a.sure, a.held = true, false, false
			e.emit(f, r, Opened, a.event)
		case a.firing && a.quiet != 0 && e.long(f, r, a.quiet, a.calm, at, r.ClearFor.Milliseconds()):
			e.emit(f, r, Ended, max(a.calm, a.event))
			f.rest(a.rule)
			i--
		default:
			if at := e.due(f, r, a); at > e.wall {
				if at != never {
					e.wake(f, at) // nothing can happen before, unless something is heard
				}
				continue
			}
			wait = wait || !a.firing || a.quiet != 0
		}
	}
	if wait {
		e.await(f)
	}
	e.weigh(f)
	e.count(f)
}

// counted tells whether f begins to count for a common cause only now that time
// has passed.
func (e *Engine) counted(f *facility) bool {
	before := f.causes
	if e.passing {
		e.weigh(f)
	}
	return f.causes&^before != 0
}

// due is the wall clock at which an alert will have lasted, or will have been
// over, for long enough; 0 = it waits for no time.
func (e *Engine) due(f *facility, r *Rule, a *alert) int64 {
	at, ms := a.pending, r.For
	if a.firing {
		at, ms = a.quiet, r.ClearFor
	}
	if at == 0 || at > e.wall {
		return at // when it begins, it may count for a common cause
	}
	if r.Confirmed && !a.firing {
		return never
	}
	return at + ms.Milliseconds() + e.lateness(f, r)
}

// lateness is how long a reading that says otherwise may be under way, ms.
func (e *Engine) lateness(f *facility, r *Rule) int64 {
	if r.Silent > 0 {
		return 0
	}
	return e.set.kinds[f.kind].lateness
}

// await has f looked at when time has passed.
func (e *Engine) await(f *facility) {
	if !f.waiting {
		f.waiting = true
		e.waiting = append(e.waiting, f)
	}
}

// wake has f looked at at an instant of the wall clock, and not before for that.
func (e *Engine) wake(f *facility, at int64) {
	if f.wakes != 0 && f.wakes <= at {
		return
	}
	f.wakes = at
	heap.Push(&e.sleepers, timer{at, f})
}

// wakeUp has those looked at whose time has come.
func (e *Engine) wakeUp() {
	for len(e.sleepers) > 0 && e.sleepers[0].at <= e.wall {
		t := heap.Pop(&e.sleepers).(timer)
		if t.f.wakes != t.at {
			continue // an earlier one has taken its place
		}
		t.f.wakes = 0
		if !t.f.gone {
			e.await(t.f)
		}
	}
}

// ripe tells whether the condition of an alert has lasted for long enough.
func (e *Engine) ripe(f *facility, r *Rule, a *alert, at int64) bool {
	if r.Confirmed {
		return a.told-a.event >= r.For.Milliseconds()
	}
	return e.long(f, r, a.pending, a.event, at, r.For.Milliseconds())
}

// unconfirm forgets what is to be confirmed where nothing was heard before a
// reading for so long that nobody knows whether it lasted.
func (e *Engine) unconfirm(f *facility, at int64) {
	for i := len(f.alerts) - 1; i >= 0; i-- {
		a := &f.alerts[i]
		if r := e.set.kinds[f.kind].rules[a.rule]; r.Confirmed && !a.firing && !a.held && !a.heir && at-a.told > r.maxAge(f) {
			f.rest(a.rule)
		}
	}
}

// long tells whether something has lasted for ms: by the wall clock, with the
// time that a reading which says otherwise may still be under way, or, where a
// device reports its past, by event time. Silence is no matter of that.
func (e *Engine) long(f *facility, r *Rule, wall, event, at, ms int64) bool {
	return e.wall-wall >= ms+e.lateness(f, r) || r.Silent == 0 && at-event >= ms
}

// emit tells of the alert of r at f.
func (e *Engine) emit(f *facility, r *Rule, what TransitionType, at int64) {
	if what == Ended && e.overAlready(f, r, at) {
		return
	}
	t := Transition{Type: what, Facility: f.id, Kind: f.kind, Defect: r.Name, Severity: r.Severity, Page: r.Page, Rules: e.set.version, At: at, Wall: e.wall, Summary: r.Summary}
	step, words := uint8(0), uint16(0)
	if a := f.find(r.index); a != nil {
		if what == Opened {
			a.words = e.wordsOf(f, r, 0)
		}
		step, words = a.step, a.words
	}
	t.Severity, t.Summary, t.Words = r.severity(step), r.summary(step, words), words
	m := e.decided(f, r, step, words)
	t.Channel, t.Value, t.Limit = e.shown(f, r, step, m)
	switch what {
	case Opened:
		t.Evidence = e.evidence(f, r, m)
		if step > 0 && int(step) <= len(r.Steps) {
			t.Evidence.Severity, t.Evidence.Step = t.Severity, r.Steps[step-1].When
		}
	case Ended:
		t.Evidence = e.ending(f, r, f.find(r.index))
	}
	e.found.Transitions = append(e.found.Transitions, t)
}

// emitChange tells that the alert of r at f is no longer as it was.
func (e *Engine) emitChange(f *facility, r *Rule, was alert, at int64) {
	e.emit(f, r, Changed, at)
	t, a := &e.found.Transitions[len(e.found.Transitions)-1], f.find(r.index)
	t.Worded = a.words != was.words
	t.Evidence = e.turned(f, r, was, at)
}

// overAlready makes history of what opened in this very frame and ends in it:
// it was over before anybody heard of it.
func (e *Engine) overAlready(f *facility, r *Rule, at int64) bool {
	ts := e.found.Transitions
	for i := len(ts) - 1; i >= 0; i-- {
		t := &ts[i]
		if t.Type == Opened && t.Facility == f.id && t.Defect == r.Name {
			t.Type, t.Until, t.Page = Historic, at, PageDelay{}
			return true
		}
	}
	return false
}

// pass lets time pass for what waits for it, in an order that replays alike.
func (e *Engine) pass() {
	slices.SortFunc(e.waiting, byID)
	e.passing = true
	defer func() { e.passing = false }()
	before := e.waiting
	e.waiting = e.spare[:0]
	for _, f := range before {
		f.waiting = false
		if !f.gone {
			e.ripen(f, 0)
		}
	}
	e.spare = before
}

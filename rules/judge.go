package rules

import (
	"slices"

	"lamplighter/devices"
)

// take makes a reading's good values the newest of f, and returns the bits of
// the channels whose values say something new.
func (e *Engine) take(f *facility, k *kindRules, r *devices.Reading) (changed uint64) {
	if f.values == nil {
		f.values = make([]value, 0, len(r.Values))
	}
	for i := range r.Values {
		v := &r.Values[i]
		if v.Quality != devices.Good {
			continue
		}
		x := value{num: v.Num, at: r.Time, channel: uint32(v.Channel.ID)}
		if v.Channel.Type == devices.Text {
			x.text = e.texts.id(v.Text)
		}
		bit := k.bit(v.Channel.ID)
		if f.set(x, k.fresh) {
			changed |= bit
		}
		if k.derives && bit != 0 && !f.doubted(x.channel) {
			if e.remember(f, k, &x) {
				changed |= bit
			}
		}
	}
	return changed
}

// everything is the bits of all channels.
const everything = 1<<64 - 1

// judge asks the rules whose channels have changed. The answers of the others
// are what they were.
func (e *Engine) judge(f *facility, k *kindRules, changed uint64, at int64) {
	v := &e.view
	v.f, v.e = f, e
	for _, r := range k.rules {
		if r.Sensor != nil {
			e.sensorHolds(f, r, at)
			continue
		}
		if r.when == nil || r.inputs&changed == 0 && changed != everything && !r.timed && r.Schedule == nil && !(r.Confirmed && f.find(r.index) != nil) {
			continue
		}
		if !r.wants(f) {
			e.holds(f, r, no, at) // the census says no longer that it is about f
			continue
		}
		if r.Schedule != nil {
			if active, known := r.Schedule.active(e, f, at); !active || !known {
				e.outside(f, r)
				e.closes(f, r, at)
				continue
			}
		}
		v.rule = r
		a := f.find(r.index)
		t := r.asks(a, v)
		if t == unknown {
			f.fades(r, a)
			continue
		}
		e.holds(f, r, t, at)
		if r.atOnce != nil && t == yes && r.atOnce.ask(v) == yes {
			f.find(r.index).sure = true
		}
		if (len(r.Steps) > 0 || len(r.Wordings) > 0) && t == yes {
			e.climb(f, r, v, at)
		}
	}
}

// wants tells whether r is about f: the limits that its baselines need are there.
func (r *Rule) wants(f *facility) bool {
	for _, b := range r.bases {
		if !b.wants(f) {
			return false
		}
	}
	return true
}

// asks is whether r holds at a facility where its alert is a, nil for none.
func (r *Rule) asks(a *alert, v *view) truth {
	if r.clear != nil && a != nil && (a.firing || a.held) {
		if t := not(r.clear.ask(v)); t != yes || !r.unbounded(v) {
			return t
		}
	}
	return r.when.ask(v)
}

// unbounded tells whether no limit that clear compares with is the facility's any more:
// then that can not hold, and says nothing.
func (r *Rule) unbounded(v *view) bool {
	return len(r.clearLimits) > 0 && !slices.ContainsFunc(r.clearLimits, func(name string) bool {
		_, _, ok := r.limit(v.f, name, v.e.texts)
		return ok
	})
}

// fade forgets, when event time has come to f.newest and before a reading of that
// time is taken, what has begun and of which nobody knew until now whether it
// lasted.
func (e *Engine) fade(f *facility) {
	for i := len(f.alerts) - 1; i >= 0; i-- {
		a := &f.alerts[i]
		r := e.set.kinds[f.kind].rules[a.rule]
		if r.when == nil || a.firing && a.quiet == 0 || r.known(f) {
			continue
		}
		e.view.f, e.view.e, e.view.rule = f, e, r
		if r.asks(a, &e.view) == unknown {
			f.fades(r, a)
		}
	}
}

// fades is what an unknown answer does: what has begun and is not decided yet, or
// is over and not closed yet, begins to last anew when it is known again.
func (f *facility) fades(r *Rule, a *alert) {
	switch {
	case a == nil || a.held || a.heir || r.known(f):
	case a.firing:
		a.quiet, a.calm = 0, 0
	default:
		f.rest(a.rule)
	}
}

// known tells whether every channel that r looks at is known of f. What a baseline
// says is no matter of that: of one with few values it lapses between two steps.
func (r *Rule) known(f *facility) bool {
	return !slices.ContainsFunc(r.derived, func(d *derived) bool { return d.base == nil }) && !slices.ContainsFunc(r.reads, func(c *devices.Channel) bool {
		v, ok := f.value(c.ID, r.maxAge(f))
		return !ok || f.doubted(v.channel)
	})
}

// outside is what a schedule says while it is not active: what has not begun
// does not begin, what has begun stays.
func (e *Engine) outside(f *facility, r *Rule) {
	if a := f.find(r.index); a != nil && !a.firing && !a.held && !a.heir {
		f.rest(r.index)
	}
}

// closes asks what has begun, while its schedule is not active, for its clear. The
// same rule without one would end by day what is seen at night only.
func (e *Engine) closes(f *facility, r *Rule, at int64) {
	a := f.find(r.index)
	if a == nil || a.heir || r.clear == nil {
		return
	}
	e.view.rule = r
	if t := r.asks(a, &e.view); t == unknown {
		f.fades(r, a)
	} else {
		e.holds(f, r, t, at)
	}
}

// climb finds the step and, of an open ticket, the words of a rule whose condition
// holds. Words only get worse, so that nothing is told twice while the ticket is open.
func (e *Engine) climb(f *facility, r *Rule, v *view, at int64) {
	a := f.find(r.index)
	if a == nil || a.heir {
		return
	}
	step := r.reached(a.step, v)
	words := a.words
	if a.firing {
		words = e.wordsOf(f, r, a.words)
	}
	was := *a
	if a.step, a.words = step, words; a.firing && (step != was.step || words != was.words) {
		e.emitChange(f, r, was, at)
	}
}

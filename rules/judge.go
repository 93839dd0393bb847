package rules

import (
	"slices"

	"cel.dev/cel-go/cel"

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
		if r.when == nil || r.inputs&changed == 0 && changed != everything && !r.timed && r.Schedule == nil {
			continue
		}
		if !r.wants(f) {
			continue
		}
		if r.Schedule != nil {
			if active, known := r.Schedule.active(e, f, at); !active || !known {
				e.outside(f, r)
				continue
			}
		}
		v.rule = r
		a := f.find(r.index)
		var t truth
		if r.clear != nil && a != nil && (a.firing || a.held) {
			t = not(ask(r.clear, v))
		} else {
			t = ask(r.when, v)
		}
		if t == unknown && a != nil && !a.firing && !a.held && !a.heir && r.doubts(f) {
			f.rest(r.index) // what is not believed does not last
			continue
		}
		e.holds(f, r, t, at)
		if r.atOnce != nil && t == yes && ask(r.atOnce, v) == yes {
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

// doubts tells whether r looks at a channel of f that is not believed.
func (r *Rule) doubts(f *facility) bool {
	return slices.ContainsFunc(r.reads, func(c *devices.Channel) bool { return f.doubted(uint32(c.ID)) })
}

// outside is what a schedule says while it is not active: what has not begun
// does not begin, what has begun stays.
func (e *Engine) outside(f *facility, r *Rule) {
	if a := f.find(r.index); a != nil && !a.firing && !a.held && !a.heir {
		f.rest(r.index)
	}
}

// climb finds the step and, of an open ticket, the words of a rule whose condition
// holds. Up it goes at once, and down only when the step's clear holds (or, without
// one, its when no longer does): what cannot be decided leaves it where it is. Words
// only get worse, so that nothing is told twice while the ticket is open.
func (e *Engine) climb(f *facility, r *Rule, v *view, at int64) {
	a := f.find(r.index)
	if a == nil || a.heir {
		return
	}
	step := uint8(0)
	for i := range r.Steps {
		s := &r.Steps[i]
		held, t := i < int(a.step), unknown
		if held && s.clear != nil {
			t = not(ask(s.clear, v))
		} else {
			t = ask(s.when, v)
		}
		if held && t == unknown {
			t = yes
		}
		if t == yes {
			step = uint8(i + 1)
		}
	}
	words := a.words
	if a.firing {
		words = e.wordsOf(f, r, a.words)
	}
	was := *a
	if a.step, a.words = step, words; a.firing && (step != was.step || words != was.words) {
		e.emitChange(f, r, was, at)
	}
}

// truth is the outcome of an expression.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

// ask evaluates p for a facility. What cannot be decided is unknown.
func ask(p cel.Program, v *view) truth {
	out, _, err := p.Eval(v)
	if err != nil {
		return unknown
	}
	if b, ok := out.Value().(bool); ok && b {
		return yes
	}
	return no
}

// not turns an answer round; what is unknown stays so.
func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

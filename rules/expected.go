package rules

import (
	"math"
	"slices"

	"lamplighter/devices"
)

// Sample is a stored value.
type Sample struct {
	At    int64 // Unix ms
	Value float64
}

// Expecting asks what a baseline, with what it knows now, makes of a time.
type Expecting struct {
	Facility   devices.FacilityID
	Rule, Name string   // of the value that the baseline is declared under
	From, To   int64    // Unix ms, To not included
	On         []Sample // of the channel that it is regressed on, oldest first, from Settling before From
}

// Expectation is what is usual in one step.
type Expectation struct {
	At       int64 // Unix ms, the middle of the step
	Expected float64
	Band     float64 // one standard deviation
}

// Settling is how long before a time the samples of On have to begin: the low
// pass has forgotten where it began then.
func (u *Usual) Settling() int64 { return settling * u.Lag }

// settling is how many time constants a low pass needs.
const settling = 3

// maxExpectations bounds an answer; of a longer time the steps are wider.
const maxExpectations = 2000

// Expected is what is usual over a time, oldest first, step by step: none for steps
// without a sample of On, and for those in which the schedule of the rule does not
// judge. ok is false if this partition knows no such baseline of the facility.
func (w *Worker) Expected(q *Expecting) (out []Expectation, ok bool) {
	b, l, ok := w.known(q)
	if !ok || l.at == 0 {
		return nil, ok
	}
	for _, c := range b.steps(q) {
		x := Expectation{At: c.at}
		x.Expected, x.Band = l.expect(c.x, c.z, b.step)
		out = append(out, x)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.engine.facilities[q.Facility]
	if f == nil {
		return nil, false
	}
	return slices.DeleteFunc(out, func(x Expectation) bool {
		active, known := b.rule.active(w.engine, f, x.At)
		return !active || !known
	}), true
}

// known is the baseline that is asked for, and what it knows now.
func (w *Worker) known(q *Expecting) (b *baseline, l learned, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil || w.engine.facilities[q.Facility] == nil {
		return nil, l, false
	}
	f := w.engine.facilities[q.Facility]
	for _, b := range w.engine.set.kinds[f.kind].baselines {
		if b.rule.Name == q.Rule && b.name == q.Name {
			if x := f.usualOf(b); x != nil {
				return b, *x, true
			}
		}
	}
	return nil, l, false
}

// regressed is what a step is regressed on.
type regressed struct {
	at   int64 // Unix ms, its middle
	x, z float64
}

// steps are those of the time that is asked for.
func (b *baseline) steps(q *Expecting) (out []regressed) {
	wide := b.step * max(1, (q.To-q.From+b.step*maxExpectations-1)/(b.step*maxExpectations))
	first := q.From - q.From%wide
	if b.on == nil {
		for at := first; at < q.To; at += wide {
			out = append(out, regressed{at: at + wide/2})
		}
		return out
	}
	var l learned
	n := 0.0
	for _, s := range q.On {
		b.filter(&l, s.Value, s.At)
		cell := s.At - s.At%wide
		if cell < first || s.At >= q.To || b.lag > 0 && s.At-l.lowOf < settling*b.lag {
			continue
		}
		at := cell + wide/2
		if len(out) == 0 || out[len(out)-1].at != at {
			out, n = append(out, regressed{at: at}), 0
		}
		c := &out[len(out)-1]
		n++
		c.x += (s.Value - c.x) / n
		c.z += (l.low - c.z) / n
	}
	return out
}

// filter keeps the low pass of what b is regressed on.
func (b *baseline) filter(l *learned, x float64, at int64) {
	switch {
	case b.lag == 0:
	case l.lowAt == 0:
		l.low, l.lowAt, l.lowOf = x, at, at
	case at > l.lowAt:
		l.low += (x - l.low) * (1 - math.Exp(-float64(at-l.lowAt)/float64(b.lag)))
		l.lowAt = at
	}
}

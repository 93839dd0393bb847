package rules

import (
	"iter"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Members count as bad together (Collapse.Within) by when the fault of each began,
// not by when it began to count: when a maintenance window is over, all that went
// bad while it lasted begin to count at once.

// began is when the fault of f by r began, or came back: of readings event time; of
// silence, which has none, when f began to count as silent. Never after now.
func (e *Engine) began(f *facility, r *Rule) int64 {
	a := f.find(r.index)
	switch {
	case a == nil: // it is late, see Engine.late
		return e.wall
	case r.Silent > 0:
		return min(e.wall, max(a.pending, a.calm))
	}
	return min(e.wall, max(a.event, a.calm))
}

// dark tells whether enough members are bad: with Collapse.Within, that went bad
// together and have stayed so.
func (c *cause) dark() bool {
	if c.rule.Collapse.Within == 0 {
		return c.enough(len(c.bad), 1)
	}
	_, ok := c.together(func(n int) bool { return c.enough(n, 1) })
	return ok
}

// reach is when there were enough of a cause that is dark, and was so before or is
// only now.
func (c *cause) reach(wall int64) int64 {
	switch {
	case c.rule.Collapse.Within > 0:
		wall, _ = c.together(func(n int) bool { return c.enough(n, 1) })
	case c.reached != 0:
		return c.reached
	}
	return wall
}

// together is the first instant by which enough had gone bad within the time of
// each other; ok is false if they never have.
func (c *cause) together(enough func(n int) bool) (at int64, ok bool) {
	if !enough(len(c.bad)) {
		return 0, false
	}
	for at, n := range c.spans() {
		if enough(n) {
			return at, true
		}
	}
	return 0, false
}

// atOnce is how many members went bad within the time of each other, at most.
func (c *cause) atOnce() (most int) {
	if c.rule.Collapse.Within == 0 {
		return len(c.bad)
	}
	for _, n := range c.spans() {
		most = max(most, n)
	}
	return most
}

// spans is the instants when members went bad, ascending, and how many had within the
// time until then.
func (c *cause) spans() iter.Seq2[int64, int] {
	since := make([]int64, 0, len(c.bad))
	for _, m := range c.bad {
		since = append(since, m.since)
	}
	slices.Sort(since)
	within, first := c.rule.Collapse.Within.Milliseconds(), 0
	return func(yield func(int64, int) bool) {
		for i, at := range since {
			for since[first] <= at-within {
				first++
			}
			if !yield(at, i-first+1) {
				return
			}
		}
	}
}

// counts tells whether a member is one of those that are bad together, or went bad
// after them: then it comes under their ticket as who goes bad once that is open.
func (c *cause) counts(m mark) bool {
	w := c.rule.Collapse.Within.Milliseconds()
	return w == 0 || m.since > c.reached-w
}

// onsets is how many members of a wide cause went bad when, as partitions tell each
// other: by the number of the step of event time, see [Collapse.step].
type onsets map[int64]int

// steps is how many steps of onsets there are in Collapse.Within.
const steps = 16

// step is how long one of onsets is, ms.
func (x *Collapse) step() int64 { return max(1, x.Within.Milliseconds()/steps) }

func (o onsets) add(p onsets) {
	for step, n := range p {
		o[step] += n
	}
}

// together is as that of a cause; what lies more than steps-1 of them apart is not
// told from what does not lie within the time.
func (o onsets) together(x *Collapse, enough func(n int) bool) (at int64, ok bool) {
	for step, n := range o.spans() {
		if enough(n) {
			return (step+1)*x.step() - 1, true
		}
	}
	return 0, false
}

// atOnce is as that of a cause.
func (o onsets) atOnce() (most int) {
	for _, n := range o.spans() {
		most = max(most, n)
	}
	return most
}

// spans is as that of a cause, by step.
func (o onsets) spans() iter.Seq2[int64, int] {
	return func(yield func(int64, int) bool) {
		order, first, n := slices.Sorted(maps.Keys(o)), 0, 0
		for _, step := range order {
			n += o[step]
			for ; order[first] <= step-steps; first++ {
				n -= o[order[first]]
			}
			if !yield(step, n) {
				return
			}
		}
	}
}

// recent is the step of members of whom an older daemon has told only that they
// went bad within the time until now.
const recent = -1

// UnmarshalCBOR reads onsets, also the number that stood in their place once.
func (o *onsets) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 || b[0]>>5 != 0 { // no unsigned number
		return cbor.Unmarshal(b, (*map[int64]int)(o))
	}
	var n int
	err := cbor.Unmarshal(b, &n)
	if *o = nil; n > 0 {
		*o = onsets{recent: n}
	}
	return err
}

// date gives members that were told as recent the step in which that came.
func (o onsets) date(x *Collapse, wall int64) {
	if n := o[recent]; n > 0 {
		delete(o, recent)
		o[wall/x.step()] += n
	}
}

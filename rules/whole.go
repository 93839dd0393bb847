package rules

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// whole is a wide cause where the shares of all partitions are put together.
type whole struct {
	wideKey
	rule    *Rule  // nil = these rules have none; those that come may
	parts   []part // by partition
	stage   stage
	opened  uint64 // the frame that opened its ticket
	told    stage  // as the newest word has it
	no      uint64 // the frame of the newest word, 0 = there was none
	at      int64  // wall clock of the newest word
	reached int64  // as that of a cause
	turning int64  // wall clock since when there are enough, or since when what is open is over; 0 = it is as it should be
	stirred bool   // in Engine.astir
}

// part is the newest share of a partition.
type part struct {
	share
	at int64 // wall clock when it came
}

// askEvery is how often who has not told its share is asked for it, ms.
const askEvery = 10_000

// takeShare takes over what a partition has counted.
func (e *Engine) takeShare(record []byte) error {
	var s share
	if err := cbor.Unmarshal(record, &s); err != nil {
		return fmt.Errorf("share of a cause: %w", err)
	}
	if s.Frame < e.shared[s.Partition] || s.Partition < 0 {
		return nil // it came before
	}
	e.shared[s.Partition] = s.Frame
	w := e.wholes[s.Of]
	if w == nil {
		w = &whole{wideKey: s.Of, rule: e.set.wideRule(&s.Of)}
		e.wholes[w.wideKey] = w
	}
	if w.rule != nil {
		s.Onsets.date(w.rule.Collapse, e.wall)
	}
	w.put(part{s, e.wall})
	e.stirWhole(w)
	return nil
}

func (w *whole) put(p part) {
	i, ok := slices.BinarySearchFunc(w.parts, p.Partition, func(a part, n int) int { return cmp.Compare(a.Partition, n) })
	if ok {
		w.parts[i] = p
		return
	}
	w.parts = slices.Insert(w.parts, i, p)
}

func (e *Engine) stirWhole(w *whole) {
	if !w.stirred {
		w.stirred = true
		e.astir = append(e.astir, w)
	}
}

// reckonWholes looks at those that have changed or wait, in an order that
// replays alike.
func (e *Engine) reckonWholes() {
	if len(e.astir) == 0 {
		return
	}
	before := e.astir
	e.astir = nil
	slices.SortFunc(before, func(a, b *whole) int { return compareKeys(&a.wideKey, &b.wideKey) })
	for _, w := range before {
		w.stirred = false
		if e.wholes[w.wideKey] != w {
			continue
		}
		switch {
		case w.rule == nil:
			w.stage = asleep
		case w.stage == opened:
			e.wholeLasts(w)
		default:
			e.wholeBegins(w)
		}
		e.announce(w)
	}
}

func compareKeys(a, b *wideKey) int {
	return cmp.Or(-cmp.Compare(a.Level, b.Level), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule, b.Rule))
}

// sum puts the shares together.
func (w *whole) sum() (n counts) {
	under := make(map[string]int)
	n.Onsets = make(onsets)
	for i := range w.parts {
		p := &w.parts[i]
		n.Total, n.Bad, n.Waits = n.Total+p.Total, n.Bad+p.Bad, n.Waits+p.Waits
		n.Onsets.add(p.Onsets)
		for name, m := range p.Under {
			under[name] += m
		}
	}
	n.Under = under
	return n
}

// yields tells whether without the largest of the causes below it less than half
// of what it takes is left: then that is the cause.
func (w *whole) yields(n *counts) bool {
	largest := 0
	for _, m := range n.Under {
		largest = max(largest, m)
	}
	return largest > 0 && !w.rule.Collapse.enough(n.Bad-largest, n.Total, 0.5)
}

// wholeBegins opens the ticket when its time has come.
func (e *Engine) wholeBegins(w *whole) {
	x, n := w.rule.Collapse, w.sum()
	reached, enough := w.reached, x.enough(n.Bad, n.Total, 1)
	switch {
	case enough && x.Within > 0:
		reached, enough = n.Onsets.together(x, func(k int) bool { return x.enough(k, n.Total, 1) })
	case reached == 0:
		reached = e.wall
	}
	switch {
	case !enough: // n.Total may be too small: then it is asked for below
		w.reached, w.stage = 0, asleep
		if slices.ContainsFunc(w.parts, func(p part) bool { return x.alarming(p.Bad, p.Total, e.partitions, 0.5) }) {
			w.stage = watch
		}
	case w.yields(&n) || e.maintainedWhole(w):
		w.reached, w.stage = 0, watch
	case len(w.parts) < e.partitions:
		w.stage = watch
		e.stirWhole(w) // who does not answer is asked again
	default:
		if w.reached == 0 || w.turning == 0 || reached > w.reached {
			w.turning = e.wall
		}
		w.reached = reached
		w.stage = looms
		e.stirWhole(w)
		if e.wall-w.turning >= w.rule.wait().Milliseconds() && x.enough(n.Bad-n.Waits, n.Total, 1) {
			w.stage, w.opened = opened, e.seq
			e.toldWhole(w, Opened, &n)
			w.turning = 0
		}
	}
}

// wholeLasts ends the ticket when less than half of what it takes has been left
// for long enough.
func (e *Engine) wholeLasts(w *whole) {
	n, attached := w.sum(), 0
	for i := range w.parts {
		switch p := &w.parts[i]; {
		case e.wall-p.at > shareLease:
		case p.Known == opened && p.Heard > w.opened:
			attached += p.Attached
		default:
			attached += p.Bad // it has not heard of the ticket yet
		}
	}
	e.stirWhole(w)
	if w.rule.Collapse.enough(attached, n.Total, 0.5) {
		w.turning = 0
		return
	}
	if w.turning == 0 {
		w.turning = e.wall
	}
	if e.wall-w.turning < w.rule.ClearFor.Milliseconds() {
		return
	}
	e.toldWhole(w, Ended, &n)
	w.stage, w.reached, w.turning = watch, 0, 0
}

// announce tells all partitions how w stands, and lets go of what nobody has
// part in. That it is open is told in the frame after: by then its ticket is
// written down, and members can be attached to it.
func (e *Engine) announce(w *whole) {
	if w.stage == opened && w.opened == e.seq {
		return
	}
	gone := w.stage == asleep && (w.rule != nil || !slices.ContainsFunc(w.parts, func(p part) bool { return p.Bad > 0 }))
	again := e.wall-w.at >= askEvery && w.stage != asleep &&
		(len(w.parts) < e.partitions || slices.ContainsFunc(w.parts, func(p part) bool { return p.Known != w.stage && p.Heard < w.no }))
	if w.stage != w.told || again || gone {
		w.told, w.no, w.at = w.stage, e.seq, e.wall
		if err := e.post("", devices.ItemCause, &word{Of: w.wideKey, Partition: e.partition, Frame: e.seq, Stage: w.stage, Since: w.reached}); err != nil {
			e.trouble = err
		}
	}
	if gone {
		delete(e.wholes, w.wideKey)
	}
}

// untold tells whether the next frame will say how a cause stands.
func (e *Engine) untold() bool {
	for _, w := range e.wholes {
		if w.stage != w.told {
			return true
		}
	}
	return false
}

// maintainedWhole tells whether nothing is to be opened for w: a window for the
// area, for what it lies in, or for the feeder is one for its tickets too.
func (e *Engine) maintainedWhole(w *whole) bool {
	return slices.ContainsFunc(e.windows, func(x Window) bool { return x.on(e.wall) && x.atWhole(w) })
}

// toldWhole is a transition of a wide cause.
func (e *Engine) toldWhole(w *whole, what TransitionType, n *counts) {
	r := w.rule
	t := Transition{Type: what, Facility: ticketOf(w.Level, w.Place), Kind: r.Kind, Defect: r.Name, Severity: r.Severity, Page: r.Page, Rules: e.set.version, At: e.wall, Wall: e.wall,
		Value: float64(n.Bad), Limit: float64(n.Total), Summary: r.Summary}
	if what == Opened || what == Ended {
		x := r.Collapse
		t.Evidence = &Evidence{Rule: r.Name, Version: e.set.version, Since: min(w.reached, e.wall), Pending: w.turning, ForMS: r.wait().Milliseconds(), At: e.wall,
			Cause: &CauseEvidence{Of: x.Of, By: w.Level.String(), Bad: n.Bad, Total: n.Total, Share: x.Share, AtLeast: x.AtLeast, WithinMS: x.Within.Milliseconds()}}
		if what == Ended {
			t.Evidence.ended(r, w.turning)
		} else {
			t.At = t.Evidence.Since
			if x.Within > 0 {
				t.Evidence.Cause.Bad = n.Onsets.atOnce()
				t.Value = float64(t.Evidence.Cause.Bad)
			}
			t.Evidence.Window = e.wholeKeptBack(w)
		}
	}
	e.found.Transitions = append(e.found.Transitions, t)
}

// rejudgeWholes gives the wide causes the rules of another set. Those that it
// does not have, or that are about others now, end.
func (e *Engine) rejudgeWholes(set *Set) {
	for _, w := range e.wholesInOrder() {
		r := set.wideRule(&w.wideKey)
		switch {
		case r != nil && (w.rule == nil || r.Collapse.Of == w.rule.Collapse.Of):
			was := w.rule
			w.rule = r
			e.stirWhole(w)
			if was != nil && w.stage == opened && r.Severity != was.Severity {
				n := w.sum()
				e.toldWhole(w, Changed, &n)
				e.switched(set, was.Severity)
			}
		case w.rule != nil:
			if w.stage == opened {
				n := w.sum()
				e.toldWhole(w, Ended, &n)
			}
			delete(e.wholes, w.wideKey)
		}
	}
}

func (e *Engine) wholesInOrder() []*whole {
	out := make([]*whole, 0, len(e.wholes))
	for _, w := range e.wholes {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b *whole) int { return compareKeys(&a.wideKey, &b.wideKey) })
	return out
}

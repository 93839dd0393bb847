package rules

import (
	"cmp"
	"slices"
	"strings"

	"lamplighter/devices"
)

// A device that numbers its messages shows when one is missing. With a lateness
// in its kind's rules, what came after the missing one waits for it, so that
// readings are judged in the order in which they were sent; what comes in order
// waits for nothing. What comes later than that is history.

// heldMessage is one that waits for those before it.
type heldMessage struct {
	seq      uint64
	due      int64 // wall clock when it has waited long enough
	readings []devices.Reading
}

// ordered is what of a message is to be judged, by time: its readings, and what
// an event says, none of it later than it was received. A clock may run ahead by
// minutes and be plausible; believed here, it would make all that comes in these
// minutes late. So all of the message is set back by that much, and what lies
// between its readings stays. The message belongs to all consumers, so it is not
// changed.
func (e *Engine) ordered(m *devices.Message) []devices.Reading {
	rs := m.Readings
	if m.Type == devices.Event {
		if c := e.ids[m.Event.Name]; c != nil && c.Type == devices.Bool {
			rs = append(slices.Clone(rs), devices.Reading{Time: m.Event.Time, Values: []devices.Value{{Channel: c, Num: 1}}})
		}
	}
	byTime := func(a, b devices.Reading) int { return int(min(1, max(-1, a.Time-b.Time))) }
	if !slices.IsSortedFunc(rs, byTime) {
		rs = slices.Clone(rs)
		slices.SortStableFunc(rs, byTime)
	}
	if len(rs) == 0 {
		return rs
	}
	if ahead := rs[len(rs)-1].Time - cmp.Or(m.Received, e.wall); ahead > 0 {
		rs = slices.Clone(rs)
		for i := range rs {
			rs[i].Time -= ahead
		}
	}
	return rs
}

// inTurn judges the readings of a message when it is its turn; gap is what it
// showed to be missing, anew says that its numbers begin anew.
func (e *Engine) inTurn(f *facility, m *devices.Message, rs []devices.Reading, gap *Gap, anew bool) {
	wait := e.set.kinds[f.kind].lateness
	waits := f.more != nil && len(f.more.held) > 0
	switch {
	case !waits && (wait == 0 || !m.HasSeq):
	case waits && (anew || wait == 0):
		e.letGo(f, len(f.more.held))
	case !waits && gap.To > 0 && m.Seq > gap.To:
		f.rare().next = gap.From
		e.keepBack(f, m, rs, wait)
		return
	case !waits || !m.HasSeq || m.Seq < f.more.next:
	case m.Seq == f.more.next:
		f.more.next++
		e.readings(f, rs)
		e.letGo(f, 0)
		return
	default:
		e.keepBack(f, m, rs, wait)
		return
	}
	e.readings(f, rs)
}

// keepBack lets a message wait, in the order of the numbers. The batch that it
// lies in is used again.
func (e *Engine) keepBack(f *facility, m *devices.Message, rs []devices.Reading, wait int64) {
	h := heldMessage{seq: m.Seq, due: e.wall + wait, readings: slices.Clone(rs)}
	for i := range h.readings {
		vs := slices.Clone(h.readings[i].Values)
		for j := range vs {
			vs[j].Text = strings.Clone(vs[j].Text)
		}
		h.readings[i].Values = vs
	}
	x := f.more
	i, _ := slices.BinarySearchFunc(x.held, h.seq, func(a heldMessage, seq uint64) int {
		switch {
		case a.seq < seq:
			return -1
		case a.seq > seq:
			return 1
		}
		return 0
	})
	x.held = slices.Insert(x.held, i, h)
	e.after(f, h.due)
	e.count(f) // it was heard, whatever it said
	if len(x.held) > maxWaiting {
		e.letGo(f, 1)
	}
}

// maxWaiting bounds the messages of one device that wait.
const maxWaiting = 64

// letGo judges the first n messages that wait, and those that follow them
// without a gap.
func (e *Engine) letGo(f *facility, n int) {
	x := f.more
	for len(x.held) > 0 && (n > 0 || x.held[0].seq == x.next) {
		h := x.held[0]
		x.held = slices.Delete(x.held, 0, 1)
		x.next = h.seq + 1
		n--
		e.readings(f, h.readings)
	}
}

// waited lets go of what has waited long enough, and what it waited with.
func (e *Engine) waited(f *facility) {
	for i := len(f.more.held) - 1; i >= 0; i-- {
		if f.more.held[i].due <= e.wall {
			e.letGo(f, i+1)
			return
		}
	}
}

// after has f looked at when the wall clock has come to due.
func (e *Engine) after(f *facility, due int64) {
	x := f.rare()
	if !x.chore {
		x.chore = true
		e.chores = append(e.chores, f)
	}
	if e.choreAt == 0 || due < e.choreAt {
		e.choreAt = due
	}
}

// doChores looks at who waits for its time to come, in an order that replays
// alike.
func (e *Engine) doChores() {
	if e.choreAt == 0 || e.wall < e.choreAt {
		return
	}
	e.choreAt = 0
	all := sorted(e.chores)
	e.chores = e.chores[:0]
	for _, f := range all {
		x := f.more
		x.chore = false
		if f.gone {
			continue
		}
		e.waited(f)
		if p := x.past; p != nil && p.run != nil && p.due <= e.wall {
			e.endOf(f)
		}
		e.again(f)
	}
}

// again has f looked at when the next of what it waits for is due.
func (e *Engine) again(f *facility) {
	if f.more == nil {
		return
	}
	for i := range f.more.held {
		e.after(f, f.more.held[i].due)
	}
	if p := f.more.past; p != nil && p.run != nil {
		e.after(f, p.due)
	}
}

package rules

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"lamplighter/devices"
)

// circuit is the lamps that hang on one circuit of one cabinet.
type circuit struct {
	id      devices.FacilityID
	members []*facility
	silent  int // of members
	firing  bool
}

// heard notes that a device has said something.
func (e *Engine) heard(f *facility, m *devices.Message) {
	f.seen = e.wall
	if m.State.ExpectS > 0 {
		f.expectMS = m.State.ExpectS * 1000
	}
	if m.State.NextS > 0 {
		f.seen += m.State.NextS * 1000
	}
	if f.silent {
		f.silent = false
		if f.circuit != nil {
			f.circuit.silent--
			e.judgeCircuit(f.circuit, f, Left)
		}
		e.silenceHolds(f, no, e.wall)
	} else if f.heir {
		e.silenceHolds(f, no, e.wall)
	}
	f.heir = false
	e.watch(f)
}

// silence is when a facility's silence timer rings.
func (e *Engine) silence(f *facility) {
	if f.silent || f.gone {
		return
	}
	if f.deadline(e.set) > e.wall {
		e.watch(f)
		return
	}
	f.silent, f.since = true, e.wall
	e.silenceHolds(f, yes, f.seen)
	if f.circuit != nil {
		f.circuit.silent++
		e.judgeCircuit(f.circuit, f, Joined)
	}
	e.ripen(f, 0)
}

func (e *Engine) silenceHolds(f *facility, t truth, at int64) {
	for _, r := range e.set.kinds[f.kind].rules {
		if r.Silent > 0 {
			e.holds(f, r, t, at)
		}
	}
}

// never is a deadline that is not there.
const never = math.MaxInt64

// deadline is the wall clock at which f counts as silent.
func (f *facility) deadline(s *Set) int64 {
	if f.expectMS == 0 || f.seen == 0 {
		return never
	}
	if k := s.kinds[f.kind].silent; k > 0 {
		return f.seen + int64(k*float64(f.expectMS))
	}
	return never
}

func (e *Engine) watch(f *facility) {
	at := f.deadline(e.set)
	if f.due != 0 || f.silent || at == never {
		return
	}
	f.due = at
	heap.Push(&e.timers, timer{at, f})
}

// ring lets the silence timers ring whose time has come.
func (e *Engine) ring() {
	for len(e.timers) > 0 && e.timers[0].at <= e.wall {
		t := heap.Pop(&e.timers).(timer)
		t.f.due = 0
		e.silence(t.f)
	}
}

// away moves every silence timer on: while nothing was received at all, nobody
// can be blamed for silence.
func (e *Engine) away(ms int64) {
	for _, f := range e.facilities {
		if f.seen > 0 {
			f.seen += ms
		}
	}
}

// judgeCircuit opens, follows or ends the ticket of a circuit after one of its
// members has fallen silent (Joined) or was heard (Left).
func (e *Engine) judgeCircuit(c *circuit, f *facility, what TransitionType) {
	for _, r := range e.set.kinds[devices.Streetlight].rules {
		if r.Collapse == nil {
			continue
		}
		share := float64(c.silent) / float64(max(1, len(c.members)))
		dark := c.silent >= r.Collapse.AtLeast && share >= r.Collapse.Share
		was := c.firing
		c.firing = dark || was && c.silent > 0 && share >= r.Collapse.Share/2
		switch {
		case c.firing && !was:
			e.circuitFound(c, r, Opened, "")
			for _, m := range sorted(c.members) {
				if m.silent {
					e.circuitFound(c, r, Joined, m.id)
				}
			}
		case c.firing:
			e.circuitFound(c, r, what, f.id)
		case was:
			e.circuitFound(c, r, Ended, "")
		}
	}
}

func sorted(fs []*facility) []*facility {
	out := slices.Clone(fs)
	slices.SortFunc(out, func(a, b *facility) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (e *Engine) circuitFound(c *circuit, r *Rule, what TransitionType, member devices.FacilityID) {
	e.found.Transitions = append(e.found.Transitions, Transition{Type: what, Facility: c.id, Member: member, Kind: devices.Streetlight, Defect: r.Name, Severity: r.Severity, Page: r.Page, Rules: e.set.version, At: e.wall, Wall: e.wall,
		Value: float64(c.silent), Limit: float64(len(c.members)), Summary: r.Summary})
}

// timer is when a facility's silence is looked at.
type timer struct {
	at int64
	f  *facility
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].f.id < t[j].f.id
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push adds a timer.
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }

// Pop takes the last timer.
func (t *timers) Pop() any {
	n := len(*t) - 1
	x := (*t)[n]
	(*t)[n] = timer{}
	*t = (*t)[:n]
	return x
}

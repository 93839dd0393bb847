package rules

import (
	"container/heap"
	"math"
	"slices"

	"lamplighter/devices"
)

// heard notes that a device has said something.
func (e *Engine) heard(f *facility, m *devices.Message) {
	f.seen = e.wall
	if m.State.ExpectS > 0 {
		f.expectMS = m.State.ExpectS * 1000
	}
	if m.State.NextS > 0 {
		f.excused = e.wall + m.State.NextS*1000 // a message that comes late after this good-night changes nothing
	}
	f.overdue = false
	if f.silent {
		f.silent = false
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
	e.missed(f)
	e.silenceHolds(f, yes, f.seen)
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
		return max(f.seen, f.excused) + int64(k*float64(f.expectMS))
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
			f.excused = max(f.seen, f.excused) + ms
		}
	}
}

func sorted(fs []*facility) []*facility {
	out := slices.Clone(fs)
	slices.SortFunc(out, byID)
	return out
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

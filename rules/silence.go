package rules

import (
	"container/heap"
	"math"
	"slices"

	"lamplighter/devices"
)

// heard notes that a device has said something, through a link.
func (e *Engine) heard(f *facility, m *devices.Message, via uint16) {
	sent, excused := e.sent(f, m), f.excused
	if m.State.NextS > 0 {
		excused = sent + m.State.NextS*1000 // a message that comes late after this good-night changes nothing
	}
	if (f.silent || f.overdue) && sent < f.absent && excused <= e.wall {
		return // it was not missed yet when it sent that: it does not say that it is there
	}
	f.seen, f.link, f.dark, f.excused = e.wall, via, e.links[via].darkness(e.wall), excused
	if m.State.ExpectS > 0 {
		f.expectMS = m.State.ExpectS * 1000
	}
	f.overdue = false
	if f.silent {
		f.silent = false
		e.silenceHolds(f, no, e.wall)
		e.weigh(f) // its readings may have to wait for those before them
	} else if f.heir {
		e.silenceHolds(f, no, e.wall)
	}
	f.heir, f.lost = false, false
	e.watch(f)
}

// sent is when f sent what comes only now: when it says so by its own clock, or now
// where it does not, or where that is no older than it may be. What a device measures
// and sends each interval may be an interval old, and by a clock that is behind all is
// older by as much as what was newest when f was last heard.
func (e *Engine) sent(f *facility, m *devices.Message) int64 {
	usual := max(reach.Milliseconds(), f.expectMS)
	if f.newest > 0 && f.newest < f.seen {
		usual += f.seen - f.newest
	}
	if m.Sent == 0 || e.wall-m.Sent <= usual {
		return e.wall
	}
	return m.Sent
}

// silence is when a facility's silence timer rings.
func (e *Engine) silence(f *facility) {
	if f.silent || f.gone {
		return
	}
	if f.deadline(e, e.set.kinds[f.kind].silent) > e.wall {
		e.watch(f)
		return
	}
	if f.expectMS == 0 || e.blind(f) {
		f.lost = true
		e.count(f)
		return
	}
	if e.rests(f) {
		return
	}
	f.silent, f.absent = true, e.wall
	e.missed(f)
	e.silenceHolds(f, yes, f.seen)
	e.ripen(f, 0)
}

// rests tells whether f may have no power, which no rule takes for a fault: it
// stands as it stood, and is looked at again before it could be late once it has
// power.
func (e *Engine) rests(f *facility) bool {
	k := &e.set.kinds[f.kind]
	if !k.rests || e.powered(f, e.wall) {
		return false
	}
	allowed := int64(k.silent * float64(f.expectMS))
	f.excused = e.wall - allowed + max(60_000, allowed/4)
	e.watch(f)
	return true
}

// silenceHolds tells the rules about silence. One that allows more intervals than
// the others holds when they are over.
func (e *Engine) silenceHolds(f *facility, t truth, at int64) {
	for _, r := range e.set.kinds[f.kind].rules {
		if r.Silent == 0 {
			continue
		}
		e.holds(f, r, t, at)
		if a := f.find(r.index); t == yes && !a.firing && !a.held && a.pending == e.wall {
			a.pending = max(e.wall, f.deadline(e, r.Silent))
		}
	}
}

// unsaidInterval is how long after a facility was last heard it still stands as
// it said, where nobody says how often it reports, ms. Beyond, nothing is known
// of it; but no rule can call that a fault.
const unsaidInterval = 24 * 3600_000

// never is a deadline that is not there.
const never = math.MaxInt64

// deadline is the wall clock at which f counts as silent to a rule: when it could
// have been heard for k × its interval. A link that was down for long gives it all of
// that anew; one that was down for a moment, no more than that moment. While the
// link is down it is when nothing is known of f any more.
func (f *facility) deadline(e *Engine, k float64) int64 {
	switch {
	case f.seen == 0 || f.expectMS > 0 && k == 0 || f.expectMS == 0 && f.lost:
		return never
	case f.expectMS == 0:
		return max(f.seen, f.excused) + unsaidInterval
	}
	allowed := int64(k * float64(f.expectMS))
	at := max(f.seen, f.excused) + allowed
	l := &e.links[f.link]
	if l.down {
		if f.lost {
			return never
		}
		return at
	}
	at += l.dark - f.dark
	if l.back > f.seen {
		at = max(at, l.back+min(l.lasted, allowed))
	}
	return at
}

// watch has the silence timer ring at the deadline of f, or earlier: when it
// rings, the deadline is looked at anew.
func (e *Engine) watch(f *facility) {
	at := f.deadline(e, e.set.kinds[f.kind].silent)
	if f.silent || at == never || f.due != 0 && f.due <= at {
		return
	}
	f.due = at
	heap.Push(&e.timers, timer{at, f})
}

// ring lets the silence timers ring whose time has come.
func (e *Engine) ring() {
	for len(e.timers) > 0 && e.timers[0].at <= e.wall {
		t := heap.Pop(&e.timers).(timer)
		if t.f.due == t.at { // else an earlier one has taken its place
			t.f.due = 0
			e.silence(t.f)
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

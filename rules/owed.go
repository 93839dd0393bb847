package rules

import "container/heap"

// What is known of a facility may mean something else under other rules, or with
// other limits. Its device may be heard half a day later, so the rules are asked
// about what is known. With a million facilities that takes seconds: some are
// asked in each frame, in the order of their ids.

// perFrame is how many facilities are asked at most in a frame.
const perFrame = 1000

// owe has the rules asked about f without its being heard.
func (e *Engine) owe(f *facility) {
	f.anew = true
	if !f.owed && f.seen != 0 {
		f.owed = true
		heap.Push(&e.owed, f)
	}
}

// oweAll has the rules asked about all.
func (e *Engine) oweAll() {
	clear(e.owed)
	e.owed = e.owed[:0]
	for _, f := range e.facilities {
		f.anew, f.owed = true, f.seen != 0
		if f.owed {
			e.owed = append(e.owed, f)
		}
	}
	heap.Init(&e.owed)
}

// pay asks the rules about some of those that are owed it. Who was heard in the
// meantime is not.
func (e *Engine) pay() {
	for n := 0; n < e.perFrame && len(e.owed) > 0; {
		f := heap.Pop(&e.owed).(*facility)
		if f.owed && !f.gone {
			f.owed = false
			n++
			e.reconsider(f)
		}
	}
}

// reconsider asks every rule about what is known of f, as long as that may be the
// state of now.
func (e *Engine) reconsider(f *facility) {
	e.paying = true
	defer func() { e.paying = false }()
	switch {
	case f.silent && !e.blind(f):
		e.silenceHolds(f, yes, f.seen)
	case !e.current(f):
		return // asked when it is heard
	default:
		f.anew = false
		e.judge(f, &e.set.kinds[f.kind], everything, f.newest)
	}
	e.ripen(f, f.newest)
}

// current tells whether what is known of f may be the state of now.
func (e *Engine) current(f *facility) bool {
	return !f.silent && !f.lost && e.wall-f.newest <= max(reach.Milliseconds(), 2*f.expectMS)
}

// debts is facilities by id.
type debts []*facility

func (d debts) Len() int           { return len(d) }
func (d debts) Less(i, j int) bool { return d[i].id < d[j].id }
func (d debts) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push adds a facility.
func (d *debts) Push(x any) { *d = append(*d, x.(*facility)) }

// Pop takes the last facility.
func (d *debts) Pop() any {
	n := len(*d) - 1
	x := (*d)[n]
	(*d)[n] = nil
	*d = (*d)[:n]
	return x
}

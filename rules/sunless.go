package rules

import "lamplighter/devices"

// bySun tells whether r asks where the sun stands at f.
func (r *Rule) bySun(f *facility) bool {
	word := ""
	if r.Schedule != nil {
		word = r.Schedule.Word
	}
	switch {
	case r.nightly || word == atNight || word == byDay:
		return true
	case r.timed || word == onWord || word == offWord:
		return f.when().table.BySun()
	case word == poweredWord: // it counts as powered, and is missed by day
		return f.when().supply == switched && f.when().table.BySun()
	}
	return false
}

// sunless tells whether rules by the sun do not judge f: neither it nor its circuit or
// cabinet has a place.
func (e *Engine) sunless(f *facility) bool {
	if f.hasPlace {
		return false
	}
	if _, _, ok := f.place(); ok {
		return false
	}
	for _, r := range e.set.kinds[f.kind].rules {
		if r.bySun(f) {
			return true
		}
	}
	return false
}

// noSun is how many facilities are sunless.
type noSun struct {
	n     int
	at    int64 // wall clock when they were counted, 0 = never
	stale bool  // the census or the rules have changed since
}

// countAnew is how often they are counted at most, ms: with a million facilities that
// takes a while.
const countAnew = 10_000

// countSunless is how many facilities are sunless.
func (e *Engine) countSunless() int {
	x := &e.noSun
	if x.at == 0 || x.stale && e.wall-x.at >= countAnew {
		*x = noSun{at: e.wall}
		for _, f := range e.facilities {
			if e.sunless(f) {
				x.n++
			}
		}
	}
	return x.n
}

// Sunless is how many facilities of the partition rules by the sun do not judge, as
// neither they nor their circuit or cabinet have a place in the census.
func (w *Worker) Sunless() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return 0
	}
	return w.engine.countSunless()
}

// SunlessOf marks the facilities of this partition that are among those; others are
// left as they are.
func (w *Worker) SunlessOf(ids []devices.FacilityID, out []bool) {
	ofEach(w, ids, out, func(f *facility) bool { return w.engine.sunless(f) })
}

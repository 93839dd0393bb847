package rules

import (
	"slices"
	"strings"

	"lamplighter/devices"
)

// Stood says how a lamp stands from an instant on, until the next one says
// otherwise. Of a lamp that was never heard nothing is said until it is heard, so
// that a census of a million lamps is no million findings.
type Stood struct {
	Facility devices.FacilityID
	At       int64 // wall clock of the frame that decided it, Unix ms
	Is       Standing
	Why      string // of Faulty the rules, in the order of the alphabet, with commas; of Unknown silent, unheard or gone
}

// faults is the text of the rules by which f is faulty.
func (e *Engine) faults(f *facility, s Standing) uint32 {
	if s != Faulty {
		return 0
	}
	var one string
	var more []string
	for i := range f.alerts {
		a := &f.alerts[i]
		r := e.set.kinds[f.kind].rules[a.rule]
		switch {
		case !e.wrong(f, a):
		case one == "":
			one = r.Name
		default:
			more = append(more, r.Name)
		}
	}
	if more == nil {
		return e.texts.id(one)
	}
	more = append(more, one)
	slices.Sort(more)
	return e.texts.id(strings.Join(more, ","))
}

// stood tells how f stands now; first says that it was not told before.
func (e *Engine) stood(f *facility, first bool) {
	if x, ok := e.standingOf(f, first); ok {
		e.found.Stood = append(e.found.Stood, x)
	}
}

// standingOfAll is how every lamp stands of which something is known.
func (e *Engine) standingOfAll() []Stood {
	var out []Stood
	for _, f := range e.facilities {
		if x, ok := e.standingOf(f, true); ok {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Stood) int { return strings.Compare(string(a.Facility), string(b.Facility)) })
	return out
}

// standingOf is how f stands now; ok is false where there is nothing to tell.
func (e *Engine) standingOf(f *facility, first bool) (x Stood, ok bool) {
	if f.kind != devices.Streetlight || first && f.standing == Unknown && f.seen == 0 && !f.heir && !e.forgot {
		return x, false
	}
	x = Stood{Facility: f.id, At: e.wall, Is: f.standing, Why: e.texts.text(f.why)}
	if f.standing == Unknown {
		x.Why = "unheard"
		if f.silent {
			x.Why = "silent"
		}
	}
	return x, true
}

// left tells that f has left the census: were it to come back, nothing would be
// known of it.
func (e *Engine) left(f *facility) {
	if f.kind == devices.Streetlight && f.standing != Unknown {
		e.found.Stood = append(e.found.Stood, Stood{Facility: f.id, At: e.wall, Is: Unknown, Why: "gone"})
	}
}

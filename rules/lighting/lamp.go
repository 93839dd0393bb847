package lighting

import (
	"slices"
	"strings"

	"lamplighter/devices/registry"
)

// State is how a lamp counts at an instant.
type State uint8

// The states, which are the buckets too.
const (
	Intact State = iota
	Faulty
	Unknown
	Excluded
)

var stateNames = [...]string{"intact", "faulty", "unknown", "excluded"}

// String is the name in the API.
func (s State) String() string { return stateNames[min(int(s), len(stateNames)-1)] }

// Spell is a time of a lamp that is not simply intact, [From, To), Unix ms; To 0 =
// it lasts.
type Spell struct {
	From, To int64
	State    State
	Reason   string // the rules, with commas; of unknown silent, unheard, gone or away; of excluded maintenance or timetable
	Finding  int64  // of a person, 0 = of telemetry
}

func (s *Spell) covers(t int64) bool { return s.From <= t && (s.To == 0 || t < s.To) }

// lamp is what is known of one lamp in a night.
type lamp struct {
	row    *registry.Facility // at the noon before
	since  int64              // when it was first heard, 0 = long before
	spells []Spell
}

// never is when a lamp was heard that was not.
const never = 1<<63 - 1

// feeds tells what feeds and measures lamps from lamps: a cabinet bears its own
// name as cabinet, and a circuit is called CABINET:CIRCUIT.
func feeds(f *registry.Facility) bool {
	return f.Cabinet != "" && (string(f.ID) == f.Cabinet || strings.HasPrefix(string(f.ID), f.Cabinet+":"))
}

// weight is how many lamps f stands for, 0 = none. What the census does not say is
// one for a lamp and none for what feeds lamps.
func weight(f *registry.Facility) int64 {
	switch {
	case f == nil || f.Provisional:
		return 0
	case f.Lamps > 0:
		return f.Lamps
	case feeds(f):
		return 0
	}
	return 1
}

// at is how a lamp counts at an instant, and why: what is excluded is not asked
// further, what a person has found is true though nothing be heard, and of what
// is not heard nothing is known.
func (d *Definition) at(n *Night, l *lamp, t int64) (State, string) {
	if s, why := d.census(n, l.row); s == Excluded {
		return s, why
	}
	found, state := [4]*Spell{}, Intact
	for i := range l.spells {
		s := &l.spells[i]
		if !s.covers(t) {
			continue
		}
		switch {
		case s.State == Excluded:
			return Excluded, s.Reason
		case s.Finding != 0:
			if d.Findings && d.counts(s.Reason) {
				found[Intact] = s // a person's: before all others
			}
		case s.State == Unknown || d.counts(s.Reason):
			found[s.State] = s
		}
	}
	switch s, why := d.census(n, l.row); {
	case found[Intact] != nil:
		return Faulty, found[Intact].Reason
	case s == Faulty:
		return s, why
	case t < l.since:
		return Unknown, "unheard"
	case found[Unknown] != nil:
		return Unknown, found[Unknown].Reason
	case found[Faulty] != nil:
		return Faulty, found[Faulty].Reason
	}
	return state, ""
}

// census is what the census says of a lamp by itself.
func (d *Definition) census(n *Night, f *registry.Facility) (State, string) {
	if f.Installed > n.Day {
		return Excluded, "installed " + f.Installed
	}
	if s, ok := d.Conditions[f.Condition]; ok && s != Intact {
		return s, "census " + f.Condition
	}
	return Intact, ""
}

// counts tells whether one of the defects, with commas between, makes a lamp
// faulty.
func (d *Definition) counts(reasons string) bool {
	if len(d.Faults) == 0 && len(d.Except) == 0 {
		return true
	}
	for r := range strings.SplitSeq(reasons, ",") {
		if (len(d.Faults) == 0 || slices.Contains(d.Faults, r)) && !slices.Contains(d.Except, r) {
			return true
		}
	}
	return false
}

// Tally is lamp-nights, or lamp-milliseconds of a definition that measures time.
type Tally struct{ Intact, Faulty, Unknown, Excluded int64 }

// Add adds another.
func (t *Tally) Add(o Tally) {
	t.Intact, t.Faulty, t.Unknown, t.Excluded = t.Intact+o.Intact, t.Faulty+o.Faulty, t.Unknown+o.Unknown, t.Excluded+o.Excluded
}

// times is the tally of n lamps that stand alike.
func (t Tally) times(n int64) Tally {
	return Tally{t.Intact * n, t.Faulty * n, t.Unknown * n, t.Excluded * n}
}

func (t *Tally) bucket(s State) *int64 {
	return [...]*int64{&t.Intact, &t.Faulty, &t.Unknown, &t.Excluded}[s]
}

// measure is what a lamp-night counts as.
func (d *Definition) measure(n *Night, l *lamp, instants []int64) (t Tally) {
	if !d.Time && len(instants) == 0 {
		t.Excluded = 1 // nobody looks at it
		return t
	}
	if len(l.spells) == 0 && l.since <= n.Dusk { // most lamps
		s, _ := d.census(n, l.row)
		*t.bucket(s) = 1
		if d.Time {
			*t.bucket(s) = n.Dawn - n.Dusk
		}
		return t
	}
	if d.Time {
		for _, p := range d.parts(n, l) {
			*t.bucket(p.State) += p.To - p.From
		}
		return t
	}
	*t.bucket(d.verdict(n, l, instants)) = 1
	return t
}

// verdict is the bucket of a lamp-night that is looked at at instants. Instants at
// which the lamp is excluded do not count; it is faulty if it was so often enough,
// unknown if it would be, were the unknown instants faulty, and else intact.
func (d *Definition) verdict(n *Night, l *lamp, instants []int64) State {
	var k [4]int
	for _, t := range instants {
		s, _ := d.at(n, l, t)
		k[s]++
	}
	all := len(instants) - k[Excluded]
	switch {
	case all == 0:
		return Excluded
	case d.enough(k[Faulty], all):
		return Faulty
	case d.enough(k[Faulty]+k[Unknown], all):
		return Unknown
	}
	return Intact
}

// enough tells whether bad instants of all make a lamp-night bad.
func (d *Definition) enough(bad, all int) bool {
	switch d.FaultyAt {
	case "all":
		return bad == all
	case "most":
		return 2*bad > all
	}
	return bad > 0
}

// parts is a night of a lamp, cut where its state or the reason changes.
func (d *Definition) parts(n *Night, l *lamp) []Spell {
	cuts := []int64{n.Dusk, n.Dawn}
	add := func(t int64) {
		if t > n.Dusk && t < n.Dawn {
			cuts = append(cuts, t)
		}
	}
	add(l.since)
	for i := range l.spells {
		add(l.spells[i].From)
		add(l.spells[i].To)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []Spell
	for i := 0; i+1 < len(cuts); i++ {
		s, why := d.at(n, l, cuts[i])
		if k := len(out); k > 0 && out[k-1].State == s && out[k-1].Reason == why {
			out[k-1].To = cuts[i+1]
			continue
		}
		out = append(out, Spell{From: cuts[i], To: cuts[i+1], State: s, Reason: why, Finding: l.finding(cuts[i], s, why)})
	}
	return out
}

// finding is the person's finding that decides at t, 0 if none does.
func (l *lamp) finding(t int64, s State, why string) int64 {
	for i := range l.spells {
		if x := &l.spells[i]; s == Faulty && x.Finding != 0 && x.Reason == why && x.covers(t) {
			return x.Finding
		}
	}
	return 0
}

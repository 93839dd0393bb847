package replay

import (
	"cmp"
	"slices"

	"lamplighter/devices"
	"lamplighter/rules"
)

// Defect names a rule of a kind.
type Defect struct {
	Kind string `json:"kind"`
	Name string `json:"defect"`
}

// Unjudged is a rule of which a replay says nothing.
type Unjudged struct {
	Defect
	Why  string `json:"why"`  // silence, sensors, or absent: not among the rules
	Were int    `json:"were"` // tickets of it that were opened within the span
}

// Why a rule is not judged from a store.
const (
	whySilence = "silence"
	whySensors = "sensors" // of null and of clocks
	whyAbsent  = "absent"
)

// beyond is the rules of a set that judge what no store keeps, and those that
// collapse such ones, with the reason.
func beyond(s *rules.Set) map[Defect]string {
	out := make(map[Defect]string)
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		for n := -1; n < len(out); { // a collapse may stand before what it collapses
			n = len(out)
			for _, r := range s.Rules(k) {
				why := ""
				switch {
				case r.Silent > 0:
					why = whySilence
				case r.Sensor != nil:
					why = whySensors
				case r.Collapse != nil:
					why = out[Defect{k.String(), r.Collapse.Of}]
				}
				if why != "" {
					out[Defect{k.String(), r.Name}] = why
				}
			}
		}
	}
	return out
}

// CompareStored compares what [Stored] found by the rules of a set with the
// tickets that were, as far as both can be judged: the rest is named. What was
// told late counts as told in time, and instants are the same within a minute.
func CompareStored(was, would []*Ticket, s Span, set *rules.Set) *Difference {
	s.stored = true
	left := make(map[Defect]*Unjudged)
	for d, why := range beyond(set) {
		left[d] = &Unjudged{Defect: d, Why: why}
	}
	judged := make(map[Defect]bool)
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		for _, r := range set.Rules(k) {
			judged[Defect{k.String(), r.Name}] = true
		}
	}
	var known []*Ticket
	for _, t := range was {
		d := Defect{t.Kind, t.Defect}
		if !judged[d] && left[d] == nil {
			left[d] = &Unjudged{Defect: d, Why: whyAbsent}
		}
		switch u := left[d]; {
		case u == nil:
			known = append(known, t)
		case s.has(t):
			u.Were++
		}
	}
	d := Compare(known, would, s)
	for _, u := range left {
		d.NotJudged = append(d.NotJudged, *u)
	}
	slices.SortFunc(d.NotJudged, func(a, b Unjudged) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return d
}

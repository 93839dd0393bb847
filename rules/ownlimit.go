package rules

import (
	"cmp"
	"slices"
	"strings"

	"lamplighter/devices"
)

// OwnLimit is what a limit that the census has of a facility means to the rules of
// its kind.
type OwnLimit struct {
	Name  string // as in the census
	Tier  int    // where rules have tiers of its channel, the highest that it holds for: 1 notice, 2 warning, 3 alarm; else 0
	Above bool   // some rule holds above it
	Below bool   // some rule holds below it
	Abs   bool   // it is one on either side
}

// ReadLimit is what the name of a limit in the census means: its channel, nil of one
// that dict does not have, its tier from 1, and whether it is a lower limit.
func ReadLimit(dict *devices.Dictionary, name string) (ch *devices.Channel, tier int, low bool) {
	if ch := dict.Lookup([]byte(name)); ch != nil { // of a channel whose own name ends like that
		return ch, 1, false
	}
	base, tier := tierOf(name)
	if upper, ok := strings.CutSuffix(base, lowSuffix); ok {
		base, low = upper, true
	}
	return dict.Lookup([]byte(base)), tier, low
}

// ownLimits is what the limits of f mean, by name.
func (f *facility) ownLimits(s *Set) []OwnLimit {
	if len(f.limits) == 0 {
		return nil
	}
	out := make([]OwnLimit, 0, len(f.limits))
	for name := range f.limits {
		out = append(out, OwnLimit{Name: name})
	}
	slices.SortFunc(out, func(a, b OwnLimit) int { return cmp.Compare(a.Name, b.Name) })
	read := func(c *clause, limit string) {
		names := limitNames(limit)
		i := slices.IndexFunc(names, func(n string) bool { _, ok := f.limits[n]; return ok })
		if i < 0 {
			return
		}
		at, _ := slices.BinarySearchFunc(out, names[i], func(l OwnLimit, n string) int { return cmp.Compare(l.Name, n) })
		out[at].holds(c, len(names))
	}
	for _, r := range s.kinds[f.kind].rules {
		r.why.limits(read)
		for i := range r.Steps {
			r.Steps[i].why.limits(read)
		}
	}
	for i := range out {
		out[i].untier(out)
	}
	return out
}

// holds takes over that c compares with l, as the limit of a tier.
func (l *OwnLimit) holds(c *clause, tier int) {
	l.Tier = max(l.Tier, tier)
	l.Above = l.Above || !c.below
	l.Below = l.Below || c.below
	l.Abs = l.Abs || c.abs
}

// untier takes the tier from a limit whose channel has none in the rules: it holds
// for the first alone, and no other of all holds for a higher one.
func (l *OwnLimit) untier(all []OwnLimit) {
	channel, _ := tierOf(l.Name)
	if !slices.ContainsFunc(all, func(x OwnLimit) bool { c, _ := tierOf(x.Name); return c == channel && x.Tier > 1 }) {
		l.Tier = 0
	}
}

// limits tells of every comparison with a limit.
func (d *decision) limits(tell func(c *clause, limit string)) {
	if d != nil {
		d.root.limited(tell)
	}
}

func (c *clause) limited(tell func(c *clause, limit string)) {
	for _, l := range c.limits {
		tell(c, l)
	}
	for i := range c.parts {
		c.parts[i].limited(tell)
	}
}

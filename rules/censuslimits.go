package rules

import (
	"fmt"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// LimitsOf is the check of the limits of a census by the channels that dict has:
// each has to be that of a number of its kind, or of a channel that was met in the
// field, and the tiers of a bridge have to rise from the first on. Else no
// rule would ever look at it, and nobody would know.
func LimitsOf(dict *devices.Dictionary) registry.LimitCheck {
	var langs [4]*language // by kind
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		langs[k] = channelsOf(k, dict)
	}
	return func(k devices.Kind, limits map[string]float64) (bad []registry.BadLimit) {
		if int(k) >= len(langs) || langs[k] == nil {
			return nil
		}
		for name := range limits {
			cure := langs[k].limitCure(name, dict)
			if cure == "" {
				cure = besideCure(k, name, limits)
			}
			if cure != "" {
				bad = append(bad, registry.BadLimit{Name: name, Cure: cure})
			}
		}
		slices.SortFunc(bad, func(a, b registry.BadLimit) int { return strings.Compare(a.Name, b.Name) })
		return bad
	}
}

// limitCure says what is wrong with the name of a limit in the census, "" if
// nothing is.
func (l *language) limitCure(name string, dict *devices.Dictionary) string {
	channel, _ := tierOf(name)
	for _, n := range []string{name, channel, strings.TrimSuffix(name, lowSuffix)} { // the first of a channel whose own name ends so
		if ch := dict.Lookup([]byte(n)); ch != nil && (ch.Unknown || l.channels[n] == ch) && ch.Type == devices.Number {
			return ""
		}
	}
	cure := l.stranger(channel, dict)
	if dict.Lookup([]byte(channel)) == nil {
		cure += "; the limit of a channel of your own is taken once a device has reported it"
	}
	return cure
}

// besideCure says what is wrong with a limit beside the others of its channel, ""
// if nothing is. A tier may be left out: the one before holds for it.
func besideCure(k devices.Kind, name string, limits map[string]float64) string {
	upper := strings.TrimSuffix(name, lowSuffix)
	if most, ok := limits[upper]; ok && upper != name && limits[name] >= most {
		return fmt.Sprintf("want less than limit:%s, which is %g", upper, most)
	}
	if k != devices.Bridge { // tiers of others may have a first in the rules, and fall
		return ""
	}
	channel, tier := tierOf(name)
	for t := tier - 1; t >= 1; t-- {
		before, ok := limits[tierName(channel, t)]
		switch {
		case ok && before >= limits[name]:
			return fmt.Sprintf("want more than limit:%s, which is %g: the tiers of a bridge rise; leave it empty where the one before holds for it", tierName(channel, t), before)
		case ok:
			return ""
		case t == 1:
			return fmt.Sprintf("there is no limit:%s, so it would never be judged; fill that in: a ticket opens over the first", channel)
		}
	}
	return ""
}

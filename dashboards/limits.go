package dashboards

import (
	"cmp"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// ownLimit is a limit that the census has of a facility, with what it means.
type ownLimit struct {
	Name    string        `json:"name" doc:"as in limits"`
	Channel string        `json:"channel"`
	Title   devices.Title `json:"title" doc:"of the channel"`
	Unit    string        `json:"unit" doc:"of the channel"`
	Value   float64       `json:"value"`
	Tier    int           `json:"tier" doc:"where rules have tiers of the channel, the highest that it holds for: 1 notice, 2 warning, 3 alarm; else 0"`
	Way     string        `json:"way" enum:"above,below,both" doc:"what may not be: above it, below it, or further from 0 than it on either side"`
}

// ownLimits is the limits of f, by channel, each channel's from the first tier on.
func (s *Server) ownLimits(f *registry.Facility, read []rules.OwnLimit) []ownLimit {
	out := make([]ownLimit, 0, len(f.Limits))
	for name, value := range f.Limits {
		l := ownLimit{Name: name, Channel: name, Value: value, Way: "above"}
		ch, _, low := rules.ReadLimit(s.opt.Dict, name)
		if ch != nil {
			l.Channel, l.Title, l.Unit = ch.Name, ch.Title, ch.Unit
		}
		if low {
			l.Way = "below"
		}
		if i := slices.IndexFunc(read, func(x rules.OwnLimit) bool { return x.Name == name }); i >= 0 {
			l.Tier = read[i].Tier
			switch {
			case read[i].Abs:
				l.Way = "both"
			case read[i].Below && !read[i].Above:
				l.Way = "below"
			}
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b ownLimit) int { return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Name, b.Name)) })
	return out
}

package main

import (
	"errors"
	"fmt"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules/replay"
)

// choice is the part of the city that a replay of the store is asked about.
type choice struct {
	Kind     string                      `enum:"manhole,streetlight,bridge,all" default:"all" help:"Of the store: only this kind."`
	Area     devices.AreaCode            `help:"Of the store: only facilities of this area and those within it."`
	Facility []devices.FacilityID        `help:"Of the store: only these facilities."`
	asked    map[devices.FacilityID]bool // facilities, and the circuits and cabinets above them; nil = all
}

// any tells whether it leaves anything out.
func (c *choice) any() bool { return c.Kind != "all" || c.Area != "" || len(c.Facility) > 0 }

func (c *choice) has(f *registry.Facility) bool {
	kind := c.Kind == "all" || f.Kind == devices.KindUnknown || f.Kind.String() == c.Kind // what is unknown shows by its channels
	return kind && f.Area.Within(c.Area) && (len(c.Facility) == 0 || slices.Contains(c.Facility, f.ID))
}

// of is the facilities that have to be judged: those that were asked for, and
// whoever hangs on the same cabinet, as a common cause counts them all.
func (c *choice) of(census []registry.Fed) ([]registry.Fed, error) {
	if !c.any() {
		return census, nil
	}
	c.asked = make(map[devices.FacilityID]bool)
	keys := make(map[string]bool)
	for i := range census {
		f := &census[i].Facility
		if !c.has(f) {
			continue
		}
		keys[f.Key()], c.asked[f.ID] = true, true
		if f.Cabinet != "" {
			c.asked[devices.FacilityID(f.Cabinet)] = true
			c.asked[devices.FacilityID(f.Cabinet+":"+f.Circuit)] = true
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the census has no facility of " + c.String())
	}
	return slices.DeleteFunc(census, func(f registry.Fed) bool { return !keys[f.Facility.Key()] }), nil
}

// only is the tickets of what was asked for.
func (c *choice) only(ts []*replay.Ticket) []*replay.Ticket {
	if c.asked == nil {
		return ts
	}
	return slices.DeleteFunc(ts, func(t *replay.Ticket) bool {
		return !c.asked[t.Facility] || c.Kind != "all" && t.Kind != c.Kind
	})
}

// String names the choice as it was made.
func (c *choice) String() string {
	return fmt.Sprintf("--kind %s --area %q --facility %q", c.Kind, c.Area, c.Facility)
}

package rules

import (
	"time"

	"lamplighter/devices/registry"
	"lamplighter/devices/sun"
	"lamplighter/devices/timetable"
)

// lightingHours is what the census says of when a facility should be on, and of its
// power.
type lightingHours struct {
	table  *timetable.Timetable // nil = not said
	supply supply
}

// supply is whether a facility has power outside of its timetable.
type supply uint8

const (
	unsaid   supply = iota
	always          // it has
	switched        // its cabinet takes it away
)

// takeHours takes over what the census says.
func (e *Engine) takeHours(f *facility, c *registry.Facility) {
	f.hours = lightingHours{table: e.timetable(c.Timetable)}
	switch c.Supply {
	case "always":
		f.hours.supply = always
	case "switched":
		f.hours.supply = switched
	}
}

// timetable is the one of that text, nil if it says nothing; each is read once.
func (e *Engine) timetable(text string) *timetable.Timetable {
	if text == "" {
		return nil
	}
	t, ok := e.tables[text]
	if !ok {
		t, _ = timetable.Parse(text) // the census has none that is none
		if e.tables == nil {
			e.tables = make(map[string]*timetable.Timetable)
		}
		e.tables[t.String()] = t
	}
	return t
}

// when is what holds for f: its own, else what the row of its circuit says, or
// that of its cabinet.
func (f *facility) when() lightingHours {
	h := f.hours
	for p := f.parent; p != nil && (h.table == nil || h.supply == unsaid); p = p.up {
		if p.own == nil || p.own == f {
			continue
		}
		if h.table == nil {
			h.table = p.own.hours.table
		}
		if h.supply == unsaid {
			h.supply = p.own.hours.supply
		}
	}
	return h
}

// Sky is where the sun stands at a minute since 1970.
func (e *Engine) Sky(minute int64) sun.Sky {
	s := &e.skies[minute%int64(len(e.skies))]
	if s.minute != minute {
		*s = skyAt{minute, sun.At(time.UnixMilli(minute * 60_000))}
	}
	return s.Sky
}

// skyAt is one sky that is remembered.
type skyAt struct {
	minute int64
	sun.Sky
}

// shouldBeOn tells whether f should be on; ok is false where the sun is asked
// for and the census has no place for it.
func (e *Engine) shouldBeOn(f *facility, at int64) (on, ok bool) {
	t := f.when().table
	lon, lat, ok := f.place()
	if t.BySun() && !ok {
		return false, false
	}
	return t.On(time.UnixMilli(at).In(e.set.zone), e, lon, lat), true
}

const (
	// lag is how far from the timetable a cabinet may switch, ms: its photocell
	// sees clouds.
	lag = 30 * 60_000
	// awake is how long after its time to go off a lamp has to be heard to show
	// that it has power all day, ms.
	awake = 60 * 60_000
)

// powered tells whether f is sure to have had power for so long that its silence
// says something. Where the census does not say how it is supplied, a lamp that
// was last heard in the middle of its hours off has power all day; one that fell
// silent around the time to go off may have lost it with that, and is given time
// until it should have been on again for long enough. ok is false where nothing
// is known of its hours: it counts as powered.
func (e *Engine) powered(f *facility, at int64) bool {
	h := f.when()
	if h.supply == always || f.seen == 0 || e.membersOf(f) > 0 || f.parent != nil && f.parent.own == f {
		return true // of others, supply is what hangs on it gets
	}
	on := func(t int64) bool {
		on, ok := e.shouldBeOn(f, t)
		return on || !ok
	}
	if h.supply == unsaid && !on(f.seen) && !on(f.seen-awake) {
		return true
	}
	allowed := int64(e.set.kinds[f.kind].silent * float64(f.expectMS))
	return on(at) && on(at-allowed-lag)
}

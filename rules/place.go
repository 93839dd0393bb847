package rules

import (
	"slices"

	"lamplighter/devices"
)

// theCity is the place that every facility lies in.
const theCity = "city"

// place is the name of what f lies in at a wide level: the code of an area, or
// a feeder; "" if there is none.
func (e *Engine) place(f *facility, l Level) string {
	switch {
	case !f.hung:
		return ""
	case l == City:
		return theCity
	case l == Feeder:
		return e.texts.text(e.feederOf(f))
	}
	return string(devices.AreaCode(e.texts.text(f.area)).At(l.area()))
}

// feederOf is what supplies f: its own feeder, else that of its cabinet's row in
// the census. A cabinet is judged where its members are.
func (e *Engine) feederOf(f *facility) uint32 {
	if f.feeder != 0 {
		return f.feeder
	}
	if p := f.above(Cabinet); p != nil && e.facilities[p.id] != nil {
		return e.facilities[p.id].feeder
	}
	return 0
}

// facility is what a ticket of p is about.
func (p *parent) facility() devices.FacilityID { return ticketOf(p.level, string(p.id)) }

func ticketOf(l Level, name string) devices.FacilityID {
	switch {
	case l == Feeder:
		return devices.FeederFacility(name)
	case l.wide():
		return devices.AreaFacility(l.area(), devices.AreaCode(name))
	}
	return devices.FacilityID(name)
}

// settleIn counts f in the places of some levels that it lies in.
func (e *Engine) settleIn(f *facility, levels []Level) {
	for _, l := range levels {
		if name := e.place(f, l); name != "" {
			p := e.parentAt(l, devices.FacilityID(name), nil)
			p.total[f.kind]++
			e.stirAll(p)
		}
	}
}

// moveOut is the way back. Nobody may count f as bad there any more.
func (e *Engine) moveOut(f *facility, levels []Level) {
	for _, l := range levels {
		if p := e.above(f, l); p != nil {
			p.total[f.kind]--
			e.stirAll(p)
			e.forget(p)
		}
	}
}

// feed notes what supplies f, and with it those on the cabinet f that have no
// feeder of their own.
func (e *Engine) feed(f *facility, feeder uint32) {
	if f.feeder == feeder {
		return
	}
	var fed []*facility
	if p := e.parents[parentKey{Cabinet, f.id}]; p != nil {
		fed = slices.DeleteFunc(sorted(p.members), func(g *facility) bool { return g.feeder != 0 || g == f })
	}
	for _, g := range fed {
		for _, r := range e.set.kinds[g.kind].collapses {
			if r.Collapse.By == Feeder && g.causes&r.Collapse.bit != 0 {
				e.leave(e.above(g, Feeder).find(r), g)
			}
		}
		if slices.Contains(e.set.kinds[g.kind].wide, Feeder) {
			e.moveOut(g, []Level{Feeder})
		}
	}
	f.feeder = feeder
	for _, g := range fed {
		if slices.Contains(e.set.kinds[g.kind].wide, Feeder) {
			e.settleIn(g, []Level{Feeder})
			e.weigh(g)
		}
	}
	if len(e.windows) > 0 { // one for the feeder may name them now, or no longer
		e.turnOf(fed)
	}
}

// turnOf finds out which of some facilities are under maintenance now, all of
// them before any is judged: what opens together has one cause.
func (e *Engine) turnOf(fs []*facility) {
	for _, f := range fs {
		e.maintain(f)
		e.count(f)
	}
	for _, f := range fs {
		e.await(f)
		e.weigh(f)
	}
}

// replace counts everybody in the places that the rules ask for since they took
// the place of others.
func (e *Engine) replace(old *Set) {
	for _, f := range e.facilities {
		if !f.hung {
			continue
		}
		was, is := old.kinds[f.kind].wide, e.set.kinds[f.kind].wide
		e.moveOut(f, slices.DeleteFunc(slices.Clone(was), func(l Level) bool { return slices.Contains(is, l) }))
		e.settleIn(f, slices.DeleteFunc(slices.Clone(is), func(l Level) bool { return slices.Contains(was, l) }))
	}
}

// rebuilt is p, or what has taken its place since it was forgotten.
func (e *Engine) rebuilt(p *parent) *parent {
	if p == nil {
		return nil
	}
	return e.parentAt(p.level, p.id, e.rebuilt(p.up))
}

package rules

import (
	"cmp"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// parent is what facilities hang on: a circuit, or the cabinet above it. All
// that hangs on a cabinet is judged in one partition, see registry.Facility.Key.
// It is a place too, see [Engine.place]: then only what is judged here lies in it.
type parent struct {
	id      devices.FacilityID // of a place its name
	level   Level
	up      *parent     // the cabinet of a circuit, nil of what is higher
	own     *facility   // that bears its id: the controller of a cabinet, the meter of a circuit; may be nil
	total   [4]int      // facilities below it, by devices.Kind
	members []*facility // below it; nil of a place
	causes  []*cause
	looks   [4]looked // by devices.Kind, see Engine.missed
}

// parentKey tells a cabinet from a circuit of the same name.
type parentKey struct {
	level Level
	id    devices.FacilityID
}

// find is the cause of a rule at p, nil if nobody was ever bad.
func (p *parent) find(r *Rule) *cause {
	for _, c := range p.causes {
		if c.rule == r {
			return c
		}
	}
	return nil
}

// empty tells whether nothing hangs on p and none of its tickets is open.
func (p *parent) empty() bool {
	for _, c := range p.causes {
		if c.firing || c.engaged() {
			return false
		}
	}
	return p.total == [4]int{}
}

// tidy lets go of causes that nobody is behind.
func (p *parent) tidy() {
	p.causes = slices.DeleteFunc(p.causes, func(c *cause) bool { return !c.firing && !c.stirred && !c.engaged() && len(c.bad) == 0 })
}

// above is the parent of f at a level, nil if there is none.
func (e *Engine) above(f *facility, l Level) *parent {
	if !l.wide() {
		return f.above(l)
	}
	return e.parents[parentKey{l, devices.FacilityID(e.place(f, l))}]
}

// above is the circuit or cabinet of f, nil if there is none.
func (f *facility) above(l Level) *parent {
	p := f.parent
	for p != nil && p.level < l {
		p = p.up
	}
	if p == nil || p.level != l {
		return nil
	}
	return p
}

// hang puts f where the census says that it hangs. A circuit belongs to a
// cabinet: without one, its members would be judged in several partitions.
func (e *Engine) hang(f *facility, c *registry.Facility) {
	var p *parent
	if c.Cabinet != "" {
		p = e.parentAt(Cabinet, devices.FacilityID(c.Cabinet), nil)
		if c.Circuit != "" {
			p = e.parentAt(Circuit, devices.FacilityID(c.Cabinet+":"+c.Circuit), p)
		}
	}
	area, feeder := e.texts.id(strings.Clone(string(c.Area))), e.texts.id(strings.Clone(c.Feeder))
	if f.hung && p == f.parent && area == f.area && feeder == f.feeder {
		return
	}
	e.unhang(f)
	f.area = area
	e.feed(f, feeder)
	e.attach(f, e.rebuilt(p)) // nothing else may have hung on it
	e.settleIn(f, e.set.kinds[f.kind].wide)
	e.weigh(f)
}

// attach makes f a member of p and all above.
func (e *Engine) attach(f *facility, p *parent) {
	f.hung = true
	for f.parent = p; p != nil; p = p.up {
		p.total[f.kind]++
		p.members = append(p.members, f)
		e.stirAll(p)
	}
}

// parentAt finds or makes a parent.
func (e *Engine) parentAt(l Level, id devices.FacilityID, up *parent) *parent {
	k := parentKey{l, id}
	p := e.parents[k]
	if p == nil {
		p = &parent{id: id, level: l, up: up}
		if !l.wide() { // a place bears no facility's id, though its name may be one
			p.own = e.facilities[id]
		}
		e.parents[k] = p
	}
	p.up = up
	return p
}

// named has the circuit and the cabinet of that id know the facility that bears
// it, nil for none.
func (e *Engine) named(id devices.FacilityID, f *facility) {
	for l := Circuit; l <= Cabinet; l++ {
		if p := e.parents[parentKey{l, id}]; p != nil {
			p.own = f
		}
	}
}

// membersOf is how many others of its kind hang on the circuit or cabinet that
// bears the id of f.
func (e *Engine) membersOf(f *facility) (n int) {
	for l := Circuit; l <= Cabinet; l++ {
		if p := e.parents[parentKey{l, f.id}]; p != nil {
			n = max(n, p.total[f.kind])
			if f.parent == p {
				n--
			}
		}
	}
	return n
}

// telling is how many of those have ever been heard, or ever reported a channel:
// lamps that stand in the census without a controller tell nothing.
func (e *Engine) telling(f *facility, c *devices.Channel) (most int) {
	for l := Circuit; l <= Cabinet; l++ {
		p := e.parents[parentKey{l, f.id}]
		if p == nil {
			continue
		}
		n := 0
		for _, g := range p.members {
			if g.kind == f.kind && g.id != f.id && g.seen > 0 && (c == nil || g.has(c)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// parentsInOrder is all parents, the highest first.
func (e *Engine) parentsInOrder() []*parent {
	out := make([]*parent, 0, len(e.parents))
	for _, p := range e.parents {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *parent) int {
		return cmp.Or(-cmp.Compare(a.level, b.level), cmp.Compare(a.id, b.id))
	})
	return out
}

// unhang takes f off its parents; a parent that is left with nothing goes.
func (e *Engine) unhang(f *facility) {
	e.leaveAll(f)
	e.moveOut(f, e.set.kinds[f.kind].wide)
	for p := f.parent; p != nil; p = p.up {
		p.total[f.kind]--
		p.members = without(p.members, f)
		e.stirAll(p)
		e.forget(p)
	}
	f.parent, f.hung = nil, false
}

// without is the list less f, in any order.
func without(list []*facility, f *facility) []*facility {
	if i := slices.Index(list, f); i >= 0 {
		n := len(list) - 1
		list[i], list[n] = list[n], nil
		list = list[:n]
	}
	return list
}

// forget lets go of a parent that is empty.
func (e *Engine) forget(p *parent) {
	if k := (parentKey{p.level, p.id}); p.empty() && e.parents[k] == p {
		delete(e.parents, k)
	}
}

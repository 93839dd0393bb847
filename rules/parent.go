package rules

import (
	"cmp"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// parent is what facilities hang on: a circuit, or the cabinet above it. All
// that hangs on a cabinet is judged in one partition, see registry.Facility.Key.
type parent struct {
	id      devices.FacilityID
	level   Level
	up      *parent     // the cabinet of a circuit, nil of a cabinet
	total   [4]int      // facilities below it, by devices.Kind
	members []*facility // below it
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
		if c.firing {
			return false
		}
	}
	return p.total == [4]int{}
}

// tidy lets go of causes that nobody is behind.
func (p *parent) tidy() {
	p.causes = slices.DeleteFunc(p.causes, func(c *cause) bool { return !c.firing && !c.stirred && len(c.bad) == 0 })
}

// above is the parent of f at a level, nil if there is none.
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
	if p == f.parent {
		return
	}
	e.unhang(f)
	e.attach(f, p)
	e.weigh(f)
}

// attach makes f a member of p and all above.
func (e *Engine) attach(f *facility, p *parent) {
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
		e.parents[k] = p
	}
	p.up = up
	return p
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
	for p := f.parent; p != nil; p = p.up {
		p.total[f.kind]--
		p.members = without(p.members, f)
		e.stirAll(p)
		e.forget(p)
	}
	f.parent = nil
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

package fleet

// cabinet feeds circuits through a main switch.
type cabinet struct {
	city     *City
	id       string
	circuits []*circuit
	defect   *defect // the main switch has tripped
}

// cabinetOf is the cabinet that f hangs on. Lamps come cabinet by cabinet.
func (c *City) cabinetOf(f *Facility) *cabinet {
	if n := len(c.cabinets); n > 0 && c.cabinets[n-1].id == f.Cabinet {
		return c.cabinets[n-1]
	}
	b := &cabinet{city: c, id: f.Cabinet}
	c.cabinets = append(c.cabinets, b)
	return b
}

// trip opens the main switch: no circuit has power, whatever its own breaker says.
func (b *cabinet) trip(at int64, cause string) {
	lamps, seen := 0, true
	for _, x := range b.circuits {
		lamps, seen = lamps+len(x.lamps), seen && x.dawnIsFar(at)
	}
	b.defect = &defect{facility: b.id, name: "cabinet_silent", cause: cause, ticket: lamps >= atLeast && seen}
	b.city.truth.begin(at, b.defect)
	b.apply(at)
}

// reset closes it; a circuit whose own breaker has tripped stays dark.
func (b *cabinet) reset(at int64) {
	b.city.truth.end(at, b.defect)
	b.defect = nil
	b.apply(at)
}

func (b *cabinet) apply(at int64) {
	for _, x := range b.circuits {
		x.apply(at)
	}
}

package fleet

import "time"

// Demo is the city of a demonstration: 500 facilities, an opening, and from then
// on something every few minutes that is mended after a few minutes more.
func Demo(start time.Time) Options {
	return Options{Seed: 1, Manholes: 183, Streetlights: 300, Bridges: 2, Meters: true, Start: start, Opening: true, Pace: 2500, Trouble: 60, Haste: 40}
}

// opening is the first half minute of a demonstration: one defect of each kind,
// whatever the hour, on things whose devices are plain.
func (c *City) opening() {
	if len(c.covers) > 0 {
		v := c.covers[0]
		c.then(c.start+8_000, func(at int64) { v.displace(at, "opened") })
		c.then(c.start+6*60_000, v.putBack)
	}
	if len(c.lamps) > 0 {
		l := c.lamps[0]
		c.then(c.start+10_000, func(at int64) { l.fail(at, "driver") })
		c.then(c.start+11*60_000, l.replace)
	}
	if len(c.circuits) > 1 {
		x := c.circuits[1]
		c.then(c.start+12_000, func(at int64) { x.trip(at, "overload") })
		c.then(c.start+9*60_000, x.reset)
	}
	if len(c.bridges) > 0 {
		b := c.bridges[0]
		c.then(c.start+16_000, func(at int64) { b.overload(at, "overload") })
		c.then(c.start+8*60_000, b.relieve)
	}
}

package fleet

import "lamplighter/devices"

// What befalls things: each finds a victim that is well, harms it, and orders
// who mends it.

func (c *City) coverRisk(do func(int64, *cover)) func(int64) {
	return func(at int64) {
		if v := c.covers[c.dice.IntN(len(c.covers))]; v.defect == nil && v.device.well() {
			do(at, v)
		}
	}
}

// well tells whether a device can tell what it sees.
func (d *device) well() bool {
	return d.lost == nil && d.wrong == nil && d.clock.lie == honest && !d.dead
}

func (c *City) displace(at int64, v *cover, cause string, mean int64) {
	v.displace(at, cause)
	c.then(at+c.lasts(mean), v.putBack)
}

// coverAils begins what lasts some mean long.
func (c *City) coverAils(mean int64, what defect) func(int64, *cover) {
	return func(at int64, v *cover) {
		if !v.sewer && (what.name == "explosive_gas" || what.name == "toxic_gas") {
			return // no probe in there
		}
		v.ail(at, what)
		c.then(at+c.lasts(mean), v.putBack)
	}
}

func (c *City) drained(at int64) {
	if d := c.victim(); d != nil && d.battery > 0 && d.weak == nil {
		d.drain(at)
		c.then(at+c.lasts(14*day), d.recharge)
	}
}

// meterRisk strikes cabinets; a door only where somebody watches it.
func (c *City) meterRisk(what string, mean int64) func(int64) {
	return func(at int64) {
		m := c.meters[c.dice.IntN(len(c.meters))]
		if m.defect != nil || !m.device.well() || what == "door_open" && !m.door {
			return
		}
		m.ail(at, what)
		c.then(at+c.lasts(mean), m.mend)
	}
}

// voltageRisk strikes circuits that have power.
func (c *City) voltageRisk(at int64) {
	if x := c.circuits[c.dice.IntN(len(c.circuits))]; x.powered() && x.odd == nil {
		x.swing(at)
		c.then(at+c.lasts(6*hour), x.swing)
	}
}

// lampRisk strikes old lamps more often than new ones, and only while they burn.
func (c *City) lampRisk(do func(int64, *lamp)) func(int64) {
	return func(at int64) {
		l := c.lamps[c.dice.IntN(len(c.lamps))]
		if l.defect == nil && l.device.well() && l.burning(at) && c.dice.chance(min(1, 0.2+l.old/30)) {
			do(at, l)
		}
	}
}

func (c *City) lampFails(at int64, l *lamp, cause string) {
	l.fail(at, cause)
	c.then(at+c.lasts(2*day), l.replace)
}

// lampAils begins what ends with the lamp failing, or with its repair.
func (c *City) lampAils(how string) func(int64, *lamp) {
	return func(at int64, l *lamp) {
		l.ail(at, how)
		ill := l.defect
		c.then(at+c.lasts(8*day), func(at int64) {
			if l.defect != ill {
				return
			}
			if how == "day_burner" || how == "gear_failure" || !l.burning(at) || !l.device.well() {
				l.replace(at)
				return
			}
			c.lampFails(at, l, "age")
		})
	}
}

func (c *City) circuitRisk(cause string) func(int64) {
	return func(at int64) {
		if x := c.circuits[c.dice.IntN(len(c.circuits))]; x.powered() {
			x.trip(at, cause)
			c.then(at+c.lasts(4*hour), x.reset)
		}
	}
}

// cabinetRisk strikes cabinets of several circuits: one alone is its circuit.
func (c *City) cabinetRisk(cause string) func(int64) {
	return func(at int64) {
		if b := c.cabinets[c.dice.IntN(len(c.cabinets))]; b.defect == nil && len(b.circuits) > 1 {
			b.trip(at, cause)
			c.then(at+c.lasts(3*hour), b.reset)
		}
	}
}

func (c *City) bridgeRisk(cause string, mean int64) func(int64) {
	return func(at int64) {
		if b := c.bridges[c.dice.IntN(len(c.bridges))]; b.defect == nil && b.broken == nil && b.device.well() {
			b.overload(at, cause)
			c.then(at+c.lasts(mean), b.relieve)
		}
	}
}

// sensorRisk strikes bridges that are well otherwise.
func (c *City) sensorRisk(cause string, mean int64) func(int64) {
	return func(at int64) {
		if b := c.bridges[c.dice.IntN(len(c.bridges))]; b.defect == nil && b.broken == nil && b.device.well() {
			b.fails(at, cause, c.lasts(mean))
		}
	}
}

// victim is a device that is well, or nil.
func (c *City) victim() *device {
	if d := c.devices[c.dice.IntN(len(c.devices))]; d.well() && d.boots > 0 {
		return d
	}
	return nil
}

func (c *City) rebooted(at int64) {
	if d := c.victim(); d != nil {
		d.reboot(at)
	}
}

// lose cuts a device off. What it measured meanwhile comes in one batch when it
// is back.
func (c *City) lose(at int64) {
	d := c.victim()
	if d == nil || d.thing.restless() || d.weak != nil {
		return
	}
	cause := "radio"
	if d.battery > 0 && c.dice.chance(0.4) {
		cause = "battery"
	}
	d.lost = &defect{facility: d.ID, name: "comm_lost", cause: cause, ticket: true}
	if l, ok := d.thing.(*lamp); ok {
		d.lost.ticket = l.circuit.dawnIsFar(at)
	}
	c.truth.begin(at, d.lost)
	c.then(at+max(c.lasts(6*hour), silence*d.every), func(at int64) {
		c.truth.end(at, d.lost)
		d.lost = nil
		if d.dead {
			return
		}
		d.sendHeld(at, true)
		if d.model.sleepy {
			d.sleep(at)
		}
	})
}

// silence is how many intervals a lost device is silent at least: more than any
// rule waits for.
const silence = 20

// mistime puts a clock wrong until it is set next.
func (c *City) mistime(at int64) {
	d := c.victim()
	if d == nil || d.model.dialect == bare || d.clock.none || d.thing.restless() || d.weak != nil {
		return
	}
	d.clock.lie = lie(1 + c.dice.IntN(int(lies)-1))
	if d.model.dialect == senml && d.clock.lie > ahead {
		d.clock.lie = ahead // RFC 8428 takes a small bt for a time relative to now: the message would be refused
	}
	d.wrong = &defect{facility: d.ID, name: "clock_wrong", cause: lieNames[d.clock.lie]}
	if d.Kind == devices.Bridge && d.clock.lie != ahead {
		d.wrong.name, d.wrong.ticket = "sensor_fault", true // the rules of bridges look at their clocks
	}
	c.truth.begin(at, d.wrong)
}

package fleet

import "time"

// circuit is what a breaker in a cabinet feeds.
type circuit struct {
	city   *City
	id     string // CABINET:CIRCUIT
	up     *cabinet
	lamps  []*lamp
	cell   photocell // of the cabinet, where it switches
	off    bool      // by the cabinet, because it is day
	defect *defect   // it has tripped
	surge  float64   // V above the usual: its neutral is lost
	odd    *defect   // its voltage
}

// atLeast is how many lamps a circuit needs for the built-in rules to see it.
const atLeast = 3

// circuitOf is the circuit that f hangs on. Lamps come circuit by circuit.
func (c *City) circuitOf(f *Facility) *circuit {
	id := f.Cabinet + ":" + f.Circuit
	if n := len(c.circuits); n > 0 && c.circuits[n-1].id == id {
		return c.circuits[n-1]
	}
	x := &circuit{city: c, id: id, up: c.cabinetOf(f), cell: photocell{place: Place{f.Lon, f.Lat}}}
	c.circuits = append(c.circuits, x)
	x.up.circuits = append(x.up.circuits, x)
	if c.opt.Switched {
		c.queue.add(c.start, x.switched)
	}
	return x
}

// switched cuts the power by day and gives it back at dusk.
func (x *circuit) switched(at int64) int64 {
	if off := !x.cell.dark(at); off != x.off {
		x.off = off
		x.apply(at)
	}
	return x.cell.look
}

// powered tells whether the lamps have power.
func (x *circuit) powered() bool { return !x.off && x.defect == nil && x.up.defect == nil }

// apply lets the lamps follow: all go at once, all come back within seconds.
func (x *circuit) apply(at int64) {
	for _, l := range x.lamps {
		l.count(at)
		if !x.powered() {
			l.device.powerDown()
			continue
		}
		d := l.device
		x.city.queue.add(at+d.span(200, 2500), func(at int64) int64 {
			if x.powered() {
				d.powerUp(at)
			}
			return done
		})
	}
}

// dawnIsFar tells whether what falls silent now can be missed before the cabinet
// takes the power anyhow.
func (x *circuit) dawnIsFar(at int64) bool {
	if !x.city.opt.Switched {
		return true
	}
	return !x.off && Night(time.UnixMilli(at+hour), x.cell.place)
}

// trip opens the breaker.
func (x *circuit) trip(at int64, cause string) {
	x.defect = &defect{facility: x.id, name: "circuit_silent", cause: cause, ticket: len(x.lamps) >= atLeast && x.dawnIsFar(at)}
	x.city.truth.begin(at, x.defect)
	x.apply(at)
}

// reset closes it.
func (x *circuit) reset(at int64) {
	x.city.truth.end(at, x.defect)
	x.defect = nil
	x.apply(at)
}

// swing puts the voltage of the circuit wrong, or right again.
func (x *circuit) swing(at int64) {
	if x.odd != nil {
		x.city.truth.end(at, x.odd)
		x.surge, x.odd = 0, nil
		return
	}
	x.surge = 52
	x.odd = &defect{facility: x.id, name: "circuit_voltage", cause: "neutral", ticket: len(x.lamps) >= atLeast && x.dawnIsFar(at)}
	x.city.truth.begin(at, x.odd)
}

// meter measures a circuit in its cabinet, which has power when the circuit has
// none.
type meter struct {
	device  *device
	circuit *circuit
	used    float64 // kWh
	at      int64
	door    bool // has the contact at the door of the cabinet: the first of its meters
	defect  *defect
}

func (c *City) addMeter(f Facility, x *circuit) {
	m := &meter{circuit: x, at: c.start, door: x.up.circuits[0] == x}
	m.device = c.settle(f, meterModel, m, c.opt.Intervals.Meter, 0)
	m.used = m.device.between(1e3, 9e4)
	c.meters = append(c.meters, m)
}

// sample adds up the circuit's lamps.
func (m *meter) sample(at int64, out *values) {
	d, watts := m.device, 0.0
	for _, l := range m.circuit.lamps {
		if !l.device.dead {
			watts += l.power
		}
	}
	m.used += watts / 1000 * float64(at-m.at) / float64(hour)
	m.at = at
	volts := 228 - 8*traffic(at) + m.circuit.surge + d.noise(0.5)
	leaks := 4 + 20*min(1, d.city.weather.level(at)/20)
	if m.is("leakage") {
		leaks += 500
	}
	out.flag("relay_on", m.circuit.powered())
	out.flag("supply_loss", m.circuit.defect != nil)
	out.num("power_w", watts, 1)
	out.num("voltage_v", volts, 1)
	out.num("current_a", watts/volts/0.95, 3)
	out.num("energy_kwh", m.used, 2)
	out.num("leakage_ma", leaks+d.noise(0.3), 1)
	if m.door {
		out.flag("door_open", m.is("door_open"))
	}
	out.flag("relay_failure", m.is("relay_failure"))
}

// is tells whether something is wrong in the cabinet.
func (m *meter) is(what string) bool { return m.defect != nil && m.defect.name == what }

// restless is a cabinet in which something is wrong; it never sleeps.
func (m *meter) restless() bool { return m.defect != nil }

// ail is the beginning of what is wrong in the cabinet.
func (m *meter) ail(at int64, what string) {
	m.defect = &defect{facility: m.device.ID, name: what, cause: "age", ticket: true}
	m.device.city.truth.begin(at, m.defect)
	m.device.wake(at)
}

// mend ends it.
func (m *meter) mend(at int64) {
	m.device.city.truth.end(at, m.defect)
	m.defect = nil
	m.device.wake(at)
}

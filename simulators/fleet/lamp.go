package fleet

// lamp is a street lamp with its controller.
type lamp struct {
	device  *device
	circuit *circuit
	cell    photocell
	watts   float64
	dims    bool    // to 60 % after midnight
	old     float64 // burning hours when the story begins, in thousands

	out      bool
	dayBurns bool
	cycles   bool
	weak     bool // one of its two strings of LEDs is dark
	gear     bool // its gear says that it fails, and burns on
	marked   bool // has told what it found out, so it tells when that is over
	defect   *defect

	at     int64 // up to when burned and used are counted
	power  float64
	lit    bool
	burned float64 // hours
	used   float64 // kWh
}

func (c *City) addLamp(f Facility, m model) {
	l := &lamp{circuit: c.circuitOf(&f), cell: photocell{place: Place{f.Lon, f.Lat}}}
	l.device = c.settle(f, m, l, c.opt.Intervals.Lamp, 0)
	d := l.device.dice
	l.watts, l.dims, l.old = [...]float64{60, 90, 120, 150}[d.IntN(4)], d.chance(0.5), d.between(0.2, 40)
	l.device.Limits = map[string]float64{"rated_power_w": l.watts}
	l.burned, l.used, l.at = 1000*l.old, l.watts*l.old, c.start
	l.circuit.lamps = append(l.circuit.lamps, l)
	c.lamps = append(c.lamps, l)
}

// sample measures what the lamp draws and says what it is told to do.
func (l *lamp) sample(at int64, out *values) {
	d := l.device
	l.count(at)
	on := l.cell.dark(at) || l.dayBurns
	dim := 0.0
	if on {
		dim = l.level(at)
	}
	l.lit, l.power = on && !l.out, l.draws(at, on, dim)
	volts := 226 - 8*traffic(at) + l.circuit.surge + d.noise(0.8)
	factor := 0.42
	if l.lit {
		factor = 0.96 + d.noise(0.003)
	}
	out.flag("lamp_on", on)
	out.num("dim_pct", dim, 0)
	out.num("power_w", max(0, l.power), 2)
	out.num("voltage_v", volts, 1)
	out.num("current_a", max(0, l.power)/volts/factor, 3)
	out.num("power_factor", factor, 3)
	out.num("energy_kwh", l.used, 3)
	out.num("operating_hours_h", l.burned, 2)
	out.num("temperature_c", d.city.weather.temperature(at)+0.15*l.power+d.noise(0.2), 1)
	out.flag("lamp_failure", l.out)
	if l.marked {
		out.flag("cycling", l.cycles)
		out.flag("day_burner", l.dayBurns && !l.cell.night)
		out.flag("gear_failure", l.gear)
	}
}

// level is how bright the lamp is told to be, in per cent.
func (l *lamp) level(at int64) float64 {
	if h := hourOf(at); l.dims && (h >= 23.5 || h < 5) {
		return 60
	}
	return 100
}

// draws is the power, W. A lamp that cycles falls back to what its gear takes:
// it is not out.
func (l *lamp) draws(at int64, on bool, dim float64) float64 {
	d := l.device
	switch {
	case !on:
		return 0.4 + d.noise(0.03)
	case l.out:
		return 0.3 + d.noise(0.03)
	case l.cycles && at/90_000%3 == int64(l.device.actor.rank%3):
		return 14 + d.noise(0.5)
	}
	p := l.watts * dim / 100 * (1 + d.noise(0.006))
	if l.weak {
		p /= 2
	}
	return p
}

// restless is false: a controller has power and never sleeps.
func (l *lamp) restless() bool { return false }

// count adds up what has burned since it was last measured.
func (l *lamp) count(at int64) {
	h := float64(at-l.at) / float64(hour)
	l.at = at
	if l.device.dead {
		return
	}
	l.used += h * l.power / 1000
	if l.lit {
		l.burned += h
	}
}

// burning tells whether the lamp is lit, or would be if it were not out.
func (l *lamp) burning(at int64) bool { return !l.device.dead && l.cell.dark(at) }

// fail puts the lamp out. By day only a test by hand finds that out: it switches
// the lamp on for a moment.
func (l *lamp) fail(at int64, cause string) {
	d := l.device
	if l.defect != nil { // what announced itself has come
		d.city.truth.end(at, l.defect)
	}
	l.out, l.cycles, l.weak, l.gear = true, false, false, false
	d.event = "lamp_failure"
	l.defect = &defect{facility: d.ID, name: "lamp_out", cause: cause, ticket: true}
	d.city.truth.begin(at, l.defect)
	d.wake(at)
}

// ail is the beginning of an end: the lamp cycles, half of it is dark, its gear
// fails, or its photocell sticks and it burns by day.
func (l *lamp) ail(at int64, how string) {
	d := l.device
	l.defect = &defect{facility: d.ID, name: how, cause: "age", ticket: true}
	switch how {
	case "lamp_cycling":
		l.cycles, l.marked = true, true
	case "lamp_dim":
		l.weak = true
		l.defect.ticket, l.defect.shipped = false, true
	case "gear_failure":
		l.gear, l.marked = true, true
	case "day_burner":
		l.dayBurns, l.marked = true, true
		l.defect.ticket = !d.city.opt.Switched // else it has no power by day
	}
	d.city.truth.begin(at, l.defect)
}

// replace puts a new lamp in.
func (l *lamp) replace(at int64) {
	l.count(at)
	l.out, l.cycles, l.dayBurns, l.weak, l.gear, l.old, l.burned = false, false, false, false, false, 0, 0
	l.device.event = ""
	l.device.city.truth.end(at, l.defect)
	l.defect = nil
	l.device.wake(at)
}

package fleet

// risk is something that befalls one of n things now and then.
type risk struct {
	perYear float64 // for each thing
	n       int
	pace    float64                // of the options
	rush    func(at int64) float64 // how much likelier than on average at an instant, at most 5; nil = always 1
	strike  func(at int64)         // picks its victim; does nothing when that is not to be had
}

const maxRush = 5

// plan puts every risk into the queue. The figures are assumptions: they make a
// city in which a crew has something to do.
func (c *City) plan() {
	if c.opt.Opening {
		c.opening()
	}
	for _, r := range c.risks() {
		c.run(r, c.dice)
	}
	// Traffic hits covers whatever the pace: this is no defect.
	c.run(risk{perYear: 700, n: len(c.covers), pace: 1, rush: func(at int64) float64 { return 2 * traffic(at) }, strike: func(at int64) {
		c.covers[c.dice.IntN(len(c.covers))].shock(at)
	}}, c.dice)
	c.drifts()
}

func (c *City) risks() []risk {
	pace, trouble := c.opt.Pace, c.opt.Trouble
	covers := func(rate float64, rush func(int64) float64, do func(int64, *cover)) risk {
		return risk{rate, len(c.covers), pace, rush, c.coverRisk(do)}
	}
	lamps := func(rate float64, do func(int64, *lamp)) risk {
		return risk{rate, len(c.lamps), pace, nil, c.lampRisk(do)}
	}
	return []risk{
		covers(0.06, byDay, func(at int64, v *cover) { c.displace(at, v, "opened", 3*hour) }),
		covers(0.03, traffic, func(at int64, v *cover) { c.displace(at, v, "hit", 8*hour) }),
		covers(0.004, byNight, func(at int64, v *cover) { c.displace(at, v, "missing", 12*hour) }),
		covers(0.02, c.rains, func(at int64, v *cover) { c.displace(at, v, "flood", 5*hour) }),
		covers(0.15, nil, c.coverAils(20*day, defect{name: "cover_rattles", cause: "traffic", shipped: true})),
		covers(0.05, nil, c.coverAils(15*day, defect{name: "cover_sunk", cause: "settlement", ticket: true})),
		covers(0.06, nil, c.coverAils(10*hour, defect{name: "explosive_gas", cause: "leak", ticket: true})),
		covers(0.06, nil, c.coverAils(10*hour, defect{name: "toxic_gas", cause: "rot", shipped: true})),
		lamps(0.08, func(at int64, l *lamp) { c.lampFails(at, l, "age") }),
		lamps(0.02, func(at int64, l *lamp) { c.lampFails(at, l, "driver") }),
		lamps(0.03, c.lampAils("lamp_cycling")),
		lamps(0.03, c.lampAils("lamp_dim")),
		lamps(0.02, c.lampAils("gear_failure")),
		lamps(0.02, c.lampAils("day_burner")),
		{0.3, len(c.circuits), pace, nil, c.circuitRisk("overload")},
		{0.4, len(c.circuits), pace, c.rains, c.circuitRisk("leakage")},
		{0.3, len(c.circuits), pace, nil, c.voltageRisk},
		{0.3, len(c.meters), pace, c.rains, c.meterRisk("leakage", 5*hour)},
		{0.2, len(c.meters), pace, nil, c.meterRisk("relay_failure", 2*day)},
		{3, len(c.meters), pace, byDay, c.meterRisk("door_open", 4*hour)},
		{2, len(c.bridges), pace, traffic, c.bridgeRisk("overload", hour)},
		{0.1, len(c.bridges), pace, nil, c.bridgeRisk("settlement", 10*day)},
		{0.5, len(c.bridges), pace, nil, c.sensorRisk("stuck", 2*day)},
		{0.5, len(c.bridges), pace, c.rains, c.sensorRisk("spikes", 2*day)},
		{2, len(c.devices), trouble, nil, c.rebooted},
		{0.15, len(c.devices), trouble, nil, c.lose},
		{0.3, len(c.devices), trouble, nil, c.mistime},
		{0.1, len(c.devices), trouble, nil, c.drained},
		{0.3, len(c.cabinets), pace, c.rains, c.cabinetRisk("main_switch")},
	}
}

func byDay(at int64) float64 { return 1.7 - byNight(at) }

func byNight(at int64) float64 {
	if h := hourOf(at); h < 5 || h > 22 {
		return 1.5
	}
	return 0.2
}

// rains is how much likelier something is in the rain.
func (c *City) rains(int64) float64 {
	if c.weather.rain > 0 {
		return maxRush
	}
	return 0.6
}

// calm is how long after an opening nothing else happens, ms.
const calm = 90_000

// run lets a risk strike at random instants: a Poisson process at the highest
// rate, thinned.
func (c *City) run(r risk, d dice) {
	if r.n == 0 || r.perYear*r.pace <= 0 {
		return
	}
	most := 1.0
	if r.rush != nil {
		most = maxRush
	}
	mean := year / (r.perYear * float64(r.n) * r.pace * most)
	begin := c.start
	if c.opt.Opening && r.perYear < 100 {
		begin += calm
	}
	c.queue.add(begin+d.wait(mean), func(at int64) int64 {
		if r.rush == nil || d.chance(min(maxRush, r.rush(at))/most) {
			r.strike(at)
		}
		return at + d.wait(mean)
	})
}

// lasts is a random time, some mean long, until somebody has mended what is
// wrong; never shorter than a minute, so that it can be seen.
func (c *City) lasts(mean int64) int64 { return c.repair(mean, c.dice) }

// repair is the same by dice of one's own.
func (c *City) repair(mean int64, d dice) int64 {
	m := float64(mean) / c.opt.Haste
	return max(60_000, int64(m*(0.25+0.75*d.ExpFloat64())))
}

// then lets fn happen once.
func (c *City) then(at int64, fn func(at int64)) {
	c.queue.add(at, func(at int64) int64 { fn(at); return done })
}

package fleet

import (
	"math"

	"lamplighter/devices"
)

// cover is a manhole cover and the shaft below it.
type cover struct {
	device *device
	sewer  bool    // water stands in it
	rest   float64 // tilt, degrees, when nothing is wrong: the street's slope
	deep   float64 // water level, m, when it is dry
	runoff float64 // m that a mm of rain adds
	gas    float64 // methane, %
	smell  float64 // hydrogen sulphide, ppm

	tilt     float64 // by which it is displaced, degrees
	open     bool
	gone     bool
	rattles  bool
	sunk     float64 // mm below the street
	lift     float64 // mm above it
	leak     float64 // methane, %, of a gas pipe nearby
	rot      float64 // hydrogen sulphide, ppm, beyond the usual
	shocks   int
	hit      float64 // tilt of the shock that is going on, degrees
	hitUntil int64
	defect   *defect
	high     *defect // water
	flood    *defect
}

// floodedAt is the level, m, from which on a float says so.
const floodedAt = 2.2

// shockMS is how long a shock of traffic lasts: less than the 2 s after which
// the built-in rules take a tilt for a displacement.
const shockMS = 600

func (c *City) addCover(f Facility, m model, sewer bool) {
	v := &cover{sewer: sewer}
	v.device = c.settle(f, m, v, c.opt.Intervals.Cover, 3.65)
	d := v.device.dice
	v.rest, v.deep, v.runoff, v.gas = math.Abs(d.noise(1.2)), d.between(0.1, 0.5), d.between(0.01, 0.04), math.Abs(d.noise(0.02))
	v.smell = math.Abs(d.noise(1))
	c.covers = append(c.covers, v)
}

// sample measures tilt, opening, shocks and what is below.
func (v *cover) sample(at int64, out *values) {
	d, w := v.device, &v.device.city.weather
	tilt, shake := v.rest+v.tilt+math.Abs(d.noise(0.15)), math.Abs(d.noise(3))
	if v.rattles {
		tilt, shake = tilt+math.Abs(d.noise(0.8)), shake+d.between(150, 400)*traffic(at)
	}
	if at < v.hitUntil {
		tilt, shake = tilt+v.hit, shake+1500
		d.extra = v.hitUntil
	}
	out.num("tilt_deg", min(180, tilt), 2)
	out.num("lift_mm", v.lift-v.sunk+d.noise(0.8), 1)
	out.flag("cover_open", v.open || v.gone)
	if d.model.tells {
		out.flag("cover_missing", v.gone)
	}
	out.num("vibration_mg", shake, 0)
	out.num("shock_count", float64(v.shocks), 0)
	if v.sewer {
		level := v.water(at)
		v.floods(at, level)
		out.num("water_level_m", max(0, level+d.noise(0.005)), 3)
		out.flag("flooded", level > floodedAt)
		out.num("methane_pct", max(0, v.gas+v.leak+d.noise(0.003)), 3)
		out.num("h2s_ppm", max(0, v.smell+v.rot+d.noise(0.2)), 1)
	}
	out.num("temperature_c", 0.4*w.temperature(at)+11+d.noise(0.1), 1)
}

// restless is a cover that is not as it should be.
func (v *cover) restless() bool { return v.defect != nil || v.flood != nil }

// displaced is one that is out of its frame.
func (v *cover) displaced() bool { return v.tilt > 0 }

// floods notes that water has come or gone. Whether somebody is to be warned of
// high water before it floods is a matter of taste.
func (v *cover) floods(at int64, level float64) {
	d := v.device
	turn := func(of **defect, name string, is, over, ticket bool) {
		switch {
		case is && *of == nil:
			*of = &defect{facility: d.ID, name: name, cause: "rain", ticket: ticket}
			d.city.truth.begin(at, *of)
		case over && *of != nil:
			d.city.truth.end(at, *of)
			*of = nil
		}
	}
	turn(&v.high, "water_rising", level > 1.4, level < 0.5, false)
	turn(&v.flood, "shaft_flooded", level > floodedAt, level <= floodedAt, d.well())
}

// water is the level in the shaft, m.
func (v *cover) water(at int64) float64 {
	daily := 0.04 * math.Sin(2*math.Pi*(hourOf(at)-4)/24)
	return v.deep + daily + v.runoff*v.device.city.weather.level(at)
}

// displace moves the cover until it is put back.
func (v *cover) displace(at int64, cause string) {
	d := v.device
	switch cause {
	case "opened":
		v.tilt, v.open = d.between(50, 88), true
	case "missing":
		v.tilt, v.gone = d.between(20, 90), true
	case "flood":
		v.tilt, v.open, v.lift = d.between(18, 35), true, d.between(40, 120)
	default:
		v.tilt = d.between(17, 32) // hit: askew, but not open
	}
	if v.open || v.gone {
		d.event = "cover_open"
	}
	v.defect = &defect{facility: d.ID, name: "cover_displaced", cause: cause, ticket: true}
	d.city.truth.begin(at, v.defect)
	d.wake(at)
}

// putBack mends what is wrong.
func (v *cover) putBack(at int64) {
	v.tilt, v.open, v.gone, v.rattles, v.sunk, v.lift, v.leak, v.rot = 0, false, false, false, 0, 0, 0, 0
	v.device.event = ""
	v.device.city.truth.end(at, v.defect)
	v.defect = nil
	v.device.wake(at)
}

// ail is what is wrong with a cover that lies in its frame: its seat is worn out
// and rattles, its frame sinks, or there is gas below it.
func (v *cover) ail(at int64, what defect) {
	d := v.device
	switch what.name {
	case "cover_rattles":
		v.rattles = true
	case "cover_sunk":
		v.sunk = d.between(36, 80)
	case "explosive_gas":
		v.leak = d.between(1.6, 4)
	case "toxic_gas":
		v.rot = d.between(14, 80)
	}
	what.facility = d.ID
	v.defect = &what
	d.city.truth.begin(at, v.defect)
	d.wake(at)
}

// shock is a lorry that passes over the cover. Most models tell of it in one
// batch when it is over, some while it lasts and again when it is over.
func (v *cover) shock(at int64) {
	d := v.device
	v.shocks++
	if d.dead || d.lost != nil || v.displaced() {
		return
	}
	d.city.truth.note(at, d.ID, "shock", "", 0)
	v.hit = d.between(8, 45)
	if d.model.dialect != canonical || d.model.sleepy || d.chance(0.3) {
		v.hitUntil = at + shockMS
		d.wake(at)
		return
	}
	d.city.queue.add(at+shockMS, v.tell)
}

// tell sends the course of a shock in one batch, its times relative to its end.
func (v *cover) tell(at int64) int64 {
	d := v.device
	if d.dead || d.lost != nil || v.displaced() {
		return done
	}
	start := d.city.open()
	b := d.appendHead(d.city.arena, at)
	b = append(b, `,"r":[`...)
	for i, part := range [...]float64{0.6, 1, 0} {
		b = append(b, `{"t":`...)
		b = appendFixed(b, -0.3*float64(2-i), 1)
		b = append(b, `,"v":{"tilt_deg":`...)
		b = appendFixed(b, v.rest+v.hit*part, 2)
		b = append(b, `,"vibration_mg":`...)
		b = appendFixed(b, 2000*part+5, 0)
		b = append(b, "}},"...)
	}
	b[len(b)-1] = ']'
	d.city.arena = append(b, '}')
	d.send(at, devices.TopicTelemetry, start, true)
	return done
}

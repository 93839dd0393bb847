package fleet

import (
	"math"

	"lamplighter/devices"
)

// bridge is a bridge with a logger: what its middle sinks by is
//
//	load of the traffic + k·(temperature − 20 °C) + settlement + drift + noise
type bridge struct {
	device  *device
	limit   float64 // of the displacement, mm
	k       float64 // mm per degree
	heavy   float64 // mm under dense traffic
	creep   float64 // mm a year
	settled float64 // mm by a settlement that was sudden
	queued  float64 // mm by lorries that stand on it
	passed  int     // vehicles
	defect  *defect
	drift   *drift     // nil = it stands still
	moved   bool       // it has, once, by mm: what it usually does is not known well
	waves   uint64     // measurements, every some of which a block of waveform goes with
	broken  *badSensor // nil = all are well
}

func (c *City) addBridge(f Facility, m model) {
	b := &bridge{limit: f.Limits["displacement_mm"]}
	b.device = c.settle(f, m, b, c.opt.Intervals.Bridge, 0)
	d := b.device.dice
	b.k, b.heavy, b.creep = -d.between(0.2, 0.45), d.between(3, 7), d.between(0.5, 4)
	c.bridges = append(c.bridges, b)
	c.queue.add(c.start+b.headway(c.start), b.axle)
}

// rest is the displacement without any vehicle, mm; down is positive.
func (b *bridge) rest(at int64) float64 {
	return b.k*(b.steel(at)-20) + b.creep*float64(at-b.device.city.start)/year + b.settled + b.queued + b.drift.moved(at)
}

// steel follows the air two hours late.
func (b *bridge) steel(at int64) float64 { return b.device.city.weather.temperature(at - 2*hour) }

// sample measures the bridge under the traffic of the moment.
func (b *bridge) sample(at int64, out *values) {
	d := b.device
	load := b.heavy * traffic(at) * math.Abs(d.noise(0.6))
	x := b.rest(at) + min(load, 2.5*b.heavy)
	b.passed += int(traffic(at) * float64(d.every) / 2500)
	out.num("displacement_mm", x+d.noise(0.15), 2)
	out.num("inclination_deg", 0.02+0.004*x+d.noise(0.002), 4)
	out.num("strain_ue", 110+6*x+d.noise(2), 1)
	out.num("settlement_mm", b.creep*float64(at-d.city.start)/year+b.settled+b.drift.sunk(at)+d.noise(0.05), 2)
	out.num("temperature_c", b.steel(at)+d.noise(0.1), 1)
	out.num("crack_mm", 0.12-0.002*(b.steel(at)-20)+d.noise(0.002), 3)
	out.num("vehicles", float64(b.passed), 0)
	if b.broken != nil {
		b.broken.spoil(at, out)
	}
	if b.waves++; b.waves%wavesEvery == 0 && d.lost == nil {
		b.shakes(at, load)
	}
}

// restless is false: a logger never sleeps.
func (b *bridge) restless() bool { return false }

// headway is the time to the next heavy lorry, ms.
func (b *bridge) headway(at int64) int64 {
	return b.device.wait(float64(hour) / (12 * traffic(at)))
}

// axle is a heavy lorry: the logger is triggered and sends the two seconds in
// which it passes. The peak may be over the limit; it does not last.
func (b *bridge) axle(at int64) int64 {
	d := b.device
	if d.dead || d.lost != nil || b.defect != nil || b.broken != nil {
		return at + b.headway(at)
	}
	peak, rest := b.heavy*d.between(1, 9), b.rest(at)
	start := d.city.open()
	buf := d.appendHead(d.city.arena, at)
	buf = append(buf, `,"r":[`...)
	for i, part := range [...]float64{0, 0.15, 0.5, 0.9, 1, 0.6, 0.2, 0} {
		buf = append(buf, `{"t":`...)
		buf = appendFixed(buf, 0.25*float64(i-7), 2)
		buf = append(buf, `,"v":{"displacement_mm":`...)
		buf = appendFixed(buf, rest+peak*part+d.noise(0.1), 2)
		buf = append(buf, `,"acceleration_peak_ms2":`...)
		buf = appendFixed(buf, 0.01+0.02*peak*part, 4)
		buf = append(buf, "}},"...)
	}
	buf[len(buf)-1] = ']'
	d.city.arena = append(buf, '}')
	d.send(at, devices.TopicTelemetry, start, true)
	return at + b.headway(at)
}

// overload brings the bridge over its limit, by lorries that stand on it in a
// jam or by a bearing that gives way.
func (b *bridge) overload(at int64, cause string) {
	d := b.device
	by := b.limit*d.between(1.3, 1.6) - min(0, b.rest(at))
	if cause == "settlement" {
		b.settled += by + b.drift.moved(at)
		b.moved = true
		b.stopDrift(at)
	} else {
		b.queued += by
	}
	b.defect = &defect{facility: d.ID, name: "bridge_limit", cause: cause, ticket: true}
	d.city.truth.begin(at, b.defect)
	d.wake(at)
}

// relieve takes the lorries away, or jacks the bridge up.
func (b *bridge) relieve(at int64) {
	b.settled, b.queued = 0, 0
	b.device.city.truth.end(at, b.defect)
	b.defect = nil
	b.device.wake(at)
}

package fleet

import (
	"strconv"

	"lamplighter/devices"
)

// thing is what a device sits on.
type thing interface {
	// sample measures it. A thing that will change by itself soon sets
	// device.extra to when it has to be measured again.
	sample(at int64, v *values)
	// restless tells whether a device that sleeps has to stay awake.
	restless() bool
}

// device measures a thing and tells.
type device struct {
	Facility
	dice
	city    *City
	actor   *actor
	thing   thing
	every   int64 // ms between two measurements
	regular int64 // when the next is due
	extra   int64 // when one out of turn is due
	clock   clock
	radio   radio
	model   model
	topic   string // of telemetry

	boot    string
	boots   uint64
	booted  int64
	seq     uint64
	held    []byte // readings that were not sent yet, as they stand in a batch
	holds   int
	awake   bool    // it sleeps, but its thing was restless
	event   string  // what the next message shall report as an event
	battery float64 // V, 0 = has none
	dead    bool    // without power
	lost    *defect // cannot reach anybody
	wrong   *defect // clock
	weak    *defect // battery
}

const (
	// naps is how many measurements of a sleeping device go into one batch.
	naps = 6
	// maxHeld is how many it keeps while it cannot reach anybody.
	maxHeld = 20
)

// turn measures and tells.
func (d *device) turn(at int64) int64 {
	if d.dead {
		return never
	}
	urgent := at < d.regular
	for d.regular <= at {
		d.regular += d.every
	}
	if !urgent { // never between a shock and its end
		d.tick(at)
	}
	v := &d.city.values
	v.list = v.list[:0]
	d.thing.sample(at, v)
	d.common(at, v)
	d.report(at, v, urgent)
	if d.extra > at && d.extra < d.regular {
		return d.extra
	}
	return d.regular
}

func (d *device) report(at int64, v *values, urgent bool) {
	switch {
	case d.lost != nil:
		d.hold(at, v)
	case d.model.sleepy:
		d.hold(at, v)
		was := d.awake
		d.awake = d.thing.restless()
		if urgent || d.holds >= naps || d.awake || was {
			d.sendHeld(at, urgent)
			d.sleep(at)
		}
	case d.event != "" && d.model.tells:
		d.send(at, devices.TopicEvent, d.appendEvent(at, v), true)
	default:
		d.send(at, devices.TopicTelemetry, d.encode(at, v), urgent)
	}
}

// drain is a battery that is nearly used up.
func (d *device) drain(at int64) {
	d.weak = &defect{facility: d.ID, name: "battery_low", cause: "age", ticket: true}
	d.city.truth.begin(at, d.weak)
}

// recharge puts a new one in.
func (d *device) recharge(at int64) {
	d.city.truth.end(at, d.weak)
	d.weak = nil
	d.wake(at)
}

// wake makes the device measure at an instant out of turn.
func (d *device) wake(at int64) {
	if !d.dead && at < d.actor.at {
		d.city.queue.move(d.actor, at)
	}
}

// tick keeps the clock, and ends the trouble with it.
func (d *device) tick(at int64) {
	d.clock.tick(at, d.dice)
	if d.wrong != nil && d.clock.lie == honest {
		d.city.truth.end(at, d.wrong)
		d.wrong = nil
	}
}

// common adds what every device measures of itself.
func (d *device) common(at int64, v *values) {
	if d.battery > 0 {
		volts, full := d.battery-0.4*min(1, float64(at-d.city.start)/(5*year)), 84.0
		if d.weak != nil {
			volts, full = volts-0.35, 8
		}
		v.num("battery_v", volts+d.noise(0.01), 2)
		v.num("battery_pct", full+d.noise(0.6), 0)
	}
	v.num("rssi_dbm", -88+d.radio.level+d.noise(2), 0)
}

// hold keeps a measurement for the next batch.
func (d *device) hold(at int64, v *values) {
	if d.model.dialect != canonical || d.holds >= maxHeld {
		return
	}
	if d.holds > 0 {
		d.held = append(d.held, ',')
	}
	d.held = append(d.held, '{')
	d.held = d.appendTime(d.held, at)
	d.held = append(d.held, `,"v":{`...)
	d.held = append(v.append(d.held), '}', '}')
	d.holds++
}

// sendHeld sends what was held as one batch.
func (d *device) sendHeld(at int64, urgent bool) {
	if d.holds == 0 {
		return
	}
	start := d.city.open()
	b := d.appendHead(d.city.arena, at)
	b = append(b, `,"up":`...)
	b = strconv.AppendInt(b, at-d.booted, 10)
	b = append(b, `,"r":[`...)
	b = append(b, d.held...)
	d.city.arena = append(b, ']', '}')
	d.held, d.holds = d.held[:0], 0
	d.send(at, devices.TopicTelemetry, start, urgent)
}

// sleep says good night, so that nobody takes the silence for a fault.
func (d *device) sleep(at int64) {
	if d.thing.restless() {
		return
	}
	start := d.city.open()
	b := append(d.city.arena, `{"st":"sleep","next_s":`...)
	b = strconv.AppendInt(b, naps*d.every/1000, 10)
	d.city.arena = append(b, '}')
	d.send(at, devices.TopicState, start, true)
}

// start is a boot: a new count of messages, a clock that has to be set, a birth.
func (d *device) start(at int64) {
	d.boots++
	d.seq, d.booted, d.holds, d.held = 0, at, 0, d.held[:0]
	d.boot = strconv.FormatUint(mix(d.city.opt.Seed^uint64(d.city.start), uint64(d.actor.rank)<<20+d.boots)>>32|1<<31, 16)
	d.city.truth.note(at, d.ID, "boot", "", 0)
	d.birth(at)
}

// birth says who the device is.
func (d *device) birth(at int64) {
	if d.lost != nil {
		return
	}
	start := d.city.open()
	b := append(d.city.arena, `{"st":"online","boot":"`...)
	b = append(b, d.boot...)
	b = append(b, `","model":"`...)
	b = append(b, d.Model...)
	b = append(b, `","fw":"2.4.1","expect_s":`...)
	b = strconv.AppendInt(b, max(1, d.every/1000), 10)
	d.city.arena = append(b, '}')
	d.send(at, devices.TopicState, start, true)
	if d.model.sleepy {
		d.sleep(at)
	}
}

// reboot starts a running device anew, at some instant from at on.
func (d *device) reboot(at int64) {
	d.start(at)
	d.clock.forget(at, d.model.liar, d.dice)
	if d.model.liar && d.wrong == nil {
		d.wrong = &defect{facility: d.ID, name: "clock_wrong", cause: lieNames[epoch1970]}
		d.city.truth.begin(at, d.wrong)
	}
}

// powerDown is the end of all messages until powerUp.
func (d *device) powerDown() {
	d.dead = true
	d.city.queue.move(d.actor, never)
}

// powerUp boots the device.
func (d *device) powerUp(at int64) {
	if !d.dead {
		return
	}
	d.dead = false
	d.reboot(at)
	d.regular = at
	d.city.queue.move(d.actor, at+1)
}

// mix is a hash of two numbers (the finaliser of SplitMix64).
func mix(a, b uint64) uint64 {
	x := a + b*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

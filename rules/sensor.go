package rules

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Sensor makes a rule one about the sensors of a facility: it holds while one of
// them says what cannot be. What it says then is unknown to every other rule: it
// neither raises nor clears, and no baseline learns it.
type Sensor struct {
	Channels []*devices.Channel
	Stuck    time.Duration // says exactly the same for so long while another moves; 0 = is not looked for
	Dead     float64       // × its usual interval without a value, or with one that cannot be, while others come
	Jump     float64       // × its usual step is a jump that needs to be confirmed
	Spikes   int           // jumps in SpikesIn that were not confirmed
	Clock    time.Duration // by which the device's clock is off
}

const (
	// spikesIn is the time in which spikes are counted.
	spikesIn = dayMS
	// maxSpikes bounds how many are remembered, and so what a rule can ask for.
	maxSpikes = 8
	// leastProbes is how many values of a sensor have to be known before it is judged.
	leastProbes = 20
	// corroborates is which part of a jump another sensor has to make at the same
	// time to show that the bridge has moved.
	corroborates = 0.4
	// keepsUp is which part of its way, in usual steps of each, that other one has to
	// make at least: a load of a thousand steps is no five steps elsewhere.
	keepsUp = 0.1
	// leastWrong is how many messages in a row show that a clock is wrong: one alone
	// may have been under way for long.
	leastWrong = 3
	// settled is how many equal values in a row make one that is stuck after a jump,
	// or, where nothing else moves, one that is believed.
	settled = 10
	// usualOver is over how many values a sensor's usual step and interval are averaged.
	usualOver = 200
)

// The ways in which a sensor is faulty.
const (
	stuck  = "stuck"
	dead   = "dead"
	spikes = "spikes"
	wrong  = "clock"
)

// sensors is what is known of those of a facility.
type sensors struct {
	probes []probe
	clock  int64 // ms by which the device's clock was behind in its last messages, where that is too much; 0 = it is right
	wrongs int64 // messages in a row with a wrong clock
}

// sensor reads the declaration.
func (t *ruleText) sensor(r *reader, n *yaml.Node) {
	s := &Sensor{}
	var count float64
	ok := r.Mapping(n, "sensor", strict.Fields{
		"channels": func(n *yaml.Node) {
			r.List(n, "sensor.channels", func(n *yaml.Node) { t.sensors = append(t.sensors, n) })
		},
		"stuck":  r.Duration("sensor.stuck", &s.Stuck),
		"dead":   r.Number("sensor.dead", 2, 1000, &s.Dead),
		"jump":   r.Number("sensor.jump", 3, 1000, &s.Jump),
		"spikes": r.Number("sensor.spikes", 1, maxSpikes, &count),
		"clock":  r.Duration("sensor.clock", &s.Clock),
	})
	s.Spikes = int(count)
	switch {
	case !ok:
		return
	case len(t.sensors) < 2:
		r.Fail(n, "sensor: found %d channels; want two at least: that one moves shows that the other is stuck", len(t.sensors))
	case (s.Jump == 0) != (s.Spikes == 0):
		r.Fail(n, "sensor: jump says what a spike is, and spikes how many in 24h are a fault: want both or none")
	case s.Stuck == 0 && s.Dead == 0 && s.Jump == 0 && s.Clock == 0:
		r.Fail(n, "sensor: want one of stuck, dead, jump with spikes, and clock")
	case s.Clock > 0 && s.Clock < time.Minute:
		r.Fail(n, "sensor.clock: found %s; want a minute or more: messages are under way for some time", s.Clock)
	}
	t.Sensor = s
}

// watch finds the channels of a rule about sensors.
func (x *expressions) watch() {
	if x.t.Sensor == nil {
		return
	}
	for _, n := range x.t.sensors {
		ch := x.l.channels[n.Value]
		switch {
		case ch == nil:
			x.r.Fail(n, "sensor.channels: %s", x.l.stranger(n.Value, x.c.dict))
		case ch.Type != devices.Number:
			x.r.Fail(n, "sensor.channels: %s is no channel of numbers", n.Value)
		case slices.Contains(x.t.Sensor.Channels, ch):
			x.r.Fail(n, "sensor.channels: %s comes twice", n.Value)
		default:
			x.t.Sensor.Channels = append(x.t.Sensor.Channels, ch)
		}
	}
}

// linkSensor makes r the one rule of its kind about sensors.
func (c *compiler) linkSensor(kr *kindRules, r *Rule) {
	if kr.sensor != nil {
		c.wrong = append(c.wrong, c.mistake(r, "rule %s is about the sensors of a %s already; a kind has one such rule", kr.sensor.Name, r.Kind))
		return
	}
	kr.sensor = r
}

// doubted tells whether a channel of f is not believed now.
func (f *facility) doubted(channel uint32) bool {
	if f.more == nil || f.more.sensors == nil {
		return false
	}
	p := f.more.sensors.find(channel)
	return p != nil && p.doubted()
}

func (s *sensors) find(channel uint32) *probe {
	for i := range s.probes {
		if s.probes[i].channel == channel {
			return &s.probes[i]
		}
	}
	return nil
}

// sensors is what is known of the sensors of f, made if it is not there.
func (f *facility) sensors() *sensors {
	x := f.rare()
	if x.sensors == nil {
		x.sensors = &sensors{}
	}
	return x.sensors
}

// probe looks at a reading of now before any rule does; the bits are those of
// the channels that are believed again, or no longer.
func (e *Engine) probe(f *facility, k *kindRules, r *devices.Reading) (changed uint64) {
	rule := k.sensor.Sensor
	s := f.sensors()
	var first, second float64 // how far the sensors that moved furthest in this reading did
	for i := range r.Values {
		v := &r.Values[i]
		if p := s.find(uint32(v.Channel.ID)); p != nil && v.Quality == devices.Good {
			if n := p.steps(v.Num); n > first {
				first, second = n, first
			} else {
				second = max(second, n)
			}
		}
	}
	for _, ch := range rule.Channels {
		p := s.find(uint32(ch.ID))
		was := p != nil && p.doubted()
		for i := range r.Values {
			if v := &r.Values[i]; v.Channel.ID == ch.ID && v.Quality == devices.Good {
				if p == nil {
					s.probes = append(s.probes, probe{channel: uint32(ch.ID)})
					p = &s.probes[len(s.probes)-1]
				}
				others := first
				if p.steps(v.Num) == first {
					others = second
				}
				p.take(v.Num, r.Time, rule, others)
			}
		}
		if p == nil {
			continue
		}
		p.why = s.fault(p, rule, f, r.Time)
		if p.doubted() != was {
			changed |= k.bit(ch.ID)
		}
	}
	return changed
}

// clock notes by how much the clock of f's device is off: what it says that its
// newest reading is of, against when we got it.
func (e *Engine) clock(f *facility, k *kindRules, m *devices.Message) {
	limit, said := k.sensor.Sensor.Clock.Milliseconds(), int64(0)
	for i := range m.Readings {
		said = max(said, m.Readings[i].Device)
	}
	if limit == 0 || said == 0 {
		return
	}
	s, off := f.sensors(), m.Received-said
	s.wrongs++
	if off <= limit && off >= -limit {
		s.wrongs = 0
	}
	s.clock = 0
	if s.wrongs >= leastWrong {
		s.clock = off
	}
	e.sensorHolds(f, k.sensor, e.wall)
}

// sensorHolds asks the rule about sensors.
func (e *Engine) sensorHolds(f *facility, r *Rule, at int64) {
	s := f.sensors()
	t := no
	if s.clock != 0 || slices.ContainsFunc(s.probes, func(p probe) bool { return p.why != "" }) {
		t = yes
	}
	e.holds(f, r, t, at)
}

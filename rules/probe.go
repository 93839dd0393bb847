package rules

import (
	"math"
	"slices"
)

// probe is one sensor.
type probe struct {
	channel uint32
	n       int64   // values so far
	last    float64 // the newest
	at      int64   // its event time
	since   int64   // event time since when it says so
	same    int64   // how often it has said so again
	moves   int64   // how often it has changed
	step    float64 // usual difference when it changes
	every   float64 // ms: usual time between two
	level   float64 // usual value: jumps towards it are believed
	before  float64 // the value before a jump that is not confirmed
	jumped  bool    // last is a jump that is not confirmed
	lone    bool    // last came by a jump of this sensor alone, and has not changed since
	spikes  []int64 // event times, at most maxSpikes
	why     string  // stuck, dead or spikes; "" = it is believed
}

// doubted tells whether the last value is not believed. What comes between spikes
// is.
func (p *probe) doubted() bool { return p.jumped || p.why == stuck || p.why == dead }

// steps is how many usual steps x is away from the last value, 0 while those are not
// known.
func (p *probe) steps(x float64) float64 {
	if p.moves < leastProbes || p.step == 0 {
		return 0
	}
	return math.Abs(x-p.last) / p.step
}

// take notes a value; others is how many of its steps another sensor made at the same
// time. A jump of one
// alone, away from its level, is not believed before the next value confirms it: the
// bridge moves all of its sensors, a bad contact only one. A jump back is a spike.
func (p *probe) take(x float64, at int64, rule *Sensor, others float64) {
	step := math.Abs(x - p.last)
	same := p.n > 0 && x == p.last
	switch {
	case p.jumped && same && p.same+1 < settled:
		// a sensor that lives does not say exactly the same
	case p.jumped && !same && math.Abs(x-p.before) < math.Abs(p.last-p.before)/2:
		p.jumped, p.lone = false, false
		p.spikes = append(p.spikes, p.at)
		if len(p.spikes) > maxSpikes {
			p.spikes = slices.Delete(p.spikes, 0, 1)
		}
		step = p.step
	case p.jumped:
		p.jumped = false
	case rule.Jump > 0 && p.steps(x) > rule.Jump && math.Abs(x-p.level) > math.Abs(p.last-p.level):
		p.lone = others <= max(corroborates*rule.Jump, keepsUp*p.steps(x)) || p.why == spikes
		p.before, p.jumped = p.last, p.lone
		step = p.step
	}
	p.lone = p.lone && (same || p.jumped)
	if !p.jumped && !same {
		p.level += (x - p.level) / float64(min(p.moves+1, usualOver))
	}
	if p.n > 0 {
		p.every += (float64(at-p.at) - p.every) / float64(min(p.n, usualOver))
	}
	if p.n > 0 && !same { // what stands still for hours is not finer for that
		if p.moves >= leastProbes {
			step = min(step, rule.jump()*p.step)
		}
		p.moves++
		p.step += (step - p.step) / float64(min(p.moves, usualOver))
	}
	if same {
		p.same++
	} else {
		p.since, p.same = at, 0
	}
	p.last, p.at = x, at
	p.n++
}

// jump bounds what a value adds to the usual step.
func (s *Sensor) jump() float64 {
	if s.Jump > 0 {
		return s.Jump
	}
	return math.Inf(1)
}

// fault is what is wrong with a sensor of f at an event time, "" = nothing.
func (s *sensors) fault(p *probe, rule *Sensor, f *facility, at int64) string {
	if p.n < leastProbes {
		return ""
	}
	if rule.Dead > 0 && at-p.at > int64(rule.Dead*max(p.every, float64(f.expectMS), deadLeast)) {
		return dead
	}
	if rule.Stuck > 0 && p.same >= settled-1 && s.othersMove(p) && (p.lone || p.at-p.since >= rule.Stuck.Milliseconds()) {
		return stuck
	}
	if rule.Spikes > 0 {
		n := 0
		for _, t := range p.spikes {
			if at-t < spikesIn {
				n++
			}
		}
		if n >= rule.Spikes {
			return spikes
		}
	}
	return ""
}

// deadLeast is the shortest interval, ms, that silence of a sensor is measured by.
const deadLeast = 10_000

// othersMove tells whether another sensor has changed since p stands still.
func (s *sensors) othersMove(p *probe) bool {
	return slices.ContainsFunc(s.probes, func(o probe) bool { return o.channel != p.channel && o.since > p.since })
}

package fleet

// drift is a bridge that sinks slowly, by mm in days or weeks, and stays there: the
// ground gives way below a pier (subsidence), which shows in displacement and
// settlement, or a bearing wears, which shows in the displacement alone.
type drift struct {
	from, to int64 // while it moves
	by       float64
	cause    string
	defect   *defect
}

const (
	// learning is how long a rule has to have watched a bridge before it moves: that of
	// deploy/rules takes 14 days to know what is usual.
	learning = 15 * day
	// A rule that holds the mean of three days against 3 mm, or against the error of
	// that mean, has to know of clearMM clearFor later.
	clearMM  = 5.0
	clearFor = 5 * day
)

// drifts puts slow movements into the queue. They have dice of their own: the rest of
// the story of a seed is what it was before there were any.
func (c *City) drifts() {
	d := newDice(c.opt.Seed, 4)
	c.run(risk{0.4, len(c.bridges), c.opt.Pace, nil, func(at int64) {
		b := c.bridges[d.IntN(len(c.bridges))]
		if b.drift != nil || b.defect != nil || b.broken != nil || !b.device.well() {
			return
		}
		x := &drift{from: at, to: at + d.span(6*day, 15*day), by: d.between(6, 12), cause: "subsidence"}
		if d.chance(0.4) {
			x.cause = "bearing"
		}
		b.drifts(at, x, c.repair(30*day, d))
	}}, d)
}

// drifts lets the bridge move until it is jacked up, some ms later; what nobody could
// know of stays.
func (b *bridge) drifts(at int64, x *drift, long int64) {
	c := b.device.city
	x.defect = &defect{facility: b.device.ID, name: "bridge_drift", cause: x.cause}
	if !b.moved && at-c.start >= learning {
		x.defect.shipped = true
		x.defect.due = at + int64(clearMM/x.by*float64(x.to-x.from)) + clearFor
		c.then(at+long, func(at int64) {
			if b.drift == x {
				b.stopDrift(at)
			}
		})
	}
	b.drift, b.moved = x, true
	c.truth.begin(at, x.defect)
}

// stopDrift puts the bridge back where it was before it drifted, if it did.
func (b *bridge) stopDrift(at int64) {
	if b.drift != nil {
		b.device.city.truth.end(at, b.drift.defect)
		b.drift = nil
	}
}

// moved is how far the middle of the bridge has come down, mm; of none 0.
func (x *drift) moved(at int64) float64 {
	if x == nil {
		return 0
	}
	return x.by * min(1, float64(at-x.from)/float64(x.to-x.from))
}

// sunk is how much of that is the ground's, mm.
func (x *drift) sunk(at int64) float64 {
	if x == nil || x.cause != "subsidence" {
		return 0
	}
	return x.moved(at)
}

package fleet

import (
	"io"
	"time"
)

// Options of a City.
type Options struct {
	Seed         uint64
	Manholes     int
	Streetlights int // 20 on a circuit, three circuits on a cabinet
	Bridges      int
	Meters       bool          // a meter of its own on every circuit, in addition
	Middle       Place         // of the city; default Fuzhou
	Start        time.Time     // the city's first instant
	Every        time.Duration // between two measurements of a device; default 5 s
	Intervals    Intervals     // the same by the sort of device, where it differs
	Switched     bool          // cabinets cut the lamps' power by day; the census does not say so
	Opening      bool          // one defect of each kind in the first half minute, and no other for a while
	Pace         float64       // how many times more often than in life things break; default 1
	Trouble      float64       // the same for what befalls the devices; default 1
	Haste        float64       // how many times sooner than in life they are mended; default 1
	Clean        bool          // no message is lost, late, garbled or sent twice
	Truth        io.Writer     // what really happened; may be nil. See Truth
	Notes        bool          // the truth file tells of messages and shocks too
}

// Intervals are the times between two measurements by the sort of device; 0 =
// [Options.Every].
type Intervals struct{ Cover, Lamp, Bridge, Meter time.Duration }

func (o Options) withDefaults() Options {
	for _, x := range []*float64{&o.Pace, &o.Trouble, &o.Haste} {
		if *x == 0 {
			*x = 1
		}
	}
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	for _, x := range []*time.Duration{&o.Intervals.Cover, &o.Intervals.Lamp, &o.Intervals.Bridge, &o.Intervals.Meter} {
		if *x == 0 {
			*x = o.Every
		}
	}
	if o.Middle == (Place{}) {
		o.Middle = Place{119.30, 26.08}
	}
	return o
}

// City is the simulated city. It belongs to one goroutine.
type City struct {
	opt     Options
	dice    dice
	start   int64
	queue   queue
	weather weather
	truth   Truth

	covers   []*cover
	lamps    []*lamp
	circuits []*circuit
	cabinets []*cabinet
	bridges  []*bridge
	meters   []*meter
	devices  []*device
	areas    []Area

	values values // of the measurement at hand
	arena  []byte // the payloads of this step
	out    []Publish
	quiet  bool
	now    int64
}

// New lays the city out. Nothing is sent before the first Step.
func New(o Options) *City {
	o = o.withDefaults()
	c := &City{opt: o, dice: newDice(o.Seed, 1), start: o.Start.UnixMilli(), truth: Truth{w: o.Truth, notes: o.Notes}}
	c.now = c.start
	c.weather = weather{dice: newDice(o.Seed, 2), since: c.start}
	c.queue.add(c.start+c.weather.wait(30*float64(hour)), c.weather.turn)
	l := newLayout(c)
	c.areas = l.areas()
	l.streets()
	c.plan()
	return c
}

// Step is what the devices send up to now, in the order of time. The slice and
// the payloads are valid until the next call. What comes out does not depend on
// how long the steps are.
func (c *City) Step(now time.Time) []Publish {
	c.out, c.arena = c.out[:0], c.arena[:0]
	c.now = now.UnixMilli()
	c.queue.until(c.now)
	return c.out
}

// Skip lets the city live up to now and forgets what the devices send.
func (c *City) Skip(now time.Time) {
	const slice = 10 * time.Minute
	c.quiet = true
	for t := time.UnixMilli(c.now); t.Before(now); {
		t = t.Add(min(slice, now.Sub(t)))
		c.Step(t)
	}
	c.quiet = false
}

// Restart boots every device that has power, as after a failure of the network
// that took them all: their messages are counted anew.
func (c *City) Restart(now time.Time) {
	at := now.UnixMilli()
	for _, d := range c.devices {
		if d.dead {
			continue
		}
		boot := at + 1 + c.dice.Int64N(d.every)
		c.queue.add(boot, func(at int64) int64 {
			if !d.dead {
				d.boots = uint64(at) // no boot of another restart, which this city knows nothing of
				d.start(at)
			}
			return done
		})
		d.regular = boot + 1
		c.queue.move(d.actor, boot+1)
	}
}

// Err is why the truth file is not complete, nil if it is.
func (c *City) Err() error { return c.truth.err }

// Census is every facility of the city.
func (c *City) Census() []Facility {
	out := make([]Facility, len(c.devices))
	for i, d := range c.devices {
		out[i] = d.Facility
	}
	return out
}

// Areas is the grid that the facilities lie in, parents before children.
func (c *City) Areas() []Area { return c.areas }

// open is where in the arena the next payload starts.
func (c *City) open() int { return len(c.arena) }

func (c *City) emit(p Publish) {
	if !c.quiet {
		c.out = append(c.out, p)
	}
}

// settle puts a device that measures so often on a facility and starts it within
// its first interval.
func (c *City) settle(f Facility, m model, t thing, every time.Duration, battery float64) *device {
	n := uint64(len(c.devices))
	d := &device{Facility: f, dice: newDice(c.opt.Seed, 1000+n), city: c, thing: t, every: every.Milliseconds(), model: m, battery: battery}
	d.Vendor, d.Model, d.topic = m.vendor, m.name, topicOf(f.ID, "telemetry")
	d.ExpectS = max(1, d.every/1000)
	d.radio.level = d.noise(6)
	d.clock.drift = d.noise(20e-6)
	first := c.start + d.span(1, d.every)
	d.regular = first
	d.actor = c.queue.add(first, func(at int64) int64 {
		if d.boots == 0 {
			d.start(at)
			d.clock.set(at, d.dice)
		}
		return d.turn(at)
	})
	c.devices = append(c.devices, d)
	return d
}

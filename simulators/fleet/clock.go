package fleet

// clock is a device's idea of the time.
type clock struct {
	base  int64   // true time at which err was true
	err   float64 // ms by which it was ahead then
	drift float64 // ms it gains per ms, some 20 millionths
	sync  int64   // true time at which it is set next
	none  bool    // it does not know the time and says so
	lie   lie
}

// lie is a clock that is wrong by far and does not know it.
type lie uint8

// The ways of being wrong.
const (
	honest    lie = iota
	behind        // an hour late
	ahead         // some minutes early: not enough to be noticed
	epoch1970     // counts from 1970
	epoch2036     // the NTP era ends on 2036-02-07T06:28:16Z
	seconds       // right, but in seconds where milliseconds are wanted
	lies
)

var lieNames = [...]string{"", "behind", "ahead", "1970", "2036", "seconds"}

const ntpEnd = 2085978496000

const (
	behindMS = 3_600_000
	aheadMS  = 200_000
	// syncEvery is how often a clock is set, ms, on average.
	syncEvery = 6 * float64(hour)
)

// set sets the clock right.
func (c *clock) set(at int64, d dice) {
	c.base, c.err, c.none, c.lie = at, d.noise(15), false, honest
	c.sync = at + int64(syncEvery*d.between(0.5, 1.5))
}

// forget is a boot without a battery behind the clock; liar devices take what
// it shows for the time.
func (c *clock) forget(at int64, liar bool, d dice) {
	c.sync = at + d.span(15_000, 60_000)
	c.none = !liar
	if liar {
		c.lie = epoch1970
	}
}

// tick sets the clock when that is due.
func (c *clock) tick(at int64, d dice) {
	if at >= c.sync {
		c.set(at, d)
	}
}

// good tells whether a reader will believe the clock.
func (c *clock) good() bool { return !c.none && (c.lie == honest || c.lie == ahead) }

// read is what the device writes into ts for an instant; up is how long it had
// been running then, ms.
func (c *clock) read(at, up int64) int64 {
	t := at + int64(c.err+c.drift*float64(at-c.base))
	switch c.lie {
	case behind:
		return t - behindMS
	case ahead:
		return t + aheadMS
	case epoch1970:
		return up
	case epoch2036:
		return ntpEnd + up
	case seconds:
		return t / 1000
	}
	return t
}

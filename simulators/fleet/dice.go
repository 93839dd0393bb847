package fleet

import "math/rand/v2"

// dice is a source of chance. The city has one and each device has its own, so
// that what one device does never changes the luck of another.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, stream*0x9e3779b97f4a7c15+1))}
}

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between is a number from lo to hi.
func (d dice) between(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }

// wait is a random time, ms, that is mean long on average: the time between two
// events that know nothing of each other.
func (d dice) wait(mean float64) int64 { return int64(mean*d.ExpFloat64()) + 1 }

// span is a time from lo to hi, ms.
func (d dice) span(lo, hi int64) int64 { return lo + d.Int64N(hi-lo+1) }

// noise is a small error around 0 with the deviation s.
func (d dice) noise(s float64) float64 { return s * d.NormFloat64() }

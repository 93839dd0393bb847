package rules

import (
	"math"
	"math/rand/v2"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/rules/strict"
)

// curve is a value of a test that changes with the time.
type curve struct {
	mean  float64
	swing float64       // between the coldest and the warmest hour of a day, which is 15:00
	lag   time.Duration // by which it is later
	rise  float64       // a day, from when the line of the timeline begins
	noise float64       // standard deviation
}

// curve reads one: {mean: 20, swing: 30, lag: 2h, rise: 0.5, noise: 0.2}.
func (r *reader) curve(n *yaml.Node, what string) *curve {
	c := &curve{}
	r.Mapping(n, what, strict.Fields{"mean": r.Number(what+".mean", -1e12, 1e12, &c.mean), "swing": r.Number(what+".swing", -1e12, 1e12, &c.swing),
		"lag": r.Duration(what+".lag", &c.lag), "rise": r.Number(what+".rise", -1e12, 1e12, &c.rise), "noise": r.Number(what+".noise", 0, 1e12, &c.noise)})
	return c
}

// at is the value at an instant, so long after the line of the timeline began.
func (c *curve) at(t time.Time, since time.Duration, dice *rand.Rand) float64 {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	hours := (t.Sub(midnight) - c.lag).Hours()
	return c.mean + c.swing/2*math.Cos(2*math.Pi*(hours-15)/24) + c.rise*since.Hours()/24 + c.noise*dice.NormFloat64()
}

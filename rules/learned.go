package rules

import "math"

// learned is what a baseline knows of one facility. x is the channel that it is
// regressed on, z the same with a lag, y the channel itself.
type learned struct {
	key    string
	since  int64   // event time of the first step
	steps  int64   // that were learned from
	weight float64 // of all that was learned, forgetting counted
	mean   [3]float64
	sums   [6]float64 // of products of deviations: xx, xz, xy, zz, zy, yy
	low    float64    // the low pass of on
	lowAt  int64      // event time of low, 0 = never
	lowOf  int64      // event time of its first value
	cell   int64      // event time when the step at hand began
	cellN  float64
	cellS  [3]float64
	at     int64 // event time of the end of the newest step that was judged, 0 = none
	usual  float64
	now    float64 // y of that step
	band   float64
	drift  float64 // the residual, smoothed
}

// add learns a step; what was learned before counts keep times as much (West's
// update of weighted means and co-moments).
func (l *learned) add(p [3]float64, keep float64) {
	l.weight = keep*l.weight + 1
	var d [3]float64
	for i := range p {
		d[i] = p[i] - l.mean[i]
		l.mean[i] += d[i] / l.weight
	}
	i := 0
	for a := range p {
		for c := a; c < len(p); c++ {
			l.sums[i] = keep*l.sums[i] + d[a]*(p[c]-l.mean[c])
			i++
		}
	}
	l.steps++
}

// expect is what y usually is at x and z, and its standard deviation there: of the
// residuals, and wider where x and z are not what was learned from.
func (l *learned) expect(x, z float64, step int64) (usual, band float64) {
	dx, dz := x-l.mean[0], z-l.mean[1]
	xx, xz, xy, zz, zy, yy := l.sums[0], l.sums[1], l.sums[2], l.sums[3], l.sums[4], l.sums[5]
	rest, far, terms := yy, 0.0, 0.0
	usual = l.mean[2]
	least := func(mean float64) float64 { return 1e-12 * l.weight * (1 + mean*mean) }
	switch det := xx*zz - xz*xz; {
	case xx > least(l.mean[0]) && zz > least(l.mean[1]) && det > 1e-4*xx*zz:
		b, c := (xy*zz-zy*xz)/det, (zy*xx-xy*xz)/det
		usual += b*dx + c*dz
		rest -= b*xy + c*zy
		far = (dx*dx*zz - 2*dx*dz*xz + dz*dz*xx) / det * l.weight
		terms = 2
	case xx > least(l.mean[0]):
		usual += xy / xx * dx
		rest -= xy / xx * xy
		far = dx * dx / xx * l.weight
		terms = 1
	}
	spread := max(0, rest) / max(1, l.weight-1-terms)
	days := max(1, l.weight*float64(step)/dayMS)
	return usual, math.Sqrt(spread * (1 + (1+far)/days))
}

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
	last   int64      // event time of the newest value; the step at hand is the one it lies in
	cellN  float64    // what the values of that step weigh, ms
	cellS  [3]float64
	at     int64 // event time of the end of the newest step that was judged, 0 = none
	usual  float64
	now    float64 // y of that step
	band   float64
	drift  float64 // the residual, smoothed
	center float64 // around which values count until enough is learned; see baseline.belongs
	votes  float64 // for it
	left   int64   // values that were left out
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

// line is how y follows x and z: y less its mean is b·(x less its) + c·(z less
// its), and rest the sum of squares that this leaves.
type line struct {
	b, c, rest float64
	terms      int // 0 = y follows neither: the mean is usual
}

// line fits one; det is 0 but where it has two terms.
func (l *learned) line() (f line, det float64) {
	xx, xz, xy, zz, zy, yy := l.sums[0], l.sums[1], l.sums[2], l.sums[3], l.sums[4], l.sums[5]
	least := func(mean float64) float64 { return 1e-12 * l.weight * (1 + mean*mean) }
	switch det := xx*zz - xz*xz; {
	case xx > least(l.mean[0]) && zz > least(l.mean[1]) && det > 1e-4*xx*zz:
		f.b, f.c, f.terms = (xy*zz-zy*xz)/det, (zy*xx-xy*xz)/det, 2
		f.rest = yy - f.b*xy - f.c*zy
		return f, det
	case xx > least(l.mean[0]):
		f.b, f.terms = xy/xx, 1
	}
	f.rest = yy - f.b*xy
	return f, 0
}

// expect is what y usually is at x and z, and its standard deviation there: of the
// residuals, and wider where x and z are not what was learned from.
func (l *learned) expect(x, z float64, step int64) (usual, band float64) {
	f, det := l.line()
	dx, dz, far := x-l.mean[0], z-l.mean[1], 0.0
	switch f.terms {
	case 2:
		far = (dx*dx*l.sums[3] - 2*dx*dz*l.sums[1] + dz*dz*l.sums[0]) / det * l.weight
	case 1:
		far = dx * dx / l.sums[0] * l.weight
	}
	spread := max(0, f.rest) / max(1, l.weight-1-float64(f.terms))
	days := max(1, l.weight*float64(step)/dayMS)
	return l.mean[2] + f.b*dx + f.c*dz, math.Sqrt(spread * (1 + (1+far)/days))
}

// explained is R², the share of the variance of y that x and z explain; ok is
// false where it follows neither.
func (l *learned) explained() (r2 float64, ok bool) {
	f, _ := l.line()
	yy := l.sums[5]
	if f.terms == 0 || yy <= 0 {
		return 0, false
	}
	return 1 - min(1, max(0, f.rest)/yy), true
}

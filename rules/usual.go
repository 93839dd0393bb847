package rules

import "github.com/fxamacker/cbor/v2"

// Usual is what a baseline knows of a facility, for people. Instants are Unix ms.
type Usual struct {
	Rule     string
	Name     string // of the value
	Channel  string
	Unit     string
	On       string   // the channel that it is regressed on, "" = none
	Since    int64    // event time of the first step that was learned from, 0 = none yet
	Steps    int64    // that were learned from
	Left     int64    // values that lay too far off to be of it, and were left out
	At       int64    // event time of the newest step that was judged, 0 = none: too little is known
	Value    *float64 // the channel's mean in that step
	Expected *float64 // what is usual then
	Band     *float64 // one standard deviation of it
	Residual *float64 // smoothed where the rule says so
	R2       *float64 // the share of the variance that On explains; nil where it explains nothing
	Step     int64    // ms: readings are averaged over it
	Lag      int64    // ms: time constant of the low pass of On, 0 = there is none
	Least    int64    // ms of learning before anything is judged
	Wants    int64    // steps before anything is judged
	Schedule string   // when it is learned and judged, "" = always
}

// usuals is what the baselines know of f.
func (f *facility) usuals(s *Set) (out []Usual) {
	if f.more == nil {
		return nil
	}
	for _, b := range s.kinds[f.kind].baselines {
		l := f.usualOf(b)
		if l == nil {
			continue
		}
		u := Usual{Rule: b.rule.Name, Name: b.name, Channel: b.channel.Name, Unit: b.channel.Unit, Since: l.since, Steps: l.steps, Left: l.left, At: l.at,
			Step: b.step, Lag: b.lag, Least: b.least, Wants: leastSteps}
		if b.on != nil {
			u.On = b.on.Name
		}
		if r2, ok := l.explained(); ok {
			u.R2 = number(r2)
		}
		if b.rule.Schedule != nil {
			u.Schedule = b.rule.Schedule.String()
		}
		if l.at > 0 {
			u.Value, u.Expected, u.Band, u.Residual = number(l.now), number(l.usual), number(l.band), number(b.residual(l))
		}
		out = append(out, u)
	}
	return out
}

// snapshotLearned is what a baseline knows of a facility.
type snapshotLearned struct {
	_                       struct{} `cbor:",toarray"`
	Key                     string
	Since, Steps            int64
	Weight                  float64
	Mean                    [3]float64
	Sums                    [6]float64
	Low                     float64
	LowAt, LowOf            int64
	Cell                    int64 // of the newest value; once, when its step began
	CellN                   float64
	CellS                   [3]float64
	At                      int64
	Usual, Now, Band, Drift float64
	Center, Votes           float64
	Left                    int64
}

// UnmarshalCBOR reads one of "LMPSNAPB" too, which was three numbers shorter.
func (l *snapshotLearned) UnmarshalCBOR(b []byte) error {
	const arrayOf17, arrayOf20 = 0x91, 0x94
	if len(b) > 0 && b[0] == arrayOf17 {
		b = append(append([]byte{arrayOf20}, b[1:]...), 0, 0, 0)
	}
	type current snapshotLearned
	return cbor.Unmarshal(b, (*current)(l))
}

func (x *rare) frozenLearned() []snapshotLearned {
	if x == nil {
		return nil
	}
	out := make([]snapshotLearned, len(x.learned))
	for i, l := range x.learned {
		out[i] = snapshotLearned{Key: l.key, Since: l.since, Steps: l.steps, Weight: l.weight, Mean: l.mean, Sums: l.sums, Low: l.low, LowAt: l.lowAt, LowOf: l.lowOf,
			Cell: l.last, CellN: l.cellN, CellS: l.cellS, At: l.at, Usual: l.usual, Now: l.now, Band: l.band, Drift: l.drift, Center: l.center, Votes: l.votes, Left: l.left}
	}
	return out
}

// thawLearned takes over what the baselines of s are about.
func (f *facility) thawLearned(all []snapshotLearned, s *Set) {
	for _, l := range all {
		for _, b := range s.kinds[f.kind].baselines {
			if b.key == l.Key {
				x := f.rare()
				x.learned = append(x.learned, learned{key: b.key, since: l.Since, steps: l.Steps, weight: l.Weight, mean: l.Mean, sums: l.Sums, low: l.Low, lowAt: l.LowAt, lowOf: l.LowOf,
					last: l.Cell, cellN: l.CellN, cellS: l.CellS, at: l.At, usual: l.Usual, now: l.Now, band: l.Band, drift: l.Drift, center: l.Center, votes: l.Votes, left: l.Left})
			}
		}
	}
}

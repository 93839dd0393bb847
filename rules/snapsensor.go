package rules

import "slices"

// snapshotSensors is what is known of the sensors of a facility.
type snapshotSensors struct {
	_      struct{} `cbor:",toarray"`
	Clock  int64
	Wrongs int64
	Probes []snapshotProbe
}

type snapshotProbe struct {
	_                 struct{} `cbor:",toarray"`
	Channel           uint32   // in snapshotHead.Channels
	N, Moves          int64
	Last              float64
	At, Since, Same   int64
	Step, Every, From float64
	Level             float64
	Jumped, Lone      bool
	Spikes            []int64
	Why               string
}

func (s *sensors) clone() *sensors {
	if s == nil {
		return nil
	}
	c := &sensors{clock: s.clock, wrongs: s.wrongs, probes: slices.Clone(s.probes)}
	for i := range c.probes {
		c.probes[i].spikes = slices.Clone(c.probes[i].spikes)
	}
	return c
}

func (x *rare) frozenSensors() *snapshotSensors {
	if x == nil || x.sensors == nil {
		return nil
	}
	out := &snapshotSensors{Clock: x.sensors.clock, Wrongs: x.sensors.wrongs}
	for _, p := range x.sensors.probes {
		out.Probes = append(out.Probes, snapshotProbe{Channel: p.channel, N: p.n, Moves: p.moves, Last: p.last, At: p.at, Since: p.since, Same: p.same, Step: p.step, Every: p.every, From: p.before, Level: p.level,
			Jumped: p.jumped, Lone: p.lone, Spikes: p.spikes, Why: p.why})
	}
	return out
}

// thawSensors takes them over again.
func (f *facility) thawSensors(s *snapshotSensors, channels []uint32) {
	if s == nil {
		return
	}
	to := f.sensors()
	to.clock, to.wrongs = s.Clock, s.Wrongs
	for _, p := range s.Probes {
		if int(p.Channel) < len(channels) && channels[p.Channel] != none {
			to.probes = append(to.probes, probe{channel: channels[p.Channel], n: p.N, moves: p.Moves, last: p.Last, at: p.At, since: p.Since, same: p.Same, step: p.Step, every: p.Every, before: p.From, level: p.Level,
				jumped: p.Jumped, lone: p.Lone, spikes: p.Spikes, why: p.Why})
		}
	}
}

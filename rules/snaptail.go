package rules

import "lamplighter/devices"

// snapshotTail is what came to the format later, and few facilities have. A
// snapshot that was written before it ends without it.
type snapshotTail struct {
	Stretches []snapshotStretches `cbor:"1,keyasint,omitempty"`
	Owed      []string            `cbor:"2,keyasint,omitempty"` // facilities, see Engine.owe
	Lifted    []snapshotLifted    `cbor:"3,keyasint,omitempty"`
	Suspects  []snapshotSuspects  `cbor:"4,keyasint,omitempty"`
	Anew      []snapshotAnew      `cbor:"5,keyasint,omitempty"`
	Absent    []snapshotAbsent    `cbor:"6,keyasint,omitempty"`
}

// snapshotLifted is a window that is over.
type snapshotLifted struct {
	_      struct{} `cbor:",toarray"`
	Window Window
	Ended  int64
}

// snapshotAnew is an alert, see alert.anew.
type snapshotAnew struct {
	_              struct{} `cbor:",toarray"`
	Facility, Rule string
}

// snapshotAbsent is who is silent or overdue, and when it was found to be so.
type snapshotAbsent struct {
	_        struct{} `cbor:",toarray"`
	Facility string
	At       int64
}

// snapshotSuspects is the sensors in the history that is being told of a facility.
type snapshotSuspects struct {
	_        struct{} `cbor:",toarray"`
	Facility string
	Sensors  snapshotSensors
}

// snapshotStretches is those of a series that stands in its facility.
type snapshotStretches struct {
	_        struct{} `cbor:",toarray"`
	Facility string
	Run      bool   // of the history that is being told
	Channel  uint32 // in snapshotHead.Channels
	All      []snapshotStretch
}

type snapshotStretch struct {
	_                          struct{} `cbor:",toarray"`
	From, To, N                int64
	Sum, Min, Max, First, Last float64
	Turns                      int64
}

func (z *frozen) tail() *snapshotTail {
	t := &snapshotTail{}
	for i := range z.lifted {
		t.Lifted = append(t.Lifted, snapshotLifted{Window: z.lifted[i].Window, Ended: z.lifted[i].ended})
	}
	for i := range z.facilities {
		f := &z.facilities[i]
		if f.owed {
			t.Owed = append(t.Owed, string(f.id))
		}
		if f.silent || f.overdue {
			t.Absent = append(t.Absent, snapshotAbsent{Facility: string(f.id), At: f.absent})
		}
		for _, a := range f.alerts {
			if a.anew {
				t.Anew = append(t.Anew, snapshotAnew{Facility: string(f.id), Rule: z.rules.kinds[f.kind].rules[a.rule].Name})
			}
		}
		if f.more == nil {
			continue
		}
		t.stretches(f.id, f.more.series, false)
		if p := f.more.past; p != nil && p.run != nil && p.run.more != nil {
			t.stretches(f.id, p.run.more.series, true)
			if s := p.run.more.frozenSensors(); s != nil {
				t.Suspects = append(t.Suspects, snapshotSuspects{Facility: string(f.id), Sensors: *s})
			}
		}
	}
	return t
}

func (t *snapshotTail) stretches(id devices.FacilityID, all []series, run bool) {
	for i := range all {
		s := &all[i]
		if len(s.stretches) == 0 {
			continue
		}
		x := snapshotStretches{Facility: string(id), Run: run, Channel: s.channel}
		for _, p := range s.stretches {
			x.All = append(x.All, snapshotStretch{From: p.from, To: p.to, N: p.n, Sum: p.sum, Min: p.min, Max: p.max, First: p.first, Last: p.last, Turns: p.turns})
		}
		t.Stretches = append(t.Stretches, x)
	}
}

// thawTail takes the tail over, when all facilities are there.
func (e *Engine) thawTail(t *snapshotTail, channels []uint32) {
	for _, l := range t.Lifted {
		e.lifted = append(e.lifted, lifted{l.Window, l.Ended})
	}
	for _, id := range t.Owed {
		if f := e.facilities[devices.FacilityID(id)]; f != nil {
			e.owe(f)
		}
	}
	for _, x := range t.Absent {
		if f := e.facilities[devices.FacilityID(x.Facility)]; f != nil {
			f.absent = x.At
		}
	}
	for _, x := range t.Anew {
		if f := e.facilities[devices.FacilityID(x.Facility)]; f != nil {
			if r := e.set.find(f.kind, x.Rule); r != nil && f.find(r.index) != nil {
				f.find(r.index).anew = true
			}
		}
	}
	for i := range t.Suspects {
		x := &t.Suspects[i]
		if f := e.facilities[devices.FacilityID(x.Facility)]; f != nil && f.more != nil && f.more.past != nil && f.more.past.run != nil {
			f.more.past.run.thawSensors(&x.Sensors, channels)
		}
	}
	for _, x := range t.Stretches {
		f := e.facilities[devices.FacilityID(x.Facility)]
		if f != nil && x.Run && f.more != nil && f.more.past != nil {
			f = f.more.past.run
		}
		if f == nil || int(x.Channel) >= len(channels) {
			continue
		}
		s := f.series(channels[x.Channel])
		if s == nil {
			continue
		}
		for _, p := range x.All {
			s.stretches = append(s.stretches, stretch{from: p.From, to: p.To, n: p.N, sum: p.Sum, min: p.Min, max: p.Max, first: p.First, last: p.Last, turns: p.Turns})
		}
	}
}

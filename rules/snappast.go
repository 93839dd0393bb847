package rules

import (
	"slices"

	"lamplighter/devices"
)

// snapshotPast is the history that is being told of a facility.
type snapshotPast struct {
	_      struct{} `cbor:",toarray"`
	Told   []span64
	Due    int64
	Run    bool
	Newest int64
	Values []snapshotValue
	Series []snapshotSeries
	Faults []snapshotFault
}

type snapshotFault struct {
	_            struct{} `cbor:",toarray"`
	Rule         string
	Event, Calm  int64
	Step         uint8
	Sure, Firing bool
	Value, Limit float64
	Why          *Evidence
}

// snapshotHeld is a message that waits for its turn.
type snapshotHeld struct {
	_        struct{} `cbor:",toarray"`
	Seq      uint64
	Due      int64
	Readings []snapshotReading
}

type snapshotReading struct {
	_        struct{} `cbor:",toarray"`
	Time     int64
	Source   uint8
	Channels []uint32 // in snapshotHead.Channels
	Nums     []float64
	Texts    []string
	Quality  []uint8
}

func (p *past) clone() *past {
	if p == nil {
		return nil
	}
	c := *p
	c.faults, c.told = slices.Clone(p.faults), slices.Clone(p.told)
	if p.run != nil {
		run := *p.run
		run.values, run.more = slices.Clone(run.values), run.more.clone()
		c.run = &run
	}
	return &c
}

func frozenValues(vs []value) []snapshotValue {
	out := make([]snapshotValue, len(vs))
	for i, v := range vs {
		out[i] = snapshotValue{Channel: v.channel, Text: v.text, At: v.at, Num: v.num}
	}
	return out
}

// frozenPast is the past and what waits as a snapshot has them.
func (x *rare) frozenPast(set *Set, kind devices.Kind) (p *snapshotPast, held []snapshotHeld, next uint64) {
	if x == nil {
		return nil, nil, 0
	}
	for _, h := range x.held {
		s := snapshotHeld{Seq: h.seq, Due: h.due}
		for i := range h.readings {
			s.Readings = append(s.Readings, frozenReading(&h.readings[i]))
		}
		held = append(held, s)
	}
	if x.past == nil {
		return nil, held, x.next
	}
	p = &snapshotPast{Told: x.past.told, Due: x.past.due}
	if run := x.past.run; run != nil {
		p.Run, p.Newest, p.Values, p.Series = true, run.newest, frozenValues(run.values), run.more.frozen()
	}
	for _, a := range x.past.faults {
		p.Faults = append(p.Faults, snapshotFault{Rule: set.kinds[kind].rules[a.rule].Name, Event: a.event, Calm: a.calm, Step: a.step, Sure: a.sure, Firing: a.firing, Value: a.value, Limit: a.limit, Why: a.why})
	}
	return p, held, x.next
}

func frozenReading(r *devices.Reading) snapshotReading {
	s := snapshotReading{Time: r.Time, Source: uint8(r.Source)}
	for _, v := range r.Values {
		s.Channels, s.Nums, s.Texts, s.Quality = append(s.Channels, uint32(v.Channel.ID)), append(s.Nums, v.Num), append(s.Texts, v.Text), append(s.Quality, uint8(v.Quality))
	}
	return s
}

// thawPast takes both over again.
func (e *Engine) thawPast(f *facility, s *snapshotFacility, channels []uint32) {
	if s.Past == nil && len(s.Held) == 0 {
		return
	}
	x := f.rare()
	x.next = s.Next
	for _, h := range s.Held {
		m := heldMessage{seq: h.Seq, due: h.Due}
		for i := range h.Readings {
			m.readings = append(m.readings, e.thawReading(&h.Readings[i], channels))
		}
		x.held = append(x.held, m)
	}
	if p := s.Past; p != nil {
		x.past = &past{told: p.Told, due: p.Due}
		if p.Run {
			x.past.run = runOf(f)
			x.past.run.newest = p.Newest
			x.past.run.thawSeries(p.Series, channels)
			for _, v := range p.Values {
				if int(v.Channel) < len(channels) && channels[v.Channel] != none {
					x.past.run.values = append(x.past.run.values, value{num: v.Num, at: v.At, text: v.Text, channel: channels[v.Channel]})
				}
			}
		}
		for _, a := range p.Faults {
			if r := e.set.find(f.kind, a.Rule); r != nil {
				x.past.faults = append(x.past.faults, pastFault{rule: r.index, event: a.Event, calm: a.Calm, step: a.Step, sure: a.Sure, firing: a.Firing, value: a.Value, limit: a.Limit, why: a.Why})
			}
		}
	}
	e.again(f)
}

func (e *Engine) thawReading(s *snapshotReading, channels []uint32) devices.Reading {
	r := devices.Reading{Time: s.Time, Source: devices.TimeSource(s.Source)}
	all := e.dict.All()
	for i, c := range s.Channels {
		if int(c) < len(channels) && channels[c] != none {
			r.Values = append(r.Values, devices.Value{Channel: all[channels[c]], Num: s.Nums[i], Text: s.Texts[i], Quality: devices.Quality(s.Quality[i])})
		}
	}
	return r
}

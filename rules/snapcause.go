package rules

import (
	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// snapshotParent is one parent, with its causes; cabinets come before circuits.
type snapshotParent struct {
	_      struct{} `cbor:",toarray"`
	Level  uint8
	ID, Up string
	Causes []snapshotCause
}

type snapshotCause struct {
	_                       struct{} `cbor:",toarray"`
	Kind                    uint8
	Rule                    string
	Joins                   uint64
	Reached, Pending, Quiet int64
	Firing                  bool
	Wide                    *snapshotWide // of one that several partitions have part in
}

type snapshotWide struct {
	_            struct{} `cbor:",toarray"`
	Stage        stage
	Heard        uint64
	Answer, Told bool
	Sent         counts
	At, Looked   int64
	Stirred      bool // it is looked at in the next frame: who is not must not be, or what follows would be told at another time
}

// snapshotMark says that a facility counts as bad for a collapse rule.
type snapshotMark struct {
	_        struct{} `cbor:",toarray"`
	Rule     string
	No       uint64
	Since    int64
	Attached bool
}

// freezeParents copies the parents, and who is bad behind their causes.
func (z *frozen) freezeParents(e *Engine) {
	z.marks = make(map[devices.FacilityID][]snapshotMark)
	for _, p := range e.parentsInOrder() {
		s := snapshotParent{Level: uint8(p.level), ID: string(p.id)}
		if p.up != nil {
			s.Up = string(p.up.id)
		}
		for _, c := range p.causes {
			x := snapshotCause{Kind: uint8(c.rule.Kind), Rule: c.rule.Name, Joins: c.joins, Reached: c.reached, Pending: c.pending, Quiet: c.quiet, Firing: c.firing}
			if w := c.wide; w != nil {
				x.Wide = &snapshotWide{Stage: w.stage, Heard: w.heard, Answer: w.answer, Told: w.told, Sent: w.sent, At: w.at, Looked: w.looked, Stirred: c.stirred}
			}
			s.Causes = append(s.Causes, x)
			for f, m := range c.bad {
				z.marks[f.id] = append(z.marks[f.id], snapshotMark{Rule: c.rule.Name, No: m.no, Since: m.since, Attached: m.attached})
			}
		}
		z.parents = append(z.parents, s)
	}
}

func (e *Engine) thawParents(dec *cbor.Decoder, n int) error {
	for range n {
		var s snapshotParent
		if err := dec.Decode(&s); err != nil {
			return err
		}
		var up *parent
		if s.Up != "" {
			up = e.parentAt(Level(s.Level)+1, devices.FacilityID(s.Up), nil)
		}
		p := e.parentAt(Level(s.Level), devices.FacilityID(s.ID), up)
		for _, x := range s.Causes {
			if r := e.set.find(devices.Kind(x.Kind), x.Rule); r != nil && r.Collapse != nil {
				c := e.causeAt(p, r)
				c.joins, c.reached, c.pending, c.quiet, c.firing = x.Joins, x.Reached, x.Pending, x.Quiet, x.Firing
				if w := x.Wide; w != nil && c.wide != nil {
					*c.wide = wide{stage: w.Stage, heard: w.Heard, answer: w.Answer, told: w.Told, sent: w.Sent, at: w.At, looked: w.Looked}
					if w.Stirred {
						e.stir(c)
					}
				}
			}
		}
	}
	return nil
}

// rehang puts f back where it hung.
func (e *Engine) rehang(f *facility, s *snapshotFacility) {
	if f.hung = s.Hung; f.hung {
		e.attach(f, e.parents[parentKey{Level(s.Level), devices.FacilityID(s.Parent)}])
	}
}

// remark gives the causes above f their marks.
func (e *Engine) remark(f *facility, marks []snapshotMark) {
	for _, m := range marks {
		r := e.set.find(f.kind, m.Rule)
		if r == nil || r.Collapse == nil {
			continue
		}
		if p := e.above(f, r.Collapse.By); p != nil {
			c := e.causeAt(p, r)
			c.bad[f] = mark{no: m.No, since: m.Since, attached: m.Attached}
			if m.Attached {
				c.attached++
			}
		}
	}
}

// thawPlaces counts everybody in the places that they lie in, and gives the
// causes their marks: by now all are there, cabinets with their feeders too.
func (e *Engine) thawPlaces(marks map[*facility][]snapshotMark) {
	for _, f := range e.facilities {
		for _, l := range e.set.kinds[f.kind].wide {
			if name := e.place(f, l); name != "" {
				e.parentAt(l, devices.FacilityID(name), nil).total[f.kind]++
			}
		}
		e.remark(f, marks[f])
	}
}

// thawCauses counts what the causes know of their members, has all of them looked
// at but for those of several partitions, see snapshotWide, and shows what bears
// the name of their places as it was shown.
func (e *Engine) thawCauses() {
	for _, p := range e.parents {
		for _, c := range p.causes {
			c.mark()
			if c.wide == nil {
				e.stir(c)
			}
		}
		if f := p.own; f != nil {
			at := f.since
			e.show(f)
			f.since = at
		}
	}
}

// snapshotWhole is a cause that is put together in this partition.
type snapshotWhole struct {
	_           struct{} `cbor:",toarray"`
	Of          wideKey
	Parts       []snapshotPart
	Stage, Told stage
	Opened, No  uint64
	At, Reached int64
	Turning     int64
	Stirred     bool
}

type snapshotPart struct {
	_     struct{} `cbor:",toarray"`
	Share share
	At    int64
}

func (z *frozen) freezeWholes(e *Engine) {
	for _, w := range e.wholesInOrder() {
		s := snapshotWhole{Of: w.wideKey, Stage: w.stage, Told: w.told, Opened: w.opened, No: w.no, At: w.at, Reached: w.reached, Turning: w.turning, Stirred: w.stirred}
		for i := range w.parts {
			s.Parts = append(s.Parts, snapshotPart{Share: w.parts[i].share, At: w.parts[i].at})
		}
		z.wholes = append(z.wholes, s)
	}
}

func (e *Engine) thawWholes(dec *cbor.Decoder, n int) error {
	for range n {
		var s snapshotWhole
		if err := dec.Decode(&s); err != nil {
			return err
		}
		w := &whole{wideKey: s.Of, rule: e.set.wideRule(&s.Of), stage: s.Stage, told: s.Told, opened: s.Opened, no: s.No, at: s.At, reached: s.Reached, turning: s.Turning}
		for i := range s.Parts {
			w.parts = append(w.parts, part{s.Parts[i].Share, s.Parts[i].At})
		}
		e.wholes[w.wideKey] = w
		if s.Stirred {
			e.stirWhole(w)
		}
	}
	return nil
}

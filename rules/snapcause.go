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
			s.Causes = append(s.Causes, snapshotCause{Kind: uint8(c.rule.Kind), Rule: c.rule.Name, Joins: c.joins, Reached: c.reached, Pending: c.pending, Quiet: c.quiet, Firing: c.firing})
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
			}
		}
	}
	return nil
}

// rehang puts f back where it hung, with its marks.
func (e *Engine) rehang(f *facility, s *snapshotFacility) {
	p := e.parents[parentKey{Level(s.Level), devices.FacilityID(s.Parent)}]
	if p == nil {
		return
	}
	e.attach(f, p)
	for _, m := range s.Marks {
		r := e.set.find(f.kind, m.Rule)
		if r == nil || r.Collapse == nil {
			continue
		}
		if p := f.above(r.Collapse.By); p != nil {
			c := e.causeAt(p, r)
			c.bad[f] = mark{no: m.No, since: m.Since, attached: m.Attached}
			if m.Attached {
				c.attached++
			}
		}
	}
}

// thawCauses counts what the causes know of their members, and has all of them
// looked at.
func (e *Engine) thawCauses() {
	for _, p := range e.parents {
		for _, c := range p.causes {
			c.mark(e.wall)
			e.stir(c)
		}
	}
}

package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// The members of a feeder or an area are judged in several partitions, and none
// of them sees them all. So each counts its own, and tells the partition of the
// feeder's or area's name, which puts the counts together (see [whole]), opens
// and closes the ticket, and tells all how the cause stands. All of that goes
// through the log. As long as nowhere many are bad nobody tells anything: where
// as many are as a cause takes, at least one partition has its part of them.

// stage is how a wide cause stands, each more than the one before.
type stage uint8

const (
	asleep stage = iota
	watch        // all partitions tell their counts
	looms        // there are enough, but not for long enough
	opened       // it has its ticket
)

// wideKey names a wide cause.
type wideKey struct {
	_     struct{} `cbor:",toarray"`
	Kind  devices.Kind
	Rule  string
	Level Level
	Place string
}

// share is what one partition counts of a wide cause.
type share struct {
	_         struct{} `cbor:",toarray"`
	Of        wideKey
	Partition int
	Frame     uint64 // in which it was counted: what came before it in this order is older
	Known     stage  // how the cause stands, as far as it has been told
	Heard     uint64 // the newest word on it
	counts
	Kept map[string]int // of Bad: who counts only since a window ended, by its id
}

// UnmarshalCBOR reads a share, also one from before windows were told.
func (s *share) UnmarshalCBOR(b []byte) error {
	type current share
	if len(b) == 0 || b[0] != 0x80|11 { // an array of eleven
		return cbor.Unmarshal(b, (*current)(s))
	}
	b = append(slices.Clone(b), 0xf6) // null
	b[0]++
	return cbor.Unmarshal(b, (*current)(s))
}

// counts are members.
type counts struct {
	Total    int
	Bad      int
	Onsets   onsets         // of Bad, where that matters: when they went bad
	Waits    int            // of Bad: behind a higher cause that looms
	Attached int            // of Bad: to the ticket
	Under    map[string]int // of Bad: behind a lower cause that is dark; all that are wide, and the largest of the others
}

func (n *counts) same(o *counts) bool {
	return n.Total == o.Total && n.Bad == o.Bad && n.Waits == o.Waits && n.Attached == o.Attached && maps.Equal(n.Onsets, o.Onsets) && maps.Equal(n.Under, o.Under)
}

// word is how a wide cause stands.
type word struct {
	_         struct{} `cbor:",toarray"`
	Of        wideKey
	Partition int    // which puts it together
	Frame     uint64 // in which it was said
	Stage     stage
	Since     int64 // wall clock since when there are enough
}

// wide is what a partition has told and was told of a cause.
type wide struct {
	stage  stage
	heard  uint64 // word.Frame of the newest
	answer bool   // it has not been answered
	told   bool   // sent is known where it is put together
	sent   counts
	at     int64 // wall clock of that
	looked int64 // wall clock when all were counted
}

// Shares are told at most so often, and while the ticket is open repeated, so
// that counts which nobody answers for any more count no longer. In ms.
const (
	tellShareEvery   = 1000
	repeatShareEvery = 300_000
	shareLease       = 3 * repeatShareEvery
)

// engaged tells whether others know of what is bad here, or are to know.
func (c *cause) engaged() bool {
	return c.wide != nil && (c.wide.stage != asleep || c.wide.told || c.wide.answer)
}

func (c *cause) key() wideKey {
	return wideKey{Kind: c.rule.Kind, Rule: c.rule.Name, Level: c.parent.level, Place: string(c.parent.id)}
}

// alarming tells whether n of total are one partition's part of as many as the
// rule wants, or part of it.
func (x *Collapse) alarming(n, total, partitions int, part float64) bool {
	return n > 0 && float64(n*partitions) >= part*float64(x.AtLeast) && float64(n) >= part*x.Share*float64(total)
}

// alarms tells whether those that are bad here are one partition's part.
func (c *cause) alarms(partitions int) bool {
	x := c.rule.Collapse
	alarming := func(n int) bool { return x.alarming(n, c.parent.total[c.rule.Kind], partitions, 1) }
	if x.Within == 0 {
		return alarming(len(c.bad))
	}
	_, ok := c.together(alarming)
	return ok
}

// tell sends the share of this partition, if it is another one than before.
func (e *Engine) tell(c *cause) {
	w := c.wide
	if !c.engaged() && !c.alarms(e.partitions) {
		return
	}
	if !w.answer && e.wall-w.looked < tellShareEvery {
		e.stir(c)
		return
	}
	if c.firing {
		e.stir(c) // what is told has to be repeated
	}
	w.looked = e.wall
	n := e.countShare(c)
	if !w.answer && w.told && n.same(&w.sent) && (!c.firing || e.wall-w.at < repeatShareEvery) {
		return
	}
	s := share{Of: c.key(), Partition: e.partition, Frame: e.seq, Known: w.stage, Heard: w.heard, counts: n, Kept: e.kept(c)}
	w.answer, w.sent, w.at, w.told = false, n, e.wall, true
	if err := e.post(string(c.parent.facility()), devices.ItemShare, &s); err != nil {
		e.trouble = err
	}
}

// countShare counts who is bad. Who is behind the ticket of something higher is
// not, unless there is a ticket already.
func (e *Engine) countShare(c *cause) counts {
	n := counts{Total: c.parent.total[c.rule.Kind]}
	of := c.rule.Collapse.of
	under, dark := make(map[*cause]int), make(map[*cause]bool)
	for f, m := range c.bad {
		if !c.firing {
			switch e.over(f, of, c.parent.level) {
			case covered:
				continue
			case maybe:
				n.Waits++
			}
		}
		n.Bad++
		if c.rule.Collapse.Within > 0 && !c.firing {
			n.onset(m.since / c.rule.Collapse.step())
		}
		if m.attached {
			n.Attached++
		}
		for _, r := range of.causes {
			if r.Collapse.By >= c.parent.level || f.causes&r.Collapse.bit == 0 {
				continue
			}
			x := e.above(f, r.Collapse.By).find(r)
			if _, asked := dark[x]; !asked {
				dark[x] = x.firing || x.wide == nil && x.dark() || x.wide != nil && x.wide.stage >= looms
			}
			if dark[x] {
				under[x]++
			}
		}
	}
	largest := 0
	for x, m := range under {
		if x.wide == nil {
			largest = max(largest, m)
			continue
		}
		n.put(string(x.parent.facility()), m)
	}
	if largest > 0 {
		n.put(fmt.Sprint("partition ", e.partition), largest)
	}
	return n
}

func (n *counts) onset(step int64) {
	if n.Onsets == nil {
		n.Onsets = make(onsets)
	}
	n.Onsets[step]++
}

func (n *counts) put(name string, m int) {
	if n.Under == nil {
		n.Under = make(map[string]int)
	}
	n.Under[name] = max(n.Under[name], m)
}

// hear takes over how a wide cause stands.
func (e *Engine) hear(record []byte) error {
	var h word
	if err := cbor.Unmarshal(record, &h); err != nil {
		return fmt.Errorf("word on a cause: %w", err)
	}
	if h.Frame < e.words[h.Partition] {
		return nil // it came before
	}
	e.words[h.Partition] = h.Frame
	r := e.set.wideRule(&h.Of)
	if r == nil {
		return nil
	}
	k := parentKey{h.Of.Level, devices.FacilityID(h.Of.Place)}
	if p := e.parents[k]; h.Stage == asleep && (p == nil || p.find(r) == nil) {
		return nil // nothing is known of it here
	}
	c := e.causeAt(e.parentAt(k.level, k.id, nil), r)
	w := c.wide
	if h.Frame == w.heard {
		return nil // it came before
	}
	was := w.stage
	w.stage, w.heard, w.answer = h.Stage, h.Frame, h.Stage != asleep
	if h.Stage == asleep {
		w.told, w.sent = false, counts{}
	}
	if c.firing && h.Stage != opened {
		e.release(c)
	}
	c.reached, c.pending = h.Since, h.Since
	if h.Stage == opened && !c.firing {
		c.firing = true
		e.attachAll(c)
	}
	e.stir(c)
	if was == h.Stage {
		return nil
	}
	for f := range c.bad { // they may count otherwise elsewhere
		for _, x := range c.rule.Collapse.of.causes {
			if x != c.rule && x.Collapse.By.wide() && f.causes&x.Collapse.bit != 0 {
				e.stir(e.above(f, x.Collapse.By).find(x))
			}
		}
	}
	return nil
}

// wideRule is the rule behind a wide cause, nil if there is none.
func (s *Set) wideRule(k *wideKey) *Rule {
	if int(k.Kind) >= len(s.kinds) {
		return nil
	}
	if r := s.find(k.Kind, k.Rule); r != nil && r.Collapse != nil && r.Collapse.By == k.Level && k.Level.wide() {
		return r
	}
	return nil
}

// wider is what the wide causes do to c: whether, without those that are behind
// them, there are enough.
func (e *Engine) wider(c *cause) cover {
	of := c.rule.Collapse.of
	if !of.wide {
		return uncovered
	}
	var under, waits int
	for f := range c.bad {
		switch e.over(f, of, Cabinet) {
		case covered:
			under++
		case maybe:
			waits++
		}
	}
	switch n := len(c.bad) - under; {
	case under > 0 && !c.enough(n, 1):
		return covered
	case waits > 0 && !c.enough(n-waits, 1):
		return maybe
	}
	return uncovered
}

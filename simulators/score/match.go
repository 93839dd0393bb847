package score

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// key is a facility and a defect.
type key struct{ facility, defect string }

// fact is a defect of the truth and what became of it.
type fact struct {
	*Truth
	tickets int           // that stand for it by themselves
	found   bool          // it has a ticket, or is behind one
	delay   time.Duration // until then
	cut     bool          // the recording, or it, ended too soon
}

// claim is a ticket and what it stands for.
type claim struct {
	*Ticket
	own     *fact // it was opened for this
	covers  bool  // it is all that a member's defect has
	doubles bool  // its fact had one before
}

// matcher holds tickets against the truth.
type matcher struct {
	facts  []*fact
	claims []*claim
	byKey  map[key][]*fact
	waits  map[string]time.Duration // by defect: of its rules, and the longest that a ticket had
	end    time.Time
}

func newMatcher(truth []Truth, tickets []Ticket, end time.Time) *matcher {
	m := &matcher{byKey: make(map[key][]*fact), waits: make(map[string]time.Duration), end: end}
	for i := range truth {
		f := &fact{Truth: &truth[i]}
		m.facts = append(m.facts, f)
		k := key{f.Facility, f.Defect}
		m.byKey[k] = append(m.byKey[k], f)
	}
	for i := range tickets {
		t := &tickets[i]
		if t.Rule != "" {
			m.waits[t.Rule] = max(m.waits[t.Rule], t.wait())
			continue
		}
		m.waits[t.Defect] = max(m.waits[t.Defect], t.wait())
		m.claims = append(m.claims, &claim{Ticket: t})
	}
	for _, fs := range m.byKey {
		slices.SortFunc(fs, func(a, b *fact) int { return a.From.Compare(b.From) })
	}
	slices.SortStableFunc(m.claims, func(a, b *claim) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Facility, b.Facility))
	})
	return m
}

// match finds out what each ticket stands for.
func (m *matcher) match() {
	for _, c := range m.claims {
		m.own(c)
	}
	for _, c := range m.claims { // only then: what has a ticket of its own needs no other
		m.stays(c)
		m.members(c)
	}
	m.cutOff()
}

// clockError is how wrong the clock of a device may be that is right: a ticket about
// its past was opened by that clock.
const clockError = time.Second

// own finds the defect that a ticket was opened for: the newest that had begun.
func (m *matcher) own(c *claim) {
	for _, f := range slices.Backward(m.byKey[key{c.Facility, c.Defect}]) {
		if f.From.After(c.OpenedAt.Add(clockError)) || f.To != nil && c.OpenedAt.After(f.To.Add(c.wait())) {
			continue
		}
		c.own, c.doubles = f, f.tickets > 0
		f.tickets++
		f.find(c.OpenedAt)
		return
	}
}

// find notes that f has a ticket since an instant.
func (f *fact) find(at time.Time) {
	delay := max(0, at.Sub(f.From))
	if !f.found || delay < f.delay {
		f.found, f.delay = true, delay
	}
}

// open tells whether a ticket was open while f was so.
func (c *claim) open(f *fact) bool {
	return (f.To == nil || !c.OpenedAt.After(f.To.Add(c.wait()))) && (c.ClosedAt == nil || c.ClosedAt.After(f.From))
}

// stays finds the defects of the same facility for which the ticket was open
// already.
func (m *matcher) stays(c *claim) {
	for _, f := range m.byKey[key{c.Facility, c.Defect}] {
		if f.tickets == 0 && c.open(f) {
			f.find(c.OpenedAt)
		}
	}
}

// A silent cabinet covers its silent circuits.
const (
	circuit = "circuit_silent"
	cabinet = "cabinet_silent"
)

// members finds the defects of those that are behind a ticket. The ticket is
// right by that alone when half of its members have one, and one of them has no
// ticket but this; or when two of its circuits have none.
func (m *matcher) members(c *claim) {
	bad, only, dark := 0, 0, 0
	for _, id := range c.Members {
		all, alone := m.behind(c, m.byKey[key{id, c.Of}])
		bad += min(1, all)
		only += alone
	}
	if c.Defect == cabinet {
		for k, fs := range m.byKey {
			if k.defect == circuit && strings.HasPrefix(k.facility, c.Facility+":") {
				_, alone := m.behind(c, fs)
				dark += alone
			}
		}
	}
	c.covers = only > 0 && 2*bad >= len(c.Members) || dark > 1
}

// behind is how many of a facility's defects were so while c was open, and how
// many of them have no ticket but this.
func (m *matcher) behind(c *claim, fs []*fact) (all, alone int) {
	for _, f := range fs {
		if !c.open(f) {
			continue
		}
		all++
		if f.tickets == 0 {
			f.find(c.OpenedAt)
			alone++
		}
	}
	return all, alone
}

// cutOff marks what nobody could have found before the end: the truth says so, or
// others of its sort took longer, as a device has to tell of it first.
func (m *matcher) cutOff() {
	longest := make(map[string]time.Duration)
	for _, f := range m.facts {
		if f.found {
			longest[f.Defect] = max(longest[f.Defect], f.delay)
		}
	}
	for _, f := range m.facts {
		switch {
		case f.found:
		case f.Due != nil:
			f.cut = m.end.Before(*f.Due) || f.To != nil && f.To.Before(*f.Due)
		default:
			f.cut = f.To == nil && m.end.Sub(f.From) < max(m.waits[f.Defect], longest[f.Defect])
		}
	}
}

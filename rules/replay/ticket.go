package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"lamplighter/devices"
	"lamplighter/rules"
)

// Ticket is a ticket that would have been opened; a line of the file of tickets.
// Instants are wall clock but for EventAt.
//
//	{"facility":"MH-00042","defect":"cover_displaced","kind":"manhole","severity":"critical","opened_at":"2026-06-01T03:12:09.12Z","event_at":"…","closed_at":"…","wait_s":2,"rules":"1f0c…"}
type Ticket struct {
	Facility devices.FacilityID   `json:"facility"`
	Defect   string               `json:"defect"`
	Kind     string               `json:"kind"`
	Severity rules.Severity       `json:"severity"` // the worst that it had
	OpenedAt time.Time            `json:"opened_at"`
	EventAt  time.Time            `json:"event_at"`
	ClosedAt *time.Time           `json:"closed_at,omitempty"` // nil = it was open at the end
	Of       string               `json:"of,omitempty"`        // of a common cause: the rule of its members
	Members  []devices.FacilityID `json:"members,omitempty"`   // whoever was attached
	WaitS    float64              `json:"wait_s"`              // how long its rule waits before it opens: for, and k × the expected interval for silence
	Rules    string               `json:"rules"`               // version of the rule set
	Historic bool                 `json:"historic,omitempty"`  // was over before anybody heard of it; its instants are event times

	over time.Time // event time when it ended
}

// ledger is the tickets of one partition, or of those that are judged in the order
// of time, opened and closed as the desk does: one open ticket for a facility and
// defect, whichever partition tells of it.
type ledger struct {
	open   map[[2]string]*Ticket
	all    []*Ticket
	abroad []rules.Transition // members of what another partition has opened
}

func newLedger() *ledger { return &ledger{open: make(map[[2]string]*Ticket)} }

func (l *ledger) take(t *rules.Transition) {
	key := [2]string{string(t.Facility), t.Defect}
	x := l.open[key]
	switch {
	case t.Type == rules.Opened && x == nil:
		x = &Ticket{Facility: t.Facility, Defect: t.Defect, Kind: t.Kind.String(), Severity: t.Severity, OpenedAt: instant(t.Wall), EventAt: instant(t.At), WaitS: wait(t.Evidence).Seconds(), Rules: t.Rules}
		if t.Evidence != nil && t.Evidence.Cause != nil {
			x.Of = t.Evidence.Cause.Of
		}
		l.open[key] = x
		l.all = append(l.all, x)
	case t.Type == rules.Historic:
		over := instant(t.Until)
		l.all = append(l.all, &Ticket{Facility: t.Facility, Defect: t.Defect, Kind: t.Kind.String(), Severity: t.Severity, OpenedAt: instant(t.At), EventAt: instant(t.At), ClosedAt: &over, WaitS: wait(t.Evidence).Seconds(), Rules: t.Rules, Historic: true})
	case x == nil && t.Type == rules.Joined:
		l.abroad = append(l.abroad, *t)
	case x == nil:
	case t.Type == rules.Ended:
		at := instant(t.Wall)
		x.ClosedAt, x.over = &at, instant(t.At)
		delete(l.open, key)
	case t.Type == rules.Joined && !slices.Contains(x.Members, t.Member):
		x.Members = append(x.Members, t.Member)
	case t.Type == rules.Changed && t.Severity.Worse(x.Severity):
		x.Severity = t.Severity
	}
}

// join attaches members that joined in another partition.
func join(tickets []*Ticket, abroad []rules.Transition) {
	if len(abroad) == 0 {
		return
	}
	of := make(map[[2]string][]*Ticket)
	for _, x := range tickets {
		k := [2]string{string(x.Facility), x.Defect}
		of[k] = append(of[k], x)
	}
	for i := range abroad {
		t := &abroad[i]
		at := instant(t.Wall)
		for _, x := range of[[2]string{string(t.Facility), t.Defect}] {
			if !x.OpenedAt.After(at) && (x.ClosedAt == nil || !x.ClosedAt.Before(at)) && !slices.Contains(x.Members, t.Member) {
				x.Members = append(x.Members, t.Member)
			}
		}
	}
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// wait is how long the rule behind x waits.
func wait(x *rules.Evidence) time.Duration {
	if x == nil {
		return 0
	}
	return time.Duration(x.ForMS+int64(x.Silent*float64(x.Expect))) * time.Millisecond
}

// inOrder sorts by the opening.
func inOrder(ts []*Ticket) {
	slices.SortFunc(ts, func(a, b *Ticket) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Facility, b.Facility), cmp.Compare(a.Defect, b.Defect))
	})
}

// Wait is a rule that judged, and how long it waits; a line before the tickets. By
// it a defect that began too late to be found is told from one that was missed.
//
//	{"rule":"lamp_dim","kind":"streetlight","wait_s":1200}
type Wait struct {
	Rule  string  `json:"rule"`
	Kind  string  `json:"kind"`
	WaitS float64 `json:"wait_s"` // see [rules.Rule.Wait]
}

// WriteWaits writes the waits of the rules of a set as JSON lines.
func WriteWaits(out io.Writer, s *rules.Set) error {
	enc := json.NewEncoder(out)
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		for _, r := range s.Rules(k) {
			if err := enc.Encode(Wait{Rule: r.Name, Kind: k.String(), WaitS: r.Wait().Seconds()}); err != nil {
				return fmt.Errorf("write waits: %w", err)
			}
		}
	}
	return nil
}

// WriteTickets writes tickets as JSON lines.
func WriteTickets(out io.Writer, ts []*Ticket) error {
	enc := json.NewEncoder(out)
	for _, t := range ts {
		if err := enc.Encode(t); err != nil {
			return fmt.Errorf("write tickets: %w", err)
		}
	}
	return nil
}

package replay

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lamplighter/devices"
)

// Span is the time that is compared: [From, To).
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Known is where the log, or what is read of the store, begins: what began
	// before cannot be judged.
	Known time.Time `json:"log_begins"`

	stored bool // judged from a store, see [CompareStored]
}

// Pair is a ticket that was, and the one that would have been in its place.
type Pair struct {
	Was   *Ticket `json:"was"`
	Would *Ticket `json:"would"`
}

// Difference is what would have been opened against what was. Only tickets that
// were or would have been opened within the span stand in it.
type Difference struct {
	Span    Span      `json:"span"`
	Same    int       `json:"same"`
	Times   []Pair    `json:"other_times"`    // opened or closed at another time
	Grades  []Pair    `json:"other_severity"` // at the same time, and the worst that it had is another
	OnlyWas []*Ticket `json:"only_was"`
	OnlyNew []*Ticket `json:"only_would"`
	// NotJudged is the rules that a store cannot tell of; empty of a log.
	NotJudged []Unjudged `json:"not_judged,omitempty"`
}

// How far two instants of the same may lie apart: a frame a second, or the time
// that a message was on its way, of which a store knows nothing.
const (
	sameWithin       = time.Second
	sameWithinStored = time.Minute
)

// Compare finds for each ticket that was one that would have been, for the same
// facility and defect, open at the same time.
func Compare(was, would []*Ticket, s Span) *Difference {
	d := &Difference{Span: s, Times: []Pair{}, Grades: []Pair{}, OnlyWas: []*Ticket{}, OnlyNew: []*Ticket{}}
	left := make(map[ticketKey][]*Ticket)
	for _, t := range would {
		left[s.key(t)] = append(left[s.key(t)], t)
	}
	taken := make(map[*Ticket]bool)
	for _, t := range was {
		x := overlapping(t, left[s.key(t)], taken)
		switch {
		case x != nil:
			taken[x] = true
			if s.has(t) || s.has(x) {
				d.pair(t, x)
			}
		case s.has(t) && !t.OpenedAt.Before(s.Known):
			d.OnlyWas = append(d.OnlyWas, t)
		}
	}
	for _, t := range would {
		if !taken[t] && s.has(t) {
			d.OnlyNew = append(d.OnlyNew, t)
		}
	}
	return d
}

// ticketKey is what two tickets have in common that may be the same.
type ticketKey struct {
	facility devices.FacilityID
	defect   string
	historic bool
}

func (s *Span) key(t *Ticket) ticketKey {
	return ticketKey{t.Facility, t.Defect, t.Historic && !s.stored}
}

func (s *Span) has(t *Ticket) bool { return !t.OpenedAt.Before(s.From) && t.OpenedAt.Before(s.To) }

// overlapping is the first of a list that was open while t was and is not taken.
func overlapping(t *Ticket, of []*Ticket, taken map[*Ticket]bool) *Ticket {
	for _, x := range of {
		if !taken[x] && (t.ClosedAt == nil || !x.OpenedAt.After(*t.ClosedAt)) && (x.ClosedAt == nil || !t.OpenedAt.After(*x.ClosedAt)) {
			return x
		}
	}
	return nil
}

func (d *Difference) pair(was, would *Ticket) {
	switch {
	case !d.Span.alike(was, would):
		d.Times = append(d.Times, Pair{was, would})
	case was.Severity != would.Severity && !was.OpenedAt.Before(d.Span.Known):
		d.Grades = append(d.Grades, Pair{was, would})
	default:
		d.Same++
	}
}

// alike tells whether two tickets began and ended at the same time, as far as
// that can be judged.
func (s *Span) alike(was, would *Ticket) bool {
	if !s.stored {
		return (was.OpenedAt.Before(s.Known) || alike(&was.OpenedAt, &would.OpenedAt, sameWithin)) && alike(was.ClosedAt, would.ClosedAt, sameWithin)
	}
	began := was.OpenedAt.Before(s.Known) || alike(&was.OpenedAt, &would.OpenedAt, sameWithinStored) || alike(&was.EventAt, &would.EventAt, sameWithinStored)
	end := would.ClosedAt
	if was.Historic && end != nil {
		end = &would.over
	}
	return began && alike(was.ClosedAt, end, sameWithinStored)
}

// alike tells whether two instants are the same; nil = it did not happen.
func alike(a, b *time.Time, within time.Duration) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Sub(*b).Abs() <= within
}

// Write prints the difference for people, in the city's zone.
func (d *Difference) Write(out io.Writer, zone *time.Location) error {
	clock := func(t *time.Time) string {
		if t == nil {
			return "open"
		}
		return t.In(zone).Format("2006-01-02 15:04:05")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "from %s to %s\n", clock(&d.Span.From), clock(&d.Span.To))
	if d.Span.From.Before(d.Span.Known) {
		fmt.Fprintf(&b, "the log begins at %s: nothing before can be judged; log.max_age and log.max_bytes keep more\n", clock(&d.Span.Known))
	}
	line := func(what string, t *Ticket) {
		fmt.Fprintf(&b, "%-14s %-24s %-20s %-9s %s – %s\n", what, t.Defect, t.Facility, t.Severity, clock(&t.OpenedAt), clock(t.ClosedAt))
	}
	for _, t := range d.OnlyWas {
		line("only was", t)
	}
	for _, t := range d.OnlyNew {
		line("only would be", t)
	}
	for _, p := range slices.Concat(d.Times, d.Grades) {
		line("was", p.Was)
		line("  would be", p.Would)
	}
	for _, u := range d.NotJudged {
		why := map[string]string{whySilence: "the store does not tell of silence", whySensors: "the store tells neither of null nor of clocks", whyAbsent: "it is not among the rules"}[u.Why]
		fmt.Fprintf(&b, "not judged     %-24s %-20s %s; %d tickets were\n", u.Name, u.Kind, why, u.Were)
	}
	fmt.Fprintf(&b, "%d the same, %d only was, %d only would be, %d at other times, %d of another severity\n", d.Same, len(d.OnlyWas), len(d.OnlyNew), len(d.Times), len(d.Grades))
	_, err := io.WriteString(out, b.String())
	return err
}

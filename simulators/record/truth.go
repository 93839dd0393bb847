package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Truth is one defect of a recording: a line of its truth file, in the order of
// their beginnings.
//
//	{"facility":"MH-00042","defect":"cover_displaced","cause":"opened","from":"2026-06-01T03:12:09.12Z","to":"2026-06-01T05:40:00.5Z","ticket":true}
type Truth struct {
	Facility string     `json:"facility"` // of a circuit CABINET:CIRCUIT, of a cabinet its name
	Defect   string     `json:"defect"`
	Cause    string     `json:"cause"`
	From     time.Time  `json:"from"`
	To       *time.Time `json:"to,omitempty"`      // nil = it was still so at the end
	Ticket   bool       `json:"ticket"`            // whether the built-in rules are to find it
	Shipped  bool       `json:"shipped,omitempty"` // whether those of deploy/rules are
	Due      *time.Time `json:"due,omitempty"`     // when they have to have found it at the latest; nil = by the wait of the rule
}

// pairs makes one Truth of the two lines that a city writes of a defect, see
// fleet.Truth. A write is one or more whole lines.
type pairs struct {
	list []*Truth
	open map[int64]*Truth
}

// Write implements io.Writer.
func (p *pairs) Write(b []byte) (int, error) {
	if p.open == nil {
		p.open = make(map[int64]*Truth)
	}
	for line := range bytes.Lines(b) {
		var x struct {
			At                            time.Time
			What, Facility, Defect, Cause string
			N                             int64
			Ticket, Shipped               bool
			Due                           *time.Time
		}
		if err := json.Unmarshal(line, &x); err != nil {
			return 0, fmt.Errorf("line of truth %q: %w", line, err)
		}
		switch t := p.open[x.N]; {
		case x.What == "begin":
			t = &Truth{Facility: x.Facility, Defect: x.Defect, Cause: x.Cause, From: x.At, Ticket: x.Ticket, Shipped: x.Shipped, Due: x.Due}
			p.list, p.open[x.N] = append(p.list, t), t
		case x.What == "end" && t != nil:
			t.To = &x.At
			delete(p.open, x.N)
		}
	}
	return len(b), nil
}

func (p *pairs) write(out io.Writer) error {
	slices.SortStableFunc(p.list, func(a, b *Truth) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Facility, b.Facility)) })
	enc := json.NewEncoder(out)
	for _, t := range p.list {
		if err := enc.Encode(t); err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
	}
	return nil
}

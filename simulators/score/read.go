package score

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Truth is a line of the truth file; see package record.
type Truth struct {
	Facility string     `json:"facility"`
	Defect   string     `json:"defect"`
	Cause    string     `json:"cause"`
	From     time.Time  `json:"from"`
	To       *time.Time `json:"to"` // nil = it was still so at the end
	Ticket   bool       `json:"ticket"`
	Shipped  bool       `json:"shipped"` // the rules of deploy/rules are to find it
	Due      *time.Time `json:"due"`     // when it has to have been found; nil = by the wait of its rule
}

// Ticket is a line of the file of tickets, as far as it matters here; see
// `rules replay`. A line with a rule is no ticket: it says how long that rule waits.
type Ticket struct {
	Rule     string     `json:"rule"`
	Facility string     `json:"facility"`
	Defect   string     `json:"defect"`
	OpenedAt time.Time  `json:"opened_at"`
	ClosedAt *time.Time `json:"closed_at"` // nil = it was open at the end
	Of       string     `json:"of"`        // of a common cause: the defect of its members
	Members  []string   `json:"members"`
	WaitS    float64    `json:"wait_s"`
	Historic bool       `json:"historic"` // opened for the records only: late data told of it
}

func (t *Ticket) wait() time.Duration { return time.Duration(t.WaitS * float64(time.Second)) }

// ReadTruth reads a truth file.
func ReadTruth(in io.Reader) ([]Truth, error) {
	return read(in, func(t *Truth) error {
		if t.Facility == "" || t.Defect == "" || t.From.IsZero() {
			return errors.New("want facility, defect and from; is it the truth file of simulators record?")
		}
		return nil
	})
}

// ReadTickets reads a file of tickets.
func ReadTickets(in io.Reader) ([]Ticket, error) {
	return read(in, func(t *Ticket) error {
		if t.Rule == "" && (t.Facility == "" || t.Defect == "" || t.OpenedAt.IsZero()) {
			return errors.New("want facility, defect and opened_at; is it the file of rules replay?")
		}
		return nil
	})
}

// read reads JSON lines; an error says which line.
func read[T any](in io.Reader, check func(*T) error) (out []T, err error) {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 16<<20) // a dark cabinet has many members
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		var x T
		err := json.Unmarshal(s.Bytes(), &x)
		if err == nil {
			err = check(&x)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, x)
	}
	return out, s.Err()
}

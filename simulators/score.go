package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"lamplighter/simulators/score"
)

// scoreCmd compares tickets with the truth.
type scoreCmd struct {
	Truth        string    `required:"" type:"existingfile" help:"Truth file of simulators record."`
	Tickets      string    `required:"" type:"existingfile" help:"Tickets, as rules replay writes them."`
	End          time.Time `format:"2006-01-02T15:04:05Z07:00" help:"When the recording ended; the newest instant of both files if not given."`
	Shipped      bool      `help:"The tickets are by the rules of deploy/rules too: ask for what those are to find."`
	JSON         bool      `help:"Print JSON."`
	Wrong        int       `default:"20" help:"Lines of what is wrong to print."`
	MinRecall    float64   `help:"Fail below this recall of all defects together."`
	MinPrecision float64   `help:"Fail below this precision of all tickets together, and on any duplicate."`
}

// Run prints the scores.
func (c *scoreCmd) Run(d *doorway) error {
	truth, err := readLines(c.Truth, score.ReadTruth)
	if err != nil {
		return err
	}
	tickets, err := readLines(c.Tickets, score.ReadTickets)
	if err != nil {
		return err
	}
	for i := range truth {
		truth[i].Ticket = truth[i].Ticket || c.Shipped && truth[i].Shipped
	}
	if c.End.IsZero() {
		c.End = newest(truth, tickets)
	}
	r := score.Compare(truth, tickets, c.End)
	if c.JSON {
		enc := json.NewEncoder(d.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		err = r.Write(d.out, c.Wrong)
	}
	if err != nil {
		return err
	}
	switch t := &r.Total; {
	case c.MinRecall > 0 && t.Recall < c.MinRecall:
		return fmt.Errorf("recall %.4f is below %g: %d of %d defects were missed", t.Recall, c.MinRecall, t.Misses, t.Truths)
	case c.MinPrecision > 0 && t.Precision < c.MinPrecision:
		return fmt.Errorf("precision %.4f is below %g: %d of %d tickets stand for nothing", t.Precision, c.MinPrecision, t.FalsePositives, t.Tickets)
	case c.MinPrecision > 0 && t.Duplicates > 0:
		return fmt.Errorf("%d tickets are duplicates", t.Duplicates)
	}
	return nil
}

func readLines[T any](name string, read func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("score: %w", err)
	}
	defer f.Close()
	out, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// newest is the newest instant that any line tells of.
func newest(truth []score.Truth, tickets []score.Ticket) (at time.Time) {
	later := func(t *time.Time) {
		if t != nil && t.After(at) {
			at = *t
		}
	}
	for i := range truth {
		later(&truth[i].From)
		later(truth[i].To)
	}
	for i := range tickets {
		later(&tickets[i].OpenedAt)
		later(tickets[i].ClosedAt)
	}
	return at
}

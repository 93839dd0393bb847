package dashboards

import (
	"context"
	"strconv"

	"lamplighter/devices"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// explanation is why a ticket was opened, and what became of it.
type explanation struct {
	Ticket    int64           `json:"ticket"`
	Number    string          `json:"number"`
	Sentences []devices.Title `json:"sentences" doc:"in the order in which they are read; of what a person has found who, when and what they wrote; empty where nothing is known"`
	Evidence  *rules.Evidence `json:"evidence" doc:"what decided it; instants are Unix ms. Null of tickets that people have opened, of those about Lamplighter itself, and of those from before evidence was kept"`
	History   []explainedItem `json:"history" doc:"what came after the opening, the oldest first"`
}

// explainedItem is a line of a ticket's history with what decided it.
type explainedItem struct {
	tickets.Event
	At        *string         `json:"at"`
	Sentences []devices.Title `json:"sentences" doc:"empty of what people did, and of lines from before evidence was kept"`
	Evidence  *rules.Evidence `json:"evidence"`
}

func (s *Server) explanation(ctx context.Context, in *byNumber) (*struct{ Body explanation }, error) {
	x, err := tickets.Explain(ctx, s.opt.DB, strconv.FormatInt(in.ID, 10))
	if err != nil {
		return nil, err
	}
	b := explanation{x.Ticket, x.Number, append([]devices.Title{}, x.Sentences(s.opt.Zone)...), x.Evidence, make([]explainedItem, 0, len(x.History))}
	for i := range x.History {
		h := &x.History[i]
		b.History = append(b.History, explainedItem{h.Event, s.instant(h.At), append([]devices.Title{}, h.Sentences(s.opt.Zone)...), h.Evidence})
	}
	return &struct{ Body explanation }{b}, nil
}

package dashboards

import (
	"context"
	"strconv"

	"lamplighter/devices"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// explanation is why a ticket was opened.
type explanation struct {
	Ticket    int64           `json:"ticket"`
	Number    string          `json:"number"`
	Sentences []devices.Title `json:"sentences" doc:"in the order in which they are read; empty where nothing is known"`
	Evidence  *rules.Evidence `json:"evidence" doc:"what decided it; instants are Unix ms. Null of tickets about Lamplighter itself, and of those from before evidence was kept"`
}

func (s *Server) explanation(ctx context.Context, in *byNumber) (*struct{ Body explanation }, error) {
	x, err := tickets.Explain(ctx, s.opt.DB, strconv.FormatInt(in.ID, 10))
	if err != nil {
		return nil, err
	}
	b := explanation{x.Ticket, x.Number, []devices.Title{}, x.Evidence}
	if x.Evidence != nil {
		b.Sentences = x.Evidence.Sentences(s.opt.Zone)
	}
	return &struct{ Body explanation }{b}, nil
}

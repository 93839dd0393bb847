package dashboards

import (
	"context"
	"fmt"

	"lamplighter/devices"
	"lamplighter/rules"
)

// summaryBody is the city at a glance.
type summaryBody struct {
	Time    *string           `json:"time"`
	Zone    string            `json:"zone"`
	Kinds   map[string]counts `json:"kinds"`
	Tickets ticketCounts      `json:"tickets"`
	Parts   []Part            `json:"parts"`
	NewestS *string           `json:"last_received"`
	AgeMS   int64             `json:"age_ms"`
}

type counts struct {
	Total       int `json:"total"`
	OK          int `json:"ok"`
	Faulty      int `json:"faulty"`
	Unknown     int `json:"unknown"`
	Maintenance int `json:"maintenance"`
}

type ticketCounts struct {
	Open         int `json:"open"`
	Acknowledged int `json:"acknowledged"`
}

func (s *Server) summary(ctx context.Context, _ *struct{}) (*struct{ Body summaryBody }, error) {
	b, err := s.summarise(ctx)
	return &struct{ Body summaryBody }{b}, err
}

func (s *Server) summarise(ctx context.Context) (summaryBody, error) {
	now := s.opt.Now().UnixMilli()
	b := summaryBody{Time: s.instant(now), Zone: s.opt.Zone.String(), Kinds: map[string]counts{}, Parts: s.opt.Health()}
	all, newest := s.opt.State.Count()
	for k, c := range all {
		if n := c[rules.Unknown] + c[rules.OK] + c[rules.Faulty] + c[rules.Maintenance]; n > 0 {
			b.Kinds[devices.Kind(k).String()] = counts{Total: n, OK: c[rules.OK], Faulty: c[rules.Faulty], Unknown: c[rules.Unknown], Maintenance: c[rules.Maintenance]}
		}
	}
	b.NewestS, b.AgeMS = s.instant(newest), max(0, now-newest)
	rows, err := s.opt.DB.Query(ctx, `SELECT state, COUNT(*) FROM ticket WHERE state <> 'closed' GROUP BY state`)
	if err != nil {
		return b, fmt.Errorf("count tickets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var st string
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return b, fmt.Errorf("count tickets: %w", err)
		}
		if st == "open" {
			b.Tickets.Open = n
		} else {
			b.Tickets.Acknowledged = n
		}
	}
	return b, rows.Err()
}

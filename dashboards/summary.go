package dashboards

import (
	"context"
	"fmt"
	"sync"
	"time"

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
	ExpectS int64             `json:"expect_s" doc:"the shortest interval at which the census expects a device to report; 0 = it says none"`
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
	var err error
	if b.ExpectS, err = s.expects.get(now, func() (int64, error) { return s.opt.Census.ShortestInterval(ctx) }); err != nil {
		return b, err
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

// interval is the shortest one of the census, read anew once a minute: the summary
// goes out every second. It is safe for concurrent use.
type interval struct {
	mu      sync.Mutex
	seconds int64 // guarded by mu
	readAt  int64 // Unix ms, 0 = never; guarded by mu
}

func (x *interval) get(now int64, read func() (int64, error)) (int64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.readAt != 0 && now-x.readAt < time.Minute.Milliseconds() {
		return x.seconds, nil
	}
	n, err := read()
	if err != nil {
		return 0, err
	}
	x.seconds, x.readAt = n, now
	return n, nil
}

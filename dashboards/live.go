package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"lamplighter/devices"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
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
	Total   int `json:"total"`
	OK      int `json:"ok"`
	Faulty  int `json:"faulty"`
	Unknown int `json:"unknown"`
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
		if n := c[rules.Unknown] + c[rules.OK] + c[rules.Faulty]; n > 0 {
			b.Kinds[devices.Kind(k).String()] = counts{Total: n, OK: c[rules.OK], Faulty: c[rules.Faulty], Unknown: c[rules.Unknown]}
		}
	}
	b.NewestS, b.AgeMS = s.instant(newest), max(0, now-newest)
	rows, err := s.opt.DB.Query(ctx, `SELECT state, COUNT(*) FROM ticket WHERE state<>'closed' GROUP BY state`)
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

// message is one event of the live stream. ID 0 means none.
type message struct {
	id   int64
	name string
	data []byte
}

// hub hands messages to listeners; one that does not keep up is dropped.
type hub struct {
	mu        sync.Mutex
	listeners map[chan message]struct{} // guarded by mu
}

func newHub() *hub { return &hub{listeners: make(map[chan message]struct{})} }

const listenerQueue = 64

func (h *hub) join() chan message {
	c := make(chan message, listenerQueue)
	h.mu.Lock()
	h.listeners[c] = struct{}{}
	h.mu.Unlock()
	return c
}

func (h *hub) leave(c chan message) {
	h.mu.Lock()
	delete(h.listeners, c)
	h.mu.Unlock()
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}

func (h *hub) send(m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.listeners {
		select {
		case c <- m:
		default:
			delete(h.listeners, c)
			close(c)
		}
	}
}

// feed sends ticket events and, every second, the summary.
func (s *Server) feed(ctx context.Context) {
	last, err := s.opt.Tickets.LastEvent(ctx)
	if err != nil && ctx.Err() == nil {
		s.opt.Log.Error().Err(err).Msg("live stream")
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		news := s.opt.Tickets.News()
		last = s.sendEvents(ctx, last)
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-t.C:
			s.sendSummary(ctx)
		}
	}
}

func (s *Server) sendEvents(ctx context.Context, last int64) int64 {
	es, err := s.opt.Tickets.EventsSince(ctx, last, 500)
	if err != nil {
		if ctx.Err() == nil {
			s.opt.Log.Error().Err(err).Msg("live stream")
		}
		return last
	}
	for _, e := range es {
		if m, err := s.ticketMessage(ctx, e); err == nil {
			s.hub.send(m)
		}
		last = e.ID
	}
	return last
}

func (s *Server) ticketMessage(ctx context.Context, e tickets.Event) (message, error) {
	t, err := s.opt.Tickets.Get(ctx, e.Ticket)
	if err != nil {
		return message{}, err
	}
	b, err := json.Marshal(s.ticketItem(t))
	return message{e.ID, "ticket", b}, err
}

func (s *Server) sendSummary(ctx context.Context) {
	if s.hub.count() == 0 {
		return
	}
	sum, err := s.summarise(ctx)
	if err != nil {
		return
	}
	if b, err := json.Marshal(sum); err == nil {
		s.hub.send(message{0, "summary", b})
	}
}

const (
	heartbeat = 15 * time.Second
	maxReplay = 500
)

// live is the stream of server-sent events (HTML standard, section 9.2).
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	if _, err := s.who(r); err != nil {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	c := s.hub.join()
	defer s.hub.leave(c)
	if s.replay(w, r) != nil || rc.Flush() != nil {
		return
	}
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-t.C:
			_, err = fmt.Fprint(w, ": alive\n\n")
		case m, ok := <-c:
			if !ok {
				return // too slow; the browser comes back with Last-Event-ID
			}
			err = write(w, m)
		}
		if err != nil || rc.SetWriteDeadline(time.Now().Add(time.Minute)) != nil || rc.Flush() != nil {
			return
		}
	}
}

// replay sends what came after Last-Event-ID, or a reset when that is too much.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) error {
	from, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		_, err = fmt.Fprint(w, "retry: 2000\n\n")
		return err
	}
	es, err := s.opt.Tickets.EventsSince(r.Context(), from, maxReplay+1)
	if err != nil {
		return err
	}
	if len(es) > maxReplay {
		return write(w, message{0, "reset", []byte("{}")})
	}
	for _, e := range es {
		m, err := s.ticketMessage(r.Context(), e)
		if err != nil {
			return err
		}
		if err := write(w, m); err != nil {
			return err
		}
	}
	return nil
}

func write(w http.ResponseWriter, m message) error {
	if m.id > 0 {
		if _, err := fmt.Fprintf(w, "id: %d\n", m.id); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", m.name, m.data)
	return err
}

// healthy answers with the health of each part; 503 when one is in trouble.
func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) {
	parts := s.opt.Health()
	code := http.StatusOK
	for _, p := range parts {
		if !p.OK {
			code = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(map[string]any{"parts": parts}); err != nil {
		s.opt.Log.Debug().Err(err).Msg("health")
	}
}

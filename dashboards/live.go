package dashboards

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lamplighter/dashboards/auth"
)

const (
	writeWait = 10 * time.Second // for one event to leave; a reader who stalls longer is dropped
	maxReplay = 500
)

// live is the stream of server-sent events (HTML standard, section 9.2): ticket
// with an id, summary every second, reset when everything has to be read again.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	remote := s.proxies.client(r)
	if _, p := s.check(r, auth.Viewer, remote); p != nil {
		s.refuse(w, p)
		return
	}
	c := s.hub.join()
	if c == nil {
		s.refuse(w, tooMany(time.Minute))
		return
	}
	defer s.hub.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies shall not gather
	l := &stream{w: w, rc: http.NewResponseController(w)}
	if err := s.replay(l, r); err != nil {
		s.opt.Log.Debug().Err(err).Msg("live stream")
		return
	}
	t := time.NewTicker(s.opt.Heartbeat)
	defer t.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-t.C:
			if _, err := s.who(r); err != nil {
				return // logged out, expired or revoked
			}
			if l.comment("alive") != nil {
				return
			}
		case m, ok := <-c:
			if !ok || l.send(m) != nil {
				return // too slow; the browser comes back with Last-Event-ID
			}
		}
	}
}

// stream writes events to one reader.
type stream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	last int64 // id of the newest event that was written
}

// write writes one event whole within writeWait.
func (l *stream) write(format string, args ...any) error {
	if err := l.rc.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(l.w, format+"\n\n", args...); err != nil {
		return err
	}
	return l.rc.Flush()
}

func (l *stream) comment(s string) error { return l.write(": %s", s) }

func (l *stream) send(m message) error {
	if m.id == 0 {
		return l.write("event: %s\ndata: %s", m.name, m.data)
	}
	l.last = max(l.last, m.id) // never back, or a reconnect would repeat
	return l.write("id: %d\nevent: %s\ndata: %s", l.last, m.name, m.data)
}

// replay sends what came after Last-Event-ID, or a reset when that is too much.
// A reader without one is told where it begins, so that it misses nothing when
// it comes back before the first event.
func (s *Server) replay(l *stream, r *http.Request) error {
	ctx := r.Context()
	newest, err := s.opt.Tickets.LastEvent(ctx)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || from > newest {
		l.last = newest
		if err := l.write("retry: 2000\nid: %d", newest); err != nil {
			return err
		}
		if from > newest { // of another database
			return l.send(message{newest, "reset", []byte("{}")})
		}
		return nil
	}
	if s.opt.DB.Postgres() {
		from = max(0, from-overlap/5) // see overlap
	}
	es, err := s.opt.Tickets.EventsSince(ctx, from, maxReplay+1)
	if err != nil {
		return err
	}
	if len(es) > maxReplay {
		return l.send(message{newest, "reset", []byte("{}")})
	}
	for _, e := range es {
		m, err := s.ticketMessage(ctx, e)
		if err != nil {
			return err
		}
		if err := l.send(m); err != nil {
			return err
		}
	}
	return l.comment("all that was missed")
}

// describeLive puts the stream into the OpenAPI document, which knows no
// streams.
func (s *Server) describeLive(a huma.API) {
	op := &huma.Operation{Method: http.MethodGet, Path: "/api/v1/live", OperationID: "get-live", Summary: "Server-sent events", Tags: []string{"live"},
		Description: "Needs the role viewer. Events: ticket (a ticket as in /tickets/{id}, with an id), summary (as /summary, every second), reset (more was missed than is replayed: read the lists again). A comment every 15 s keeps the connection; a reader that stalls is dropped and comes back with Last-Event-ID.",
		Security:    []map[string][]string{{"token": {}}, {"session": {}}},
		Parameters:  []*huma.Param{{Name: "Last-Event-ID", In: "header", Description: "id of the last event that was seen: what came after is sent first", Schema: &huma.Schema{Type: "integer"}}},
		Responses:   problems(a, auth.Viewer, http.MethodGet, "/api/v1/live")}
	delete(op.Responses, "422")
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}
	a.OpenAPI().AddOperation(op)
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

package dashboards

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"lamplighter/rules/tickets"
)

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

const (
	listenerQueue = 1024
	maxListeners  = 2000
	// burst is how many tickets are told one by one; after more a listener is
	// told to read them all again.
	burst = 400
)

// join returns the channel of a new listener, nil when there are too many.
func (h *hub) join() chan message {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= maxListeners {
		return nil
	}
	c := make(chan message, listenerQueue)
	h.listeners[c] = struct{}{}
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

// overlap is how far back the feed looks for events that were committed after
// younger ones: several daemons on one PostgreSQL number them before they
// commit.
const (
	overlap     = 100
	overlapTime = 10 * time.Second
)

// tail remembers which of the last events were sent.
type tail struct {
	newest int64
	sent   map[int64]time.Time
}

// fresh tells whether an event was not sent yet, and notes that it is now.
func (t *tail) fresh(id int64, now time.Time) bool {
	if _, ok := t.sent[id]; ok {
		return false
	}
	t.sent[id] = now
	t.newest = max(t.newest, id)
	return true
}

// from is the id behind which to look for events.
func (t *tail) from(now time.Time) int64 {
	for id, at := range t.sent {
		if now.Sub(at) > overlapTime && id < t.newest-overlap {
			delete(t.sent, id)
		}
	}
	return max(0, t.newest-overlap)
}

// feed sends ticket events and, every second, the summary. Events of this
// process come at once, those of other daemons with the next tick. What last
// holds was sent already; nil: ask the database.
func (s *Server) feed(ctx context.Context, last *tail) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		news := s.opt.Tickets.News()
		if last == nil {
			last = s.beginFeed(ctx)
		}
		if last != nil {
			for s.sendEvents(ctx, last) {
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-t.C:
			s.sendSummary(ctx)
		}
	}
}

// beginFeed takes what there is as sent; nil when the database does not say.
func (s *Server) beginFeed(ctx context.Context) *tail {
	newest, err := s.opt.Tickets.LastEvent(ctx)
	if err == nil {
		l := &tail{newest: newest, sent: map[int64]time.Time{}}
		var es []tickets.Event
		if es, err = s.opt.Tickets.EventsSince(ctx, max(0, newest-overlap), overlap); err == nil {
			for _, e := range es {
				l.fresh(e.ID, s.opt.Now())
			}
			return l
		}
	}
	if ctx.Err() == nil {
		s.opt.Log.Error().Err(err).Msg("live stream")
	}
	return nil
}

const feedBatch = 1000

// sendEvents sends what is new; more says that there may be more at once.
func (s *Server) sendEvents(ctx context.Context, last *tail) (more bool) {
	now := s.opt.Now()
	es, err := s.opt.Tickets.EventsSince(ctx, last.from(now), feedBatch)
	if err != nil {
		if ctx.Err() == nil {
			s.opt.Log.Error().Err(err).Msg("live stream")
		}
		return false
	}
	fresh := es[:0]
	for _, e := range es {
		if last.fresh(e.ID, now) {
			fresh = append(fresh, e)
		}
	}
	switch {
	case len(fresh) == 0 || s.hub.count() == 0:
	case len(fresh) > burst:
		s.hub.send(message{last.newest, "reset", []byte("{}")})
	default:
		for _, e := range fresh {
			if m, err := s.ticketMessage(ctx, e); err == nil {
				s.hub.send(m)
			}
		}
	}
	return len(es) == feedBatch && len(fresh) > 0
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
		if ctx.Err() == nil {
			s.opt.Log.Error().Err(err).Msg("live stream")
		}
		return
	}
	if b, err := json.Marshal(sum); err == nil {
		s.hub.send(message{0, "summary", b})
	}
}

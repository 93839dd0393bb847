package pager

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices/database"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// office is a database with a desk, and as many pagers as a test wants.
type office struct {
	t    *testing.T
	db   *database.DB
	pos  rules.Position
	desk *tickets.Desk
}

func openOffice(t *testing.T, channels ...Channel) *office {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	o := &office{t: t, db: db}
	o.seat(o.pager(channels...))
	return o
}

// seat gives the office a desk that pages through p.
func (o *office) seat(p *Pager) {
	o.t.Helper()
	o.desk = tickets.New(tickets.Options{DB: o.db, Outbox: p, Zone: time.UTC, Metrics: prometheus.NewRegistry()})
	var err error
	if o.pos, err = o.desk.Resume(o.t.Context(), 0, 1000); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) pager(channels ...Channel) *Pager {
	return New(Options{DB: o.db, Channels: channels, Zone: time.UTC, Log: zerolog.Nop(), Metrics: prometheus.NewRegistry()})
}

// run lets a pager send until the test ends.
func (o *office) run(p *Pager) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	o.t.Cleanup(func() { cancel(); <-done })
}

// commit opens or closes the ticket of MH-1.
func (o *office) commit(seq uint64, opened bool) {
	o.t.Helper()
	now := time.Now().UnixMilli()
	err := o.desk.Commit(o.t.Context(), &rules.Outcome{Epoch: o.pos.Epoch, OldSeq: seq - 1, NewSeq: seq, Wall: now, Findings: rules.Findings{Transitions: []rules.Transition{displaced(opened, now)}}})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) pages(p *Pager, ticket int64) []Sent {
	o.t.Helper()
	s, err := p.Of(o.t.Context(), ticket)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

func TestAReceiverThatHangsHoldsUpNoOther(t *testing.T) {
	over := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer hangs.Close()
	defer close(over)
	good := newReceiver(t)
	channels := []Channel{{Name: "hangs", URL: hangs.URL}, {Name: "good", URL: good.URL, Secret: []byte("geheim")}}
	o := openOffice(t, channels...)
	p := o.pager(channels...)
	o.run(p)
	o.commit(1, true)
	eventually(t, "the page of the good channel", func() bool { return len(good.attempts()) == 1 })
	if s := o.pages(p, 1); s[0].Channel != "hangs" || s[0].State != "pending" {
		t.Errorf("pages %+v", s)
	}
}

func TestOfTwoDaemonsOneSendsAPage(t *testing.T) {
	r := newReceiver(t)
	c := Channel{Name: "duty", URL: r.URL, Secret: []byte("geheim")}
	o := openOffice(t, c)
	a, b := o.pager(c), o.pager(c)
	const rounds = 20
	for i := range uint64(rounds) {
		o.commit(2*i+1, true)
		o.commit(2*i+2, false)
	}
	o.run(a)
	o.run(b)
	eventually(t, "every page", func() bool {
		n := 0
		for id := range int64(rounds) {
			for _, s := range o.pages(a, id+1) {
				if s.State == "sent" {
					n++
				}
			}
		}
		return n == 2*rounds
	})
	seen := map[string]bool{}
	for _, x := range r.attempts() {
		key, _, _ := strings.Cut(x, " ")
		if seen[key] {
			t.Errorf("%s was sent twice", key)
		}
		seen[key] = true
	}
}

func TestAPageWhoseChannelIsGoneFailsVisibly(t *testing.T) {
	r := newReceiver(t)
	o := openOffice(t, Channel{Name: "old", URL: r.URL})
	o.commit(1, true)
	p := o.pager(Channel{Name: "new", URL: r.URL})
	o.run(p)
	eventually(t, "the failure", func() bool {
		s := o.pages(p, 1)
		return s[0].State == "failed" && strings.Contains(s[0].LastError, "not in the configuration")
	})
}

func TestAReceiverSaysWhenToComeAgain(t *testing.T) {
	var mu sync.Mutex
	var at []time.Time
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		if len(at) == 1 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer srv.Close()
	c := Channel{Name: "duty", URL: srv.URL}
	o := openOffice(t, c)
	p := o.pager(c)
	o.run(p)
	o.commit(1, true)
	eventually(t, "the second attempt", func() bool { return o.pages(p, 1)[0].State == "sent" })
	mu.Lock()
	defer mu.Unlock()
	if d := at[1].Sub(at[0]); len(at) != 2 || d < 2*time.Second {
		t.Errorf("%d attempts, the second after %v; it asked for 2 s", len(at), d)
	}
}

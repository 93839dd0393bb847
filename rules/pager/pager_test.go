package pager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// receiver is a webhook that answers with the codes it is given, then 204.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	codes []int    // guarded by mu
	got   []string // guarded by mu: key and body of every attempt
}

func newReceiver(t *testing.T, codes ...int) *receiver {
	r := &receiver{codes: codes}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		var ts int64
		var sig string
		if _, err := fmt.Sscanf(strings.ReplaceAll(q.Header.Get("Lamplighter-Signature"), ",", " "), "t=%d v1=%s", &ts, &sig); err != nil || sig != Sign([]byte("geheim"), ts, b) {
			t.Errorf("signature %q: %v", q.Header.Get("Lamplighter-Signature"), err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, q.Header.Get("Idempotency-Key")+" "+string(b))
		code := http.StatusNoContent
		if len(r.codes) > 0 {
			code, r.codes = r.codes[0], r.codes[1:]
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) attempts() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func desk(t *testing.T, url string, r *receiver) (*tickets.Desk, *Pager) {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	p := New(Options{DB: db, Channels: []Channel{{Name: "duty", URL: r.URL, Secret: []byte("geheim")}}, Zone: time.UTC, Log: zerolog.Nop(), Metrics: reg})
	d := tickets.New(tickets.Options{DB: db, Outbox: p, Zone: time.UTC, Metrics: reg})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, p
}

func displaced(opened bool, wall int64) rules.Transition {
	what := rules.Ended
	if opened {
		what = rules.Opened
	}
	return rules.Transition{Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: rules.Critical, Type: what, At: wall, Wall: wall,
		Channel: "tilt_deg", Value: 33, Limit: 15, Summary: devices.Title{ZH: "井盖移位", EN: "Cover displaced"}}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestOneTicketOnePageThroughFailuresInOrder(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		r := newReceiver(t, 500, 503)
		d, p := desk(t, url, r)
		pos, err := d.Resume(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().UnixMilli()
		o := &rules.Outcome{Epoch: pos.Epoch, OldSeq: 0, NewSeq: 5, Wall: now, Findings: rules.Findings{Transitions: []rules.Transition{displaced(true, now), displaced(true, now)}}}
		if err := d.Commit(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(t.Context(), o); !errors.Is(err, devices.ErrFenced) {
			t.Errorf("the same frame again: %v, want a fence", err)
		}
		if err := d.Commit(t.Context(), &rules.Outcome{Epoch: pos.Epoch, OldSeq: 5, NewSeq: 6, Wall: now + 1, Findings: rules.Findings{Transitions: []rules.Transition{displaced(false, now+1)}}}); err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(t.Context(), &rules.Outcome{Epoch: pos.Epoch, OldSeq: 6, NewSeq: 7, Wall: now + 2, Findings: rules.Findings{Transitions: []rules.Transition{displaced(true, now+2)}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all pages", func() bool {
			s, err := p.Of(t.Context(), 1)
			again, failed := p.Of(t.Context(), 2)
			return err == nil && failed == nil && len(s) == 2 && s[0].State == "sent" && s[1].State == "sent" && len(again) == 1 && again[0].State == "sent"
		})
		ts, err := d.List(t.Context(), tickets.Filter{State: "closed"})
		if err != nil || len(ts) != 1 || ts[0].State != "closed" || ts[0].ClosedBy != "telemetry" || math.Abs(*ts[0].Value-33) > 0 {
			t.Errorf("tickets %+v, %v", ts, err)
		}
		var story []string
		for _, a := range r.attempts() {
			key, body, _ := strings.Cut(a, " ")
			story = append(story, key+strings.Split(body, `"`)[3])
		}
		if got := strings.Join(story, " "); got != "lamplighter-1opened lamplighter-1opened lamplighter-1opened lamplighter-2closed lamplighter-3opened" {
			t.Errorf("attempts: %s", got)
		}
	})
}

func TestARefusedPageFailsAtOnceAndStaysVisible(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		r := newReceiver(t, 400)
		d, p := desk(t, url, r)
		pos, err := d.Resume(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().UnixMilli()
		if err := d.Commit(t.Context(), &rules.Outcome{Epoch: pos.Epoch, NewSeq: 1, Wall: now, Findings: rules.Findings{Transitions: []rules.Transition{displaced(true, now)}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the failure", func() bool {
			s, err := p.Of(t.Context(), 1)
			return err == nil && len(s) == 1 && s[0].State == "failed" && strings.Contains(s[0].LastError, "400")
		})
	})
}

func TestTheReplacedDeskWritesNothing(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d, _ := desk(t, url, newReceiver(t))
		old, err := d.Resume(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Resume(t.Context(), 0, 1000); err != nil {
			t.Fatal(err)
		}
		err = d.Commit(t.Context(), &rules.Outcome{Epoch: old.Epoch, NewSeq: 1, Findings: rules.Findings{Transitions: []rules.Transition{displaced(true, 1)}}})
		ts, lerr := d.List(t.Context(), tickets.Filter{})
		if !errors.Is(err, devices.ErrFenced) || lerr != nil || len(ts) != 0 {
			t.Errorf("got %v, %d tickets, %v", err, len(ts), lerr)
		}
	})
}

func TestPeopleAcknowledgeAndClose(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d, _ := desk(t, url, newReceiver(t))
		pos, err := d.Resume(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(t.Context(), &rules.Outcome{Epoch: pos.Epoch, NewSeq: 1, Findings: rules.Findings{Transitions: []rules.Transition{displaced(true, 1)}}}); err != nil {
			t.Fatal(err)
		}
		if err := d.Acknowledge(t.Context(), 1, "li", "在路上"); err != nil {
			t.Fatal(err)
		}
		if err := d.Acknowledge(t.Context(), 1, "wang", ""); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("acknowledged twice: %v", err)
		}
		if err := d.Close(t.Context(), 1, "li", "盖好了"); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(t.Context(), 9, "li", ""); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("a ticket that is not there: %v", err)
		}
		h, err := d.History(t.Context(), 1)
		if err != nil || len(h) != 3 || h[1].Who != "li" || h[2].Note != "盖好了" {
			t.Errorf("history %+v, %v", h, err)
		}
	})
}

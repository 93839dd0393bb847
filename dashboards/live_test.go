package dashboards

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

// listener reads the live stream event by event.
type listener struct {
	t    *testing.T
	body *bufio.Scanner
	stop context.CancelFunc
}

func (w *world) listen(lastEventID string, change func(*http.Request)) *listener {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	w.t.Cleanup(cancel)
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.server.Addr().String()+"/api/v1/live", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if lastEventID != "" {
		q.Header.Set("Last-Event-ID", lastEventID)
	}
	change(q)
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { a.Body.Close() })
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("live stream: %s", a.Status)
	}
	return &listener{w.t, bufio.NewScanner(a.Body), cancel}
}

func (w *world) asViewer(q *http.Request) {
	q.Header.Set("Authorization", "Bearer "+w.tokens[auth.Viewer])
}

// next is the next event, passing over summaries and comments, which come when
// time passes; "" at the end of the stream.
func (l *listener) next() (event string) {
	l.t.Helper()
	for l.body.Scan() {
		line := l.body.Text()
		switch {
		case strings.HasPrefix(line, ":"): // a comment
		case line != "":
			event += line + "\n"
		case event != "" && !strings.HasPrefix(event, "event: summary"):
			return event
		default:
			event = ""
		}
	}
	return ""
}

func TestTheStreamReplaysWhatWasMissed(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		l := w.listen("", w.asViewer)
		if got := l.next(); got != "retry: 2000\nid: 0\n" {
			t.Fatalf("greeting %q", got)
		}
		w.opens("MH-1", "critical")
		if got := l.next(); !strings.HasPrefix(got, "id: 1\nevent: ticket\ndata: {") || !strings.Contains(got, `"facility":"MH-1"`) {
			t.Errorf("live %q", got)
		}
		l.stop()
		w.opens("MH-2", "critical")
		again := w.listen("1", w.asViewer)
		var got string
		for got = again.next(); strings.Contains(got, `"facility":"MH-1"`); got = again.next() { // on PostgreSQL a little comes twice
		}
		if !strings.HasPrefix(got, "id: 2\nevent: ticket\n") || !strings.Contains(got, `"facility":"MH-2"`) {
			t.Errorf("replayed %q", got)
		}
		if got := w.listen("99", w.asViewer); got.next() != "retry: 2000\nid: 2\n" || got.next() != "id: 2\nevent: reset\ndata: {}\n" {
			t.Error("an id of another database gets no reset")
		}
	})
}

func TestWhoMissedTooMuchReadsAllAgain(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	var all []rules.Transition
	for i := range maxReplay + 2 {
		all = append(all, rules.Transition{Type: rules.Opened, Facility: devices.FacilityID(fmt.Sprint("MH-", i)), Kind: devices.Manhole, Defect: "cover_displaced", Severity: "minor", Wall: start.UnixMilli(), At: start.UnixMilli()})
	}
	l := w.listen("", w.asViewer)
	l.next()
	w.happens(rules.Outcome{Findings: rules.Findings{Transitions: all}})
	want := fmt.Sprintf("id: %d\nevent: reset\ndata: {}\n", len(all))
	if got := l.next(); got != want {
		t.Errorf("who was listening got %q, want %q", got, want)
	}
	if got := w.listen("0", w.asViewer).next(); got != want {
		t.Errorf("who came back got %q, want %q", got, want)
	}
}

func TestASlowReaderIsDroppedAndHoldsNobodyUp(t *testing.T) {
	h := newHub()
	slow, quick := h.join(), h.join()
	for i := range listenerQueue + 1 {
		h.send(message{int64(i + 1), "ticket", nil})
		if m := <-quick; m.id != int64(i+1) {
			t.Fatalf("the quick reader got %d, want %d", m.id, i+1)
		}
	}
	n := 0
	for range slow {
		n++
	}
	if n != listenerQueue || h.count() != 1 {
		t.Errorf("the slow one got %d and %d listen", n, h.count())
	}
}

func TestTheFeedFindsEventsThatWereCommittedLate(t *testing.T) {
	now := start
	l := &tail{sent: map[int64]time.Time{}}
	if !l.fresh(7, now) || l.fresh(7, now) {
		t.Error("7 is fresh once")
	}
	if l.from(now) != 0 || !l.fresh(6, now) {
		t.Error("6 came after 7 and is fresh")
	}
	for id := int64(8); id < 500; id++ {
		l.fresh(id, now)
	}
	now = now.Add(2 * overlapTime)
	if from := l.from(now); from != 499-overlap || len(l.sent) > overlap+1 {
		t.Errorf("looks from %d and remembers %d", from, len(l.sent))
	}
}

func TestAStalledConnectionEnds(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	c, err := net.Dial("tcp", w.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", w.tokens[auth.Viewer])
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	c.Close()
	for deadline := time.Now().Add(20 * time.Second); w.server.hub.count() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stream of a client that is gone goes on")
		}
	}
}

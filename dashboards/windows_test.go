package dashboards

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// atStart stops the server's clock at the start.
func atStart(o *Options) { o.Now = func() time.Time { return start } }

// sentWindow is the last window that went into the log.
func (w *world) sentWindow() (x rules.Window) {
	w.t.Helper()
	if len(w.log.sent) == 0 {
		w.t.Fatal("nothing went into the log")
	}
	if err := json.Unmarshal([]byte(w.log.sent[len(w.log.sent)-1]), &x); err != nil {
		w.t.Fatal(err)
	}
	return x
}

func TestAWindowIsMadeListedAndEnded(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, atStart)
		w.facility(registry.Facility{ID: "SL-1", Kind: devices.Streetlight, Cabinet: "CAB-1", Circuit: "1"})
		body := `{"cabinet":"CAB-1","kind":"streetlight","to":"2026-01-01T12:00:00+08:00","reason":"换灯 new lamps"}`
		w.problem(w.ask(auth.Viewer, "POST", "/api/v1/windows", body), http.StatusForbidden, "forbidden")
		var x windowItem
		w.into(w.ask(auth.Operator, "POST", "/api/v1/windows", body), http.StatusOK, &x)
		if x.State != "now" || !x.Sent || x.By != "the operator" || *x.From != "2026-01-01T08:00:00.000+08:00" || x.Cabinet != "CAB-1" {
			t.Errorf("made %+v", x)
		}
		if s := w.sentWindow(); s.ID != x.ID || s.Cabinet != "CAB-1" || s.Kind != "streetlight" || s.From != start.UnixMilli() || s.To != start.Add(4*time.Hour).UnixMilli() {
			t.Errorf("in the log %+v", s)
		}
		var later windowItem
		w.into(w.ask(auth.Operator, "POST", "/api/v1/windows", `{"rule":"lamp_out","from":"2026-01-02T08:00:00+08:00","to":"2026-01-03T08:00:00+08:00","reason":"r","name":"陈工"}`), http.StatusOK, &later)
		if later.State != "waiting" || later.By != "陈工" {
			t.Errorf("made %+v", later)
		}
		if got := w.walk("/api/v1/windows?limit=1", "id"); strings.Join(got, " ") != later.ID+" "+x.ID {
			t.Errorf("list %v", got)
		}
		w.problem(w.ask(auth.Viewer, "DELETE", "/api/v1/windows/"+x.ID, ""), http.StatusForbidden, "forbidden")
		for _, id := range []string{x.ID, later.ID} {
			var over windowItem
			w.into(w.ask(auth.Operator, "DELETE", "/api/v1/windows/"+id, ""), http.StatusOK, &over)
			if over.State != "over" || over.EndedBy != "the operator" || !over.Sent {
				t.Errorf("ended %+v", over)
			}
			if s := w.sentWindow(); s.ID != id || s.To > start.UnixMilli() {
				t.Errorf("in the log %+v, want one that is over", s)
			}
			w.problem(w.ask(auth.Operator, "DELETE", "/api/v1/windows/"+id, ""), http.StatusConflict, "conflict")
		}
		w.problem(w.ask(auth.Operator, "DELETE", "/api/v1/windows/none", ""), http.StatusNotFound, "not_found")
		if got := w.walk("/api/v1/windows?state=over&limit=50", "id"); len(got) != 2 {
			t.Errorf("over: %v", got)
		}
	})
}

// What had opened before a window was made has opened: it begins when it is made.
func TestAWindowBeginsNoEarlierThanItIsMade(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	var x windowItem
	w.into(w.ask(auth.Operator, "POST", "/api/v1/windows", `{"rule":"lamp_out","from":"2025-12-10T08:00:00+08:00","to":"2026-01-03T08:00:00+08:00","reason":"r"}`), http.StatusOK, &x)
	if s := w.sentWindow(); x.State != "now" || s.From != start.UnixMilli() {
		t.Errorf("made %+v, in the log from %d on; want %d", x, s.From, start.UnixMilli())
	}
}

func TestAWindowNeedsAnEndAReasonAndAPlace(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	for body, field := range map[string]string{
		`{"facility":"A","reason":"r"}`:                                                                     "body",
		`{"facility":"A","to":"2026-01-01T12:00:00+08:00"}`:                                                 "body",
		`{"to":"2026-01-01T12:00:00+08:00","reason":"r"}`:                                                   "body.facility",
		`{"circuit":"C1","to":"2026-01-01T12:00:00+08:00","reason":"r"}`:                                    "body.cabinet",
		`{"circuit":"C1","kind":"manhole","to":"2026-01-01T12:00:00+08:00","reason":"r"}`:                   "body.cabinet",
		`{"facility":"A","to":"2026-02-01T12:00:00+08:00","reason":"r"}`:                                    "body.to",
		`{"facility":"A","to":"2025-12-31T12:00:00+08:00","from":"2025-12-30T12:00:00+08:00","reason":"r"}`: "body.to",
		`{"facility":"A","to":"2026-01-01T12:00:00+08:00","reason":"  "}`:                                   "body.reason",
		`{"facility":"A","to":"2026-01-01T12:00:00+08:00","reason":"r","name":" "}`:                         "body.name",
	} {
		var p Problem
		a := w.ask(auth.Operator, "POST", "/api/v1/windows", body)
		w.into(a, http.StatusUnprocessableEntity, &p)
		if p.Field != field && !strings.HasPrefix(p.Field, field+".") {
			t.Errorf("%s: field %q, want %s", body, p.Field, field)
		}
	}
	if len(w.log.sent) != 0 {
		t.Errorf("in the log: %v", w.log.sent)
	}
}

func TestAWindowForWhatTheCensusDoesNotHaveIsRefused(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, atStart)
		w.facility(registry.Facility{ID: "SL-1", Kind: devices.Streetlight, Area: "350102001001", Cabinet: "CAB-1", Circuit: "2"}, registry.Facility{ID: "SL-2", Kind: devices.Streetlight, Area: "350103", Cabinet: "CAB-2", Circuit: "1"},
			registry.Facility{ID: "CAB-1", Kind: devices.Streetlight, Feeder: "F1"})
		if _, err := w.census.ImportAreas(t.Context(), strings.NewReader("code,name\n3501,福州市\n350104,仓山区\n"), "li", "csv"); err != nil {
			t.Fatal(err)
		}
		send := func(scope string) reply {
			return w.ask(auth.Operator, "POST", "/api/v1/windows", `{`+scope+`,"to":"2026-01-01T12:00:00+08:00","reason":"r"}`)
		}
		for scope, field := range map[string]string{
			`"facility":"SL-9"`: "body.facility", `"cabinet":"CAB-9"`: "body.cabinet", `"cabinet":"CAB-1","circuit":"1"`: "body.circuit", `"feeder":"F9"`: "body.feeder", `"area":"350105"`: "body.area",
			`"area":"350102","cabinet":"CAB-2"`: "body", `"feeder":"F1","kind":"bridge"`: "body", `"facility":"SL-2","feeder":"F1"`: "body",
		} {
			if p := w.problem(send(scope), http.StatusUnprocessableEntity, "invalid"); p.Field != field || !strings.Contains(p.Detail, "want") || !strings.Contains(p.Cure, "census") {
				t.Errorf("%s: field %q, want %s: %s (%s)", scope, p.Field, field, p.Detail, p.Cure)
			}
		}
		if len(w.log.sent) != 0 {
			t.Errorf("in the log: %v", w.log.sent)
		}
		for _, scope := range []string{`"feeder":"F1"`, `"facility":"SL-1","feeder":"F1"`, `"area":"350102"`, `"area":"350104"`, `"cabinet":"CAB-1","circuit":"2","kind":"streetlight"`, `"kind":"bridge"`, `"rule":"lamp_out"`} {
			w.into(send(scope), http.StatusOK, nil)
		}
		if s := w.sentWindow(); s.Rule != "lamp_out" {
			t.Errorf("in the log %+v", s)
		}
	})
}

func TestAWindowForARuleThatJudgesNothingOfItIsRefused(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "SL-1", Kind: devices.Streetlight, Cabinet: "CAB-1"}, registry.Facility{ID: "MH-1", Kind: devices.Manhole, Area: "350102"})
	if _, err := w.census.ImportAreas(t.Context(), strings.NewReader("code,name\n3501,福州市\n350104,仓山区\n"), "li", "csv"); err != nil {
		t.Fatal(err)
	}
	send := func(scope string) reply {
		return w.ask(auth.Operator, "POST", "/api/v1/windows", `{`+scope+`,"to":"2026-01-01T12:00:00+08:00","reason":"r"}`)
	}
	for scope, want := range map[string]string{
		`"rule":"nosuch"`:                       "found nosuch, which is no rule that is in force",
		`"rule":"lamp_outt"`:                    "found lamp_outt, which is no rule that is in force; did you mean lamp_out?",
		`"facility":"MH-1","rule":"lamp_out"`:   "found lamp_out, a rule for streetlight alone, in a window for manhole: it would keep nothing back",
		`"area":"350102","rule":"lamp_out"`:     "found lamp_out, a rule for streetlight alone, in a window for manhole: it would keep nothing back",
		`"kind":"bridge","rule":"cover_sunk"`:   "found cover_sunk, a rule for manhole alone, in a window for bridge: it would keep nothing back",
		`"cabinet":"CAB-1","rule":"cover_sunk"`: "found cover_sunk, a rule for manhole alone, in a window for streetlight: it would keep nothing back",
	} {
		if p := w.problem(send(scope), http.StatusUnprocessableEntity, "invalid"); p.Field != "body.rule" || p.Detail != want || !strings.Contains(p.Cure, "name") {
			t.Errorf("%s: field %q: %s (%s), want %s", scope, p.Field, p.Detail, p.Cure, want)
		}
	}
	if len(w.log.sent) != 0 {
		t.Errorf("in the log: %v", w.log.sent)
	}
	for _, scope := range []string{`"facility":"MH-1","rule":"comm_lost"`, `"area":"350104","rule":"lamp_out"`, `"kind":"streetlight","rule":"lamp_out"`} {
		w.into(send(scope), http.StatusOK, nil)
	}
}

func TestTheWindowsOfAFacilityAreThoseThatNameIt(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, atStart)
		w.facility(registry.Facility{ID: "SL-1", Kind: devices.Streetlight, Area: "350102001001", Cabinet: "CAB-1", Circuit: "2"}, registry.Facility{ID: "SL-2", Kind: devices.Streetlight, Area: "350103001001", Cabinet: "CAB-1", Circuit: "1"},
			registry.Facility{ID: "SL-3", Kind: devices.Streetlight, Cabinet: "CAB-2", Feeder: "F2"}, registry.Facility{ID: "MH-1", Kind: devices.Manhole, Area: "350102"}, registry.Facility{ID: "CAB-1", Kind: devices.Streetlight, Feeder: "F1"})
		for _, scope := range []string{`"facility":"SL-1"`, `"facility":"SL-2"`, `"cabinet":"CAB-1"`, `"cabinet":"CAB-1","circuit":"1"`, `"cabinet":"CAB-1","circuit":"2"`, `"cabinet":"CAB-2"`,
			`"feeder":"F1"`, `"feeder":"F2"`, `"area":"350102"`, `"area":"350103"`, `"area":"350102","kind":"manhole"`, `"kind":"streetlight","rule":"lamp_out"`} {
			w.into(w.ask(auth.Operator, "POST", "/api/v1/windows", `{`+scope+`,"to":"2026-01-01T12:00:00+08:00","reason":"`+strings.ReplaceAll(scope, `"`, "")+`"}`), http.StatusOK, nil)
		}
		got := w.walk("/api/v1/windows?state=now&facility=SL-1", "reason")
		slices.Sort(got)
		if want := "area:350102 cabinet:CAB-1 cabinet:CAB-1,circuit:2 facility:SL-1 feeder:F1 kind:streetlight,rule:lamp_out"; strings.Join(got, " ") != want {
			t.Errorf("windows %v, want %s", got, want)
		}
		w.problem(w.ask(auth.Viewer, "GET", "/api/v1/windows?facility=SL-9", ""), http.StatusNotFound, "not_found")
	})
}

func TestAWindowThatTheLogDidNotTakeIsSentLater(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "A", Kind: devices.Manhole})
	w.log.full = true
	w.problem(w.ask(auth.Operator, "POST", "/api/v1/windows", `{"facility":"A","to":"2026-01-01T12:00:00+08:00","reason":"r"}`), http.StatusServiceUnavailable, "unavailable")
	list := func() (out page[windowItem]) {
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/windows", ""), http.StatusOK, &out)
		return out
	}
	if l := list(); len(l.Items) != 1 || l.Items[0].Sent {
		t.Fatalf("written down: %+v", l.Items)
	}
	got := make(chan []byte, 1)
	l := tickets.NewWindows(tickets.WindowsOptions{DB: w.db, Now: func() time.Time { return start }, Send: func(_ context.Context, b []byte) error { got <- b; return nil }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Keep(ctx, func(err error) { t.Error(err) }) }()
	<-got
	for deadline := time.Now().Add(30 * time.Second); !list().Items[0].Sent; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not marked as sent")
		}
	}
	cancel()
	<-done
}

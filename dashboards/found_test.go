package dashboards

import (
	"net/http"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

func TestWhatAPersonFindsIsATicketThatAPersonCloses(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		w.facility(registry.Facility{ID: "MH-77", Kind: devices.Manhole, Name: "井"})
		const net = `{"facility":"MH-77","defect":"anti_fall_net_missing","note":"雨水井","found_at":"2025-12-31T23:30:00Z"}`
		var x ticketItem
		w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets", net), http.StatusOK, &x)
		if x.Summary.ZH != "防坠网缺失" || x.Severity != "major" || x.State != "open" || x.Kind != "manhole" {
			t.Errorf("ticket %+v", x)
		}
		var d ticketDetail
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/tickets/1", ""), http.StatusOK, &d)
		if len(d.History) != 1 || d.History[0].Who != "the operator" || d.History[0].Note != "雨水井" {
			t.Errorf("history %+v", d.History)
		}
		var why explanation
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/tickets/1/explanation", ""), http.StatusOK, &why)
		if s := why.Sentences; len(s) != 2 || s[0].EN != "the operator reported it at 2026-01-01 08:00:00, found at 2026-01-01 07:30:00." || s[1].ZH != "说明：雨水井" {
			t.Errorf("it explains itself by %+v", s)
		}
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", net), http.StatusConflict, "conflict")
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", `{"facility":"MH-78","defect":"anti_fall_net_missing"}`), http.StatusNotFound, "not_found")
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", `{"facility":"MH-77","defect":"graffiti"}`), http.StatusUnprocessableEntity, "invalid")
		w.facility(registry.Facility{ID: "SL-1", Kind: devices.Streetlight})
		for _, body := range []string{`{"facility":"SL-1","defect":"anti_fall_net_missing"}`, `{"facility":"SL-1","defect":"anti_fall_net_damaged","summary":{"zh":"网","en":"Net"}}`} {
			p := w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", body), http.StatusUnprocessableEntity, "invalid")
			if p.Field != "body.defect" || !strings.Contains(p.Detail, "is found at a manhole; SL-1 is a streetlight") {
				t.Errorf("of a lamp: %+v", p)
			}
		}
		w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets/1/close", `{"note":"换新"}`), http.StatusOK, &x)
		w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets", net), http.StatusOK, &x)
		if x.ID != 2 || x.State != "open" {
			t.Errorf("found again: %+v", x)
		}
	})
}

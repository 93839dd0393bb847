package dashboards

import (
	"net/http"
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
		const net = `{"facility":"MH-77","defect":"anti_fall_net_missing","note":"雨水井"}`
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
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", net), http.StatusConflict, "conflict")
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", `{"facility":"MH-78","defect":"anti_fall_net_missing"}`), http.StatusNotFound, "not_found")
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/tickets", `{"facility":"MH-77","defect":"graffiti"}`), http.StatusUnprocessableEntity, "invalid")
		w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets/1/close", `{"note":"换新"}`), http.StatusOK, &x)
		w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets", net), http.StatusOK, &x)
		if x.ID != 2 || x.State != "open" {
			t.Errorf("found again: %+v", x)
		}
	})
}

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

func TestRefusedMessagesAreDecodedAgainAndTakenBack(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		w.refuses("MH-1", `{"tilt_deg":12.5,"seq":4}`, devices.Refusal{Code: devices.CodeIdent, Msg: "not in the census"})
		w.refuses("MH-1", `{"tilt_deg":NaN}`, devices.Refusal{Code: devices.CodeJSON, Path: "/tilt_deg", Msg: "NaN is no JSON"})
		w.refuses("MH-2", `{"tilt_deg":1}`, devices.Refusal{Code: devices.CodeIdent, Msg: "not in the census"})
		var d decoded
		w.into(w.ask(auth.Viewer, "POST", "/api/v1/quarantine/1/decode", ""), http.StatusOK, &d)
		if d.Taken || d.Code != "E_IDENT" {
			t.Errorf("before the census has it: %+v", d)
		}
		p := w.problem(w.ask(auth.Operator, "POST", "/api/v1/quarantine/1/retake", ""), http.StatusUnprocessableEntity, "refused")
		if !strings.Contains(p.Detail, "not in the census") {
			t.Errorf("detail %q", p.Detail)
		}

		w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole})
		d = decoded{}
		w.into(w.ask(auth.Viewer, "POST", "/api/v1/quarantine/1/decode", ""), http.StatusOK, &d)
		if !d.Taken || d.Seq == nil || *d.Seq != 4 || len(d.Readings) != 1 || *d.Readings[0].T != "2026-01-01T07:59:00.000+08:00" || d.Readings[0].Source != "received" ||
			d.Readings[0].Values[0] != (decodedValue{"tilt_deg", 12.5, "deg", "good"}) {
			t.Errorf("after: %+v", d)
		}
		var q quarantined
		w.into(w.ask(auth.Operator, "POST", "/api/v1/quarantine/1/retake", ""), http.StatusOK, &q)
		if q.ResolvedAt == nil || q.ResolvedBy != "the operator" {
			t.Errorf("resolved %+v", q)
		}
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/quarantine/1/retake", ""), http.StatusConflict, "conflict")
		if len(w.again.taken) != 1 || w.again.taken[0].Received != start.UnixMilli()-60_000 || string(w.again.taken[0].Payload) != `{"tilt_deg":12.5,"seq":4}` {
			t.Errorf("taken back %+v", w.again.taken)
		}

		w.facility(registry.Facility{ID: "MH-2", Kind: devices.Manhole})
		var r retaken
		w.into(w.ask(auth.Operator, "POST", "/api/v1/quarantine/retake", `{"code":"E_JSON"}`), http.StatusOK, &r)
		if r.Taken != 0 || r.Refused != 1 || r.Reasons[0] != (retakeReason{"E_JSON", 1}) {
			t.Errorf("by code: %+v", r)
		}
		total := 0
		for next := ""; ; next = *r.Next {
			w.into(w.ask(auth.Operator, "POST", "/api/v1/quarantine/retake", `{"limit":1,"cursor":"`+next+`"}`), http.StatusOK, &r)
			if total += r.Taken + r.Refused; r.Next == nil {
				break
			}
		}
		if total != 2 || len(w.again.taken) != 2 {
			t.Errorf("%d looked at, %d taken back in all", total, len(w.again.taken))
		}
	})
}

func TestAFullLogTakesNothingBack(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole})
	w.refuses("MH-1", `{"tilt_deg":1}`, devices.Refusal{Code: devices.CodeIdent, Msg: "x"})
	w.again.full = true
	a := w.ask(auth.Operator, "POST", "/api/v1/quarantine/1/retake", "")
	if p := w.problem(a, http.StatusServiceUnavailable, "unavailable"); p.Detail != "the log has no room" || a.header.Get("Retry-After") == "" {
		t.Errorf("%+v, Retry-After %q", p, a.header.Get("Retry-After"))
	}
	if got := w.walk("/api/v1/quarantine?state=open", "id"); len(got) != 1 {
		t.Errorf("open: %v", got)
	}
}

func TestTheStoreAwayIsToldAndTheRestGoesOn(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole, ExpectS: 3600}, registry.Facility{ID: "MH-2", Kind: devices.Manhole})
	ms := start.UnixMilli()
	w.store.put("MH-1", "tilt_deg", Point{T: ms - 2000, V: 1.5}, Point{T: ms - 1000, V: 2.5})
	w.store.put("MH-1", "cover_open", Point{T: ms - 1000, V: 1})
	w.store.put("MH-1", "mode", Point{T: ms - 1000, V: 1, Text: "eco"})
	a := w.ask(auth.Viewer, "GET", "/api/v1/facilities/MH-1/readings?channel=tilt_deg&from=2026-01-01T07:00:00%2B08:00&to=2026-01-01T00:00:00Z", "")
	want := `{"channel":"tilt_deg","unit":"deg","points":[{"t":"2026-01-01T07:59:58.000+08:00","v":1.5},{"t":"2026-01-01T07:59:59.000+08:00","v":2.5}]}`
	if got := strings.TrimSpace(string(a.body)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	a = w.ask(auth.Viewer, "GET", "/api/v1/facilities/MH-1/readings?channel=mode&to=2026-01-01T00:00:00Z", "")
	if !strings.Contains(string(a.body), `"v":1,"text":"eco"`) {
		t.Errorf("text channel: %s", a.body)
	}
	var l latestOfManyBody
	w.into(w.ask(auth.Viewer, "GET", "/api/v1/latest?ids=MH-2,MH-1,MH-1,MH-9", ""), http.StatusOK, &l)
	if len(l.Items) != 2 || l.Items[0].Facility != "MH-2" || len(l.Items[1].Values) != 3 || len(l.Unknown) != 1 || l.Unknown[0] != "MH-9" {
		t.Errorf("latest of many %+v", l)
	}
	w.store.fail(errTest)
	for _, path := range []string{"facilities/MH-1/latest", "latest?ids=MH-1", "facilities/MH-1/readings?channel=tilt_deg"} {
		a := w.ask(auth.Viewer, "GET", "/api/v1/"+path, "")
		if p := w.problem(a, http.StatusServiceUnavailable, "unavailable"); !strings.Contains(p.Detail, "time-series store") || strings.Contains(p.Detail, errTest.Error()) || a.header.Get("Retry-After") != "5" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	w.into(w.ask(auth.Viewer, "GET", "/api/v1/facilities/MH-1", ""), http.StatusOK, nil)
}

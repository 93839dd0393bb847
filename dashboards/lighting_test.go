package dashboards

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// dawn lets two lamps pass a night: one is out, with a ticket, from the afternoon on.
func (w *world) dawn() {
	w.t.Helper()
	for _, id := range []devices.FacilityID{"SL-1", "SL-2", "SL-3"} {
		w.facility(registry.Facility{ID: id, Kind: devices.Streetlight, Area: "350102001001", Name: "=灯"})
	}
	ms := func(h int) int64 { return start.Add(time.Duration(h) * time.Hour).UnixMilli() }
	ok := func(id devices.FacilityID) rules.Stood { return rules.Stood{Facility: id, At: ms(0), Is: rules.OK} }
	w.happens(rules.Outcome{Wall: ms(0), Findings: rules.Findings{Stood: []rules.Stood{ok("SL-1"), ok("SL-2"), ok("SL-3")}}})
	w.happens(rules.Outcome{Wall: ms(8), Findings: rules.Findings{
		Transitions: []rules.Transition{{Type: rules.Opened, Facility: "SL-1", Kind: devices.Streetlight, Defect: "lamp_out", Severity: rules.Major, At: ms(8), Wall: ms(8)}},
		Stood:       []rules.Stood{{Facility: "SL-1", At: ms(8), Is: rules.Faulty, Why: "lamp_out"}}}})
	w.happens(rules.Outcome{Wall: ms(25)})
	w.now = start.Add(25 * time.Hour)
}

func TestTheLightingRatesAndTheLampsBehindThem(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		w.dawn()
		var f findingItem
		w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings", `{"facility":"SL-2","defect":"leaning","found_at":"2026-01-01T15:00:00+08:00","note":"斜"}`), http.StatusOK, &f)
		if f.By != "the operator" || f.EndedAt != nil || *f.FoundAt != "2026-01-01T15:00:00.000+08:00" {
			t.Errorf("finding %+v", f)
		}
		if err := w.lighting.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rates page[rateItem]
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/lighting/rates?level=district&period=quarter&area=350102", ""), http.StatusOK, &rates)
		if len(rates.Items) != 1 {
			t.Fatalf("rates %+v", rates.Items)
		}
		x := rates.Items[0]
		if x.Period != "2026-Q1" || x.Intact != 1 || x.Faulty != 2 || x.Num != 1 || x.Den != 3 || *x.Value < 0.333 || *x.Value > 0.334 || !x.Low || x.Target != 0.95 || x.Version != "2" {
			t.Errorf("rate %+v", x)
		}
		var lamps page[lampNightItem]
		w.into(w.ask(auth.Viewer, "GET", x.Lamps, ""), http.StatusOK, &lamps)
		if len(lamps.Items) != 3 || lamps.Items[0].Parts[0].Number != "T-20260101-0001" || lamps.Items[0].Parts[0].Reason != "lamp_out" || *lamps.Items[1].Parts[0].Finding != f.ID || lamps.Items[2].Bucket != "intact" {
			t.Errorf("lamps %+v", lamps.Items)
		}
		if got := w.walk(x.Lamps+"&limit=1", "facility"); strings.Join(got, " ") != "SL-1 SL-2 SL-3" {
			t.Errorf("page by page %v", got)
		}
		if got := w.walk("/api/v1/lighting/rates?level=community&period=day&limit=1", "place"); strings.Join(got, " ") != "350102001001" {
			t.Errorf("page by page %v", got)
		}
		a := w.ask(auth.Viewer, "GET", strings.Replace(x.Lamps, "/lamps?", "/lamps.csv?", 1)+"&bucket=faulty", "")
		if s := string(a.body); a.status != 200 || !strings.HasPrefix(s, "\ufeffday,facility") || strings.Count(s, "\n") != 3 || !strings.Contains(s, "'=灯") {
			t.Errorf("%d %s", a.status, s)
		}
		a = w.ask(auth.Viewer, "GET", "/api/v1/lighting/rates.csv?level=city&period=month", "")
		if s := string(a.body); a.status != 200 || !strings.Contains(s, "2026-01,") || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%d %v %s", a.status, a.header, s)
		}
		w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings/1/end", `{"ended_at":"2026-01-01T16:00:00+08:00"}`), http.StatusOK, &f)
		if p := w.problem(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings/1/end", `{"ended_at":"2026-01-01T17:00:00+08:00"}`), http.StatusConflict, "conflict"); !strings.Contains(p.Detail, "mended since 2026-01-01T16:00:00+08:00") || !strings.Contains(p.Cure, "new finding") {
			t.Errorf("mended twice: %+v", p)
		}
		if f.EndedBy != "the operator" {
			t.Errorf("ended %+v", f)
		}
		for _, path := range []string{"rates?", "rates.csv?", "rates/lamps?", "rates/lamps.csv?", "nights?"} {
			if p := w.problem(w.ask(auth.Viewer, "GET", "/api/v1/lighting/"+path+"rate=intct&from=2026-01-01&to=2026-01-02", ""), http.StatusNotFound, "not_found"); p.Field != "query.rate" {
				t.Errorf("%s of a rate that there is not: %+v", path, p)
			}
			if p := w.problem(w.ask(auth.Viewer, "GET", "/api/v1/lighting/"+path+"from=2026-01-02&to=2026-01-01", ""), http.StatusUnprocessableEntity, "invalid"); p.Field != "query.from" {
				t.Errorf("%s from a later day to an earlier one: %+v", path, p)
			}
		}
		w.problem(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings", `{"facility":"SL-9","defect":"leaning","found_at":"2026-01-01T15:00:00+08:00"}`), http.StatusNotFound, "not_found")
		w.problem(w.ask(auth.Viewer, "GET", "/api/v1/lighting/rates/lamps", ""), http.StatusUnprocessableEntity, "invalid")
		var ds definitionsBody
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/lighting/definitions", ""), http.StatusOK, &ds)
		if len(ds.Items) != 2 || ds.Items[0].Rate != "intact" || ds.Items[0].Title.ZH != "可感知完好率" || ds.Items[1].Title.EN != "Lit rate" {
			t.Errorf("definitions %+v", ds.Items)
		}
	})
}

func TestAFindingThatIsWithdrawnCountsInNoNight(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.dawn()
	var f findingItem
	w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings", `{"facility":"SL-2","defect":"leaning","found_at":"2026-01-01T15:00:00+08:00"}`), http.StatusOK, &f)
	w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings/1/end", `{"ended_at":"`+*f.FoundAt+`","note":"看错了"}`), http.StatusOK, &f)
	if *f.EndedAt != *f.FoundAt || f.EndNote != "看错了" {
		t.Errorf("withdrawn %+v", f)
	}
	if err := w.lighting.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rates page[rateItem]
	w.into(w.ask(auth.Viewer, "GET", "/api/v1/lighting/rates?period=day", ""), http.StatusOK, &rates)
	if len(rates.Items) != 1 || rates.Items[0].Intact != 2 || rates.Items[0].Faulty != 1 {
		t.Errorf("rates %+v", rates.Items)
	}
}

func TestAFindingThatCannotBeNamesItsField(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.dawn()
	w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole})
	w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings", `{"facility":"SL-2","defect":"leaning","found_at":"2026-01-01T15:00:00+08:00"}`), http.StatusOK, nil)
	for _, c := range []struct{ path, body, field string }{
		{"", `{"facility":"MH-1","defect":"leaning","found_at":"2026-01-01T15:00:00+08:00"}`, "body.facility"},
		{"", `{"facility":"SL-1","defect":"leaning","found_at":"2025-01-01T15:00:00+08:00"}`, "body.found_at"},
		{"", `{"facility":"SL-1","defect":"leaning","found_at":"2027-01-01T15:00:00+08:00"}`, "body.found_at"},
		{"", `{"facility":"SL-1","defect":"Leaning"}`, "body.defect"},
		{"/1/end", `{"ended_at":"2026-01-01T14:00:00+08:00"}`, "body.ended_at"},
	} {
		var p Problem
		w.into(w.ask(auth.Operator, "POST", "/api/v1/lighting/findings"+c.path, c.body), http.StatusUnprocessableEntity, &p)
		if p.Field != c.field {
			t.Errorf("%s: field %q, want %s", c.body, p.Field, c.field)
		}
	}
}

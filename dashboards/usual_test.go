package dashboards

import (
	"net/http"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

func TestAFacilityShowsWhatItsRulesHaveLearned(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "BR-1", Kind: devices.Bridge}, registry.Facility{ID: "BR-2", Kind: devices.Bridge})
	value, expected, band, residual, r2 := 12.1, 5.8, 0.3, 6.3, 0.97
	w.state.facts["BR-1"] = rules.Facts{Kind: devices.Bridge, Standing: rules.OK, Seen: 1, Usual: []rules.Usual{
		{Rule: "bridge_deviates", Name: "beyond", Channel: "displacement_mm", Unit: "mm", On: "temperature_c", Since: start.UnixMilli(), Steps: 40, At: start.UnixMilli(), Value: &value, Expected: &expected, Band: &band, Residual: &residual, R2: &r2, Step: 600_000, Lag: 7200_000, Least: 3 * 86400_000, Wants: 30},
		{Rule: "bridge_drift", Name: "drift", Channel: "displacement_mm", Unit: "mm", Schedule: "night"},
	}}
	a := w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-1", "")
	w.into(a, http.StatusOK, nil)
	want := `"usual":[{"rule":"bridge_deviates","name":"beyond","channel":"displacement_mm","unit":"mm","on":"temperature_c","since":"2026-01-01T08:00:00.000+08:00","steps":40,"left_out":0,"at":"2026-01-01T08:00:00.000+08:00","value":12.1,"expected":5.8,"band":0.3,"residual":6.3,"r2":0.97,"step_s":600,"lag_s":7200,"needs_s":259200,"needs_steps":30},` +
		`{"rule":"bridge_drift","name":"drift","channel":"displacement_mm","unit":"mm","since":null,"steps":0,"left_out":0,"at":null,"value":null,"expected":null,"band":null,"residual":null,"r2":null,"step_s":0,"lag_s":0,"needs_s":0,"needs_steps":0,"schedule":"night"}]`
	if !strings.Contains(string(a.body), want) {
		t.Errorf("got\n%s\nwant in it\n%s", a.body, want)
	}
	if a := w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-2", ""); strings.Contains(string(a.body), "usual") {
		t.Errorf("of one of which nothing was learned: %s", a.body)
	}

	at := start.UnixMilli() - 60_000
	w.store.put("BR-1", "temperature_c", Point{T: at - 4*3600_000, V: 19}, Point{T: at, V: 21.5})
	var body expectedBody
	w.into(w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-1/usual?rule=bridge_deviates&name=beyond", ""), http.StatusOK, &body)
	if len(body.Points) != 2 || body.Points[1] != (expectedPoint{"2026-01-01T07:59:00.000+08:00", 21.5, 0.5}) || body.Channel != "displacement_mm" || body.Unit != "mm" {
		t.Errorf("the usual of an hour: %+v", body)
	}
	if q := w.state.asked; q.From != start.UnixMilli()-3600_000 || q.To != start.UnixMilli() || len(q.On) != 2 {
		t.Errorf("the rules were asked for %+v; want the hour, and what was before it for the lag", q)
	}
	w.problem(w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-1/usual?rule=bridge_deviates&name=drift", ""), http.StatusNotFound, "not_found")
	w.problem(w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-9/usual?rule=bridge_deviates&name=beyond", ""), http.StatusNotFound, "not_found")
	w.problem(w.ask(auth.Viewer, "GET", "/api/v1/facilities/BR-1/usual?rule=bridge_deviates&name=beyond&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ""), http.StatusUnprocessableEntity, "invalid")
}

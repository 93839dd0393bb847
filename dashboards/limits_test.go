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

// A limit has its channel's title and unit before the channel was ever heard.
func TestAFacilityShowsWhatItsLimitsMean(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole, Limits: map[string]float64{"water_level_m": 1, "tilt_deg": 10, "tilt_deg_2": 20, "battery_v": 3.3, "battery_pct_low": 5, "own_x": 7}}, registry.Facility{ID: "MH-2", Kind: devices.Manhole})
	w.state.facts["MH-1"] = rules.Facts{Kind: devices.Manhole, Limits: []rules.OwnLimit{{Name: "battery_v", Below: true}, {Name: "tilt_deg", Tier: 1, Above: true, Abs: true}, {Name: "tilt_deg_2", Tier: 3, Above: true, Abs: true}}}
	a := w.ask(auth.Viewer, "GET", "/api/v1/facilities/MH-1", "")
	w.into(a, http.StatusOK, nil)
	want := `"own_limits":[{"name":"battery_pct_low","channel":"battery_pct","title":{"zh":"电池电量","en":"Battery level"},"unit":"%","value":5,"tier":0,"way":"below"},` +
		`{"name":"battery_v","channel":"battery_v","title":{"zh":"电池电压","en":"Battery voltage"},"unit":"V","value":3.3,"tier":0,"way":"below"},` +
		`{"name":"own_x","channel":"own_x","title":{"zh":"","en":""},"unit":"","value":7,"tier":0,"way":"above"},` +
		`{"name":"tilt_deg","channel":"tilt_deg","title":{"zh":"倾角","en":"Tilt"},"unit":"deg","value":10,"tier":1,"way":"both"},` +
		`{"name":"tilt_deg_2","channel":"tilt_deg","title":{"zh":"倾角","en":"Tilt"},"unit":"deg","value":20,"tier":3,"way":"both"},` +
		`{"name":"water_level_m","channel":"water_level_m","title":{"zh":"水位","en":"Water level"},"unit":"m","value":1,"tier":0,"way":"above"}]`
	if !strings.Contains(string(a.body), want) {
		t.Errorf("got\n%s\nwant in it\n%s", a.body, want)
	}
	if a := w.ask(auth.Viewer, "GET", "/api/v1/facilities/MH-2", ""); strings.Contains(string(a.body), "own_limits") {
		t.Errorf("of one without limits: %s", a.body)
	}
}

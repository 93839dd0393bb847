package dashboards

import (
	"net/http"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

func TestTheSummaryTellsHowOftenTheCityShouldBeHeard(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		for id, every := range map[devices.FacilityID]int64{"MH-1": 1800, "MH-2": 600, "MH-3": 0} {
			w.facility(registry.Facility{ID: id, Kind: devices.Manhole, ExpectS: every})
		}
		n, err := w.census.ShortestInterval(t.Context())
		if err != nil || n != 600 {
			t.Errorf("shortest interval %d, %v", n, err)
		}
		var x interval
		for _, c := range []struct{ at, read, want int64 }{{1, 600, 600}, {59_000, 5, 600}, {60_001, 5, 5}} {
			if got, err := x.get(c.at, func() (int64, error) { return c.read, nil }); err != nil || got != c.want {
				t.Errorf("at %d: %d, %v; want %d", c.at, got, err, c.want)
			}
		}
		var s summaryBody
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/summary", ""), http.StatusOK, &s)
		if s.ExpectS != 600 && s.ExpectS != 0 { // the live stream may have asked before the census was filled
			t.Errorf("summary %+v", s)
		}
	})
}

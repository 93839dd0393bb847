package dashboards

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

func TestWhatIsNoFacilityIsToldForWhatItIs(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, database string) {
		w := newWorld(t, database, nil)
		w.facility(
			registry.Facility{ID: "SL-1", Device: "D-1", Kind: devices.Streetlight, Area: "350102001001", Cabinet: "CAB-1", Circuit: "C:1"},
			registry.Facility{ID: "SL-2", Kind: devices.Streetlight, Area: "350103001001", Cabinet: "CAB-2", Circuit: "2"},
			registry.Facility{ID: "CAB-2", Kind: devices.Streetlight, Feeder: "F/1"},
			registry.Facility{ID: "MH-1", Name: "one", Kind: devices.Manhole, Area: "350103"})
		if _, err := w.census.ImportAreas(t.Context(), strings.NewReader("code,name\n3501,福州市\n350102,鼓楼区\n"), "li", "csv"); err != nil {
			t.Fatal(err)
		}
		if err := w.census.Remove(t.Context(), "li", "MH-1"); err != nil {
			t.Fatal(err)
		}
		w.opens("MH-7", rules.Major)
		w.refuses("MH-8", "{}", devices.Refusal{Code: "E_JSON", Msg: "no"})
		w.census.Seen("MH-9", "listener", "unknown")
		for id, want := range map[string]place{
			"area:350102":       {Is: "area", Name: "鼓楼区", Level: "district", Area: "350102", Members: 1},
			"area:350103001001": {Is: "area", Level: "community", Area: "350103001001", Members: 1},
			"area:city":         {Is: "area", Level: "city", Members: 3},
			"feeder:F/1":        {Is: "feeder", Feeder: "F/1", Members: 2},
			"CAB-1":             {Is: "cabinet", Cabinet: "CAB-1", Members: 1},
			"CAB-1:C:1":         {Is: "circuit", Cabinet: "CAB-1", Circuit: "C:1", Members: 1},
			"CAB-2:2":           {Is: "circuit", Cabinet: "CAB-2", Circuit: "2", Members: 1},
			"CAB-2":             {Is: "device", Facility: "CAB-2"},
			"D-1":               {Is: "device", Facility: "SL-1"},
			"MH-1":              {Is: "gone", Name: "one", Area: "350103"},
			"MH-7":              {Is: "gone"},
			"MH-8":              {Is: "seen"},
			"MH-9":              {Is: "seen"},
		} {
			var got place
			w.into(w.ask(auth.Viewer, "GET", "/api/v1/places/"+url.PathEscape(id), ""), http.StatusOK, &got)
			if want.ID = id; got != want {
				t.Errorf("%s is %+v, want %+v", id, got, want)
			}
		}
		for _, id := range []string{"area:350199", "area:", "feeder:", "feeder:F9", "CAB-1:9", "CAB-3", ":", "area:x"} {
			w.problem(w.ask(auth.Viewer, "GET", "/api/v1/places/"+url.PathEscape(id), ""), http.StatusNotFound, "not_found")
		}
		for query, want := range map[string]string{"cabinet=CAB-1": "SL-1", "cabinet=CAB-1&circuit=C:1": "SL-1", "cabinet=CAB-1&circuit=2": "", "feeder=F/1": "CAB-2 SL-2", "feeder=F/1&cabinet=CAB-2": "SL-2"} {
			if got := strings.Join(w.walk("/api/v1/facilities?"+query, "id"), " "); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		for _, id := range []string{"SL-1", "SL-2", "CAB-1", "CAB-1:C:1", "CAB-2:2", "area:350102001", "area:city", "feeder:F/1"} {
			w.opens(id, rules.Major)
		}
		for query, want := range map[string]string{
			"cabinet=CAB-1": "CAB-1 CAB-1:C:1 SL-1", "cabinet=CAB-2": "CAB-2:2 SL-2", "cabinet=CAB-2&circuit=2": "CAB-2:2 SL-2", "cabinet=CAB-9": "",
			"area=350102": "CAB-1 CAB-1:C:1 SL-1 area:350102001", "area=350103001001&state=live": "CAB-2:2 SL-2", "feeder=F/1": "CAB-2:2 SL-2 feeder:F/1", "area=350102&state=closed": "",
		} {
			got := w.walk("/api/v1/tickets?"+query, "facility")
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("tickets by %s: %s, want %s", query, got, want)
			}
		}
		w.problem(w.ask(auth.Viewer, "GET", "/api/v1/tickets?circuit=2", ""), http.StatusUnprocessableEntity, "invalid")
		if p := w.problem(w.ask(auth.Viewer, "GET", "/api/v1/facilities?circuit=2", ""), http.StatusUnprocessableEntity, "invalid"); p.Field != "query.cabinet" {
			t.Errorf("a circuit of no cabinet: %+v", p)
		}
	})
}

package dashboards

import (
	"net/http"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices/devicestest"
)

func TestACensusFileIsImportedOverHTTPOrSaysWhyNot(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		p := w.problem(w.ask(auth.Admin, http.MethodPost, "/api/v1/census/import", "id,kind,lon,lat\nA,manhole,26.08,119.3\nB,lamp,,\n"), http.StatusUnprocessableEntity, "invalid")
		if len(p.Errors) != 2 || p.Errors[0].Field != "line 2, lat" || p.Errors[0].Value != "119.3" || !strings.Contains(p.Errors[0].Message, "swapped") || p.Errors[1].Field != "line 3, kind" {
			t.Errorf("errors %+v", p.Errors)
		}
		var rep struct{ Rows, Added, Changed int }
		w.into(w.ask(auth.Admin, http.MethodPost, "/api/v1/census/import?format=csv", "id,kind,name\nA,manhole,one\nB,manhole,\n"), http.StatusOK, &rep)
		if rep.Added != 2 {
			t.Errorf("report %+v", rep)
		}
		w.into(w.ask(auth.Admin, http.MethodPost, "/api/v1/census/import?format=geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"id":"A","kind":"manhole","name":"two"}}]}`), http.StatusOK, &rep)
		if rep.Changed != 1 {
			t.Errorf("report %+v", rep)
		}
		type history struct {
			Items []struct {
				By, What string
				Changes  []change
			}
			Next *string
		}
		var h history
		w.into(w.ask(auth.Viewer, http.MethodGet, "/api/v1/facilities/A/history?limit=1", ""), http.StatusOK, &h)
		if len(h.Items) != 1 || h.Items[0].What != "changed" || h.Items[0].By == "" || h.Items[0].Changes[0] != (change{"name", "one", "two"}) || h.Next == nil {
			t.Fatalf("history %+v", h)
		}
		var older history
		w.into(w.ask(auth.Viewer, http.MethodGet, "/api/v1/facilities/A/history?cursor="+*h.Next, ""), http.StatusOK, &older)
		if len(older.Items) != 1 || older.Items[0].What != "added" || older.Next != nil {
			t.Errorf("history %+v", older)
		}
		w.problem(w.ask(auth.Viewer, http.MethodGet, "/api/v1/facilities/Z/history", ""), http.StatusNotFound, "not_found")
	})
}

func TestAreasAreListedAndShownWithTheirOutline(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	file := `{"features":[{"properties":{"code":"3501","name":"福州市"},"geometry":{"type":"Polygon","coordinates":[[[119.2,26],[119.4,26],[119.4,26.2],[119.2,26]]]}},{"properties":{"code":"350102","name":"鼓楼区"},"geometry":null}]}`
	if _, err := w.census.ImportAreas(t.Context(), strings.NewReader(file), "li", "geojson"); err != nil {
		t.Fatal(err)
	}
	type area struct {
		Code, Level, Parent string
		Outline             *struct{ Type string }
	}
	var list struct{ Items []area }
	w.into(w.ask(auth.Viewer, http.MethodGet, "/api/v1/areas?level=district", ""), http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].Code != "350102" || list.Items[0].Parent != "3501" {
		t.Errorf("areas %+v", list)
	}
	var a area
	w.into(w.ask(auth.Viewer, http.MethodGet, "/api/v1/areas/3501", ""), http.StatusOK, &a)
	if a.Level != "city" || a.Outline == nil || a.Outline.Type != "Polygon" {
		t.Errorf("area %+v", a)
	}
	w.problem(w.ask(auth.Viewer, http.MethodGet, "/api/v1/areas/3509", ""), http.StatusNotFound, "not_found")
}

package dashboards

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

func isNil(v any) bool { return reflect.ValueOf(v).IsNil() }

// walk reads a list page by page, by the cursors and by the Links alike, and
// returns one field of every item.
func (w *world) walk(path, field string) (got []string) {
	w.t.Helper()
	for n := 0; path != ""; n++ {
		if n > 100 {
			w.t.Fatal("a list without an end")
		}
		var p page[map[string]any]
		a := w.ask(auth.Viewer, "GET", path, "")
		w.into(a, http.StatusOK, &p)
		for _, x := range p.Items {
			got = append(got, fmt.Sprint(x[field]))
		}
		link, rel, _ := strings.Cut(a.header.Get("Link"), ">")
		if (p.Next == nil) != (link == "") {
			w.t.Fatalf("next %v, Link %q", p.Next, link)
		}
		if p.Next == nil {
			return got
		}
		u, err := url.Parse(path)
		if err != nil {
			w.t.Fatal(err)
		}
		q := u.Query()
		q.Set("cursor", *p.Next)
		u.RawQuery = q.Encode()
		if path = u.String(); link != "<"+path || rel != `; rel="next"` {
			w.t.Fatalf("Link %q, want %q", link, path)
		}
	}
	return got
}

func TestListsAreWalkedWholeInAnyOrder(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, dburl string) {
		w := newWorld(t, dburl, nil)
		var fs []registry.Facility
		for i := range 23 {
			fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("MH-%02d", i)), Kind: devices.Manhole, Name: fmt.Sprintf("盖 %d", i%3), Area: "350102001"})
		}
		w.facility(fs...)
		severities := []rules.Severity{"critical", "minor", "major"}
		for i := range 23 {
			w.opens(fmt.Sprintf("MH-%02d", i), severities[i%3])
			w.refuses(fmt.Sprintf("MH-%02d", i%5), "garbage", devices.Refusal{Code: devices.CodeJSON, Msg: "no"})
			w.happens(rules.Outcome{Findings: rules.Findings{Gaps: []rules.Gap{{Device: devices.DeviceID(fmt.Sprintf("MH-%02d", i%7)), From: uint64(i), To: uint64(i), At: start.UnixMilli()}}}})
			w.census.Seen(devices.DeviceID(fmt.Sprintf("X-%02d", i)), "listener", "not in the census")
		}
		for _, c := range []struct {
			path, key, by string
			sorts         []string
		}{
			{"/api/v1/facilities", "id", "name", []string{"id", "name", "kind", "area", "updated"}},
			{"/api/v1/tickets", "id", "severity", []string{"id", "opened_at", "event_at", "closed_at", "severity", "facility"}},
			{"/api/v1/quarantine", "id", "device", []string{"at", "id", "device", "code"}},
			{"/api/v1/ledger/gaps", "id", "device", []string{"id", "at", "device"}},
		} {
			all := w.walk(c.path+"?limit=500", c.key)
			if len(all) != 23 {
				t.Errorf("%s: %d items, want 23", c.path, len(all))
			}
			slices.Sort(all)
			for _, sort := range c.sorts {
				var ways [2][]string
				for i, order := range []string{"asc", "desc"} {
					ways[i] = w.walk(fmt.Sprintf("%s?limit=4&order=%s&sort=%s", c.path, order, sort), c.key)
					whole := slices.Clone(ways[i])
					if slices.Sort(whole); !slices.Equal(whole, all) {
						t.Errorf("%s by %s %s: page by page %v, at once %v", c.path, sort, order, whole, all)
					}
				}
				slices.Reverse(ways[1])
				if !slices.Equal(ways[0], ways[1]) {
					t.Errorf("%s by %s: up %v, down %v", c.path, sort, ways[0], ways[1])
				}
			}
		}
		if got := w.walk("/api/v1/seen?limit=4", "device"); len(got) != 23 || !slices.IsSorted(got) {
			t.Errorf("seen %v", got)
		}
		if got := w.walk("/api/v1/tickets?sort=severity&limit=5", "severity"); !slices.Equal(slices.Compact(got), []string{"critical", "major", "minor"}) {
			t.Errorf("by severity %v", slices.Compact(got))
		}
	})
}

func TestFiltersNarrow(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	var fs []registry.Facility
	for i := range 1200 {
		id := devices.FacilityID(fmt.Sprintf("MH-%04d", i))
		fs = append(fs, registry.Facility{ID: id, Kind: devices.Manhole, Area: devices.AreaCode([]string{"350102", "350103"}[i%2])})
		standing := rules.OK
		switch {
		case i%400 == 7:
			standing = rules.Faulty
		case i%600 == 9:
			standing = rules.Unknown
		}
		w.state.facts[id] = rules.Facts{Kind: devices.Manhole, Standing: standing, Seen: 1}
	}
	w.state.sunless = map[devices.FacilityID]bool{"MH-0007": true, "MH-0107": true, "MH-0108": true}
	fs[108].HasPlace, fs[108].Lon, fs[108].Lat = true, 119.3, 26.1 // in this very moment
	w.facility(fs...)
	w.opens("MH-0007", "major")
	w.opens("MH-0407", "minor")
	w.into(w.ask(auth.Operator, "POST", "/api/v1/tickets/1/close", `{"note":"done"}`), http.StatusOK, nil)
	w.refuses("MH-0001", "x", devices.Refusal{Code: devices.CodeJSON, Msg: "no"})
	w.refuses("MH-0002", "x", devices.Refusal{Code: devices.CodeTime, Msg: "no"})
	for path, want := range map[string]int{
		"/api/v1/facilities?state=faulty":                     3,
		"/api/v1/facilities?state=faulty&limit=1":             3,
		"/api/v1/facilities?state=unknown":                    2,
		"/api/v1/facilities?state=ok&limit=500":               1195,
		"/api/v1/facilities?sunless=true":                     2,
		"/api/v1/facilities?sunless=true&limit=1":             2,
		"/api/v1/facilities?sunless=true&state=faulty":        1,
		"/api/v1/facilities?area=350102&limit=500":            600,
		"/api/v1/facilities?q=MH-00":                          100,
		"/api/v1/facilities?q=%25":                            0,
		"/api/v1/facilities?kind=bridge":                      0,
		"/api/v1/tickets?state=live":                          1,
		"/api/v1/tickets?state=closed":                        1,
		"/api/v1/tickets?severity=minor":                      1,
		"/api/v1/tickets?facility=MH-0407":                    1,
		"/api/v1/tickets?defect=lamp_out":                     0,
		"/api/v1/tickets?from=2026-01-01T08:00:00%2B08:00":    2,
		"/api/v1/tickets?to=2026-01-01T00:00:00Z":             0,
		"/api/v1/quarantine?code=E_TIME":                      1,
		"/api/v1/quarantine?device=MH-0001&state=open":        1,
		"/api/v1/quarantine?state=resolved":                   0,
		"/api/v1/quarantine?from=2026-01-01T08:00:01%2B08:00": 0,
	} {
		if got := w.walk(path, "id"); len(got) != want {
			t.Errorf("%s: %d items, want %d", path, len(got), want)
		}
	}
}

func TestErrorsSayWhereWhatAndTheCure(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	foreign := base64.RawURLEncoding.EncodeToString([]byte(`{"s":"id","d":true,"v":"x","k":"y"}`))
	for _, c := range []struct {
		method, path, body string
		status             int
		code, field        string
	}{
		{"GET", "/api/v1/tickets?limit=0", "", 422, "invalid", "query.limit"},
		{"GET", "/api/v1/tickets?limit=many", "", 422, "invalid", "query.limit"},
		{"GET", "/api/v1/tickets?limitt=5", "", 422, "invalid", "query.limitt"},
		{"GET", "/api/v1/tickets?sort=colour", "", 422, "invalid", "query.sort"},
		{"GET", "/api/v1/tickets?order=up", "", 422, "invalid", "query.order"},
		{"GET", "/api/v1/tickets?cursor=nonsense", "", 422, "cursor", "query.cursor"},
		{"GET", "/api/v1/tickets?cursor=" + foreign, "", 422, "cursor", "query.cursor"},
		{"GET", "/api/v1/tickets?from=yesterday", "", 422, "invalid", "query.from"},
		{"GET", "/api/v1/tickets/x", "", 422, "invalid", "path.id"},
		{"GET", "/api/v1/tickets/7", "", 404, "not_found", ""},
		{"GET", "/api/v1/tickets/7/members", "", 404, "not_found", ""},
		{"GET", "/api/v1/facilities/MH-9", "", 404, "not_found", ""},
		{"GET", "/api/v1/facilities/MH-9/readings?channel=tilt_deg", "", 404, "not_found", ""},
		{"GET", "/api/v1/facilities/MH-9/readings", "", 422, "invalid", "query.channel"},
		{"GET", "/api/v1/facilities/M%22H/readings?channel=tilt_deg", "", 422, "invalid", "path.id"},
		{"GET", "/api/v1/facilities/MH-9/readings?channel=a&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", 422, "invalid", "query.from"},
		{"GET", "/api/v1/latest", "", 422, "invalid", "query.ids"},
		{"GET", "/api/v1/latest?ids=a,b%7Cc", "", 422, "invalid", "query.ids"},
		{"GET", "/api/v1/quarantine/5", "", 404, "not_found", ""},
		{"POST", "/api/v1/tickets/7/close", `{"note":5}`, 422, "invalid", "body.note"},
		{"POST", "/api/v1/tickets/7/close", `{"colour":"red"}`, 422, "invalid", "body.colour"},
		{"POST", "/api/v1/users", `{"name":"x","role":"king","password":"0123456789"}`, 422, "invalid", "body.role"},
		{"POST", "/api/v1/users", `{"name":"x y","role":"viewer","password":"0123456789"}`, 422, "invalid", ""},
		{"PATCH", "/api/v1/users/nobody", `{"role":"viewer"}`, 404, "not_found", ""},
		{"DELETE", "/api/v1/users/admin", "", 409, "conflict", ""},
		{"DELETE", "/api/v1/tokens/0123456789abcdef", "", 404, "not_found", ""},
		{"GET", "/api/v1/nothing", "", 404, "not_found", ""},
		{"PUT", "/api/v1/tickets", "{}", 405, "method", ""},
	} {
		p := w.problem(w.ask(auth.Admin, c.method, c.path, c.body), c.status, c.code)
		if p.Field != c.field {
			t.Errorf("%s %s: field %q, want %q (%s)", c.method, c.path, p.Field, c.field, p.Detail)
		}
	}
	a := w.ask(auth.Admin, "PUT", "/api/v1/tickets", "{}")
	if got := a.header.Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow %q", got)
	}
}

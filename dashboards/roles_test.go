package dashboards

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
)

// routes is every route with the least role that may call it and a request
// that gets past the validation. A route that is missing here fails
// TestEveryRouteHasItsRole.
var routes = []struct {
	need         auth.Role
	method, path string
	body         string
}{
	{"", "POST", "/api/v1/session", `{"user":"nobody","password":"x"}`},
	{auth.Viewer, "GET", "/api/v1/session", ""},
	{auth.Viewer, "DELETE", "/api/v1/session", ""},
	{auth.Viewer, "PUT", "/api/v1/session/password", `{"old":"x","new":"0123456789"}`},
	{auth.Viewer, "GET", "/api/v1/summary", ""},
	{auth.Viewer, "GET", "/api/v1/facilities", ""},
	{auth.Viewer, "GET", "/api/v1/facilities/{id}", ""},
	{auth.Viewer, "GET", "/api/v1/facilities/{id}/latest", ""},
	{auth.Viewer, "GET", "/api/v1/facilities/{id}/readings?channel=tilt_deg", ""},
	{auth.Viewer, "GET", "/api/v1/latest?ids=a", ""},
	{auth.Viewer, "GET", "/api/v1/tickets", ""},
	{auth.Operator, "POST", "/api/v1/tickets", `{"facility":"A","defect":"anti_fall_net_missing"}`},
	{auth.Viewer, "GET", "/api/v1/tickets/{id}", ""},
	{auth.Viewer, "GET", "/api/v1/tickets/{id}/members", ""},
	{auth.Viewer, "GET", "/api/v1/tickets/{id}/explanation", ""},
	{auth.Operator, "POST", "/api/v1/tickets/{id}/acknowledge", `{}`},
	{auth.Operator, "POST", "/api/v1/tickets/{id}/close", `{}`},
	{auth.Viewer, "GET", "/api/v1/windows", ""},
	{auth.Operator, "POST", "/api/v1/windows", `{"facility":"A","to":"2026-01-01T12:00:00+08:00","reason":"r"}`},
	{auth.Operator, "DELETE", "/api/v1/windows/{id}", ""},
	{auth.Viewer, "GET", "/api/v1/quarantine", ""},
	{auth.Viewer, "GET", "/api/v1/quarantine/unkept", ""},
	{auth.Viewer, "GET", "/api/v1/quarantine/{id}", ""},
	{auth.Viewer, "POST", "/api/v1/quarantine/{id}/decode", ""},
	{auth.Operator, "POST", "/api/v1/quarantine/{id}/retake", ""},
	{auth.Operator, "POST", "/api/v1/quarantine/retake", `{}`},
	{auth.Viewer, "GET", "/api/v1/ledger?device=a", ""},
	{auth.Viewer, "GET", "/api/v1/ledger/gaps", ""},
	{auth.Viewer, "GET", "/api/v1/seen", ""},
	{auth.Admin, "POST", "/api/v1/devices/{id}/password", ""},
	{auth.Admin, "GET", "/api/v1/users", ""},
	{auth.Admin, "POST", "/api/v1/users", `{"name":"x","role":"viewer","password":"0123456789"}`},
	{auth.Admin, "PATCH", "/api/v1/users/{name}", `{"role":"viewer"}`},
	{auth.Admin, "DELETE", "/api/v1/users/{name}", ""},
	{auth.Admin, "GET", "/api/v1/tokens", ""},
	{auth.Admin, "POST", "/api/v1/tokens", `{"name":"x","role":"viewer"}`},
	{auth.Admin, "DELETE", "/api/v1/tokens/{id}", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/rates", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/rates.csv", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/rates/lamps?from=2026-01-01&to=2026-01-31", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/rates/lamps.csv?from=2026-01-01&to=2026-01-31", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/nights", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/definitions", ""},
	{auth.Viewer, "GET", "/api/v1/lighting/findings", ""},
	{auth.Operator, "POST", "/api/v1/lighting/findings", `{"facility":"A","defect":"leaning"}`},
	{auth.Operator, "POST", "/api/v1/lighting/findings/{id}/end", `{}`},
	{auth.Viewer, "GET", "/api/v1/facilities/{id}/history", ""},
	{auth.Viewer, "GET", "/api/v1/areas", ""},
	{auth.Viewer, "GET", "/api/v1/areas/{code}", ""},
	{auth.Viewer, "GET", "/api/v1/places/{id}", ""},
	{auth.Viewer, "GET", "/api/v1/facilities/{id}/usual?rule=a&name=b", ""},
	{auth.Admin, "POST", "/api/v1/census/import?dry_run=true", "id,kind\nA,manhole\n"},
	{auth.Viewer, "GET", "/api/v1/live", ""},
}

func TestEveryRouteHasItsRole(t *testing.T) {
	var passed atomic.Int64 // seconds, one a question: strangers may ask so often, however fast the machine is
	w := newWorld(t, sqlite(t), func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Add(1)) * time.Second) }
	})
	listed := map[string]bool{}
	fill := strings.NewReplacer("{id}", "1", "{name}", "nobody", "{code}", "3501")
	roles := []auth.Role{"", auth.Viewer, auth.Operator, auth.Dispatcher, auth.Admin}
	for _, r := range routes {
		path, _, _ := strings.Cut(r.path, "?")
		listed[r.method+" "+path] = true
		for _, role := range roles {
			if r.need == "" || path == "/api/v1/live" && role != "" {
				continue // the stream would not end; see live_test.go
			}
			a := w.ask(role, r.method, fill.Replace(r.path), r.body)
			switch {
			case role == "":
				w.problem(a, http.StatusUnauthorized, "unauthenticated")
			case !role.May(r.need):
				w.problem(a, http.StatusForbidden, "forbidden")
			case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status >= 500:
				t.Errorf("%s as %s: %d %s", r.method+" "+r.path, role, a.status, a.body)
			}
		}
	}
	for path, item := range w.server.doc.Paths {
		for method, op := range map[string]any{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if !isNil(op) && !listed[method+" "+path] {
				t.Errorf("%s %s stands in no test", method, path)
			}
		}
	}
}

func TestASessionNeedsItsCSRFTokenForWhatChanges(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.opens("MH-1", "critical")
	if err := w.auth.AddUser(t.Context(), "chen", auth.Operator, adminPassword); err != nil {
		t.Fatal(err)
	}
	cookie, who := w.login("chen", adminPassword)
	if !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", cookie)
	}
	act := func(csrf string) reply {
		return w.send("POST", "/api/v1/tickets/1/acknowledge", `{}`, func(q *http.Request) {
			q.AddCookie(cookie)
			if csrf != "" {
				q.Header.Set("X-CSRF-Token", csrf)
			}
		})
	}
	for _, csrf := range []string{"", "wrong"} {
		if p := w.problem(act(csrf), http.StatusForbidden, "csrf"); p.Field != "header.X-CSRF-Token" {
			t.Errorf("field %q", p.Field)
		}
	}
	w.into(act(who.CSRF), http.StatusOK, nil)
	for _, site := range []string{"cross-site", "same-site"} {
		a := w.send("POST", "/api/v1/session", `{"user":"chen","password":"x"}`, func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", site) })
		w.problem(a, http.StatusForbidden, "csrf")
	}
}

// login opens a session.
func (w *world) login(user, password string) (*http.Cookie, auth.Who) {
	w.t.Helper()
	var who auth.Who
	a := w.send("POST", "/api/v1/session", `{"user":"`+user+`","password":"`+password+`"}`, func(*http.Request) {})
	w.into(a, http.StatusOK, &who)
	cs := (&http.Response{Header: a.header}).Cookies()
	if len(cs) != 1 {
		w.t.Fatalf("cookies %v", cs)
	}
	return cs[0], who
}

// with sends a request in a session.
func (w *world) with(c *http.Cookie, who auth.Who, method, path, body string) reply {
	return w.send(method, path, body, func(q *http.Request) {
		q.AddCookie(c)
		q.Header.Set("X-CSRF-Token", who.CSRF)
	})
}

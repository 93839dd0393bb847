package dashboards

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
	"lamplighter/devices/devicestest"
)

func TestUsersComeAndGoAndTheirSessionsWithThem(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		w.into(w.ask(auth.Admin, "POST", "/api/v1/users", `{"name":"chen","role":"viewer","password":"first-password"}`), http.StatusNoContent, nil)
		w.problem(w.ask(auth.Admin, "POST", "/api/v1/users", `{"name":"chen","role":"viewer","password":"first-password"}`), http.StatusConflict, "conflict")
		here, me := w.login("chen", "first-password")
		there, too := w.login("chen", "first-password")
		w.problem(w.with(here, me, "PUT", "/api/v1/session/password", `{"old":"wrong","new":"second-password"}`), http.StatusUnprocessableEntity, "invalid")
		w.into(w.with(here, me, "PUT", "/api/v1/session/password", `{"old":"first-password","new":"second-password"}`), http.StatusNoContent, nil)
		w.into(w.with(here, me, "GET", "/api/v1/session", ""), http.StatusOK, nil)
		w.problem(w.with(there, too, "GET", "/api/v1/session", ""), http.StatusUnauthorized, "unauthenticated")

		w.problem(w.with(here, me, "GET", "/api/v1/users", ""), http.StatusForbidden, "forbidden")
		w.into(w.ask(auth.Admin, "PATCH", "/api/v1/users/chen", `{"role":"admin"}`), http.StatusNoContent, nil)
		var us page[map[string]any]
		w.into(w.with(here, me, "GET", "/api/v1/users", ""), http.StatusOK, &us) // the new role holds at once
		if len(us.Items) != 2 || us.Items[0]["name"] != "admin" || us.Items[0]["initial_password"] != true || us.Items[1]["role"] != "admin" {
			t.Errorf("users %v", us.Items)
		}
		w.into(w.ask(auth.Admin, "DELETE", "/api/v1/users/chen", ""), http.StatusNoContent, nil)
		w.problem(w.with(here, me, "GET", "/api/v1/session", ""), http.StatusUnauthorized, "unauthenticated")
		w.problem(w.ask(auth.Admin, "PATCH", "/api/v1/users/admin", `{"role":"viewer"}`), http.StatusConflict, "conflict")
	})
}

func TestTokensAreListedAndRevoked(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	var made newToken
	w.into(w.ask(auth.Admin, "POST", "/api/v1/tokens", `{"name":"grafana","role":"viewer","days":30}`), http.StatusOK, &made)
	use := func() reply {
		return w.send("GET", "/api/v1/session", "", func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+made.Secret) })
	}
	w.into(use(), http.StatusOK, nil)
	if got := w.walkAs(auth.Admin, "/api/v1/tokens", "name"); len(got) != 5 || !strings.Contains(strings.Join(got, " "), "grafana") {
		t.Errorf("tokens %v", got)
	}
	w.into(w.ask(auth.Admin, "DELETE", "/api/v1/tokens/"+made.ID, ""), http.StatusNoContent, nil)
	w.problem(use(), http.StatusUnauthorized, "unauthenticated")
}

// walkAs is one page as a role.
func (w *world) walkAs(r auth.Role, path, field string) (got []string) {
	w.t.Helper()
	var p page[map[string]any]
	w.into(w.ask(r, "GET", path, ""), http.StatusOK, &p)
	for _, x := range p.Items {
		s, _ := x[field].(string)
		got = append(got, s)
	}
	return got
}

func TestCallersAreLimitedByWhoTheyAreAndStrangersByAddress(t *testing.T) {
	w := newWorld(t, sqlite(t), func(o *Options) {
		o.Rate, o.Proxies = 1, []string{"127.0.0.1"}
		o.Now = func() time.Time { return start } // no permit comes back
	})
	codes := map[int]int{}
	for range 10 {
		codes[w.ask(auth.Viewer, "GET", "/api/v1/session", "").status]++
	}
	if codes[200] != 5 || codes[429] != 5 {
		t.Errorf("a caller: %v", codes)
	}
	w.into(w.ask(auth.Operator, "GET", "/api/v1/session", ""), http.StatusOK, nil)
	from := func(ip string) reply {
		return w.send("GET", "/api/v1/session", "", func(q *http.Request) {
			q.Header.Set("X-Forwarded-For", "6.6.6.6, "+ip)
			q.Header.Set("Authorization", "Bearer guess")
		})
	}
	codes = map[int]int{}
	for range 60 {
		codes[from("203.0.113.7").status]++
	}
	if codes[401] != 50 || codes[429] != 10 {
		t.Errorf("a stranger: %v", codes)
	}
	if a := from("203.0.113.8"); a.status != 401 {
		t.Errorf("another stranger: %d", a.status)
	}
	if p := w.problem(from("203.0.113.7"), http.StatusTooManyRequests, "rate"); p.Cure == "" || from("203.0.113.7").header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
}

func TestOnlyTrustedProxiesSayWhoTheClientIs(t *testing.T) {
	ps, err := parseProxies([]string{"10.0.0.0/8", "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"198.51.100.9:5", "1.2.3.4", "198.51.100.9"},
		{"10.1.1.1:5", "", "10.1.1.1"},
		{"10.1.1.1:5", "1.2.3.4", "1.2.3.4"},
		{"10.1.1.1:5", "6.6.6.6, 1.2.3.4, 192.0.2.1", "1.2.3.4"},
		{"10.1.1.1:5", "6.6.6.6, nonsense", "10.1.1.1"},
		{"[2001:db8:1:2:3::4]:5", "", "2001:db8:1:2::/64"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := ps.client(r); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

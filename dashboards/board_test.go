package dashboards

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// ask sends a request to the board and returns the answer.
func ask(t *testing.T, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	b, err := newBoard()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	guarded(b).ServeHTTP(w, r)
	return w
}

const browser = "text/html,application/xhtml+xml"

func TestEveryPageOfTheBoardIsItsIndex(t *testing.T) {
	want := ask(t, "/", browser).Body.String()
	if !strings.Contains(want, `<div id="app">`) {
		t.Fatalf("/ is not the board: %.200s", want)
	}
	for _, path := range []string{"/index.html", "/tickets/12", "/facilities/CAB-001:C2", "/facilities/a.b", "/vendors/gaps", "/no/such/page", "/assets.html"} {
		w := ask(t, path, browser)
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %.60q, want the index", path, w.Code, w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q: an old index would name files that are gone", path, got)
		}
		if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
}

func TestWhatBelongsToProgramsIsNoPage(t *testing.T) {
	for path, accept := range map[string]string{"/api/v1/nonsense": browser, "/assets/index-gone.js": "*/*", "/assets/": browser, "/-/nonsense": browser, "/favicon.ico": "image/*", "/tickets/12": "application/json"} {
		if w := ask(t, path, accept); w.Code != http.StatusNotFound {
			t.Errorf("%s for %s: %d, want 404", path, accept, w.Code)
		}
	}
}

func TestFilesAreKeptAndTyped(t *testing.T) {
	b, err := newBoard()
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
	err = fs.WalkDir(b.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" {
			return err
		}
		w := ask(t, "/"+name, "*/*")
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes", name, w.Code, w.Body.Len())
		}
		if want := types[name[strings.LastIndexByte(name, '.')+1:]]; w.Header().Get("Content-Type") != want {
			t.Errorf("%s: Content-Type %q, want %q", name, w.Header().Get("Content-Type"), want)
		}
		want := askAgain
		if strings.HasPrefix(name, "assets/") {
			want = keepForever
		}
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", name, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The index may name only files that are there, from here, and hold no script or
// style of its own: the policy would refuse them.
func TestIndexObeysThePolicy(t *testing.T) {
	w := ask(t, "/", browser)
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	html := w.Body.String()
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(m[1], "/") || strings.HasPrefix(m[1], "//") {
			t.Errorf("the index loads %s from elsewhere", m[1])
		} else if got := ask(t, m[1], "*/*"); got.Code != http.StatusOK {
			t.Errorf("the index loads %s: %d", m[1], got.Code)
		}
	}
	if regexp.MustCompile(`<style|<script[^>]*>[^<]|style=`).MatchString(html) {
		t.Errorf("the index holds inline script or style:\n%s", html)
	}
}

package dashboards

import (
	"net/http"
	"testing"
	"time"

	"lamplighter/dashboards/auth"
	"lamplighter/devices/database"
)

// TestTheStreamBeatsAndEndsWithItsSession keeps a stream open over heartbeats
// and lets its session expire.
func TestTheStreamBeatsAndEndsWithItsSession(t *testing.T) {
	w := newWorld(t, sqlite(t), func(o *Options) { o.Heartbeat = 50 * time.Millisecond })
	if err := w.auth.AddUser(t.Context(), "chen", auth.Viewer, adminPassword); err != nil {
		t.Fatal(err)
	}
	cookie, _ := w.login("chen", adminPassword)
	l := w.listen("", func(q *http.Request) { q.AddCookie(cookie) })
	beats := func() {
		t.Helper()
		for l.body.Scan() {
			if l.body.Text() == ": alive" {
				return
			}
		}
		t.Fatalf("the stream ended while its session stands: %v", l.body.Err())
	}
	beats()
	beats()
	err := w.db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE api_key SET expires=1 WHERE kind='session'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for l.body.Scan() { // what was under way
	}
	if err := l.body.Err(); err != nil {
		t.Errorf("the stream did not end with its session: %v", err)
	}
	w.problem(w.send("GET", "/api/v1/live", "", func(q *http.Request) { q.AddCookie(cookie) }), http.StatusUnauthorized, "unauthenticated")
}

package auth

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

const password = "correct-horse-battery"

// keeper is a Keeper whose clock the test turns.
func keeper(t *testing.T, url string, now *time.Time) (*Keeper, *database.DB, string) {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	dir := t.TempDir()
	return New(Options{DB: db, Dir: dir, Now: func() time.Time { return *now }}), db, dir
}

func TestSweepTakesWhatHasExpiredAndNothingElse(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		now := time.UnixMilli(1767225600000)
		k, db, _ := keeper(t, url, &now)
		if err := k.AddUser(t.Context(), "chen", Viewer, password); err != nil {
			t.Fatal(err)
		}
		session, _, err := k.Login(t.Context(), "192.0.2.1", "chen", password)
		if err != nil {
			t.Fatal(err)
		}
		_, short, err := k.NewToken(t.Context(), "for a day", Viewer, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		_, long, err := k.NewToken(t.Context(), "for good", Viewer, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			left  int
			good  map[string]bool
		}{
			{sessionLife - time.Millisecond, 3, map[string]bool{session: true, short: true, long: true}},
			{sessionLife, 2, map[string]bool{session: false, short: true, long: true}},
			{24 * time.Hour, 1, map[string]bool{session: false, short: false, long: true}},
		} {
			now = time.UnixMilli(1767225600000).Add(step.after)
			if err := k.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			var left int
			if err := db.QueryRow(t.Context(), `SELECT COUNT(*) FROM api_key`).Scan(&left); err != nil || left != step.left {
				t.Errorf("after %v %d are left, want %d (%v)", step.after, left, step.left, err)
			}
			for secret, good := range step.good {
				kind := "token"
				if secret == session {
					kind = "session"
				}
				if _, err := k.Check(t.Context(), kind, secret); (err == nil) != good || err != nil && !errors.Is(err, devices.ErrForbidden) {
					t.Errorf("after %v a %s: %v", step.after, kind, err)
				}
			}
		}
	})
}

func TestTheFileWithTheFirstPasswordGoesWithIt(t *testing.T) {
	for name, change := range map[string]func(k *Keeper, first, session string) error{
		"by admin": func(k *Keeper, first, session string) error {
			return k.ChangePassword(t.Context(), session, firstUser, first, password)
		},
		"by another admin": func(k *Keeper, _, _ string) error { return k.ChangeUser(t.Context(), firstUser, "", password) },
		"with the user": func(k *Keeper, _, _ string) error {
			return errors.Join(k.AddUser(t.Context(), "li", Admin, password), k.DeleteUser(t.Context(), firstUser))
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.UnixMilli(1767225600000)
			k, _, dir := keeper(t, "sqlite://"+filepath.Join(t.TempDir(), "test.db"), &now)
			first, err := k.EnsureAdmin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "initial-admin-password")
			if text, err := os.ReadFile(file); err != nil || string(text) != first+"\n" {
				t.Fatalf("the file has %q, want %q: %v", text, first, err)
			}
			if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("others may read it: %v, %v", st, err)
			}
			session, who, err := k.Login(t.Context(), "192.0.2.1", firstUser, first)
			if err != nil || !who.Initial {
				t.Fatalf("%+v, %v", who, err)
			}
			if err := change(k, first, session); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file is still there: %v", err)
			}
			if _, _, err := k.Login(t.Context(), "192.0.2.1", firstUser, first); !errors.Is(err, devices.ErrForbidden) {
				t.Errorf("the first password still lets in: %v", err)
			}
			if p, err := k.EnsureAdmin(t.Context()); p != "" || err != nil {
				t.Errorf("the next start makes another admin: %q, %v", p, err)
			}
		})
	}
}

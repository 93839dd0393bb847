// Package auth knows who may do what on the board: users with a password,
// sessions of browsers and tokens of programs. Secrets are kept as digests
// only.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/time/rate"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Role is what somebody may do; each may do what the ones before may.
type Role string

// The roles, least first.
const (
	Viewer     Role = "viewer"
	Operator   Role = "operator"
	Dispatcher Role = "dispatcher"
	Admin      Role = "admin"
)

var ranks = map[Role]int{Viewer: 1, Operator: 2, Dispatcher: 3, Admin: 4}

// ParseRole checks a role's name.
func ParseRole(s string) (Role, error) {
	if ranks[Role(s)] == 0 {
		return "", fmt.Errorf("role %q: want viewer, operator, dispatcher or admin", s)
	}
	return Role(s), nil
}

// May tells whether r may do what need may.
func (r Role) May(need Role) bool { return ranks[r] >= ranks[need] && ranks[need] > 0 }

// Who is somebody who was let in.
type Who struct {
	Name string `json:"user"`
	Role Role   `json:"role"`
	CSRF string `json:"csrf"` // "" for a token, which no browser sends by itself
}

// Keeper keeps users, sessions and tokens. It is safe for concurrent use.
type Keeper struct {
	db  *database.DB
	now func() time.Time

	mu    sync.Mutex
	tries map[string]*rate.Limiter // guarded by mu: log-ins by address and by user
}

// New returns a keeper.
func New(db *database.DB, now func() time.Time) *Keeper {
	return &Keeper{db: db, now: now, tries: make(map[string]*rate.Limiter)}
}

const (
	sessionLife = 12 * time.Hour
	tokenLife   = 10 * 365 * 24 * time.Hour
)

// EnsureAdmin makes the user admin on first start, with a random password that
// is returned and written to dir/initial-admin-password (0600); "" when there
// are users already.
func (k *Keeper) EnsureAdmin(ctx context.Context, dir string) (string, error) {
	var n int
	if err := k.db.QueryRow(ctx, `SELECT COUNT(*) FROM app_user`).Scan(&n); err != nil {
		return "", fmt.Errorf("count users: %w", err)
	}
	if n > 0 {
		return "", nil
	}
	p := rand.Text()
	if err := os.WriteFile(filepath.Join(dir, "initial-admin-password"), []byte(p+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the first password: %w", err)
	}
	return p, k.SetUser(ctx, "admin", Admin, p)
}

// SetUser adds or changes a user.
func (k *Keeper) SetUser(ctx context.Context, name string, r Role, password string) error {
	salt := make([]byte, 16)
	rand.Read(salt)
	h := base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(stretch(password, salt))
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO app_user (name, role, password) VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET role=excluded.role, password=excluded.password`, name, string(r), h)
		return err
	})
	if err != nil {
		return fmt.Errorf("set user %s: %w", name, err)
	}
	return nil
}

// stretch is argon2id with the second recommended setting of RFC 9106.
func stretch(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, 3, 64<<10, 2, 32)
}

// Login checks a password and opens a session; its secret goes into a cookie.
func (k *Keeper) Login(ctx context.Context, remote, name, password string) (secret string, w Who, err error) {
	if !k.allow(remote) || !k.allow("user:"+name) {
		return "", w, fmt.Errorf("too many log-ins, wait a minute: %w", devices.ErrTemporary)
	}
	var role, h string
	err = k.db.QueryRow(ctx, `SELECT role, password FROM app_user WHERE name=?`, name).Scan(&role, &h)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", w, fmt.Errorf("log in: %w", err)
	}
	salt, want, _ := strings.Cut(h, "$")
	s, _ := base64.RawStdEncoding.DecodeString(salt)
	if len(s) == 0 {
		s = make([]byte, 16) // an unknown user takes as long as a known one
	}
	got := base64.RawStdEncoding.EncodeToString(stretch(password, s))
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return "", w, fmt.Errorf("user name or password is wrong: %w", devices.ErrForbidden)
	}
	w = Who{Name: name, Role: Role(role), CSRF: rand.Text()}
	secret, err = k.open(ctx, "session", w, sessionLife)
	return secret, w, err
}

func (k *Keeper) allow(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.tries[key]
	if l == nil {
		if len(k.tries) > 10000 {
			clear(k.tries)
		}
		l = rate.NewLimiter(rate.Every(6*time.Second), 10)
		k.tries[key] = l
	}
	return l.AllowN(k.now(), 1)
}

// NewToken opens a token for a program; it is seen this once.
func (k *Keeper) NewToken(ctx context.Context, name string, r Role) (string, error) {
	return k.open(ctx, "token", Who{Name: name, Role: r}, tokenLife)
}

func (k *Keeper) open(ctx context.Context, kind string, w Who, life time.Duration) (string, error) {
	secret := rand.Text()
	now := k.now()
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO api_key (digest, kind, name, role, csrf, created, expires) VALUES (?,?,?,?,?,?,?)`,
			digest(secret), kind, w.Name, string(w.Role), w.CSRF, now.UnixMilli(), now.Add(life).UnixMilli())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("open %s: %w", kind, err)
	}
	return secret, nil
}

// digest of a secret of 128 random bits or more, which needs no salt.
func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// Check says whose session ("session") or token ("token") a secret is;
// devices.ErrForbidden if nobody's.
func (k *Keeper) Check(ctx context.Context, kind, secret string) (Who, error) {
	var w Who
	var role string
	err := k.db.QueryRow(ctx, `SELECT name, role, csrf FROM api_key WHERE digest=? AND kind=? AND expires>?`, digest(secret), kind, k.now().UnixMilli()).Scan(&w.Name, &role, &w.CSRF)
	if errors.Is(err, sql.ErrNoRows) {
		return w, fmt.Errorf("%s is unknown or has expired: %w", kind, devices.ErrForbidden)
	}
	w.Role = Role(role)
	return w, err
}

// Logout ends a session.
func (k *Keeper) Logout(ctx context.Context, secret string) error {
	return k.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_key WHERE digest=?`, digest(secret))
		return err
	})
}

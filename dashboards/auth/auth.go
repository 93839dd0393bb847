// Package auth knows who may do what on the board: users with a password,
// sessions of browsers and tokens of programs. Secrets are kept as digests
// only.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

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

// rank is the place of r among the roles, 0 for none of them.
func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Dispatcher:
		return 3
	case Admin:
		return 4
	}
	return 0
}

// ParseRole checks a role's name.
func ParseRole(s string) (Role, error) {
	if Role(s).rank() == 0 {
		return "", fmt.Errorf("role %q: want viewer, operator, dispatcher or admin: %w", s, devices.ErrInvalid)
	}
	return Role(s), nil
}

// May tells whether r may do what need may.
func (r Role) May(need Role) bool { return r.rank() >= need.rank() && need.rank() > 0 }

// Who is somebody who was let in.
type Who struct {
	Name    string `json:"user"`
	Role    Role   `json:"role"`
	CSRF    string `json:"csrf" doc:"to be sent back as X-CSRF-Token; empty for a token, which no browser sends by itself"`
	Initial bool   `json:"initial_password" doc:"the password is still the one that the first start has printed: change it"`
}

// Options of a Keeper.
type Options struct {
	DB  *database.DB
	Dir string // where initial-admin-password lies
	Now func() time.Time
}

// Keeper keeps users, sessions and tokens. It is safe for concurrent use.
type Keeper struct {
	db    *database.DB
	dir   string
	now   func() time.Time
	from  *Limiter      // log-ins by address
	wrong *Limiter      // wrong passwords by user
	turns chan struct{} // one for each password that is stretched at the same time
}

// stretchers bounds the memory of log-ins: each takes 64 MB while it is checked.
const stretchers = 2

// New returns a keeper.
func New(o Options) *Keeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Keeper{db: o.DB, dir: o.Dir, now: o.Now, from: NewLimiter(1.0/6, 10, o.Now), wrong: NewLimiter(1.0/6, 30, o.Now), turns: make(chan struct{}, stretchers)}
}

const (
	sessionLife = 12 * time.Hour
	tokenLife   = 10 * 365 * 24 * time.Hour
)

// open makes a session or a token.
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
// devices.ErrForbidden if nobody's. A session has the role that its user has
// now, and none when the user is gone.
func (k *Keeper) Check(ctx context.Context, kind, secret string) (Who, error) {
	var w Who
	var role, user string
	err := k.db.QueryRow(ctx, `SELECT k.name, k.role, k.csrf, COALESCE(u.role,''), COALESCE(u.initial,0) FROM api_key k LEFT JOIN app_user u ON u.name=k.name WHERE k.digest=? AND k.kind=? AND k.expires>?`,
		digest(secret), kind, k.now().UnixMilli()).Scan(&w.Name, &role, &w.CSRF, &user, &w.Initial)
	if kind == "session" {
		role = user
	} else {
		w.Initial = false
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && role == "" {
		return Who{}, fmt.Errorf("the %s is unknown or has expired: %w", kind, devices.ErrForbidden)
	}
	if err != nil {
		return Who{}, fmt.Errorf("check a %s: %w", kind, err)
	}
	w.Role = Role(role)
	return w, nil
}

// Sweep deletes sessions and tokens that have expired.
func (k *Keeper) Sweep(ctx context.Context) error {
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_key WHERE expires<=?`, k.now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("delete expired sessions: %w", err)
	}
	return nil
}

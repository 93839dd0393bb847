package auth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Login checks a password and opens a session; its secret goes into a cookie.
// remote is the address that asks. A *TooMany says how long to wait,
// devices.ErrForbidden that name or password is wrong.
func (k *Keeper) Login(ctx context.Context, remote, name, password string) (secret string, w Who, err error) {
	if wait, ok := k.from.Allow(remote); !ok {
		return "", w, &TooMany{"log-ins from " + remote, wait}
	}
	if wait, ok := k.wrong.Ready(name); !ok {
		return "", w, &TooMany{"wrong passwords for " + name, wait}
	}
	u, err := k.verify(ctx, name, password)
	if err != nil {
		return "", w, err
	}
	w = Who{Name: name, Role: u.Role, CSRF: rand.Text(), Initial: u.Initial}
	secret, err = k.open(ctx, "session", w, sessionLife)
	return secret, w, err
}

// verify checks a password.
func (k *Keeper) verify(ctx context.Context, name, password string) (User, error) {
	u := User{Name: name}
	var role, seal string
	err := k.db.QueryRow(ctx, `SELECT role, password, initial FROM app_user WHERE name=?`, name).Scan(&role, &seal, &u.Initial)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return u, fmt.Errorf("log in: %w", err)
	}
	u.Role = Role(role)
	ok, err := k.opens(ctx, password, seal)
	if err != nil {
		return u, fmt.Errorf("log in: %w", err)
	}
	if !ok {
		k.wrong.Allow(name)
		return u, fmt.Errorf("user name or password is wrong: %w", devices.ErrForbidden)
	}
	return u, nil
}

// Logout ends a session.
func (k *Keeper) Logout(ctx context.Context, secret string) error {
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_key WHERE digest=?`, digest(secret))
		return err
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// ChangePassword gives the user of a session a new password. All other sessions
// of the user end.
func (k *Keeper) ChangePassword(ctx context.Context, session, name, old, password string) error {
	if wait, ok := k.wrong.Ready(name); !ok {
		return &TooMany{"wrong passwords for " + name, wait}
	}
	if _, err := k.verify(ctx, name, old); err != nil {
		return err
	}
	return k.newPassword(ctx, name, password, session)
}

// newPassword sets a password and ends the user's sessions but keep.
func (k *Keeper) newPassword(ctx context.Context, name, password, keep string) error {
	if err := checkPassword(name, password); err != nil {
		return err
	}
	seal, err := k.seal(ctx, password)
	if err != nil {
		return fmt.Errorf("password of %s: %w", name, err)
	}
	err = k.db.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE app_user SET password=?, initial=0, changed=? WHERE name=?`, seal, k.now().UnixMilli(), name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM api_key WHERE kind='session' AND name=? AND digest<>?`, name, digest(keep))
		return err
	})
	if err != nil {
		return fmt.Errorf("password of %s: %w", name, err)
	}
	if name == firstUser {
		return k.forgetFirst()
	}
	return nil
}

// forgetFirst removes the file with a password that is good no more.
func (k *Keeper) forgetFirst() error {
	if err := os.Remove(k.firstFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the first password, which is good no more: %w", err)
	}
	return nil
}

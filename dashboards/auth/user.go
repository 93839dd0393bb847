package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// User is somebody who may log in. Instants are Unix ms.
type User struct {
	Name    string `json:"name"`
	Role    Role   `json:"role"`
	Initial bool   `json:"initial_password"`
	Created int64  `json:"-"`
	Changed int64  `json:"-"` // the password
}

const firstUser = "admin"

func (k *Keeper) firstFile() string { return filepath.Join(k.dir, "initial-admin-password") }

// EnsureAdmin makes the user admin on first start, with a random password that
// is returned and written to initial-admin-password (0600); "" when there are
// users already. A file whose password was changed, perhaps through another
// daemon, is removed.
func (k *Keeper) EnsureAdmin(ctx context.Context) (string, error) {
	var users, fresh int
	if err := k.db.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN name=? AND initial=1 THEN 1 ELSE 0 END),0) FROM app_user`, firstUser).Scan(&users, &fresh); err != nil {
		return "", fmt.Errorf("count users: %w", err)
	}
	if users > 0 {
		if fresh == 0 {
			return "", k.forgetFirst()
		}
		return "", nil
	}
	p := rand.Text()
	if err := os.WriteFile(k.firstFile(), []byte(p+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the first password: %w", err)
	}
	return p, k.insert(ctx, User{Name: firstUser, Role: Admin, Initial: true}, p)
}

// AddUser makes a user; devices.ErrConflict when there is one of that name.
func (k *Keeper) AddUser(ctx context.Context, name string, r Role, password string) error {
	if _, err := devices.ParseDeviceID(name); err != nil {
		return fmt.Errorf("user name %q: want 1 to 64 letters, digits and _ . : -: %w", name, devices.ErrInvalid)
	}
	if err := checkPassword(name, password); err != nil {
		return err
	}
	return k.insert(ctx, User{Name: name, Role: r}, password)
}

func (k *Keeper) insert(ctx context.Context, u User, password string) error {
	seal, err := k.seal(ctx, password)
	if err != nil {
		return fmt.Errorf("add user %s: %w", u.Name, err)
	}
	initial := 0
	if u.Initial {
		initial = 1
	}
	err = k.db.Write(ctx, func(tx *database.Tx) error {
		now := k.now().UnixMilli()
		res, err := tx.Exec(ctx, `INSERT INTO app_user (name, role, password, initial, created, changed) VALUES (?,?,?,?,?,?) ON CONFLICT (name) DO NOTHING`, u.Name, string(u.Role), seal, initial, now, now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fmt.Errorf("there is a user of that name: %w", devices.ErrConflict), err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add user %s: %w", u.Name, err)
	}
	return nil
}

// Users is everybody who may log in, by name.
func (k *Keeper) Users(ctx context.Context) ([]User, error) {
	out, err := database.All(ctx, k.db, func(row database.Row) (User, error) {
		var u User
		err := row.Scan(&u.Name, &u.Role, &u.Initial, &u.Created, &u.Changed)
		return u, err
	}, `SELECT name, role, initial, created, changed FROM app_user ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return out, nil
}

// ChangeUser sets a role (not when "") and a password (not when ""), which ends
// the user's sessions. The last admin keeps the role.
func (k *Keeper) ChangeUser(ctx context.Context, name string, r Role, password string) error {
	if password != "" {
		if err := checkPassword(name, password); err != nil {
			return err
		}
	}
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		if r == "" {
			return userExists(ctx, tx, name)
		}
		if err := notLastAdmin(ctx, tx, name, r); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE app_user SET role=? WHERE name=?`, string(r), name)
		return err
	})
	if err != nil {
		return fmt.Errorf("change user %s: %w", name, err)
	}
	if password == "" {
		return nil
	}
	return k.newPassword(ctx, name, password, "")
}

// DeleteUser deletes a user and ends the sessions; never the last admin.
func (k *Keeper) DeleteUser(ctx context.Context, name string) error {
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		if err := notLastAdmin(ctx, tx, name, ""); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM app_user WHERE name=?`, name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM api_key WHERE kind='session' AND name=?`, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete user %s: %w", name, err)
	}
	if name == firstUser {
		return k.forgetFirst()
	}
	return nil
}

// notLastAdmin checks that somebody can still manage users when name has become
// r; devices.ErrNotFound when there is no such user.
func notLastAdmin(ctx context.Context, tx *database.Tx, name string, r Role) error {
	if err := userExists(ctx, tx, name); err != nil || r == Admin {
		return err
	}
	var others int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM app_user WHERE role=? AND name<>?`, string(Admin), name).Scan(&others); err != nil {
		return err
	}
	if others == 0 {
		return fmt.Errorf("%s is the last admin; make another one first: %w", name, devices.ErrConflict)
	}
	return nil
}

func userExists(ctx context.Context, tx *database.Tx, name string) error {
	var one int
	if err := database.Found(tx.QueryRow(ctx, `SELECT 1 FROM app_user WHERE name=?`, name).Scan(&one)); err != nil {
		return fmt.Errorf("no such user: %w", err)
	}
	return nil
}

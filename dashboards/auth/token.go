package auth

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Token is what a program logs in with. Instants are Unix ms.
type Token struct {
	ID      string `json:"id"` // the beginning of the digest: names it, opens nothing
	Name    string `json:"name"`
	Role    Role   `json:"role"`
	Created int64  `json:"-"`
	Expires int64  `json:"-"`
}

// tokenID is how much of a digest names a token.
const tokenID = 16

// NewToken opens a token for a program; it is seen this once. life 0 is ten
// years.
func (k *Keeper) NewToken(ctx context.Context, name string, r Role, life time.Duration) (Token, string, error) {
	if life <= 0 {
		life = tokenLife
	}
	now := k.now()
	secret, err := k.open(ctx, "token", Who{Name: name, Role: r}, life)
	if err != nil {
		return Token{}, "", err
	}
	return Token{ID: digest(secret)[:tokenID], Name: name, Role: r, Created: now.UnixMilli(), Expires: now.Add(life).UnixMilli()}, secret, nil
}

// Tokens is every token that has not expired, the newest first.
func (k *Keeper) Tokens(ctx context.Context) ([]Token, error) {
	out, err := database.All(ctx, k.db, func(row database.Row) (Token, error) {
		var t Token
		err := row.Scan(&t.ID, &t.Name, &t.Role, &t.Created, &t.Expires)
		t.ID = t.ID[:min(tokenID, len(t.ID))]
		return t, err
	}, `SELECT digest, name, role, created, expires FROM api_key WHERE kind='token' AND expires>? ORDER BY created DESC, digest`, k.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// RevokeToken ends a token; devices.ErrNotFound if there is none.
func (k *Keeper) RevokeToken(ctx context.Context, id string) error {
	err := k.db.Write(ctx, func(tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM api_key WHERE kind='token' AND substr(digest,1,16)=?`, id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			err = devices.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke token %s: %w", id, err)
	}
	return nil
}

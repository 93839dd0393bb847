package registry

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// digest is the keyed hash of a device's secret; see deploy/docs/adr/0001.
type digest [sha256.Size]byte

// minSecret is the least length of a device's secret: a keyed hash is good
// enough only for what nobody can guess.
const minSecret = 16

// secretFile reads 32 random bytes, made on first use.
func secretFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	b = make([]byte, 32)
	rand.Read(b)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, fmt.Errorf("write secret: %w", err)
	}
	return b, nil
}

// Verify tells whether password is the device's secret. The secret is random
// and long, so a keyed hash is as good as a slow one and takes a microsecond.
func (r *Registry) Verify(d devices.DeviceID, password []byte) bool {
	var want digest
	ok := false
	r.mu.RLock()
	if i := r.index.find(d); i != 0 {
		want, ok = r.index.at(i).digest, r.index.at(i).secret
	}
	r.mu.RUnlock()
	got := r.digest(d, password)
	return hmac.Equal(got[:], want[:]) && ok
}

func (r *Registry) digest(d devices.DeviceID, password []byte) (out digest) {
	m := hmac.New(sha256.New, r.pepper)
	m.Write([]byte(d))
	m.Write([]byte{0})
	m.Write(password)
	m.Sum(out[:0])
	return out
}

// parseDigest reads what the database keeps: hex.
func parseDigest(s []byte) (*digest, error) {
	var d digest
	if len(s) != hex.EncodedLen(len(d)) {
		return nil, fmt.Errorf("digest of a secret has %d digits: %w", len(s), devices.ErrInvalid)
	}
	if n, err := hex.Decode(d[:], s); err != nil || n != len(d) {
		return nil, fmt.Errorf("digest of a secret: %d of %d bytes: %w", n, len(d), errors.Join(err, devices.ErrInvalid))
	}
	return &d, nil
}

// NewPassword gives the device a new random secret; this is the only time that
// it is seen. devices.ErrNotFound when the census does not have the device.
func (r *Registry) NewPassword(ctx context.Context, by string, d devices.DeviceID) (string, error) {
	p := rand.Text()
	return p, r.SetPassword(ctx, by, d, p)
}

// SetPassword gives the device a secret of at least 16 characters. That it was
// set, and by whom, stands in the history; the secret does not.
func (r *Registry) SetPassword(ctx context.Context, by string, d devices.DeviceID, password string) error {
	if len(password) < minSecret {
		return fmt.Errorf("password of %s: has %d characters, want at least %d random ones: %w", d, len(password), minSecret, devices.ErrInvalid)
	}
	dig, now := r.digest(d, []byte(password)), r.now().UnixMilli()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		if err := head(ctx, tx); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, what, detail) SELECT CAST(? AS BIGINT), CAST(? AS TEXT), id, 'password', '' FROM facility WHERE device=?`, now, by, string(d))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(devices.ErrNotFound, err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO credential (device, digest, at) VALUES (?,?,?) ON CONFLICT (device) DO UPDATE SET digest=excluded.digest, at=excluded.at`, string(d), hex.EncodeToString(dig[:]), now)
		return err
	})
	if err != nil {
		return fmt.Errorf("set password of %s: %w", d, err)
	}
	return r.Refresh(ctx)
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"lamplighter/devices"
)

// The bounds of a person's password, in bytes.
const (
	MinPassword = 10
	MaxPassword = 256
)

// checkPassword tells what is wrong with a new password.
func checkPassword(user, p string) error {
	switch {
	case len(p) < MinPassword || len(p) > MaxPassword:
		return fmt.Errorf("the password has %d bytes, want %d to %d: %w", len(p), MinPassword, MaxPassword, devices.ErrInvalid)
	case strings.EqualFold(p, user):
		return fmt.Errorf("the password is the user's name, want another: %w", devices.ErrInvalid)
	}
	return nil
}

// seal is a password as it is kept: salt$digest.
func (k *Keeper) seal(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	d, err := k.stretch(ctx, password, salt)
	return base64.RawStdEncoding.EncodeToString(salt) + "$" + d, err
}

// opens tells whether password is what was sealed. A seal that is "" takes as
// long as any other: nobody learns from the clock which users there are.
func (k *Keeper) opens(ctx context.Context, password, seal string) (bool, error) {
	salt, want, _ := strings.Cut(seal, "$")
	s, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil || len(s) == 0 {
		s, want = make([]byte, 16), ""
	}
	got, err := k.stretch(ctx, password, s)
	return err == nil && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1, err
}

// stretch is argon2id with the second recommended setting of RFC 9106, 64 MB.
// It waits for its turn until ctx ends.
func (k *Keeper) stretch(ctx context.Context, password string, salt []byte) (string, error) {
	select {
	case k.turns <- struct{}{}:
		defer func() { <-k.turns }()
	case <-ctx.Done():
		return "", fmt.Errorf("too many log-ins at once: %w", ctx.Err())
	}
	return base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(password), salt, 3, 64<<10, 2, 32)), nil
}

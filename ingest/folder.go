package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// dataFolder makes the data folder and says what is in its way: at once, with
// the cure, not when the first message comes. Its parts are looked at where
// they are there already.
func dataFolder(dir string) error {
	if err := usable(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder %s: %w; choose another with --data", dir, err)
	}
	for _, part := range []string{"", "log", "store", "rules"} {
		if err := usable(filepath.Join(dir, part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// usable tells whether we may write into a folder.
func usable(dir string) error {
	const writeAndEnter = 2 | 1 // W_OK | X_OK of access(2)
	switch st, err := os.Stat(dir); {
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("data folder %s: something above it is a file; want folders all the way: choose another with --data", dir)
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case !st.IsDir():
		return fmt.Errorf("data folder %s: it is a file; want a folder: move the file away or choose another folder with --data", dir)
	}
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return fmt.Errorf("data folder %s: user %d may not write into it (%w); give it to that user with chown, or choose another with --data", dir, os.Getuid(), err)
	}
	return nil
}

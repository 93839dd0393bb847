package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FileCursor keeps each partition's cursor in a small file of the data folder.
type FileCursor struct{ Dir string }

func (c FileCursor) path(p int) string {
	return filepath.Join(c.Dir, fmt.Sprintf("store-cursor-%d", p))
}

// Load reads the cursor, 0 if there is none.
func (c FileCursor) Load(_ context.Context, partition int) (uint64, error) {
	b, err := os.ReadFile(c.path(partition))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
}

// Save replaces the file by a whole new one.
func (c FileCursor) Save(_ context.Context, partition int, seq uint64) error {
	tmp := c.path(partition) + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, seq)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, c.path(partition))
}

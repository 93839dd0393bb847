package rules

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Archive keeps the newest snapshot of each partition as a file of one folder.
// It is safe for concurrent use; snapshots are written one at a time.
type Archive struct {
	dir string
	mu  sync.Mutex
}

// OpenArchive returns the archive in dir, which is made if need be.
func OpenArchive(dir string) (*Archive, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of snapshots: %w", err)
	}
	return &Archive{dir: dir}, nil
}

func (a *Archive) file(partition int) string {
	return filepath.Join(a.dir, fmt.Sprintf("rules-%d.snapshot", partition))
}

// save replaces the snapshot of a partition, durably and in one step.
func (a *Archive) save(partition int, z *frozen) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	tmp, err := os.CreateTemp(a.dir, "snapshot.*")
	if err != nil {
		return fmt.Errorf("save snapshot: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	w := bufio.NewWriterSize(tmp, 1<<20)
	err = z.write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), a.file(partition))
	}
	if err == nil {
		err = syncDir(a.dir)
	}
	if err != nil {
		return fmt.Errorf("save snapshot of partition %d: %w", partition, err)
	}
	return nil
}

// load fills e; fs.ErrNotExist when there is no snapshot. One that cannot be
// read is put aside, so that it can be looked at.
func (a *Archive) load(partition int, e *Engine) (seq uint64, err error) {
	f, err := os.Open(a.file(partition))
	if err != nil {
		return 0, fmt.Errorf("load snapshot: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil {
		seq, err = e.restore(f, st.Size())
	}
	if err != nil {
		err = fmt.Errorf("load snapshot of partition %d: %w", partition, err)
		return 0, errors.Join(err, os.Rename(f.Name(), f.Name()+".bad"))
	}
	return seq, nil
}

func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rs/zerolog"

	"lamplighter/ingest/config"
	"lamplighter/ingest/uplog"
)

// pastLog is a log that is read once, from its oldest frame to its newest in the
// order of their walls.
type pastLog interface {
	count() int // of its partitions
	each(ctx context.Context, fn func(*uplog.Frame) error) error
	close()
}

// openPast opens the log of a data folder to read it: from the cluster, from the
// folder, or, when a daemon runs there, from that daemon. It never writes.
func openPast(ctx context.Context, conf *config.Config, data string) (pastLog, error) {
	o := uplog.Options{Dir: filepath.Join(data, "log"), URLs: conf.Log.NATS, MaxBytes: conf.Log.MaxBytes, MaxAge: conf.Log.MaxAge, Log: zerolog.Nop()}
	if len(o.URLs) > 0 {
		return openStill(ctx, o, nil)
	}
	if _, err := os.Stat(o.Dir); err != nil {
		return nil, fmt.Errorf("there is no log in %s; give the data folder of the daemon with --data: %w", data, err)
	}
	lock, err := lockFolder(data)
	if err != nil {
		return nil, err
	}
	if lock != nil {
		return openStill(ctx, o, lock)
	}
	t, err := askLog(data)
	if err != nil {
		return nil, fmt.Errorf("the log in %s is in use by a daemon that does not tell it (%w); run this as the daemon's user, or stop the daemon for a moment", data, err)
	}
	return t, nil
}

// lockFolder keeps daemons out of a data folder until the lock is closed; nil if
// one runs there.
func lockFolder(data string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(data, "lock"), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return lock, nil
	}
	return nil, lock.Close()
}

// stillLog is a log that no daemon of this machine writes.
type stillLog struct {
	log  *uplog.Log
	lock *os.File // held meanwhile; nil with a cluster
}

func openStill(ctx context.Context, o uplog.Options, lock *os.File) (pastLog, error) {
	l, err := uplog.OpenPast(ctx, o)
	if err != nil {
		if lock != nil {
			err = errors.Join(err, lock.Close())
		}
		return nil, err
	}
	return &stillLog{l, lock}, nil
}

func (s *stillLog) count() int { return s.log.Partitions() }

func (s *stillLog) each(ctx context.Context, fn func(*uplog.Frame) error) error {
	return inOrder(ctx, s.log, fn)
}

// inOrder calls fn with every frame of a log in the order of their walls.
func inOrder(ctx context.Context, log *uplog.Log, fn func(*uplog.Frame) error) error {
	enough := errors.New("enough")
	n := log.Partitions()
	heads, next, broke := make([]*uplog.Frame, n), make([]func() (*uplog.Frame, bool), n), make([]error, n)
	for p := range n {
		pull, stop := iter.Pull(func(yield func(*uplog.Frame) bool) {
			broke[p] = log.Past(ctx, p, func(f *uplog.Frame) error {
				if !yield(f) {
					return enough
				}
				return nil
			})
		})
		defer stop()
		next[p] = pull
		heads[p], _ = pull()
	}
	for {
		first := -1
		for p, f := range heads {
			if broke[p] != nil {
				return broke[p]
			}
			if f != nil && (first < 0 || f.Wall < heads[first].Wall) {
				first = p
			}
		}
		if first < 0 {
			return nil
		}
		if err := fn(heads[first]); err != nil {
			return err
		}
		heads[first], _ = next[first]()
	}
}

func (s *stillLog) close() {
	s.log.Close()
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

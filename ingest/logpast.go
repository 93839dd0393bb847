package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rs/zerolog"

	"lamplighter/ingest/config"
	"lamplighter/ingest/uplog"
)

// pastLog is a log that is read from its oldest frame to its newest, once.
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
	lock, err := os.OpenFile(filepath.Join(data, "lock"), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return openStill(ctx, o, lock)
	}
	_ = lock.Close()
	t, err := askLog(data)
	if err != nil {
		return nil, fmt.Errorf("the log in %s is in use by a daemon that does not tell it (%w); run this as the daemon's user, or stop the daemon for a moment", data, err)
	}
	return t, nil
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
	for p := range s.log.Partitions() {
		if err := s.log.Past(ctx, p, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *stillLog) close() {
	s.log.Close()
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// asBatch puts all threads of the process, and with them those they will start,
// under SCHED_BATCH: the same share of the processor, but a thread that wakes up
// does not push another one aside. A pipeline that gathers work anyway loses
// nothing by that, and a broker or a database on the same machine gains: see
// deploy/docs/performance.md.
func asBatch() error {
	for known := -1; ; {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("scheduling: %w", err)
		}
		if len(threads) == known {
			return nil // none has begun meanwhile
		}
		known = len(threads)
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return fmt.Errorf("scheduling: thread %q: %w", t.Name(), err)
			}
			a, err := unix.SchedGetAttr(id, 0)
			if err == nil {
				a.Policy = unix.SCHED_BATCH
				err = unix.SchedSetAttr(id, a, 0)
			}
			if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended
				return fmt.Errorf("scheduling of thread %d: %w", id, err)
			}
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// policies are how the threads of a process are scheduled, by their niceness.
func policies(t *testing.T, pid int) map[string]int {
	t.Helper()
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		t.Fatalf("threads of %d: %v", pid, err)
	}
	of := make(map[string]int)
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])) // from field 3, see proc(5)
		of[fmt.Sprintf("policy %s nice %s", f[41-3], f[19-3])]++
	}
	return of
}

func TestTheDaemonPushesNobodyAsideAndItsStoreYields(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	nice := 20 - own // the kernel's own call answers like that
	var store int
	d.eventually("the store runs", func() bool { store, err = d.storePID(); return err == nil })
	batch := func(nice int) string { return fmt.Sprintf("policy %d nice %d", unix.SCHED_BATCH, nice) }
	yields := batch(min(19, nice+10))
	if of := policies(t, store); len(of) != 1 || of[yields] == 0 {
		t.Errorf("threads of the store %v, want all of %s", of, yields)
	}
	of := policies(t, d.cmd.Process.Pid)
	delete(of, yields) // the thread that started the store
	if len(of) != 1 || of[batch(nice)] == 0 {
		t.Errorf("threads %v, want all of %s", of, batch(nice))
	}
}

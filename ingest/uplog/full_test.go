package uplog

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFullLogGivesUpWhatAllHaveConsumedAndNothingElse(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Partitions: 1, MaxBytes: 16 << 20})
	g := newLedger()
	n := g.untilFull(t, l)
	if full, why := l.Health(); !full || !strings.Contains(why, "holds its 16 MiB") {
		t.Fatalf("full %v, %q", full, why)
	}
	first, last, err := l.Bounds(0)
	if err != nil || first != 1 {
		t.Fatalf("frames %d to %d, %v: something was given up that nobody has consumed", first, last, err)
	}
	l.Passed(0, last)
	eventually(t, "every pending record is taken", func() bool { return g.count() == n })
	eventually(t, "healthy again", func() bool { full, _ := l.Health(); return !full })
	if now, _, _ := l.Bounds(0); now <= first || now > last+1 {
		t.Fatalf("the oldest frame is %d after %d were passed", now, last)
	}
}

// tinyDisk mounts 48 MB with so much of it taken; free gives that back.
func tinyDisk(t *testing.T, taken int) (dir string, free func()) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); err != nil {
		if os.Getenv("LAMPLIGHTER_TEST_ALL") == "1" {
			t.Fatalf("mount a tiny disk: %v", err)
		}
		t.Skipf("mount a tiny disk: %v (needs root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, taken), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

func exactlyOnce(t *testing.T, l *Log, n int) {
	t.Helper()
	seen := make(map[int]int)
	for _, i := range numbers(t, l, 0) {
		seen[i]++
	}
	for i := range n {
		if seen[i] != 1 {
			t.Fatalf("record %d of %d is there %d times", i, n, seen[i])
		}
	}
}

func TestDiskNearlyFullStopsTheAcksUntilThereIsRoom(t *testing.T) {
	dir, free := tinyDisk(t, 20<<20)
	l := open(t, Options{Dir: dir, Partitions: 1, ReserveBytes: 16 << 20})
	g := newLedger()
	n := g.untilFull(t, l)
	if full, why := l.Health(); !full || !strings.Contains(why, "kept in reserve") {
		t.Fatalf("full %v, %q", full, why)
	}
	if k := l.link.Load(); k.off() || k.failed.err() != nil {
		t.Fatal("JetStream met the end of the disk")
	}
	free()
	eventually(t, "every pending record is taken", func() bool { return g.count() == n })
	exactlyOnce(t, l, n)
}

func TestServerThatRanIntoTheEndOfTheDiskIsStartedAnew(t *testing.T) {
	dir, free := tinyDisk(t, 30<<20)
	l := open(t, Options{Dir: dir, Partitions: 1, ReserveBytes: 1}) // no warning
	g := newLedger()
	n := g.untilFull(t, l)
	if full, _ := l.Health(); !full {
		t.Fatal("calls itself healthy")
	}
	free()
	eventually(t, "every pending record is taken", func() bool { return g.count() == n })
	exactlyOnce(t, l, n)
	if value(t, l.m.restarts) == 0 {
		t.Error("the server got by without a restart: the test did not reach the end of the disk")
	}
}

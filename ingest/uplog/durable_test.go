package uplog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// childDir tells the test binary to be the process that is killed.
const childDir = "LAMPLIGHTER_UPLOG_CHILD"

// appendUntilKilled appends numbered records from 4 goroutines and prints the
// number of each that is acknowledged.
func appendUntilKilled(dir string, first int) error {
	l, err := Open(context.Background(), Options{Dir: dir, Partitions: 2})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	next := first
	for {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 1000 {
					mu.Lock()
					n := next
					next++
					mu.Unlock()
					_ = l.Append(context.Background(), n%2, uplink(n), ackFunc(func(_ uint16, err error) {
						if err == nil {
							fmt.Println(n) // one write: a line is there whole or not at all
						}
					}))
				}
			})
		}
		wg.Wait()
	}
}

func TestKill9LosesNothingThatWasAcked(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		first, _ := strconv.Atoi(os.Getenv(childDir + "_FIRST"))
		t.Fatal(appendUntilKilled(dir, first))
	}
	dir := t.TempDir()
	acked, highest := make(map[int]bool), 0
	for round := range 10 {
		out := runAndKill(t, dir, highest+1_000_000, 100+rand.IntN(400))
		if len(out) == 0 {
			t.Fatalf("round %d: nothing was acknowledged", round)
		}
		for _, n := range out {
			acked[n] = true
			highest = max(highest, n)
		}
	}
	l := open(t, Options{Dir: dir})
	got := make(map[int]int)
	for p := range l.Partitions() {
		for _, n := range numbers(t, l, p) {
			got[n]++
		}
	}
	for n := range acked {
		if got[n] != 1 {
			t.Fatalf("record %d was acknowledged and is there %d times", n, got[n])
		}
	}
	t.Logf("%d records acknowledged, %d in the log", len(acked), len(got))
}

// runAndKill runs the child until ms after its first ack, and returns its acks.
func runAndKill(t *testing.T, dir string, first, ms int) []int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill9LosesNothingThatWasAcked$")
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_FIRST="+strconv.Itoa(first))
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	guard := time.AfterFunc(time.Minute, kill)
	defer guard.Stop()
	var acked []int
	for in := bufio.NewScanner(pipe); in.Scan(); {
		if n, err := strconv.Atoi(in.Text()); err == nil {
			if acked == nil {
				time.AfterFunc(time.Duration(ms)*time.Millisecond, kill)
			}
			acked = append(acked, n)
		}
	}
	_ = cmd.Wait()
	return acked
}

// numbers are the records of a partition that are there now.
func numbers(t testing.TB, l *Log, p int) []int {
	t.Helper()
	_, last, err := l.Bounds(p)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = l.Read(ctx, p, 0, func(f *Frame) error {
		for r := range f.Records() {
			got = append(got, number(r))
		}
		if f.Seq >= last {
			return enough
		}
		return nil
	})
	if last > 0 && !errors.Is(err, enough) {
		t.Fatalf("read partition %d: %v", p, err)
	}
	return got
}

func number(r *Record) (n int) {
	if _, err := fmt.Sscanf(string(r.Uplink.Payload), `{"seq":%d}`, &n); err != nil {
		return -1
	}
	return n
}

// ledger remembers which records were acknowledged.
type ledger struct {
	mu    sync.Mutex
	acked map[int]bool
}

func newLedger() *ledger { return &ledger{acked: make(map[int]bool)} }

func (g *ledger) append(ctx context.Context, l *Log, n, size int) error {
	r := uplink(n)
	r.Uplink.Payload = append(r.Uplink.Payload, strings.Repeat(" ", size)...)
	return l.Append(ctx, 0, r, ackFunc(func(_ uint16, err error) {
		if err == nil {
			g.mu.Lock()
			g.acked[n] = true
			g.mu.Unlock()
		}
	}))
}

func (g *ledger) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.acked)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}

// untilFull appends until Append blocks, and returns how many were taken.
func (g *ledger) untilFull(t *testing.T, l *Log) (n int) {
	t.Helper()
	for ; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := g.append(ctx, l, n, 8000)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lamplighter/simulators/fleet"
	recording "lamplighter/simulators/record"
	"lamplighter/simulators/score"
)

// recorded writes a recording into a folder and returns the file.
func recorded(t testing.TB, dir string, last time.Duration, o fleet.Options) string {
	t.Helper()
	o.Start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	o.Intervals = fleet.Intervals{Cover: 30 * time.Minute, Lamp: 15 * time.Minute, Bridge: time.Minute}
	file := filepath.Join(dir, "city.tape")
	var outs [3]*os.File
	for i, name := range []string{file, filepath.Join(dir, "city.census.csv"), filepath.Join(dir, "city.truth.jsonl")} {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		outs[i] = f
	}
	if err := recording.Record(t.Context(), recording.Options{City: o, Last: last}, recording.Outputs{Tape: outs[0], Census: outs[1], Truth: outs[2]}); err != nil {
		t.Fatal(err)
	}
	return file
}

// lively is a small city in which two days bring what a year brings else.
func lively(seed uint64) fleet.Options {
	return fleet.Options{Seed: seed, Manholes: 60, Streetlights: 138, Bridges: 2, Pace: 300, Trouble: 120}
}

// replayed runs rules replay over a recording and returns the tickets.
func replayed(t testing.TB, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := run(context.Background(), append([]string{"rules", "replay", "--tickets", "-", "--in"}, args...), nil, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func scored(t testing.TB, file string, tickets []byte, end time.Time) *score.Report {
	t.Helper()
	f, err := os.Open(strings.TrimSuffix(file, ".tape") + ".truth.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	truth, err := score.ReadTruth(f)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := score.ReadTickets(bytes.NewReader(tickets))
	if err != nil {
		t.Fatal(err)
	}
	return score.Compare(truth, ts, end)
}

// whose is the facilities and defects of tickets, in order.
func whose(t testing.TB, tickets []byte) string {
	t.Helper()
	ts, err := score.ReadTickets(bytes.NewReader(tickets))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range ts {
		out = append(out, x.Facility+" "+x.Defect)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestTwoDaysOfASmallCity records two days of 200 facilities, judges them by the
// default rules and holds the tickets against what really happened.
func TestTwoDaysOfASmallCity(t *testing.T) {
	t.Parallel()
	const last = 48 * time.Hour
	one, two := recorded(t, t.TempDir(), last, lively(7)), recorded(t, t.TempDir(), last, lively(7))
	a, errA := os.ReadFile(one)
	b, errB := os.ReadFile(two)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Fatalf("the same seed made two recordings, of %d and %d bytes (%v, %v)", len(a), len(b), errA, errB)
	}
	tickets := replayed(t, one)
	if again := replayed(t, one); !bytes.Equal(tickets, again) {
		t.Error("the same recording made other tickets when it was judged again")
	}
	for _, n := range []string{"1", "5"} {
		if other := replayed(t, one, "--partitions", n); whose(t, other) != whose(t, tickets) { // at other moments within a second
			t.Errorf("%s partitions made other tickets", n)
		}
	}
	if other := replayed(t, one, "--census", strings.TrimSuffix(one, ".tape")+".census.csv"); !bytes.Equal(tickets, other) {
		t.Error("the census beside the recording made other tickets")
	}
	r := scored(t, one, tickets, time.Date(2026, 6, 3, 0, 0, 0, 0, time.UTC))
	var table strings.Builder
	if err := r.Write(&table, 50); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	if r.Total.Recall < 0.99 || r.Total.Precision < 0.98 || r.Total.Duplicates > 0 {
		t.Errorf("recall %.3f, precision %.3f, %d duplicates\n%s", r.Total.Recall, r.Total.Precision, r.Total.Duplicates, table.String())
	}
	for _, s := range r.Defects {
		if s.Defect == "comm_lost" && s.Truths < 15 || s.Defect == "cover_displaced" && s.Truths < 5 || s.Defect == "circuit_silent" && s.Truths == 0 {
			t.Errorf("only %d of %s happened: nothing to judge by", s.Truths, s.Defect)
		}
	}
}

func TestADamagedRecordingIsToldWithItsPlace(t *testing.T) {
	dir := t.TempDir()
	file := recorded(t, dir, time.Hour, lively(1))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[string][]byte{
		fmt.Sprintf("the file ends at byte %d", len(whole)-10): whole[:len(whole)-10],
		"want \"LMPT\"": []byte("id,kind,name,component,lon,lat"),
	} {
		bad := filepath.Join(dir, "bad.tape")
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := run(t.Context(), []string{"rules", "replay", "--in", bad, "--tickets", "-"}, nil, &out)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), bad) || out.Len() > 0 {
			t.Errorf("%v, want %q and the file; %d bytes of tickets", err, want, out.Len())
		}
	}
}

// BenchmarkMonth is a month of 20,000 facilities, written, judged by the default
// rules and held against what happened; LAMPLIGHTER_SEED is the city's (default
// 1), and 2.3 GB of disk are needed. With -benchtime 1x.
func BenchmarkMonth(b *testing.B) {
	seed := uint64(1)
	if s := os.Getenv("LAMPLIGHTER_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		began := time.Now()
		file := recorded(b, b.TempDir(), 30*24*time.Hour, fleet.Options{Seed: seed, Manholes: 6000, Streetlights: 13990, Bridges: 10})
		b.ReportMetric(time.Since(began).Seconds(), "s/record")
		began = time.Now()
		tickets := replayed(b, file)
		b.ReportMetric(time.Since(began).Seconds(), "s/replay")
		r := scored(b, file, tickets, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
		if err := r.Write(os.Stdout, 50); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(r.Total.Recall, "recall")
		b.ReportMetric(r.Total.Precision, "precision")
	}
}

// TestTheExampleOfReplays runs the commands of deploy/docs/replay.md.
func TestTheExampleOfReplays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../deploy/docs/replay.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```\n")
	example, _, _ = strings.Cut(example, "```\n")
	dir := t.TempDir()
	simulators := filepath.Join(dir, "simulators")
	if out, err := exec.Command("go", "build", "-o", simulators, "../simulators").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	programs := map[string]string{"./simulators": simulators, "./ingest": os.Args[0]}
	ran, last := 0, ""
	for line := range strings.Lines(example) {
		w := strings.Fields(line) // go run PROGRAM ARGS…
		cmd := exec.Command(programs[w[2]], w[3:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), beDaemon+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s%v: %s", line, err, out)
		}
		ran, last = ran+1, string(out)
	}
	if ran != 3 || !strings.Contains(last, "cover_displaced") {
		t.Errorf("%d commands ran, the last says %q", ran, last)
	}
}

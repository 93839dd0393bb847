package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// command runs a command line to its end.
func command(t *testing.T, args ...string) string {
	t.Helper()
	var out, progress bytes.Buffer
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, progress.String())
	}
	return out.String()
}

// TestEveryCensusCanBeImported takes the files into a real census.
func TestEveryCensusCanBeImported(t *testing.T) {
	dir := t.TempDir()
	for name, x := range map[string]struct {
		args []string
		want int
	}{
		"plain":     {[]string{"--manholes=70", "--streetlights=65", "--bridges=3", "--meters"}, 70 + 65 + 3 + 4},
		"passwords": {[]string{"--manholes=5", "--streetlights=5", "--bridges=1", "--passwords"}, 11},
		"gateway":   {[]string{"--manholes=5", "--streetlights=5", "--bridges=1", "--gateway=GW-1", "--passwords"}, 12},
		"load":      {nil, 20_000},
	} {
		file := filepath.Join(dir, name+".csv")
		args := append(x.args, "--census="+file)
		if x.args == nil {
			args = []string{"load", "census", "--facilities=20000", file}
		}
		command(t, args...)
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		db, err := database.Open(t.Context(), "sqlite://"+filepath.Join(dir, name+".db"))
		if err != nil {
			t.Fatal(err)
		}
		census, err := registry.Open(t.Context(), db, registry.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := census.ImportCSV(t.Context(), "test", f); n != int64(x.want) || err != nil {
			t.Errorf("%s: imported %d, want %d: %v", name, n, x.want, err)
		}
		if name == "plain" {
			if br, err := census.Facility(t.Context(), "BR-001"); err != nil || br.Limits["displacement_mm"] != 40 || len(br.Component) != 16 || br.Area.Level().String() != "community" {
				t.Errorf("%+v, %v", br, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMistakesAreAnsweredWithTheCure(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, []byte("device,secret\nMH-00001,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"want id and password": {"--credentials", empty},
		"want tcp://host:port": {"load", "--broker=mqtt.example.org", "--count=1"},
		"connect to":           {"--broker=tcp://127.0.0.1:1"},
		"room for 65535":       {"load", "--in-flight=70000"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var out bytes.Buffer
		if err := run(ctx, args, &out, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", args, err, want)
		}
		cancel()
	}
}

// TestScoreFailsWhereTooLittleIsFound scores a recording against no tickets, and
// against those that its truth asks for.
func TestScoreFailsWhereTooLittleIsFound(t *testing.T) {
	dir := t.TempDir()
	said := command(t, "record", "--out="+filepath.Join(dir, "city.tape"), "--days=0.5", "--manholes=40", "--streetlights=80", "--bridges=1", "--pace=500", "--trouble=200")
	if !strings.Contains(said, "city.census.csv") || !strings.Contains(said, "records") {
		t.Errorf("record says %q", said)
	}
	truth, tickets := filepath.Join(dir, "city.truth.jsonl"), filepath.Join(dir, "tickets.jsonl")
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.NewReplacer(`"from"`, `"opened_at"`, `"to"`, `"closed_at"`).Replace(string(text))
	for want, x := range map[string]struct {
		tickets string
		args    []string
	}{
		"is below 0.5: ":        {"", []string{"--min-recall=0.5"}},
		"tickets are duplicate": {all + all, []string{"--min-precision=0.5"}},
		"stand for nothing":     {strings.ReplaceAll(all, `"MH-`, `"MX-`), []string{"--min-precision=0.9"}},
		"":                      {all, []string{"--min-recall=1", "--min-precision=1", "--json"}},
	} {
		if err := os.WriteFile(tickets, []byte(x.tickets), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"score", "--truth=" + truth, "--tickets=" + tickets}, x.args...), &out, &out)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v, want %q\n%s", x.args, err, want, out.String())
		}
	}
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHealthSaysHowManyAreNotJudgedByTheSun: of five lamps two have no place, nor
// has what they hang on. That is no trouble of the daemon's.
func TestHealthSaysHowManyAreNotJudgedByTheSun(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(data, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	lamps := write("lamps.csv", "id,kind,cabinet,circuit,lon,lat\nSL-1,streetlight,CAB-1,C1,,\nSL-2,streetlight,CAB-2,C1,,\nSL-3,streetlight,,,,\nSL-4,streetlight,,,119.3,26.1\nCAB-1,streetlight,,,119.3,26.1\n")
	rules := write("sun.yml", "groups: [{kind: streetlight, rules: [{name: lamp_dark, when: lamp_failure, schedule: night, severity: minor, summary: {zh: 灯不亮, en: Lamp out}}]}]\n")
	first := &daemon{t: t, data: data}
	first.tool("devices", "import", lamps, "--data", data)
	d := newDaemonIn(t, data, fmt.Sprintf("log: {partitions: 2}\nrules: {files: [%s]}\n", rules))
	d.eventually("a health that counts them", func() bool {
		var h struct{ Parts []struct{ Sunless int } }
		if !d.get("summary", &h) {
			return false
		}
		n := 0
		for _, p := range h.Parts {
			n += p.Sunless
		}
		return n == 2
	})
	if ok, body := d.healthy(); !ok {
		t.Errorf("that is trouble: %s", body)
	}
	var who struct{ Items []struct{ ID string } }
	if !d.get("facilities?sunless=true", &who) || fmt.Sprint(who.Items) != "[{SL-2} {SL-3}]" {
		t.Errorf("%v, want SL-2 and SL-3", who.Items)
	}
	r, err := http.Get("http://" + d.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || !strings.Contains(string(text), "\nlamplighter_facilities_sunless 2\n") {
		t.Errorf("lamplighter_facilities_sunless is not 2 in the metrics (%v)", err)
	}
}

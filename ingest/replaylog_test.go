package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
	"lamplighter/rules/replay"
	"lamplighter/rules/tickets"
)

const stricter = `groups:
  - kind: manhole
    rules:
      - name: cover_displaced
        when: tilt_deg > 10 && !cover_open
        for: 1s
        severity: major
        summary: {zh: 井盖移位, en: Cover displaced}
`

// compared runs rules replay beside or after a daemon and returns the facilities
// by what became of their tickets.
func compared(t *testing.T, d *daemon, args ...string) (same int, onlyWas, onlyWould string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"rules", "replay", "--json", "--config", filepath.Join(d.data, "conf.yml"), "--data", d.data}, args...)...)
	cmd.Env = append(os.Environ(), beDaemon+"=1")
	var says strings.Builder
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, says.String())
	}
	var x replay.Difference
	if err := json.Unmarshal(out, &x); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names := func(ts []*replay.Ticket) string {
		var all []string
		for _, t := range ts {
			all = append(all, string(t.Facility)+" "+t.Defect)
		}
		return strings.Join(all, ", ")
	}
	return x.Same, names(x.OnlyWas), names(x.OnlyNew)
}

// tellsOfYesterday has a cover tell that it was displaced for ten minutes a day ago.
func (d *daemon) tellsOfYesterday(t *testing.T, device string) {
	t.Helper()
	buffer := []string{}
	for m := range 30 {
		tilt := 1
		if m >= 10 && m < 20 {
			tilt = 50
		}
		buffer = append(buffer, fmt.Sprintf(`{"clk":"sync","ts":%d,"tilt_deg":%d,"cover_open":false}`, time.Now().Add(-24*time.Hour+time.Duration(m)*time.Minute).UnixMilli(), tilt))
	}
	tok := d.connect(device).Publish("f/1/"+device+"/telemetry", 1, false, "["+strings.Join(buffer, ",")+"]")
	if !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatalf("the buffer is not acknowledged: %v", tok.Error())
	}
}

// A window counts from when it was made, in the partitions whose frames do not tell
// of it, whatever instant it bears.
func TestWindowsThatStoodBeforeALog(t *testing.T) {
	ws := []tickets.ListedWindow{
		{Window: rules.Window{ID: "A", Rule: "r", From: 10, To: 900}, MadeAt: 100},
		{Window: rules.Window{ID: "B", Rule: "r", From: 500, To: 900}, MadeAt: 200},
	}
	made, err := windowItems(ws)
	if err != nil {
		t.Fatal(err)
	}
	for begin, want := range map[int64]string{50: "", 150: "A 100 ", 201: "A 100 B 500 "} {
		got := ""
		for _, it := range standing(ws, made, begin) {
			var w rules.Window
			if err := json.Unmarshal(it.Control, &w); err != nil || it.Type != devices.ItemWindow {
				t.Fatalf("%+v: %v", it, err)
			}
			got += fmt.Sprint(w.ID, " ", w.From, " ")
		}
		if got != want {
			t.Errorf("before %d stood %q, want %q", begin, got, want)
		}
	}
}

// TestANewRuleIsTriedOnTheLogBeforeItIsSwitchedOn asks what stricter rules would
// have opened, while the daemon runs and after it has ended.
func TestANewRuleIsTriedOnTheLogBeforeItIsSwitchedOn(t *testing.T) {
	t.Parallel()
	devicestest.NeedBinary(t, "mosquitto_pub")
	d := newDaemon(t)
	host, port, err := net.SplitHostPort(d.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	for device, payload := range map[string]string{"MH-1": `{"tilt_deg":33.5,"cover_open":true}`, "MH-2": `{"tilt_deg":12.5,"cover_open":false}`} {
		if out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-q", "1", "-t", "f/1/"+device+"/telemetry", "-m", payload).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	var ts ticketList
	d.eventually("one ticket", func() bool { return d.get("tickets", &ts) && len(ts.Items) == 1 })
	file := filepath.Join(t.TempDir(), "stricter.yml")
	if err := os.WriteFile(file, []byte(stricter), 0o600); err != nil {
		t.Fatal(err)
	}
	var was, would string
	d.eventually("the stricter rule's ticket", func() bool {
		_, was, would = compared(t, d, "--rules", file)
		return would != ""
	})
	if was != "MH-1 cover_displaced" || would != "MH-2 cover_displaced" {
		t.Errorf("beside the daemon: only was %q, only would be %q", was, would)
	}
	if same, was, would := compared(t, d); same != 1 || was+would != "" {
		t.Errorf("the rules that judged: %d the same, only was %q, only would be %q", same, was, would)
	}
	d.tellsOfYesterday(t, "MH-3")
	d.eventually("the historic ticket", func() bool { return d.get("tickets?historic=true", &ts) && len(ts.Items) == 1 })
	from := time.Now().Add(-48 * time.Hour).UTC().Format(time.RFC3339)
	d.eventually("the same of what was over before the log began", func() bool {
		same, was, would := compared(t, d, "--from", from)
		return same == 2 && was+would == ""
	})
	d.end(syscall.SIGTERM)
	if _, was, would := compared(t, d, "--rules", file); was != "MH-1 cover_displaced" || would != "MH-2 cover_displaced" {
		t.Errorf("after the daemon: only was %q, only would be %q", was, would)
	}
	cmd := exec.Command(os.Args[0], "rules", "replay", "--data", d.data, "--to", "2020-01-02")
	cmd.Env = append(os.Environ(), beDaemon+"=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "has nothing before 2020-01-02 00:00:00") {
		t.Errorf("a day before the log: %v: %s", err, out)
	}
	d.start() // for newDaemon to end it
	if n := len(factsOf(t, filepath.Join(d.data, "lamplighter.db"), `SELECT facility, opened_at, closed_at FROM ticket`)); n == 0 {
		t.Error("the daemon has lost its tickets")
	}
}

func TestWhatClosesAfterTheEndOfAReplayWasOpen(t *testing.T) {
	for closed, want := range map[int64]bool{0: false, 50: true, 100: false, 150: false} {
		if x := were([]tickets.Ticket{{OpenedAt: 10, ClosedAt: closed}}, time.UnixMilli(100)); (x[0].ClosedAt != nil) != want {
			t.Errorf("closed at %d: %+v", closed, x[0])
		}
	}
	if x := were([]tickets.Ticket{{OpenedAt: 10, ClosedAt: 150, Historic: true}}, time.UnixMilli(100)); x[0].ClosedAt == nil {
		t.Error("what is history was over before it was told")
	}
}

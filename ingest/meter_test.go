package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestACircuitIsNoBetterThanItsTicket: the lamps of a circuit fail while its meter
// is well. Its page, the list by state and the counts all say that it is faulty,
// and that it is well again when the ticket has closed.
func TestACircuitIsNoBetterThanItsTicket(t *testing.T) {
	t.Parallel()
	b := newOtherBroker(t)
	data := t.TempDir()
	rules, census := filepath.Join(data, "dark.yml"), filepath.Join(data, "lamps.csv")
	const circuitDark = `      - {name: circuit_dark, collapse: {of: lamp_out, by: circuit, share: 0.6, at_least: 3}, severity: critical, summary: {zh: 回路断电, en: Circuit dark}}` + "\n"
	for file, text := range map[string]string{
		rules:  strings.Replace(darkRules, "for: 20s", "for: 1s", 1) + circuitDark,
		census: "id,kind,cabinet,circuit,device\nSL-1,streetlight,CAB,C1,\nSL-2,streetlight,CAB,C1,\nSL-3,streetlight,CAB,C1,\nSL-4,streetlight,CAB,C2,\nCAB:C1,streetlight,CAB,C1,METER-1\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	(&daemon{t: t, data: data}).tool("devices", "import", census, "--data", data)
	d := newDaemonIn(t, data, fmt.Sprintf("rules: {files: [%s]}\nmqtt: {brokers: ['tcp://%s']}\n", rules, b.addr))
	gateway := b.device("gateway")
	say := func(failed bool) {
		for _, id := range []string{"SL-1", "SL-2", "SL-3", "SL-4", "METER-1"} {
			tok := gateway.Publish("f/1/"+id+"/telemetry", 1, false, fmt.Sprintf(`{"ts":%d,"lamp_failure":%v}`, time.Now().UnixMilli(), failed && id != "SL-4" && id != "METER-1"))
			if !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
				t.Fatal(tok.Error())
			}
		}
	}
	// all is what page, list and counts say of the circuit: "" if they differ.
	all := func() string {
		state, _ := d.standing("CAB:C1")
		var list struct{ Items []struct{ ID string } }
		var sum struct {
			Kinds map[string]struct{ OK, Faulty, Unknown, Maintenance int }
		}
		if !d.get("facilities?q=CAB:C1&state="+state, &list) || !d.get("summary", &sum) {
			return ""
		}
		n := sum.Kinds["streetlight"]
		switch {
		case len(list.Items) != 1:
		case state == "ok" && n.OK == 5, state == "faulty" && n.Faulty == 4 && n.OK == 1: // with its three lamps
			return state
		}
		return ""
	}
	d.eventually("everything to be well", func() bool { say(false); return all() == "ok" })
	d.eventually("the circuit to be as its ticket says", func() bool { say(true); return all() == "faulty" })
	if got := d.openDefects(); got != "CAB:C1 circuit_dark" {
		t.Errorf("open: %s", got)
	}
	d.eventually("everything to be well again", func() bool { say(false); return all() == "ok" })
}

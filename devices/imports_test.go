package devices_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsRunOneWay: rules/lighting stands above rules/tickets, for it opens
// tickets on areas; it writes its facts where tickets.Desk lets it, as a Ledger.
//
// It holds the tree against the way of a reading: each
// package may import those that stand after it, and nothing else of ours.
func TestImportsRunOneWay(t *testing.T) {
	order := []string{"ingest", "dashboards", "dashboards/auth", "rules/pager", "rules/lighting", "rules/tickets", "rules", "rules/strict", "devices/registry", "devices/codec", "devices/database", "devices"}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "lamplighter/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	rank := func(p string) int {
		for i, o := range order {
			if p == "lamplighter/"+o {
				return i
			}
		}
		return -1
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		for _, imp := range f[1:] {
			from, to := rank(f[0]), rank(imp)
			if from >= 0 && to >= 0 && to <= from {
				t.Errorf("%s imports %s: against the way of a reading", f[0], imp)
			}
			stage := strings.HasPrefix(f[0], "lamplighter/ingest/")
			if stage && (strings.HasPrefix(imp, "lamplighter/rules") || strings.HasPrefix(imp, "lamplighter/dashboards")) {
				t.Errorf("%s imports %s: a stage of the way in knows neither rules nor dashboards", f[0], imp)
			}
			if strings.HasPrefix(imp, "lamplighter/ingest/store") && f[0] != "lamplighter/ingest" {
				t.Errorf("%s imports the store; declare what it needs instead", f[0])
			}
		}
	}
}

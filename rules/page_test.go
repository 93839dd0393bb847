package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lamplighter/devices"
)

// TestEveryShippedRuleStandsOnThePage: in the tables of deploy/docs/rules.md, those
// of deploy/rules beside their file. README and the example configuration say that
// there are such files.
func TestEveryShippedRuleStandsOnThePage(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, page, _ := strings.Cut(read("../deploy/docs/rules.md"), "\n## What is built in")
	page, _, _ = strings.Cut(page, "\n## ")
	// stands wants each rule of a file in a row of the table that begins so.
	stands := func(file, row string, but *Set, paths ...string) *Set {
		t.Helper()
		ss, err := Sources(paths)
		if err != nil {
			t.Fatal(err)
		}
		set, err := Parse(Bundle("", ss), tell(t).dict)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
			for _, r := range set.Rules(k) {
				found := but != nil && but.find(k, r.Name) != nil
				for line := range strings.Lines(page) {
					found = found || strings.HasPrefix(line, row) && strings.Contains(line, "`"+r.Name+"`")
				}
				if !found {
					t.Errorf("%s of %s stands in no row that begins with %s", r.Name, file, row)
				}
			}
		}
		return set
	}
	builtIn := stands("default.yml", "| `", nil, Builtin)
	files, err := listed("../deploy/rules", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		stands(f, "| `"+filepath.Base(f)+"`: ", builtIn, Builtin, f)
	}
	for _, name := range []string{"../README.md", "../deploy/lamplighter.example.yml"} {
		if !strings.Contains(read(name), "[default, deploy/rules]") {
			t.Errorf("%s says nothing of deploy/rules", name)
		}
	}
}

package rules

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lamplighter/devices"
)

var wanted = regexp.MustCompile(`(?m)^# want: (.*)\n`)

// Every file in testdata/bad is named after its mistake and says in its first
// lines what people are told: all of it, and nothing else.
func TestEveryMistakeIsNamedWithItsPlaceAndCure(t *testing.T) {
	s := tell(t)
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d bad files (%v)", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, m := range wanted.FindAllStringSubmatch(string(text), -1) {
			want = append(want, m[1])
		}
		name := filepath.Base(f)
		_, err = Parse(Bundle("", []Source{{name, text}}), s.dict)
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		if !errors.Is(err, devices.ErrInvalid) {
			t.Errorf("%s: %v is not invalid input", name, err)
		}
		if got := strings.ReplaceAll(err.Error(), name+":", ""); got != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, strings.Join(want, "\n"))
		}
	}
}

func TestSeveralFilesAreOneSetAndKeepTheirPlaces(t *testing.T) {
	s := tell(t)
	dir := t.TempDir()
	rule := func(name, when string) string {
		return "groups:\n  - kind: manhole\n    rules:\n      - {name: " + name + ", when: " + when + ", severity: minor, summary: {zh: 甲, en: a}}\n"
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1.yml", rule("tilted", "tilt_deg > 10"))
	write("2.yaml", rule("wet", "water_level_m > 1"))
	write("notes.txt", "no rules")
	load := func() (*Set, error) {
		ss, err := Sources([]string{Builtin, dir})
		if err != nil {
			return nil, err
		}
		return Parse(Bundle("Europe/Berlin", ss), s.dict)
	}
	set, err := load()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range set.Rules(devices.Manhole) {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "cover_displaced ") || !strings.HasSuffix(got, " comm_lost tilted wet") {
		t.Errorf("rules %s", got)
	}
	again, err := Parse([]byte(set.Text()), s.dict) // as the log brings it
	if err != nil || again.Version() != set.Version() {
		t.Errorf("read again: %v", err)
	}
	write("2.yaml", rule("tilted", "tilt_degg > 10"))
	_, err = load()
	want := filepath.Join(dir, "2.yaml") + ":4:30: rule tilted: when: tilt_degg is no channel of a manhole; did you mean tilt_deg?\n" +
		filepath.Join(dir, "2.yaml") + ":4:9: rule tilted: the name comes twice, first in " + filepath.Join(dir, "1.yml") + ":4"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSourcesThatAreNotThere(t *testing.T) {
	for path, want := range map[string]string{"testdata/none.yml": "no such file", t.TempDir(): "has no rule file"} {
		if _, err := Sources([]string{path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

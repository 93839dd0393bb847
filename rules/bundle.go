package rules

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lamplighter/rules/strict"
)

//go:embed default/default.yml
var defaultText []byte

// Default is the text of the built-in rule file.
func Default() []byte { return bytes.Clone(defaultText) }

// Builtin stands for the built-in rule file in a list of files.
const Builtin = "default"

// Source is one rule file.
type Source struct {
	Name string
	Text []byte
}

// maxSource bounds a rule file; the log carries it.
const maxSource = 1 << 20

// Sources reads rule files: each path is a file, a folder (its *.yml and *.yaml
// in the order of their names, but for tests, *.test.yml) or "default". No path at all is the built-in file.
func Sources(paths []string) ([]Source, error) {
	if len(paths) == 0 {
		paths = []string{Builtin}
	}
	var out []Source
	for _, p := range paths {
		if p == Builtin {
			out = append(out, Source{"default.yml", Default()})
			continue
		}
		files, err := listed(p, false)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, fmt.Errorf("read rules: %w", err)
			}
			if len(text) > maxSource {
				return nil, &strict.Mistake{File: f, Msg: fmt.Sprintf("found %d bytes; a rule file has at most %d", len(text), maxSource)}
			}
			out = append(out, Source{f, text})
		}
	}
	return out, nil
}

// TrialFiles is the files of tests that paths mean: each is one, or a folder.
func TrialFiles(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		files, err := listed(p, true)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// listed is the rule files that a path means, or those with tests.
func listed(path string, trials bool) ([]string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if !st.IsDir() {
		return []string{path}, nil
	}
	var files []string
	for _, pattern := range []string{"*.yml", "*.yaml"} {
		m, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		files = append(files, slices.DeleteFunc(m, func(f string) bool { return isTrial(f) != trials })...)
	}
	if len(files) == 0 && trials {
		return nil, &strict.Mistake{File: path, Msg: "the folder has no file of tests; want NAME.test.yml"}
	}
	if len(files) == 0 {
		return nil, &strict.Mistake{File: path, Msg: "the folder has no rule file; want *.yml or *.yaml"}
	}
	slices.Sort(files)
	return files, nil
}

// A bundle is the text of several rule files as it goes through the log: a YAML
// stream in which each file begins with this line and its name. What stands
// before the first such line belongs to a file of the name "rules".
const bundleMark = "--- # file "

// zoneMark is the first line of a bundle that was written in another zone than
// [defaultZone]: timetables of rules mean the city's time.
const zoneMark = "# zone "

const defaultZone = "Asia/Shanghai"

// Bundle is the text of a rule set; zone is the name of the city's time zone.
func Bundle(zone string, ss []Source) []byte {
	var b bytes.Buffer
	if zone != "" && zone != defaultZone {
		fmt.Fprintf(&b, "%s%s\n", zoneMark, zone)
	}
	for _, s := range ss {
		fmt.Fprintf(&b, "%s%s\n", bundleMark, strings.Map(oneLine, s.Name))
		b.Write(s.Text)
		if n := len(s.Text); n > 0 && s.Text[n-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func oneLine(r rune) rune {
	if r < ' ' {
		return '_'
	}
	return r
}

// unbundle is the files of a bundle, and its zone.
func unbundle(text []byte) (zone string, ss []Source) {
	zone = defaultZone
	if rest, ok := bytes.CutPrefix(text, []byte(zoneMark)); ok {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		zone, text = string(line), after
	}
	cur, named := Source{Name: "rules"}, false
	for line := range bytes.Lines(text) {
		name, ok := bytes.CutPrefix(line, []byte(bundleMark))
		if !ok {
			cur.Text = append(cur.Text, line...)
			continue
		}
		if named || len(bytes.TrimSpace(cur.Text)) > 0 {
			ss = append(ss, cur)
		}
		cur, named = Source{Name: string(bytes.TrimRight(name, "\r\n"))}, true
	}
	return zone, append(ss, cur)
}

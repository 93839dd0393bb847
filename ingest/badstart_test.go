package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A rule file that was broken while the daemon ran changes nothing at the next start
// either: the rules that judged last go on, and health says why.
func TestABadRuleFileAtStartLeavesTheRulesThatJudgedLast(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	file := filepath.Join(data, "city.yml")
	if err := os.WriteFile(file, []byte(twoRules), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemonIn(t, data, "devices: {anonymous: true}\nrules: {files: [default, "+file+"]}\n")
	says := func(trouble string) bool { _, body := d.healthy(); return strings.Contains(body, trouble) }
	d.eventually("the rules are in force", func() bool {
		_, err := os.Stat(filepath.Join(data, "rules-in-force.yml"))
		return err == nil
	})
	if err := os.WriteFile(file, []byte("groups: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	d.end(syscall.SIGKILL)
	d.start()
	d.eventually("health says what is wrong with the file", func() bool { return says("city.yml:1: this is no YAML") })
	c := d.connect("MH-1")
	c.mustTilt(t, 12)
	var ts ticketList
	d.eventually("a ticket by the rules of before", func() bool { return d.get("tickets", &ts) && len(ts.Items) == 1 })
	if ts.Items[0].Defect != "tilted" {
		t.Errorf("%+v, want one by the rules that judged last", ts.Items)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(twoRules, "tilted", "leaning", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.eventually("a good file is taken, and health is good", func() bool { return !says("city.yml") })
}

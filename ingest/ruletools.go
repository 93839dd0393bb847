package main

import (
	"fmt"

	"lamplighter/devices"
	"lamplighter/rules"
)

// loadRules compiles rule files and folders of them, or the built-in file; zone
// is the city's.
func loadRules(files []string, zone string, dict *devices.Dictionary) (*rules.Set, error) {
	ss, err := rules.Sources(files)
	if err != nil {
		return nil, err
	}
	return rules.Parse(rules.Bundle(zone, ss), dict)
}

type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Check rule files: every mistake with its place and its cure."`
	Print rulesPrintCmd `cmd:"" help:"Print the built-in rule file, to start one of your own."`
}

type rulesCheckCmd struct {
	Files []string `arg:"" help:"Rule files, or folders of them."`
	Zone  string   `default:"Asia/Shanghai" help:"Time zone of timetables."`
}

// Run compiles the files.
func (c *rulesCheckCmd) Run(d *doorway) error {
	dict, err := newDictionary()
	if err != nil {
		return err
	}
	set, err := loadRules(c.Files, c.Zone, dict)
	if err != nil {
		return err
	}
	n := 0
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		n += len(set.Rules(k))
	}
	_, err = fmt.Fprintf(d.out, "good: %d rules, version %s\n", n, set.Version())
	return err
}

type rulesPrintCmd struct{}

// Run prints the file.
func (c *rulesPrintCmd) Run(d *doorway) error {
	_, err := d.out.Write(rules.Default())
	return err
}

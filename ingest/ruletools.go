package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/ingest/config"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/rules/tickets"
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

// loadJudgement loads what judges, and what counts by it: the rules, and the
// lighting rates, which name them.
func loadJudgement(conf *config.Config, dict *devices.Dictionary) (*rules.Set, *lighting.Set, error) {
	set, err := loadRules(conf.Rules.Files, conf.Zone, dict)
	if err != nil {
		return nil, nil, err
	}
	rates, err := lighting.Load(conf.Lighting.Definitions)
	if err != nil {
		return nil, nil, err
	}
	return set, rates, rates.Check(set)
}

// judgement is loadJudgement, or, where the rule files have mistakes, with the set in
// file, which judged last: what has gone on judging beside a bad file does so after a
// power cut too.
func (a *app) judgement(file string) (*rules.Set, *lighting.Set, error) {
	set, rates, err := loadJudgement(&a.conf, a.dict)
	if err == nil {
		return set, rates, nil
	}
	text, gone := os.ReadFile(file)
	if gone != nil {
		return nil, nil, err
	}
	set, bad := rules.Parse(text, a.dict)
	if bad != nil {
		return nil, nil, err
	}
	if rates, bad = lighting.Load(a.conf.Lighting.Definitions); bad == nil {
		bad = rates.Check(set)
	}
	if bad != nil {
		return nil, nil, err
	}
	a.log.Error().Err(err).Str("version", set.Version()).Msg("the rule files are not taken; the rules that judged last go on")
	return set, rates, nil
}

type rulesCmd struct {
	Check   rulesCheckCmd   `cmd:"" help:"Check rule files: every mistake with its place and its cure."`
	Test    rulesTestCmd    `cmd:"" help:"Run the tests of rules: what was expected and what happened."`
	Explain rulesExplainCmd `cmd:"" help:"Say why a ticket was opened."`
	Replay  rulesReplayCmd  `cmd:"" help:"Judge what has been by other rules, or a recording."`
	Print   rulesPrintCmd   `cmd:"" help:"Print the built-in rule file, to start one of your own."`
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
	noun := "rules"
	if n == 1 {
		noun = "rule"
	}
	_, err = fmt.Fprintf(d.out, "good: %d %s, version %s\n", n, noun, set.Version())
	return err
}

type rulesPrintCmd struct{}

// Run prints the file.
func (c *rulesPrintCmd) Run(d *doorway) error {
	_, err := d.out.Write(rules.Default())
	return err
}

type rulesTestCmd struct {
	Files []string `arg:"" type:"path" help:"Files of tests (NAME.test.yml), or folders with such."`
	Zone  string   `default:"Asia/Shanghai" help:"Time zone of timetables."`
}

// Run plays every test of every file.
func (c *rulesTestCmd) Run(d *doorway) error {
	dict, err := newDictionary()
	if err != nil {
		return err
	}
	files, err := rules.TrialFiles(c.Files)
	if err != nil {
		return err
	}
	good, bad := 0, 0
	for _, f := range files {
		t, err := rules.ReadTrials(f, c.Zone, dict)
		if err != nil {
			return err
		}
		vs, err := t.Run()
		if err != nil {
			return err
		}
		for i := range vs {
			if vs[i].Good() {
				good++
			} else {
				bad++
			}
			if _, err := fmt.Fprintln(d.out, vs[i].String()); err != nil {
				return err
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d tests of rules failed", bad, good+bad)
	}
	if _, err := fmt.Fprintf(d.out, "good: %d tests\n", good); err != nil {
		return err
	}
	return nil
}

type rulesExplainCmd struct {
	dataFlag
	configFlag
	Ticket string `arg:"" help:"Id or number of the ticket."`
}

// Run prints the sentences, Chinese first.
func (c *rulesExplainCmd) Run(d *doorway) error {
	conf, err := config.Load(c.Config, d.env)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(conf.Zone)
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	db, _, _, closeDB, err := openCensus(d, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	x, err := tickets.Explain(d.ctx, db, c.Ticket)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s / %s\n", x.Number, x.Facility, x.Summary.ZH, x.Summary.EN)
	says := x.Sentences(zone)
	if len(says) == 0 {
		b.WriteString("没有保存立案依据。 / It is not known what decided it.\n")
	}
	bothWays(&b, says)
	for i := range x.History {
		h := &x.History[i]
		title := h.Title(zone)
		fmt.Fprintf(&b, "%s / %s\n", title.ZH, title.EN)
		bothWays(&b, h.Sentences(zone))
	}
	_, err = io.WriteString(d.out, b.String())
	return err
}

// bothWays writes sentences in Chinese, then in English.
func bothWays(b *strings.Builder, says []devices.Title) {
	for _, s := range says {
		fmt.Fprintf(b, "  %s\n", s.ZH)
	}
	for _, s := range says {
		fmt.Fprintf(b, "  %s\n", s.EN)
	}
}

package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// ruleText is a rule as it stands in a file.
type ruleText struct {
	Rule
	at         *yaml.Node
	whenAt     *yaml.Node
	clearAt    *yaml.Node
	onceAt     *yaml.Node
	channel    *yaml.Node
	limitsAt   *yaml.Node
	stepsAt    []stepAt
	wordingsAt []*yaml.Node
	derived    []derivedText
	sensors    []*yaml.Node // names of channels
}

type stepAt struct{ when, clear *yaml.Node }

// Parse compiles a rule file, or a [Bundle] of several, against the channels of
// dict. An error is [strict.Mistakes]: each with file, line and column, what was found
// and what is wanted.
func Parse(text []byte, dict *devices.Dictionary) (*Set, error) {
	return parse(text, dict, false)
}

// parse is [Parse] of files, or of a set that was taken before: the log and
// snapshots have it, and what is asked of files now was not asked then.
func parse(text []byte, dict *devices.Dictionary, taken bool) (*Set, error) {
	sum := sha256.Sum256(text)
	zone, sources := unbundle(text)
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, strict.Mistakes{{File: "rules", Line: 1, Msg: fmt.Sprintf("%q is no time zone", zone)}}
	}
	c := &compiler{set: &Set{text: string(text), version: hex.EncodeToString(sum[:6]), zone: loc}, dict: dict, zone: loc, where: make(map[*Rule]string)}
	for _, s := range sources {
		r := read(s.Name, s.Text)
		r.taken = taken
		before := c.says
		r.Documents(func(n *yaml.Node) { c.document(r, n) })
		if len(r.Wrong) == 0 && c.says == before && !taken {
			r.FailAt(1, 0, "the file has no rule; want groups: with kind: and rules: in it, or no file: a set without its rules closes their tickets")
		}
		c.wrong = append(c.wrong, r.Wrong...)
	}
	c.link()
	if len(c.wrong) > 0 {
		return nil, c.wrong
	}
	return c.set, nil
}

// document reads one of a file, which may have several.
func (c *compiler) document(r *reader, n *yaml.Node) {
	r.Mapping(n, "the file", strict.Fields{"groups": func(n *yaml.Node) {
		r.List(n, "groups", func(n *yaml.Node) { c.group(r, n) })
	}})
}

// group reads the rules of one kind.
func (c *compiler) group(r *reader, n *yaml.Node) {
	kind := devices.KindUnknown
	var list, late *yaml.Node
	var lateness time.Duration
	ok := r.Mapping(n, "group", strict.Fields{
		"kind":  r.kind(&kind),
		"rules": func(n *yaml.Node) { list = n },
		"lateness": func(n *yaml.Node) {
			late = n
			r.Duration("lateness", &lateness)(n)
		},
	})
	switch {
	case !ok:
		return
	case kind == devices.KindUnknown:
		if len(r.Wrong) == 0 || r.Wrong[len(r.Wrong)-1].Line != n.Line {
			r.Fail(n, "a group without a kind; want kind: %s", strict.Either(kinds))
		}
		return
	case list == nil:
		r.Fail(n, "a group without rules; want rules: and a list of them")
		return
	}
	if late != nil {
		c.lateness(r, kind, late, lateness)
	}
	r.List(list, "rules", func(n *yaml.Node) { c.rule(r, kind, n) })
}

// maxLateness bounds how long a reading can wait: longer, and it is not the
// state of now any more.
const maxLateness = reach / 3

// lateness takes over how long messages of a kind wait for those before them.
func (c *compiler) lateness(r *reader, kind devices.Kind, n *yaml.Node, d time.Duration) {
	c.says++
	kr := &c.set.kinds[kind]
	switch {
	case d > maxLateness:
		r.Fail(n, "lateness: found %s; want at most %s: what comes later is history", n.Value, maxLateness)
	case kr.late != "" && kr.lateness != d.Milliseconds():
		r.Fail(n, "lateness: found %s; in %s it is %s, and a %s has one", n.Value, kr.late, time.Duration(kr.lateness)*time.Millisecond, kind)
	default:
		kr.lateness, kr.late = d.Milliseconds(), r.Where(n)
	}
}

// aboutRule and its name is what mistakes of a rule are about.
const aboutRule = "rule "

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// rule reads one rule and compiles it.
func (c *compiler) rule(r *reader, kind devices.Kind, n *yaml.Node) {
	c.says++
	r.About = ""
	defer func() { r.About = "" }()
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if name := n.Content[i+1].Value; n.Content[i].Value == "name" && name != "" {
				r.About = aboutRule + name
			}
		}
	}
	t := &ruleText{at: n}
	t.Kind = kind
	before := len(r.Wrong)
	if !r.Mapping(n, "rule", t.fields(r)) || len(r.Wrong) > before {
		return
	}
	t.check(r)
	if len(r.Wrong) == before {
		c.compile(r, t)
	}
}

// fields is what a rule may say.
func (t *ruleText) fields(r *reader) strict.Fields {
	return strict.Fields{
		"name":      r.Text("name", &t.Name),
		"when":      t.expression(r, "when", &t.When, &t.whenAt),
		"clear":     t.expression(r, "clear", &t.Clear, &t.clearAt),
		"at_once":   t.expression(r, "at_once", &t.AtOnce, &t.onceAt),
		"values":    func(n *yaml.Node) { t.values(r, n) },
		"for":       r.Duration("for", &t.For),
		"confirmed": r.Choice("confirmed", []string{"true", "false"}, func(s string) { t.Confirmed = s == "true" }),
		"clear_for": r.Duration("clear_for", &t.ClearFor),
		"max_age": func(n *yaml.Node) {
			before := len(r.Wrong)
			r.Duration("max_age", &t.MaxAge)(n)
			if t.MaxAge <= 0 && len(r.Wrong) == before {
				r.Fail(n, "max_age: found %s; want more than 0s", t.MaxAge)
			}
		},
		"sensor":   func(n *yaml.Node) { t.sensor(r, n) },
		"silent":   r.Number("silent", 1, 1000, &t.Silent),
		"collapse": func(n *yaml.Node) { t.collapse(r, n) },
		"circuit": func(n *yaml.Node) {
			r.Fail(n, "circuit is called collapse now; write collapse: {of: comm_lost, by: circuit, share: 0.8, at_least: 3}")
		},
		"schedule": func(n *yaml.Node) { t.Schedule = r.schedule(n) },
		"severity": r.severity("severity", &t.Severity),
		"steps":    func(n *yaml.Node) { r.List(n, "steps", func(n *yaml.Node) { t.step(r, n) }) },
		"channel":  func(n *yaml.Node) { t.channel = n },
		"limits":   func(n *yaml.Node) { t.limits(r, n) },
		"page": func(n *yaml.Node) {
			r.Mapping(n, "page", strict.Fields{"after": r.Duration("page.after", &t.Page.After), "clear_after": r.Duration("page.clear_after", &t.Page.ClearAfter)})
		},
		"wording": func(n *yaml.Node) { r.List(n, "wording", func(n *yaml.Node) { t.wording(r, n) }) },
		"summary": r.title("summary", &t.Summary),
	}
}

// title reads a text in both languages.
func (r *reader) title(what string, to *devices.Title) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.Mapping(n, what, strict.Fields{"zh": r.Text(what+".zh", &to.ZH), "en": r.Text(what+".en", &to.EN)})
	}
}

// expression takes one over with its place.
func (t *ruleText) expression(r *reader, what string, to *string, at **yaml.Node) func(*yaml.Node) {
	read := r.Text(what, to)
	return func(n *yaml.Node) {
		*at = n
		read(n)
	}
}

func (t *ruleText) step(r *reader, n *yaml.Node) {
	var s Step
	var at stepAt
	if !r.Mapping(n, "step", strict.Fields{
		"severity": r.severity("step: severity", &s.Severity),
		"when":     t.expression(r, "step: when", &s.When, &at.when),
		"clear":    t.expression(r, "step: clear", &s.Clear, &at.clear),
		"summary":  r.title("step: summary", &s.Summary),
	}) {
		return
	}
	if s.Severity == "" || s.When == "" || (s.Summary.ZH == "") != (s.Summary.EN == "") {
		r.Fail(n, "a step needs severity and when; its summary, if it has one, zh and en")
		return
	}
	t.Steps, t.stepsAt = append(t.Steps, s), append(t.stepsAt, at)
}

// check finds what no field shows by itself.
func (t *ruleText) check(r *reader) {
	switch {
	case t.Name == "":
		r.Fail(t.at, "a rule without a name; want name: something_short")
		return
	case !ruleName.MatchString(t.Name):
		r.Fail(t.at, "name: found %q; want small letters, digits and _, at most 48", t.Name)
	case t.Severity == "":
		r.Fail(t.at, "severity is missing; want info, minor, major or critical")
	case t.Summary.ZH == "" || t.Summary.EN == "":
		r.Fail(t.at, "summary is missing; want summary: {zh: …, en: …}: it is what people read on their page")
	}
	says := 0
	for _, is := range []bool{t.When != "", t.Silent > 0, t.Collapse != nil, t.Sensor != nil} {
		if is {
			says++
		}
	}
	if says != 1 {
		r.Fail(t.at, "it has %d of when, silent, sensor and collapse; want exactly one", says)
	}
	if t.When == "" && (t.Clear != "" || len(t.Steps) > 0 || len(t.derived) > 0 || len(t.Limits) > 0 || len(t.Wordings) > 0) {
		r.Fail(t.at, "clear, steps, values, limits and wording belong to a rule with when")
	}
	if t.Collapse != nil && (t.Schedule != nil || t.channel != nil) {
		r.Fail(t.at, "schedule and channel belong to the rule of the members; a collapse counts who is bad by it")
	}
	if t.Confirmed && (t.When == "" || t.For == 0) {
		r.Fail(t.at, "confirmed says how for is counted; it needs when and for")
	}
	if t.AtOnce != "" && (t.When == "" || t.For == 0) {
		r.Fail(t.onceAt, "at_once says when not to wait for for; it needs when and for")
	}
	rank := t.Severity.rank()
	for i, s := range t.Steps {
		if s.Severity.rank() <= rank {
			r.Fail(t.stepsAt[i].when, "steps: %s does not come after %s; want worse and worse severities", s.Severity, severities[max(1, rank)-1])
		}
		rank = s.Severity.rank()
	}
}

// link joins the rules of a kind that know each other.
func (c *compiler) link() {
	for k := range c.set.kinds {
		kr := &c.set.kinds[k]
		kr.fresh = leastMaxAge.Milliseconds() / 2
		kr.rests = true
		for _, r := range kr.rules {
			if r.MaxAge > 0 {
				kr.fresh = min(kr.fresh, r.MaxAge.Milliseconds()/2)
			}
			kr.derives = kr.derives || slices.ContainsFunc(r.derived, func(d *derived) bool { return d.base == nil })
			kr.baselines = append(kr.baselines, r.bases...)
			kr.rests = kr.rests && (r.Silent == 0 || r.Schedule != nil && r.Schedule.Word == poweredWord)
			if r.Silent > 0 && (kr.silent == 0 || r.Silent < kr.silent) {
				kr.silent = r.Silent
			}
			if r.Collapse != nil {
				c.linkCollapse(kr, r)
			}
			if r.Sensor != nil {
				c.linkSensor(kr, r)
			}
		}
		kr.linkWide()
	}
}

func (c *compiler) names(k devices.Kind) []string {
	var out []string
	for _, r := range c.set.kinds[k].rules {
		out = append(out, r.Name)
	}
	return out
}

// mistake is one about a rule that was read before.
func (c *compiler) mistake(r *Rule, format string, args ...any) *strict.Mistake {
	file, rest, _ := cutLast(c.where[r], ":")
	line, _ := strconv.Atoi(rest)
	return &strict.Mistake{File: file, Line: line, About: aboutRule + r.Name, Msg: fmt.Sprintf(format, args...)}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

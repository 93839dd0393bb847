package rules

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
)

//go:embed default/default.yml
var defaultText []byte

// Default is the text of the built-in rule file.
func Default() []byte { return bytes.Clone(defaultText) }

// Severity says how bad a defect is.
type Severity string

// The severities, least first.
const (
	Info     Severity = "info"
	Minor    Severity = "minor"
	Major    Severity = "major"
	Critical Severity = "critical"
)

// Set is a compiled rule file.
type Set struct {
	text   string
	byKind [4][]*Rule
}

// Text is the file that the set was read from.
func (s *Set) Text() string { return s.text }

// find is the rule of that name, nil if there is none.
func (s *Set) find(k devices.Kind, name string) *Rule {
	for _, r := range s.byKind[k] {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Rule is one compiled rule.
type Rule struct {
	Name     string
	Kind     devices.Kind
	For      time.Duration
	ClearFor time.Duration
	Severity Severity
	Channel  *devices.Channel // shown in the ticket, may be nil
	Limits   map[string]float64
	Silent   float64 // × the expected interval; 0 = not a rule about silence
	Share    float64 // of a circuit's members; 0 = not a rule about circuits
	AtLeast  int
	Summary  devices.Title
	index    int
	when     cel.Program
	clear    cel.Program // nil: when is false
}

type file struct {
	Groups []struct {
		Kind  devices.Kind `yaml:"kind"`
		Rules []ruleText   `yaml:"rules"`
	} `yaml:"groups"`
}

type ruleText struct {
	Name     string             `yaml:"name"`
	When     string             `yaml:"when"`
	Clear    string             `yaml:"clear"`
	For      time.Duration      `yaml:"for"`
	ClearFor time.Duration      `yaml:"clear_for"`
	Severity Severity           `yaml:"severity"`
	Channel  string             `yaml:"channel"`
	Limits   map[string]float64 `yaml:"limits"`
	Silent   float64            `yaml:"silent"`
	Circuit  *struct {
		Share   float64 `yaml:"share"`
		AtLeast int     `yaml:"at_least"`
	} `yaml:"circuit"`
	Summary devices.Title `yaml:"summary"`
}

// celCost bounds one evaluation.
const celCost = 10000

// Parse compiles a rule file against the channels of dict. An error names the
// line or the rule, what was found and what is wanted.
func Parse(text []byte, dict *devices.Dictionary) (*Set, error) {
	var f file
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("rule file: %w", err)
	}
	s := &Set{text: string(text)}
	for _, g := range f.Groups {
		if g.Kind == devices.KindUnknown {
			return nil, fmt.Errorf("rule file: a group has no kind; want manhole, streetlight or bridge")
		}
		env, err := environment(dict)
		if err != nil {
			return nil, err
		}
		for i := range g.Rules {
			r, err := compile(env, dict, g.Kind, &g.Rules[i])
			if err != nil {
				return nil, fmt.Errorf("rule %s of %s: %w", g.Rules[i].Name, g.Kind, err)
			}
			if s.find(g.Kind, r.Name) != nil {
				return nil, fmt.Errorf("rule %s of %s: the name comes twice", r.Name, g.Kind)
			}
			r.index = len(s.byKind[g.Kind])
			s.byKind[g.Kind] = append(s.byKind[g.Kind], r)
		}
	}
	return s, nil
}

// environment declares every known channel, and its limit, as a variable.
func environment(dict *devices.Dictionary) (*cel.Env, error) {
	var opts []cel.EnvOption
	for _, c := range dict.All() {
		if c.Unknown {
			continue
		}
		t := cel.DoubleType
		switch c.Type {
		case devices.Bool:
			t = cel.BoolType
		case devices.Text:
			t = cel.StringType
		}
		opts = append(opts, cel.Variable(c.Name, t))
		if c.Type == devices.Number {
			opts = append(opts, cel.Variable("limit_"+c.Name, cel.DoubleType))
		}
	}
	env, err := cel.NewEnv(append(opts, cel.CrossTypeNumericComparisons(true))...)
	if err != nil {
		return nil, fmt.Errorf("prepare rules: %w", err)
	}
	return env, nil
}

func compile(env *cel.Env, dict *devices.Dictionary, k devices.Kind, t *ruleText) (*Rule, error) {
	r := &Rule{Name: t.Name, Kind: k, For: t.For, ClearFor: t.ClearFor, Severity: t.Severity, Limits: t.Limits, Silent: t.Silent, Summary: t.Summary}
	switch t.Severity {
	case Info, Minor, Major, Critical:
	default:
		return nil, fmt.Errorf("severity: found %q; want info, minor, major or critical", t.Severity)
	}
	if t.Name == "" || t.Summary.ZH == "" || t.Summary.EN == "" {
		return nil, fmt.Errorf("name and summary in zh and en are needed")
	}
	if (t.When == "") == (t.Silent == 0) {
		return nil, fmt.Errorf("want either when or silent")
	}
	if t.Channel != "" {
		if r.Channel = dict.Lookup([]byte(t.Channel)); r.Channel == nil {
			return nil, fmt.Errorf("channel: found %q, which no kind has", t.Channel)
		}
	}
	if t.Circuit != nil {
		r.Share, r.AtLeast = t.Circuit.Share, t.Circuit.AtLeast
		if r.Share <= 0 || r.Share > 1 || r.AtLeast < 1 {
			return nil, fmt.Errorf("circuit: found share %g, at_least %d; want a share above 0 up to 1 and at_least from 1", r.Share, r.AtLeast)
		}
	}
	var err error
	if t.When != "" {
		if r.when, err = program(env, "when", t.When); err != nil {
			return nil, err
		}
	}
	if t.Clear != "" {
		r.clear, err = program(env, "clear", t.Clear)
	}
	return r, err
}

func program(env *cel.Env, field, text string) (cel.Program, error) {
	ast, iss := env.Compile(text)
	if iss.Err() != nil {
		first := iss.Errors()[0]
		return nil, fmt.Errorf("%s: at character %d of %q: %s", field, first.Location.Column()+1, text, strings.TrimSpace(first.Message))
	}
	if !ast.OutputType().IsEquivalentType(cel.BoolType) {
		return nil, fmt.Errorf("%s: %q is %s; want true or false", field, text, ast.OutputType())
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(celCost))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return p, nil
}

// truth is the outcome of an expression.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

// ask evaluates p for a facility. What cannot be decided is unknown.
func ask(p cel.Program, v *view) truth {
	out, _, err := p.Eval(v)
	if err != nil {
		return unknown
	}
	if b, ok := out.Value().(bool); ok && b {
		return yes
	}
	return no
}

// not turns an answer round; what is unknown stays so.
func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func (r *Rule) limit(f *facility, channel string) (float64, bool) {
	if l, ok := f.limits[channel]; ok {
		return l, true
	}
	l, ok := r.Limits[channel]
	return l, ok
}

func (r *Rule) shown(f *facility) (value, limit float64) {
	value, limit = math.NaN(), math.NaN()
	if r.Channel == nil {
		return value, limit
	}
	if v, ok := f.value(r.Channel.ID); ok {
		value = v.num
	}
	if l, ok := r.limit(f, r.Channel.Name); ok {
		limit = l
	}
	return value, limit
}

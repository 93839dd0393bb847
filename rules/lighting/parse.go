package lighting

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules"
)

// Parse reads definitions strictly. An error is rules.Mistakes: each with file,
// line, column, what was found and what is wanted.
func Parse(file string, text []byte) (*Set, error) {
	r := &reader{file: file, set: &Set{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, rules.Mistakes{{File: file, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if len(doc.Content) == 0 {
		return nil, rules.Mistakes{{File: file, Msg: "found nothing; want rates: and a list of definitions"}}
	}
	r.mapping(doc.Content[0], "file", fields{
		"place": r.place,
		"rates": func(n *yaml.Node) { r.list(n, "rates", r.rate) },
	})
	if len(r.set.Rates) == 0 && len(r.wrong) == 0 {
		r.fail(doc.Content[0], "rates is missing; want a list of definitions")
	}
	if len(r.wrong) > 0 {
		return nil, r.wrong
	}
	return r.set, nil
}

// reader gathers what is wrong with a file.
type reader struct {
	file  string
	rname string
	set   *Set
	wrong rules.Mistakes
}

type fields map[string]func(*yaml.Node)

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	m := fmt.Sprintf(format, args...)
	if r.rname != "" {
		m = "rate " + r.rname + ": " + m
	}
	r.wrong = append(r.wrong, &rules.Mistake{File: r.file, Line: n.Line, Column: n.Column, Msg: m})
}

func (r *reader) mapping(n *yaml.Node, what string, fs fields) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s: found %s; want keys and values", what, shape(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		fn := fs[k.Value]
		switch {
		case seen[k.Value]:
			r.fail(k, "%s: %s comes twice", what, k.Value)
		case fn == nil:
			r.fail(k, "%s: unknown key %s; want %s", what, k.Value, words(fs))
		default:
			fn(v)
		}
		seen[k.Value] = true
	}
}

func words[V any](m map[string]V) string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (r *reader) list(n *yaml.Node, what string, fn func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s: found %s; want a list", what, shape(n))
		return
	}
	for _, x := range n.Content {
		fn(x)
	}
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}

func (r *reader) text(what string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			r.fail(n, "%s: found %s; want text", what, shape(n))
			return
		}
		*to = n.Value
	}
}

func (r *reader) choice(what string, want []string, to func(string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(want, n.Value) {
			r.fail(n, "%s: found %s; want %s", what, shape(n), strings.Join(want, ", "))
			return
		}
		to(n.Value)
	}
}

func (r *reader) number(what string, least, most float64, to *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		x, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || !(x >= least && x <= most) {
			r.fail(n, "%s: found %s; want a number from %g to %g", what, shape(n), least, most)
			return
		}
		*to = x
	}
}

func (r *reader) place(n *yaml.Node) {
	p := &Place{}
	r.mapping(n, "place", fields{"lon": r.number("place.lon", -180, 180, &p.Lon), "lat": r.number("place.lat", -66, 66, &p.Lat)})
	r.set.Place = p
}

var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// rate reads one definition.
func (r *reader) rate(n *yaml.Node) {
	r.rname = ""
	d := &Definition{FaultyAt: "any", Unknown: "apart", Target: 95, AtLeast: 1, Conditions: map[string]State{}, Targets: map[string]float64{}}
	before := len(r.wrong)
	r.mapping(n, "rate", fields{
		"name":    func(n *yaml.Node) { r.name(n, d) },
		"version": r.text("version", &d.Version),
		"title": func(n *yaml.Node) {
			r.mapping(n, "title", fields{"zh": r.text("title.zh", &d.Title.ZH), "en": r.text("title.en", &d.Title.EN)})
		},
		"night":      func(n *yaml.Node) { r.night(n, d) },
		"measure":    r.choice("measure", []string{"instants", "time"}, func(s string) { d.Time = s == "time" }),
		"instants":   func(n *yaml.Node) { r.list(n, "instants", func(n *yaml.Node) { r.instant(n, d) }) },
		"faulty_at":  r.choice("faulty_at", []string{"any", "most", "all"}, func(s string) { d.FaultyAt = s }),
		"faults":     func(n *yaml.Node) { r.defects(n, "faults", &d.Faults) },
		"except":     func(n *yaml.Node) { r.defects(n, "except", &d.Except) },
		"findings":   r.choice("findings", []string{"true", "false"}, func(s string) { d.Findings = s == "true" }),
		"conditions": func(n *yaml.Node) { r.conditions(n, d) },
		"unknown":    r.choice("unknown", []string{"apart", "intact", "faulty"}, func(s string) { d.Unknown = s }),
		"target":     r.number("target", 0, 100, &d.Target),
		"targets":    func(n *yaml.Node) { r.targets(n, d) },
		"ticket":     func(n *yaml.Node) { r.ticket(n, d) },
	})
	if len(r.wrong) > before {
		return
	}
	if d.Name == "" || d.Version == "" || d.Title.ZH == "" || d.Title.EN == "" {
		r.fail(n, "name, version and title: {zh, en} are needed")
	}
	if !d.Time && !slices.ContainsFunc(d.clocks, func(c clock) bool { return c.from != "" }) {
		r.fail(n, "instants: want at least one by dusk, dawn or midnight: every night has those")
	}
	if slices.ContainsFunc(r.set.Rates, func(o *Definition) bool { return o.Name == d.Name }) {
		r.fail(n, "the name comes twice")
	}
	bare(n)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(map[string]any{"rates": []*yaml.Node{n}}); err != nil {
		r.fail(n, "%v", err)
	}
	d.text = b.String()
	r.set.Rates = append(r.set.Rates, d)
}

// bare takes the comments away: they are no part of what is defined.
func bare(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, c := range n.Content {
		bare(c)
	}
}

func (r *reader) name(n *yaml.Node, d *Definition) {
	if !name.MatchString(n.Value) {
		r.fail(n, "name: found %s; want small letters, digits and _", shape(n))
		return
	}
	d.Name, r.rname = n.Value, n.Value
}

func (r *reader) night(n *yaml.Node, d *Definition) {
	if n.Kind == yaml.ScalarNode {
		r.choice("night", []string{"sun"}, func(string) {})(n)
		return
	}
	hour := func(what string, to *string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			c, err := parseClock(n.Value)
			if err != nil || c.from != "" {
				r.fail(n, "%s: found %s; want a time of the day in quotes, such as \"18:30\"", what, shape(n))
				return
			}
			*to = n.Value
		}
	}
	r.mapping(n, "night", fields{"from": hour("night.from", &d.From), "to": hour("night.to", &d.To)})
	from, _ := parseClock(d.From)
	if to, _ := parseClock(d.To); d.From != "" && d.To != "" && (from.offset.Hours() < 12 || to.offset.Hours() >= 12) || (d.From == "") != (d.To == "") {
		r.fail(n, "night: want from after noon and to before noon of the next day")
	}
}

func (r *reader) instant(n *yaml.Node, d *Definition) {
	c, err := parseClock(n.Value)
	if err != nil {
		r.fail(n, "instants: %v", err)
		return
	}
	d.Instants, d.clocks = append(d.Instants, n.Value), append(d.clocks, c)
}

func (r *reader) defects(n *yaml.Node, what string, to *[]string) {
	if what == "faults" && n.Kind == yaml.ScalarNode {
		r.choice(what, []string{"all"}, func(string) {})(n)
		return
	}
	r.list(n, what, func(n *yaml.Node) {
		if !name.MatchString(n.Value) {
			r.fail(n, "%s: found %s; want the name of a rule or of a finding", what, shape(n))
			return
		}
		*to = append(*to, n.Value)
	})
	if what == "faults" && len(*to) == 0 {
		r.fail(n, "faults: an empty list would make every lamp intact; want all, or names")
	}
}

func (r *reader) conditions(n *yaml.Node, d *Definition) {
	as := func(c string) func(*yaml.Node) {
		return r.choice("conditions."+c, []string{"intact", "faulty", "excluded"}, func(s string) { d.Conditions[c] = State(slices.Index(stateNames[:], s)) })
	}
	r.mapping(n, "conditions", fields{"damaged": as("damaged"), "missing": as("missing"), "retired": as("retired")})
}

func (r *reader) targets(n *yaml.Node, d *Definition) {
	fs := fields{}
	for _, c := range []string{"expressway", "main", "secondary", "branch"} {
		fs[c] = func(n *yaml.Node) {
			var x float64
			r.number("targets."+c, 0, 100, &x)(n)
			d.Targets[c] = x
		}
	}
	r.mapping(n, "targets", fs)
}

func (r *reader) ticket(n *yaml.Node, d *Definition) {
	least := 1.0
	r.mapping(n, "ticket", fields{
		"levels": func(n *yaml.Node) {
			r.list(n, "ticket.levels", r.choice("ticket.levels", []string{"city", "district", "street", "community"}, func(s string) { d.TicketLevels = append(d.TicketLevels, devices.ParseAreaLevel(s)) }))
		},
		"at_least": r.number("ticket.at_least", 1, 1e9, &least),
	})
	d.AtLeast = int64(least)
}

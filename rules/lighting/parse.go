package lighting

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Parse reads definitions strictly. An error is strict.Mistakes: each with file,
// line, column, what was found and what is wanted.
func Parse(file string, text []byte) (*Set, error) {
	r := &reader{strict.New(file, text), file, &Set{}}
	r.Documents(func(n *yaml.Node) {
		r.Mapping(n, "file", strict.Fields{
			"place": r.place,
			"found": func(n *yaml.Node) { r.List(n, "found", r.word("found", "a word for what people find", &r.set.Found)) },
			"rates": func(n *yaml.Node) { r.List(n, "rates", r.rate) },
		})
	})
	if len(r.set.Rates) == 0 && len(r.Wrong) == 0 {
		r.FailAt(0, 0, "found no rates; want rates: and a list of definitions")
	}
	if len(r.Wrong) > 0 {
		return nil, r.Wrong
	}
	return r.set, nil
}

// reader reads a file of definitions.
type reader struct {
	*strict.Reader
	file string
	set  *Set
}

func (r *reader) place(n *yaml.Node) {
	p := &Place{}
	r.Mapping(n, "place", strict.Fields{"lon": r.Number("place.lon", -180, 180, &p.Lon), "lat": r.Number("place.lat", -66, 66, &p.Lat)})
	r.set.Place = p
}

var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// rate reads one definition.
func (r *reader) rate(n *yaml.Node) {
	r.About = ""
	defer func() { r.About = "" }()
	d := &Definition{FaultyAt: "any", Unknown: "apart", Target: 95, AtLeast: 1, Conditions: map[string]State{}, Targets: map[string]float64{}}
	before := len(r.Wrong)
	r.Mapping(n, "rate", strict.Fields{
		"name":    func(n *yaml.Node) { r.name(n, d) },
		"version": r.Text("version", &d.Version),
		"title": func(n *yaml.Node) {
			r.Mapping(n, "title", strict.Fields{"zh": r.Text("title.zh", &d.Title.ZH), "en": r.Text("title.en", &d.Title.EN)})
		},
		"night":      func(n *yaml.Node) { r.night(n, d) },
		"measure":    r.Choice("measure", []string{"instants", "time"}, func(s string) { d.Time = s == "time" }),
		"instants":   func(n *yaml.Node) { r.List(n, "instants", func(n *yaml.Node) { r.instant(n, d) }) },
		"faulty_at":  r.Choice("faulty_at", []string{"any", "most", "all"}, func(s string) { d.FaultyAt = s }),
		"faults":     func(n *yaml.Node) { r.defects(n, "faults", &d.Faults) },
		"except":     func(n *yaml.Node) { r.defects(n, "except", &d.Except) },
		"findings":   r.Choice("findings", []string{"true", "false"}, func(s string) { d.Findings = s == "true" }),
		"conditions": func(n *yaml.Node) { r.conditions(n, d) },
		"unknown":    r.Choice("unknown", []string{"apart", "intact", "faulty"}, func(s string) { d.Unknown = s }),
		"target":     r.Number("target", 0, 100, &d.Target),
		"targets":    func(n *yaml.Node) { r.targets(n, d) },
		"ticket":     func(n *yaml.Node) { r.ticket(n, d) },
	})
	if len(r.Wrong) > before {
		return
	}
	if d.Name == "" || d.Version == "" || d.Title.ZH == "" || d.Title.EN == "" {
		r.Fail(n, "name, version and title: {zh, en} are needed")
	}
	if !d.Time && !slices.ContainsFunc(d.clocks, func(c clock) bool { return c.from != "" }) {
		r.Fail(n, "instants: want at least one by dusk, dawn or midnight: every night has those")
	}
	if slices.ContainsFunc(r.set.Rates, func(o *Definition) bool { return o.Name == d.Name }) {
		r.Fail(n, "the name comes twice")
	}
	r.bare(n)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(map[string]any{"rates": []*yaml.Node{n}}); err != nil {
		r.Fail(n, "%v", err)
	}
	d.text = b.String()
	r.set.Rates = append(r.set.Rates, d)
}

// bare takes the comments away: they are no part of what is defined.
func (r *reader) bare(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	if n.Kind == yaml.AliasNode {
		r.Fail(n, "found *%s; write it out: a definition is kept as it stands", n.Value)
	}
	for _, c := range n.Content {
		r.bare(c)
	}
}

func (r *reader) name(n *yaml.Node, d *Definition) {
	if !name.MatchString(n.Value) {
		r.Fail(n, "name: found %s; want small letters, digits and _", strict.Shape(n))
		return
	}
	d.Name, r.About = n.Value, "rate "+n.Value
}

func (r *reader) night(n *yaml.Node, d *Definition) {
	if n.Kind == yaml.ScalarNode {
		r.Choice("night", []string{"sun", "census"}, func(s string) { d.Census = s == "census" })(n)
		return
	}
	hour := func(what string, to *string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			c, err := parseClock(n.Value)
			if err != nil || c.from != "" {
				r.Fail(n, "%s: found %s; want a time of the day in quotes, such as \"18:30\"", what, strict.Shape(n))
				return
			}
			*to = n.Value
		}
	}
	r.Mapping(n, "night", strict.Fields{"from": hour("night.from", &d.From), "to": hour("night.to", &d.To)})
	from, _ := parseClock(d.From)
	if to, _ := parseClock(d.To); d.From != "" && d.To != "" && (from.offset.Hours() < 12 || to.offset.Hours() >= 12) || (d.From == "") != (d.To == "") {
		r.Fail(n, "night: want from after noon and to before noon of the next day")
	}
}

func (r *reader) instant(n *yaml.Node, d *Definition) {
	c, err := parseClock(n.Value)
	if err != nil {
		r.Fail(n, "instants: %v", err)
		return
	}
	if c.from == "dusk" && c.offset < 0 || c.from == "dawn" && c.offset >= 0 {
		r.set.never = append(r.set.never, &strict.Mistake{File: r.file, Line: n.Line, Column: n.Column, About: r.About,
			Msg: fmt.Sprintf("instants: %s lies in no night: lamps should be on from dusk until before dawn; want one such as dusk+30m or dawn-30m", n.Value)})
	}
	d.Instants, d.clocks = append(d.Instants, n.Value), append(d.clocks, c)
}

func (r *reader) defects(n *yaml.Node, what string, to *[]string) {
	if what == "faults" && n.Kind == yaml.ScalarNode {
		r.Choice(what, []string{"all"}, func(string) {})(n)
		return
	}
	r.List(n, what, func(n *yaml.Node) {
		r.word(what, "the name of a rule or of a finding", to)(n)
		r.note(n, what)
	})
	if what == "faults" && len(*to) == 0 {
		r.Fail(n, "faults: an empty list would make every lamp intact; want all, or names")
	}
}

// word reads a word as defects are called by.
func (r *reader) word(what, want string, to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if !name.MatchString(n.Value) {
			r.Fail(n, "%s: found %s; want %s", what, strict.Shape(n), want)
			return
		}
		*to = append(*to, n.Value)
	}
}

func (r *reader) conditions(n *yaml.Node, d *Definition) {
	as := func(c string) func(*yaml.Node) {
		return r.Choice("conditions."+c, []string{"intact", "faulty", "excluded"}, func(s string) { d.Conditions[c] = State(slices.Index(stateNames[:], s)) })
	}
	r.Mapping(n, "conditions", strict.Fields{"damaged": as("damaged"), "missing": as("missing"), "retired": as("retired")})
}

func (r *reader) targets(n *yaml.Node, d *Definition) {
	r.Entries(n, "targets", func(k, v *yaml.Node) {
		r.Choice("targets", classes()[1:], func(c string) {
			var x float64
			r.Number("targets."+c, 0, 100, &x)(v)
			d.Targets[c] = x
		})(k)
	})
}

func (r *reader) ticket(n *yaml.Node, d *Definition) {
	least := 1.0
	r.Mapping(n, "ticket", strict.Fields{
		"levels": func(n *yaml.Node) {
			r.List(n, "ticket.levels", r.Choice("ticket.levels", []string{"city", "district", "street", "community"}, func(s string) { d.TicketLevels = append(d.TicketLevels, devices.ParseAreaLevel(s)) }))
		},
		"at_least": r.Number("ticket.at_least", 1, 1e9, &least),
	})
	d.AtLeast = int64(least)
}

package rules

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/timetable"
	"lamplighter/rules/strict"
)

// trialSuffixes are how the names of files with tests end; they are no rule
// files where a folder is read.
var trialSuffixes = [...]string{".test.yml", ".test.yaml"}

func isTrial(name string) bool {
	return strings.HasSuffix(name, trialSuffixes[0]) || strings.HasSuffix(name, trialSuffixes[1])
}

// Trials is the tests of one file, with the rules that they are about.
type Trials struct {
	file  string
	dict  *devices.Dictionary
	zone  *time.Location
	set   *Set
	tests []*trial
}

// trial is one test: a small city, what happens to it, and what follows.
type trial struct {
	name      string
	line      int
	start     time.Time
	until     time.Duration
	tick      time.Duration
	tolerance time.Duration
	city      []registry.Facility
	kinds     map[string]devices.Kind // of city, by id
	says      []said
	expects   []expected
}

// said is what facilities report, once or again and again; without values they
// are silent.
type said struct {
	at, every, until, late, silent time.Duration
	ids                            []string
	line                           int
	of                             *yaml.Node // window
	values                         []devices.Value
	curves                         []*curve // of values; nil = it stays
	window                         *Window
	lasts                          time.Duration // of window
}

// expected is one transition that should follow.
type expected struct {
	line     int
	at       time.Duration
	what     TransitionType
	facility string
	defect   string
	severity Severity // "" = any
	members  int      // that are attached when it opens, -1 = any
}

// ReadTrials reads a file of tests, and the rule files that it names, which lie
// beside it. An error is [strict.Mistakes] or says what could not be read.
func ReadTrials(path, zone string, dict *devices.Dictionary) (*Trials, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read tests of rules: %w", err)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", zone, err)
	}
	t := &Trials{file: path, dict: dict, zone: loc}
	r := read(path, text)
	var files []string
	r.Documents(func(n *yaml.Node) {
		r.Mapping(n, "the file", strict.Fields{
			"rules": func(n *yaml.Node) {
				r.List(n, "rules", func(n *yaml.Node) { files = append(files, beside(path, n.Value)) })
			},
			"tests": func(n *yaml.Node) { r.List(n, "tests", func(n *yaml.Node) { t.test(r, n) }) },
		})
	})
	if len(r.Wrong) == 0 && (len(files) == 0 || len(t.tests) == 0) {
		r.FailAt(1, 0, "found %d rule files and %d tests; want rules: [FILE] and tests:", len(files), len(t.tests))
	}
	if len(r.Wrong) > 0 {
		return nil, r.Wrong
	}
	ss, err := Sources(files)
	if err != nil {
		return nil, err
	}
	if t.set, err = Parse(Bundle(zone, ss), dict); err != nil {
		return nil, err
	}
	for _, x := range t.tests {
		x.strangers(r, t.set)
	}
	if len(r.Wrong) > 0 {
		return nil, r.Wrong
	}
	return t, nil
}

// strangers finds windows for rules that are not there, or judge none of the
// facilities that the window names.
func (x *trial) strangers(r *reader, set *Set) {
	for _, s := range x.says {
		if s.window == nil || s.window.Rule == "" {
			continue
		}
		var kinds []devices.Kind
		for _, f := range x.city {
			if (s.window.Facility == "" || s.window.Facility == f.ID) && (s.window.Kind == "" || s.window.Kind == f.Kind.String()) && !slices.Contains(kinds, f.Kind) {
				kinds = append(kinds, f.Kind)
			}
		}
		if wrong := set.Stranger(s.window.Rule, kinds...); wrong != "" {
			r.Fail(s.of, "window.rule: %s", wrong)
		}
	}
}

// beside is a rule file that the file at path names.
func beside(path, file string) string {
	if file == Builtin || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(filepath.Dir(path), file)
}

func (t *Trials) test(r *reader, n *yaml.Node) {
	x := &trial{line: n.Line, kinds: make(map[string]devices.Kind), tick: time.Second, start: time.Date(2026, 1, 1, 0, 0, 0, 0, t.zone)}
	r.Mapping(n, "test", strict.Fields{
		"name": r.Text("name", &x.name),
		"start": func(n *yaml.Node) {
			at, err := time.Parse(time.RFC3339, n.Value)
			if err != nil {
				r.Fail(n, "start: found %s; want an instant such as \"2026-01-01T20:00:00+08:00\"", strict.Shape(n))
				return
			}
			x.start = at
		},
		"until":      r.Duration("until", &x.until),
		"tick":       r.Duration("tick", &x.tick),
		"tolerance":  r.Duration("tolerance", &x.tolerance),
		"facilities": func(n *yaml.Node) { r.List(n, "facilities", func(n *yaml.Node) { t.facility(r, n, x) }) },
		"timeline":   func(n *yaml.Node) { r.List(n, "timeline", func(n *yaml.Node) { t.said(r, n, x) }) },
		"expect":     func(n *yaml.Node) { r.List(n, "expect", func(n *yaml.Node) { x.expect(r, n) }) },
	})
	x.tolerance = max(x.tolerance, x.tick)
	for _, s := range x.says {
		x.until = max(x.until, s.at, s.until)
	}
	for _, e := range x.expects {
		x.until = max(x.until, e.at+x.tolerance)
	}
	switch {
	case x.name == "":
		r.Fail(n, "a test without a name")
	case x.tick < time.Second:
		r.Fail(n, "tick: found %s; want 1s or more", x.tick)
	case x.until/x.tick > maxTicks:
		r.Fail(n, "the test lasts %s in steps of %s; want at most %s: a longer one needs a longer tick", x.until, x.tick, maxTicks*x.tick)
	}
	t.tests = append(t.tests, x)
}

// maxTicks is how long a test may last: a week second by second.
const maxTicks = 7 * 24 * 3600

var idRange = regexp.MustCompile(`\{(\d+)\.\.(\d+)\}`)

// ids is what an id means: SL-{1..3} is three.
func (r *reader) ids(n *yaml.Node) []string {
	m := idRange.FindStringSubmatchIndex(n.Value)
	if m == nil {
		if n.Value == "" {
			r.Fail(n, "found %s; want the id of a facility", strict.Shape(n))
		}
		return []string{n.Value}
	}
	from, _ := strconv.Atoi(n.Value[m[2]:m[3]])
	to, _ := strconv.Atoi(n.Value[m[4]:m[5]])
	if to < from || to-from >= 100_000 {
		r.Fail(n, "found %s; want a first and a last number, at most 100000 of them", n.Value)
		return nil
	}
	out := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, n.Value[:m[0]]+strconv.Itoa(i)+n.Value[m[1]:])
	}
	return out
}

func (t *Trials) facility(r *reader, n *yaml.Node, x *trial) {
	var f registry.Facility
	var ids []string
	var area string
	var expect float64
	var idAt, limitsAt *yaml.Node
	place, before := 0, len(r.Wrong)
	degrees := func(what string, most float64, to *float64) func(*yaml.Node) {
		return func(n *yaml.Node) { place++; r.Number(what, -most, most, to)(n) }
	}
	r.Mapping(n, "facility", strict.Fields{
		"id":    func(n *yaml.Node) { ids, idAt = r.ids(n), n },
		"kind":  r.kind(&f.Kind),
		"model": r.Text("model", &f.Model), "cabinet": r.Text("cabinet", &f.Cabinet), "circuit": r.Text("circuit", &f.Circuit), "feeder": r.Text("feeder", &f.Feeder), "area": r.Text("area", &area),
		"timetable": func(n *yaml.Node) {
			if _, err := timetable.Parse(n.Value); err != nil {
				r.Fail(n, "%v", err)
				return
			}
			f.Timetable = n.Value
		},
		"supply":   r.Choice("supply", []string{"always", "switched"}, func(s string) { f.Supply = s }),
		"expect_s": r.Number("expect_s", 1, 1e7, &expect),
		"lon":      degrees("lon", 180, &f.Lon), "lat": degrees("lat", 90, &f.Lat),
		"limits": func(n *yaml.Node) {
			limitsAt = n
			f.Limits = make(map[string]float64)
			r.Entries(n, "limits", func(k, v *yaml.Node) {
				var l float64
				r.Number("limits."+k.Value, -1e12, 1e12, &l)(v)
				f.Limits[k.Value] = l
			})
		},
	})
	if len(r.Wrong) == before && (len(ids) == 0 || f.Kind == devices.KindUnknown) {
		r.Fail(n, "a facility needs id and kind: %s", strict.Either(kinds))
	}
	for _, b := range LimitsOf(t.dict)(f.Kind, f.Limits) {
		r.Fail(limitsAt, "limits.%s: %s", b.Name, b.Cure)
	}
	f.Area, f.ExpectS, f.HasPlace = devices.AreaCode(area), int64(expect), place == 2
	for _, id := range ids {
		if _, twice := x.kinds[id]; twice {
			r.Fail(idAt, "id: the test has a facility %s already; want another id, or one facility with all that is said of it", id)
			break
		}
		x.kinds[id] = f.Kind
		f.ID, f.Device = devices.FacilityID(id), devices.DeviceID(id)
		x.city = append(x.city, f)
	}
}

func (t *Trials) said(r *reader, n *yaml.Node, x *trial) {
	s := said{line: n.Line, of: n}
	before := len(r.Wrong)
	r.Mapping(n, "timeline", strict.Fields{
		"at": r.Duration("at", &s.at), "every": func(n *yaml.Node) {
			before := len(r.Wrong)
			if r.Duration("every", &s.every)(n); s.every == 0 && len(r.Wrong) == before {
				r.Fail(n, "every: found %s; want more than 0s, or no every and no until for what is said once", n.Value)
			}
		}, "until": r.Duration("until", &s.until),
		"late": r.Duration("late", &s.late), "silent": r.Duration("silent", &s.silent),
		"facility": func(n *yaml.Node) { s.ids = append(s.ids, r.ids(n)...) },
		"values":   func(n *yaml.Node) { s.values, s.curves = t.values(r, n) },
		"window":   func(n *yaml.Node) { s.window, s.of = r.window(n, &s.lasts), n },
	})
	one := 0
	for _, is := range []bool{len(s.values) > 0, s.silent > 0, s.window != nil} {
		if is {
			one++
		}
	}
	switch {
	case len(r.Wrong) > before:
	case one != 1:
		r.Fail(n, "a line of the timeline needs one of values, silent and window")
	case s.window == nil && len(s.ids) == 0:
		r.Fail(n, "whose? want facility: ID")
	case s.every > 0 && s.until <= s.at:
		r.Fail(n, "every needs until, after at")
	}
	for _, id := range s.ids {
		if _, ok := x.kinds[id]; !ok {
			r.Fail(n, "the test has no facility %s", id)
			break
		}
	}
	if s.window != nil && s.window.Facility != "" {
		if _, ok := x.kinds[string(s.window.Facility)]; !ok {
			r.Fail(s.of, "window.facility: the test has no facility %s", s.window.Facility)
		}
	}
	x.says = append(x.says, s)
}

// window reads what a maintenance window names, and how long it lasts.
func (r *reader) window(n *yaml.Node, lasts *time.Duration) *Window {
	w := &Window{Reason: "test", By: "test"}
	var facility, area string
	r.Mapping(n, "window", strict.Fields{
		"for": r.Duration("window.for", lasts), "facility": r.Text("window.facility", &facility), "cabinet": r.Text("window.cabinet", &w.Cabinet),
		"circuit": r.Text("window.circuit", &w.Circuit), "feeder": r.Text("window.feeder", &w.Feeder), "area": r.Text("window.area", &area), "kind": r.Text("window.kind", &w.Kind), "rule": r.Text("window.rule", &w.Rule),
	})
	w.ID, w.Facility, w.Area = fmt.Sprint("line ", n.Line), devices.FacilityID(facility), devices.AreaCode(area)
	w.To = lasts.Milliseconds()
	if _, err := w.Check(); err != nil {
		r.Fail(n, "window: %v", err)
	}
	return w
}

func (t *Trials) values(r *reader, n *yaml.Node) (out []devices.Value, curves []*curve) {
	r.Entries(n, "values", func(k, n *yaml.Node) {
		c := t.dict.Lookup([]byte(k.Value))
		if c == nil {
			var known []string
			for _, c := range t.dict.All() {
				known = append(known, c.Name)
			}
			r.Fail(k, "values: there is no channel %s%s", k.Value, strict.Meant(k.Value, known))
			return
		}
		v := devices.Value{Channel: c}
		var along *curve
		switch {
		case n.Tag == "!!null":
			v.Num, v.Quality = math.NaN(), devices.Fault
		case c.Type == devices.Bool:
			if n.Tag != "!!bool" {
				r.Fail(n, "%s: found %s; want true or false", c.Name, strict.Shape(n))
			} else if n.Value == "true" {
				v.Num = 1
			}
		case c.Type == devices.Text:
			v.Text = n.Value
		case n.Kind == yaml.MappingNode:
			along = r.curve(n, c.Name)
		case n.Tag == "!!str":
			r.Fail(n, "%s: found %s, a text; want a number without quotes", c.Name, strict.Shape(n))
		default: // as the decoder takes it
			q := extentIn(c)
			r.Quantity(c.Name, q.unit, q.least, q.most, &v.Num)(n)
		}
		out, curves = append(out, v), append(curves, along)
	})
	return out, curves
}

func (x *trial) expect(r *reader, n *yaml.Node) {
	e := expected{line: n.Line, members: -1}
	var members float64 = -1
	before := len(r.Wrong)
	saw := func(what TransitionType) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if e.what != 0 {
				r.Fail(n, "expect: one line says one of opened, closed, changed and historic")
			}
			e.what, e.defect = what, n.Value
		}
	}
	r.Mapping(n, "expect", strict.Fields{
		"at": r.Duration("at", &e.at), "facility": r.Text("facility", &e.facility), "severity": r.severity("severity", &e.severity),
		"members": r.Number("members", 0, 1e6, &members), "opened": saw(Opened), "closed": saw(Ended), "changed": saw(Changed), "historic": saw(Historic),
	})
	e.members = int(members)
	if len(r.Wrong) == before && (e.what == 0 || e.facility == "") {
		r.Fail(n, "expect: want at, facility, and one of opened, closed, changed and historic with the name of the rule")
	}
	x.expects = append(x.expects, e)
}

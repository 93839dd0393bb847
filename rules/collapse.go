package rules

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Level is what the members of a common cause hang on, or lie in.
type Level uint8

// The levels, the lowest first.
const (
	Circuit Level = iota + 1
	Cabinet
	Feeder
	Community
	Street
	District
	City
)

var levelNames = [...]string{"", "circuit", "cabinet", "feeder", "community", "street", "district", "city"}

// byArea is what rule files say of the levels from Community on.
const byArea = "area"

// String is the level's name in rule files.
func (l Level) String() string { return levelNames[min(int(l), len(levelNames)-1)] }

// wide tells whether the members are judged in several partitions, see [share].
func (l Level) wide() bool { return l > Cabinet }

// area is the level of the areas, devices.NoArea of what is none.
func (l Level) area() devices.AreaLevel {
	if l < Community {
		return devices.NoArea
	}
	return devices.ParseAreaLevel(l.String())
}

// Collapse makes one ticket on the parent of many members that are bad at once.
type Collapse struct {
	Of      string        // the rule whose condition makes a member bad
	By      Level         // what the members hang on
	Share   float64       // of the members of the kind, 0 = any
	AtLeast int           // members, 0 = any
	Within  time.Duration // they went bad within it of each other, 0 = whenever
	of      *Rule
	bit     uint64 // in facility.causes
}

// maxCollapses is how many rules of a kind may collapse: the bits of a facility.
const maxCollapses = 64

// A wide cause is found when the counts of all partitions have gone through the
// log: shares at most one a second, and what follows from them.
const (
	// gather is how long a wide cause waits at least, so that all shares are in.
	gather = 2 * time.Second
	// round is how long its members, and the causes below it, wait at least: by
	// then they have been told of it.
	round = 5 * time.Second
)

func (t *ruleText) collapse(r *reader, n *yaml.Node) {
	c := &Collapse{}
	bys, areas := []string{Circuit.String(), Cabinet.String(), Feeder.String(), byArea}, levelNames[Community:]
	var least float64
	var by string
	var level *yaml.Node
	before := len(r.Wrong)
	ok := r.Mapping(n, "collapse", strict.Fields{
		"of": r.Text("collapse.of", &c.Of),
		"by": func(n *yaml.Node) {
			if slices.Contains(areas, n.Value) {
				r.Fail(n, "collapse.by: %s is a level of an area; write by: area, level: %s", n.Value, n.Value)
				return
			}
			r.Choice("collapse.by", bys, func(s string) { by = s })(n)
		},
		"level": func(n *yaml.Node) {
			level = n
			r.Choice("collapse.level", areas, func(s string) { c.By = Level(slices.Index(levelNames[:], s)) })(n)
		},
		"share":    r.Number("collapse.share", 0.01, 1, &c.Share),
		"at_least": r.Number("collapse.at_least", 1, 1e6, &least),
		"within":   r.Duration("collapse.within", &c.Within),
	})
	c.AtLeast = int(least)
	t.Collapse = c
	if !ok || len(r.Wrong) > before {
		return
	}
	switch {
	case c.Of == "" || by == "" || c.Share == 0 && c.AtLeast == 0:
		r.Fail(n, "collapse needs of: RULE, by: %s, and share or at_least", strict.Either(bys))
	case by == byArea && level == nil:
		r.Fail(n, "collapse by area needs level: %s", strict.Either(areas))
	case by != byArea && level != nil:
		r.Fail(level, "collapse.level belongs to by: area; a %s has none", by)
	case by != byArea:
		c.By = Level(slices.Index(levelNames[:], by))
	}
}

// meant says how a rule can be found that these files do not have.
func (c *compiler) meant(k devices.Kind, name string) string {
	if built, err := Parse(Default(), c.dict); err == nil && built.find(k, name) != nil {
		return "; it is built in: name default before these files"
	}
	names := c.names(k)
	for _, m := range c.wrong {
		names = append(names, strings.TrimPrefix(m.About, aboutRule))
	}
	return strict.Meant(name, names)
}

// unread tells whether a rule may stand in the files all the same, as what has mistakes
// of its own is not in the set.
func (c *compiler) unread(name string) bool {
	return slices.ContainsFunc(c.wrong, func(m *strict.Mistake) bool { return m.About == "" || m.About == aboutRule+name })
}

// linkCollapse joins a collapse with the rule of its members.
func (c *compiler) linkCollapse(kr *kindRules, r *Rule) {
	of := c.set.find(r.Kind, r.Collapse.Of)
	switch {
	case of == nil && c.unread(r.Collapse.Of):
	case of == nil:
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s has no rule %s%s", r.Kind, r.Collapse.Of, c.meant(r.Kind, r.Collapse.Of)))
	case of.Collapse != nil:
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s is a collapse itself; want the rule of the members", of.Name))
	case r.Collapse.By.wide() && of.AtOnce != "":
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s has at_once and waits for nobody; the counts of a %s go through the log first: take a rule without it", of.Name, r.Collapse.By))
	case r.Collapse.By.wide() && of.For < round:
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s has for: %s; the counts of a %s go through the log first: want for: %s or more there", of.Name, of.For, r.Collapse.By, round))
	case len(kr.collapses) == maxCollapses:
		c.wrong = append(c.wrong, c.mistake(r, "a kind has at most %d rules with collapse", maxCollapses))
	default:
		r.Collapse.of, r.Collapse.bit = of, 1<<len(kr.collapses)
		kr.collapses = append(kr.collapses, r)
		of.causes = append(of.causes, r)
	}
}

// linkWide notes what has to wait for wide causes.
func (k *kindRules) linkWide() {
	for _, r := range k.collapses {
		x := r.Collapse
		if !x.By.wide() {
			continue
		}
		x.of.wide = true
		r.least = max(r.least, gather)
		if !slices.Contains(k.wide, x.By) {
			k.wide = append(k.wide, x.By)
		}
		for _, o := range x.of.causes {
			if o.Collapse.By < x.By {
				o.least = round
			}
		}
	}
}

// wait is how long a collapse waits before it opens its ticket.
func (r *Rule) wait() time.Duration { return max(r.For, r.least) }

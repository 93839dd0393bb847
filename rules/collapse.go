package rules

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/rules/strict"
)

// Level is what the members of a common cause hang on.
type Level uint8

// The levels, the lowest first.
const (
	Circuit Level = iota + 1
	Cabinet
)

var levelNames = [...]string{"", "circuit", "cabinet"}

// notLocal is why some levels cannot be had.
var notLocal = map[string]string{
	"feeder":    "the census knows no feeders",
	"street":    areaSpread,
	"district":  areaSpread,
	"community": areaSpread,
	"area":      areaSpread,
}

const areaSpread = "the members of an area are judged in several partitions of the log, and none of them sees them all"

// String is the level's name in rule files.
func (l Level) String() string { return levelNames[min(int(l), len(levelNames)-1)] }

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

func (t *ruleText) collapse(r *reader, n *yaml.Node) {
	c := &Collapse{}
	levels := levelNames[1:]
	var least float64
	before := len(r.Wrong)
	ok := r.Mapping(n, "collapse", strict.Fields{
		"of": r.Text("collapse.of", &c.Of),
		"by": func(n *yaml.Node) {
			if why, ok := notLocal[n.Value]; ok {
				r.Fail(n, "collapse.by: %s cannot be had: %s; want %s", n.Value, why, strict.Either(levels))
				return
			}
			r.Choice("collapse.by", levels, func(s string) { c.By = Level(slices.Index(levelNames[:], s)) })(n)
		},
		"share":    r.Number("collapse.share", 0.01, 1, &c.Share),
		"at_least": r.Number("collapse.at_least", 1, 1e6, &least),
		"within":   r.Duration("collapse.within", &c.Within),
	})
	c.AtLeast = int(least)
	if ok && len(r.Wrong) == before && (c.Of == "" || c.By == 0 || c.Share == 0 && c.AtLeast == 0) {
		r.Fail(n, "collapse needs of: RULE, by: %s, and share or at_least", strict.Either(levels))
	}
	t.Collapse = c
}

// linkCollapse joins a collapse with the rule of its members.
func (c *compiler) linkCollapse(kr *kindRules, r *Rule) {
	of := c.set.find(r.Kind, r.Collapse.Of)
	switch {
	case of == nil:
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s has no rule %s%s", r.Kind, r.Collapse.Of, strict.Meant(r.Collapse.Of, c.names(r.Kind))))
	case of.Collapse != nil:
		c.wrong = append(c.wrong, c.mistake(r, "collapse.of: %s is a collapse itself; want the rule of the members", of.Name))
	case len(kr.collapses) == maxCollapses:
		c.wrong = append(c.wrong, c.mistake(r, "a kind has at most %d rules with collapse", maxCollapses))
	default:
		r.Collapse.of, r.Collapse.bit = of, 1<<len(kr.collapses)
		kr.collapses = append(kr.collapses, r)
		of.causes = append(of.causes, r)
	}
}

package lighting

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"time"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// Definition says what one rate is. A change needs a new version: figures name
// the version that they were made by.
type Definition struct {
	Name, Version string
	Title         devices.Title
	From, To      string // times of the day of a timetable; "" = by the sun
	Census        bool   // and of the night only what the census' timetables say
	Time          bool   // measured in time; else at instants
	Instants      []string
	FaultyAt      string   // any, most or all of the instants
	Faults        []string // defects that count; none = all
	Except        []string // those that do not
	Findings      bool     // what people find counts
	Conditions    map[string]State
	Unknown       string             // apart, intact or faulty: where the figure puts them
	Target        float64            // percent
	Targets       map[string]float64 // by class of road
	TicketLevels  []devices.AreaLevel
	AtLeast       int64 // lamps that an area must have for a ticket

	clocks []clock
	text   string // as written
}

// Unit is what its sums count.
func (d *Definition) Unit() string {
	if d.Time {
		return "lamp_ms"
	}
	return "lamp_nights"
}

// Text is the definition as it was written.
func (d *Definition) Text() string { return d.text }

// Set is all definitions of a file, in its order.
type Set struct {
	Place *Place   // where the sun is asked for; nil = the middle of the city's lamps
	Found []string // the city's own words for what people find, beside the usual ones
	Rates []*Definition
	named []named
	never strict.Mistakes // instants that lie in no night; definitions that are kept may have such
}

//go:embed default.yml
var defaultText []byte

// Default is the text of the built-in definitions.
func Default() []byte { return bytes.Clone(defaultText) }

// Load reads a file of definitions; "" is the built-in one.
func Load(path string) (*Set, error) {
	if path == "" {
		return Parse("default.yml", defaultText)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read lighting definitions: %w", err)
	}
	return Parse(path, text)
}

// night is when lamps should be on after the noon of a day.
func (d *Definition) night(day string, p Place, zone *time.Location) (Night, error) {
	n := Night{Day: day}
	at, err := noon(day, zone)
	if err != nil {
		return n, err
	}
	if d.From != "" {
		from, _ := parseClock(d.From)
		to, _ := parseClock(d.To)
		n.Dusk, n.Dawn = from.in(&n, zone), to.in(&n, zone)
		return n, nil
	}
	var ok bool
	if n.Dusk, n.Dawn, ok = bySun(at, p); !ok {
		return n, fmt.Errorf("%s has no night at %g, %g; give the definition a timetable: night: {from, to}: %w", day, p.Lon, p.Lat, devices.ErrInvalid)
	}
	return n, nil
}

// instants are those of a night, without those that lie outside of it.
func (d *Definition) instants(n *Night, zone *time.Location) []int64 {
	var out []int64
	for _, c := range d.clocks {
		if t := c.in(n, zone); t >= n.Dusk && t < n.Dawn {
			out = append(out, t)
		}
	}
	return out
}

// target is what the class of a road owes, in percent.
func (d *Definition) target(class string) float64 {
	if t, ok := d.Targets[class]; ok {
		return t
	}
	return d.Target
}

// rate is the figure of a tally, its best and its worst case, from 0 to 1; ok is
// false when there is nothing to judge.
func (d *Definition) rate(t Tally) (value, best, worst float64, ok bool) {
	all := t.Intact + t.Faulty + t.Unknown
	if all == 0 {
		return 0, 0, 0, false
	}
	best, worst = float64(t.Intact+t.Unknown)/float64(all), float64(t.Intact)/float64(all)
	num, den := d.fraction(t)
	if den == 0 {
		return 0, best, worst, false
	}
	return float64(num) / float64(den), best, worst, true
}

// fraction is what the rate of a tally is made of: numerator and denominator.
func (d *Definition) fraction(t Tally) (num, den int64) {
	switch d.Unknown {
	case "intact":
		return t.Intact + t.Unknown, t.Intact + t.Faulty + t.Unknown
	case "faulty":
		return t.Intact, t.Intact + t.Faulty + t.Unknown
	}
	return t.Intact, t.Intact + t.Faulty
}

package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lamplighter/devices"
)

// Severity says how bad a defect is.
type Severity string

// The severities, least first.
const (
	Info     Severity = "info"
	Minor    Severity = "minor"
	Major    Severity = "major"
	Critical Severity = "critical"
)

// severities is the order of them.
var severities = [...]Severity{Info, Minor, Major, Critical}

// rank is how bad s is, from 1; 0 = no severity.
func (s Severity) rank() int {
	for i, x := range severities {
		if x == s {
			return i + 1
		}
	}
	return 0
}

// Worse tells whether s is worse than o.
func (s Severity) Worse(o Severity) bool { return s.rank() > o.rank() }

// Rule is one compiled rule.
type Rule struct {
	Name   string
	Kind   devices.Kind
	When   string // as written, for those who ask why
	Clear  string
	AtOnce string // where it holds too, For is not waited for
	For    time.Duration
	// Confirmed says that For is counted up to the newest reading: who falls silent
	// confirms nothing.
	Confirmed bool
	ClearFor  time.Duration
	MaxAge    time.Duration // an older channel is unknown; 0 = see maxAge
	Severity  Severity
	Steps     []Step           // worse severities, the least first
	Channel   *devices.Channel // shown in the ticket where no comparison decided, may be nil
	Limits    map[string]Limit // by channel
	Silent    float64          // × the expected interval; 0 = not a rule about silence
	Collapse  *Collapse        // nil = not a rule about common causes
	Sensor    *Sensor          // nil = not a rule about sensors
	Schedule  *Schedule        // nil = always
	Page      PageDelay
	Summary   devices.Title
	Wordings  []Wording // the first that holds is told instead of any Summary

	index       int
	when        *condition
	clear       *condition // nil: when is false
	clearLimits []string   // that stand in clear, by name
	atOnce      *condition // nil: never
	inputs      uint64     // the bits of the channels that when, clear and steps use
	timed       bool       // night or should_be_on stands in them
	nightly     bool       // night does
	derived     []*derived
	bases       []*baseline
	reads       []*devices.Channel // what when, at_once, clear and steps look at, by name
	why         *decision          // of when; nil where it compares no number
	causes      []*Rule            // the rules that collapse this one's alerts
	wide        bool               // some of them are wide
	least       time.Duration      // of a collapse: it waits so long, whatever For says
}

// Step is a worse severity of a rule whose condition holds.
type Step struct {
	Severity Severity
	When     string
	Clear    string        // down again; "" = when is false
	Summary  devices.Title // of the ticket then; "" = the rule's
	when     *condition
	why      *decision // of when
	clear    *condition
}

// PageDelay keeps a page back, never the ticket. What is over before After has
// passed is never paged.
type PageDelay struct {
	After      time.Duration // of the page that says opened
	ClearAfter time.Duration // of the page that says closed
}

// Limit is the limit of a channel where a facility of the census has none of
// its own. NaN = none.
type Limit struct {
	Default float64
	Models  map[string]float64 // by model, as the census names it
}

// Where a limit was found.
const (
	fromFacility = "facility"
	fromModel    = "model"
	fromRule     = "rule"
)

// limit is the limit of f and where it stands; ok is false where there is none.
func (r *Rule) limit(f *facility, name string, t *texts) (l float64, from string, ok bool) {
	names := limitNames(name)
	d, ok := r.Limits[names[len(names)-1]]
	if !ok {
		d.Default = math.NaN()
	}
	return d.of(f, names, t)
}

// of is the limit of f that the census knows by one of names, the nearest first;
// else that of its model, else the default.
func (d *Limit) of(f *facility, names []string, t *texts) (l float64, from string, ok bool) {
	for _, n := range names {
		if l, ok := f.limits[n]; ok {
			return l, fromFacility, true
		}
	}
	if f.model != 0 && len(d.Models) > 0 {
		if l, ok := d.Models[t.text(f.model)]; ok {
			return l, fromModel, true
		}
	}
	return d.Default, fromRule, !math.IsNaN(d.Default)
}

// spares tells whether a channel is of no matter to r at f: only the census knows its
// limit, and f has none. So what is not known of it is in the way of nothing.
func (r *Rule) spares(f *facility, channel string) bool {
	if _, limited := r.Limits[channel]; !limited {
		return false
	}
	for _, name := range []string{channel, channel + lowSuffix} {
		if l, ok := r.Limits[name]; ok && (!math.IsNaN(l.Default) || len(l.Models) > 0) {
			return false
		}
	}
	for own := range f.limits {
		if of, _ := tierOf(strings.TrimSuffix(own, lowSuffix)); of == channel {
			return false
		}
	}
	return true
}

// tiers is how many limits of a channel a facility may have: notice (黄), warning
// (橙) and alarm (红). The census names them CHANNEL, CHANNEL_2 and CHANNEL_3. Where
// one is missing the one before it counts: over a bridge's only limit is an alarm.
const tiers = 3

// tierName is the name of a limit in the census.
func tierName(channel string, tier int) string {
	if tier == 1 {
		return channel
	}
	return fmt.Sprintf("%s_%d", channel, tier)
}

// limitNames are the names by which the census may know a limit: that of its tier,
// and those of the tiers before it, down to the channel's own.
func limitNames(name string) []string {
	channel, tier := tierOf(name)
	names := make([]string, 0, tiers)
	for ; tier > 0; tier-- {
		names = append(names, tierName(channel, tier))
	}
	return names
}

// lowSuffix is that of a lower limit: CHANNEL_low is what CHANNEL may not fall
// below. It has a default, models and the census of its own.
const lowSuffix = "_low"

// limitOf is the channel of l that a limit's name means, nil if there is none.
func (l *language) limitOf(name string) *devices.Channel {
	for _, n := range []string{name, strings.TrimSuffix(name, lowSuffix)} {
		if ch := l.channels[n]; ch != nil {
			return ch
		}
	}
	return nil
}

// tierOf is the channel and the tier that a limit's name means.
func tierOf(name string) (channel string, tier int) {
	if n := len(name) - 2; n > 0 && name[n] == '_' && name[n+1] >= '2' && name[n+1] <= '0'+tiers {
		return name[:n], int(name[n+1] - '0')
	}
	return name, 1
}

// maxAge is how old, ms, a channel of f may be before it is unknown. Without a
// word from the rule, what is reported every half hour is believed for longer
// than what is reported every minute: one message may be lost.
func (r *Rule) maxAge(f *facility) int64 {
	if r.MaxAge > 0 {
		return r.MaxAge.Milliseconds()
	}
	return max(leastMaxAge.Milliseconds(), 2*f.expectMS)
}

// Wait is how long a fault may have lasted before r tells of it: For, after the past
// that it looks at. Expected intervals of silence, which are each facility's own, come
// on top.
func (r *Rule) Wait() time.Duration {
	past := int64(0)
	for _, d := range r.derived {
		if d.base == nil {
			past = max(past, d.span)
		} else {
			past = max(past, d.base.step+d.base.smooth)
		}
	}
	return r.For + time.Duration(past)*time.Millisecond
}

// severity is that of a rule at a step, 0 = none.
func (r *Rule) severity(step uint8) Severity {
	if step == 0 || int(step) > len(r.Steps) {
		return r.Severity
	}
	return r.Steps[step-1].Severity
}

// summary is that of a rule at a step and with a wording, 0 = none.
func (r *Rule) summary(step uint8, words uint16) devices.Title {
	if w := r.wording(words); w != nil {
		return w.Summary
	}
	if step == 0 || int(step) > len(r.Steps) || r.Steps[step-1].Summary.ZH == "" {
		return r.Summary
	}
	return r.Steps[step-1].Summary
}

// Set is a compiled set of rule files.
type Set struct {
	text    string
	version string
	zone    *time.Location
	kinds   [4]kindRules // by devices.Kind
}

// kindRules is the rules of one kind.
type kindRules struct {
	rules     []*Rule
	collapses []*Rule  // of rules
	wide      []Level  // of collapses
	bits      []uint64 // by channel: those of the inputs of rules, see language.bit
	fresh     int64    // ms: a value repeated within it changes no answer
	silent    float64  // the least Silent of its rules, 0 = none
	rests     bool     // the silence of what may have no power is of no matter to any rule
	derives   bool     // some rule has values of the past of a channel
	baselines []*baseline
	sensor    *Rule  // the one about sensors, nil = none
	lateness  int64  // ms that a message waits for those before it
	late      string // where that stands, "" = nowhere
}

// bit is what the rules know a channel by, 0 = no rule looks at it.
func (k *kindRules) bit(channel int) uint64 {
	if channel < len(k.bits) {
		return k.bits[channel]
	}
	return 0
}

// Text is what the set was read from.
func (s *Set) Text() string { return s.text }

// Version names the set: the beginning of its hash.
func (s *Set) Version() string { return s.version }

// Wide tells whether it has causes that several partitions have part in.
func (s *Set) Wide() bool {
	return slices.ContainsFunc(s.kinds[:], func(k kindRules) bool { return len(k.wide) > 0 })
}

// Rules is the rules of a kind, in the order of the files.
func (s *Set) Rules(k devices.Kind) []*Rule { return s.kinds[k].rules }

// find is the rule of that name, nil if there is none.
func (s *Set) find(k devices.Kind, name string) *Rule {
	for _, r := range s.kinds[k].rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

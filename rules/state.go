package rules

import (
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"lamplighter/devices"
)

// leastMaxAge is how old a channel's value may be, against the newest reading of
// its facility, before it counts as unknown to a rule that says nothing else; or
// two expected intervals where that is longer.
const leastMaxAge = 15 * time.Minute

// reach is how old a reading may be, against the wall clock, to be judged as
// the state of now.
const reach = 15 * time.Minute

// facility is what the engine knows of one facility. There are a million of
// them: what most do not need stands behind a pointer.
type facility struct {
	id         devices.FacilityID
	device     devices.DeviceID
	parent     *parent // what it hangs on, nil = nothing
	causes     uint64  // the bits of the collapse rules that count it as bad
	limits     map[string]float64
	hours      lightingHours // its own, see facility.when
	more       *rare         // what most facilities do not need
	lon, lat   float32
	model      uint32 // in Engine.texts
	area       uint32 // in Engine.texts
	feeder     uint32 // in Engine.texts: its own
	expectMS   int64
	values     []value // few: searched from the front
	alerts     []alert // those that are not at rest, by rule
	newest     int64   // event time of the newest reading
	seen       int64   // wall clock when last heard, 0 = never
	excused    int64   // wall clock before which its silence says nothing: it sleeps
	absent     int64   // wall clock when it was found to be silent or overdue
	dark       int64   // link.darkness of its link when last heard
	due        int64   // wall clock of the silence timer in the queue, 0 = none
	wakes      int64   // wall clock of its place in Engine.sleepers, 0 = none
	since      int64   // since when it is shown as it is, see [Facts.Since]
	book       Book
	why        uint32 // in Engine.texts: the rules by which it is faulty
	kind       devices.Kind
	standing   Standing // its own
	shown      Standing // the worse of that and of the place that it is, see Engine.show
	link       uint16   // in Engine.links: what it was last heard through
	silent     bool
	overdue    bool // late, and looked at because another was missed; see Engine.missed
	lost       bool // nothing can be heard of it, for longer than it may be silent
	heir       bool // came from another partition: may have tickets that this one does not know of
	waiting    bool // in Engine.waiting
	maintained bool // a window without a rule is over it
	gone       bool // let go of: its timer rings for nobody
	hasPlace   bool
	hung       bool // the census has said what it hangs on and lies in
	anew       bool // rules, limits or kind have changed: every rule is asked at the next reading
	owed       bool // in Engine.owed
}

// rare is what only facilities under some rules need.
type rare struct {
	series  []series  // of the channels that rules derive values from
	learned []learned // of the baselines of rules
	sensors *sensors  // where a rule is about them
	past    *past     // what is told of a time that is over
	held    []heldMessage
	next    uint64 // number of the message that those in held wait for
	chore   bool   // in Engine.chores
}

func (f *facility) rare() *rare {
	if f.more == nil {
		f.more = &rare{}
	}
	return f.more
}

// value is the newest value of a channel.
type value struct {
	num     float64
	at      int64
	text    uint32 // in Engine.texts
	channel uint32 // devices.Channel.ID
}

// alert is a rule's standing at one facility. Instants of the wall decide where
// the device says nothing more, event times where it tells its past at once.
type alert struct {
	rule    int
	pending int64  // wall clock since when the condition holds, 0 = it does not
	event   int64  // event time when it began
	told    int64  // event time when a reading last said that it holds
	quiet   int64  // wall clock since when a firing condition is gone
	calm    int64  // event time when it went; while quiet is 0 when it last came back, see Engine.began
	words   uint16 // of Rule.Wordings: the worst that was told, 0 = none
	step    uint8  // of Rule.Steps, 0 = none
	firing  bool
	sure    bool // need not last for Rule.For
	held    bool // has no ticket of its own: its parent has one for both
	heir    bool // may be firing in a ticket that another partition opened
	anew    bool // went as other rules or limits were asked about what is known
}

// value is the channel's value; ok is false when it is too old to be believed.
// A channel that was never reported is NaN, false and "": the facility has no
// such sensor, so no comparison with it holds.
func (f *facility) value(ch int, maxAge int64) (v value, ok bool) {
	for i := range f.values {
		if f.values[i].channel == uint32(ch) {
			return f.values[i], f.newest-f.values[i].at <= maxAge
		}
	}
	return value{num: math.NaN()}, true
}

// has tells whether f has ever reported a channel.
func (f *facility) has(c *devices.Channel) bool {
	v, _ := f.value(c.ID, 0)
	return v.at > 0
}

// set takes a value over; changed is false when it says what was known before
// and is no older than fresh.
func (f *facility) set(v value, fresh int64) (changed bool) {
	for i := range f.values {
		if old := &f.values[i]; old.channel == v.channel {
			changed = old.num != v.num || old.text != v.text || v.at-old.at > fresh
			*old = v
			return changed
		}
	}
	f.values = append(f.values, v)
	return true
}

// find is the alert of a rule, nil if it is at rest.
func (f *facility) find(rule int) *alert {
	for i := range f.alerts {
		if f.alerts[i].rule == rule {
			return &f.alerts[i]
		}
	}
	return nil
}

// rest forgets an alert that is over.
func (f *facility) rest(rule int) {
	for i := range f.alerts {
		if f.alerts[i].rule == rule {
			f.alerts = append(f.alerts[:i], f.alerts[i+1:]...)
			return
		}
	}
}

// view shows a facility to an expression.
type view struct {
	f    *facility
	rule *Rule
	e    *Engine
}

var _ cel.Activation = (*view)(nil)

// ResolveName is the value of a channel or of its limit.
func (v *view) ResolveName(name string) (any, bool) {
	if c, ok := v.e.ids[name]; ok {
		x, ok := v.read(c)
		if !ok {
			return math.NaN(), v.rule.spares(v.f, c.Name)
		}
		switch c.Type {
		case devices.Bool:
			return x.num == 1, true
		case devices.Text:
			return v.e.texts.text(x.text), true
		}
		return x.num, true
	}
	if ch, ok := strings.CutPrefix(name, limitPrefix); ok {
		l, _, ok := v.rule.limit(v.f, ch, v.e.texts)
		if !ok {
			l = math.NaN() // no limit: no comparison with it holds
		}
		return l, true
	}
	switch name {
	case nightWord:
		return found(v.e.night(v.f, v.f.newest))
	case onWord:
		return found(v.e.shouldBeOn(v.f, v.f.newest))
	case membersWord:
		return float64(v.e.telling(v.f, nil)), true
	}
	if ch, ok := strings.CutPrefix(name, hasPrefix); ok && v.e.ids[ch] != nil {
		return v.f.has(v.e.ids[ch]), true
	}
	if ch, ok := strings.CutPrefix(name, tellPrefix); ok && v.e.ids[ch] != nil {
		return float64(v.e.telling(v.f, v.e.ids[ch])), true
	}
	for _, d := range v.rule.derived {
		if d.name == name {
			return found(d.of(v.f, v.f.newest))
		}
	}
	return nil, false
}

// read is a channel's value; ok is false when it is not to be believed.
func (v *view) read(c *devices.Channel) (x value, ok bool) {
	x, ok = v.f.value(c.ID, v.rule.maxAge(v.f))
	return x, ok && !v.f.doubted(uint32(c.ID))
}

// found is what ResolveName returns of a value that may not be known.
func found[T any](x T, ok bool) (any, bool) { return x, ok }

// Parent is nil: there is no outer scope.
func (v *view) Parent() cel.Activation { return nil }

// texts keeps each enumeration value once; 0 is "".
type texts struct {
	list []string
	ids  map[string]uint32
}

// maxTexts bounds it: devices could send anything. Beyond, a text is "".
const maxTexts = 1 << 20

func newTexts() *texts { return &texts{list: []string{""}, ids: map[string]uint32{"": 0}} }

func (t *texts) id(s string) uint32 {
	if id, ok := t.ids[s]; ok {
		return id
	}
	if len(t.list) >= maxTexts {
		return 0
	}
	id := uint32(len(t.list))
	t.list = append(t.list, s)
	t.ids[s] = id
	return id
}

func (t *texts) text(id uint32) string { return t.list[id] }

package rules

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"lamplighter/devices"
)

// Evidence is what decided that a ticket opens, or (Turn) what becomes of it: enough
// to say why without the rules and the census of that day. Instants are Unix ms.
type Evidence struct {
	Turn      string           `json:"turn,omitempty"` // "" = the opening; severity, words (something worse was to be seen) or closed
	Rule      string           `json:"rule"`
	Version   string           `json:"version"`             // of the rule set
	When      string           `json:"when,omitempty"`      // as written; of severity the step's that was reached or left, "" = by another rule set; of words the wording's
	Clear     string           `json:"clear,omitempty"`     // as written: what held instead, where something closed or got better; "" = when held no longer
	Severity  Severity         `json:"severity,omitempty"`  // from then on; of an opening at a step, of severity and of words
	Was       Severity         `json:"was,omitempty"`       // of severity
	Step      string           `json:"step,omitempty"`      // of an opening at a step its when, as written
	Withdrawn bool             `json:"withdrawn,omitempty"` // of closed: no rule judges it any more
	Kind      string           `json:"kind,omitempty"`      // of withdrawn: what the facility is now; "" = the rule set has that rule no longer
	Anew      bool             `json:"anew,omitempty"`      // nothing was heard: other rules or limits have come into force
	Sensor    bool             `json:"sensor,omitempty"`    // of closed: the rule is about sensors
	AtOnce    string           `json:"at_once,omitempty"`   // as written, where it held and for was not waited for
	Silent    float64          `json:"silent,omitempty"`    // × ExpectMS
	Cause     *CauseEvidence   `json:"cause,omitempty"`     // of a collapse
	Since     int64            `json:"since"`               // event time since when it held
	Pending   int64            `json:"pending"`             // wall clock since when it held
	ForMS     int64            `json:"for_ms"`
	At        int64            `json:"at"` // wall clock of the frame that decided
	Seen      int64            `json:"seen,omitempty"`
	Expect    int64            `json:"expect_ms,omitempty"`
	Outage    *OutageEvidence  `json:"outage,omitempty"`  // of silence, also of members: the newest time since they were heard in which nobody could be
	Decided   *Measure         `json:"decided,omitempty"` // the comparison that decided, where one did
	Values    []EvidenceValue  `json:"values,omitempty"`
	Sensors   []SensorEvidence `json:"sensors,omitempty"` // that are faulty, of a rule about sensors
	Window    *WindowEvidence  `json:"window,omitempty"`  // that has kept the ticket back, or members of its cause
}

// WindowEvidence is the maintenance window that has kept a ticket back, or members of
// a common cause from counting; some of them it still does, where To is yet to come.
type WindowEvidence struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	By      string `json:"by"`
	To      int64  `json:"to"`                // Unix ms
	Members int    `json:"members,omitempty"` // that did not count
}

// OutageEvidence is a time in which nothing could be heard of a facility, as no daemon
// ran or its broker was away: it counts for no silence.
type OutageEvidence struct {
	Link string `json:"link,omitempty"` // what the facility was last heard through: the listener, or a broker's name
	From int64  `json:"from"`           // Unix ms
	To   int64  `json:"to"`             // Unix ms
	MS   int64  `json:"ms"`             // of all outages since it was last heard
}

// EvidenceValue is a channel, or a value that the rule derives of one, as it
// was. What was not known is left out.
type EvidenceValue struct {
	Name   string         `json:"name"`
	Title  devices.Title  `json:"title"`
	Unit   string         `json:"unit,omitempty"`
	Number *float64       `json:"number,omitempty"`
	Yes    *bool          `json:"yes,omitempty"` // of a yes-or-no channel
	Text   *string        `json:"text,omitempty"`
	At     int64          `json:"at,omitempty"` // event time
	Stale  bool           `json:"stale,omitempty"`
	Limit  *float64       `json:"limit,omitempty"`
	Tiers  []float64      `json:"tiers,omitempty"`      // its limits of notice, warning and alarm, where it has more than one
	From   string         `json:"limit_from,omitempty"` // facility, model or rule
	Usual  *UsualEvidence `json:"usual,omitempty"`      // of a residual
}

// Measure is a quantity, a channel or a value that the rule derives of one, against
// the bound that it was compared with.
type Measure struct {
	Name    string        `json:"name"`
	Title   devices.Title `json:"title"`
	Channel string        `json:"channel,omitempty"` // whose unit and scale it has
	Unit    string        `json:"unit,omitempty"`
	Value   float64       `json:"value"`
	Limit   float64       `json:"limit"` // with the sign that it was compared with
}

// UsualEvidence is what a residual is the rest of.
type UsualEvidence struct {
	Channel  string  `json:"channel"`
	On       string  `json:"on,omitempty"` // the channel that it is compensated by
	Value    float64 `json:"value"`        // the channel's mean in the step
	Expected float64 `json:"expected"`
	Band     float64 `json:"band"` // one standard deviation
}

// CauseEvidence is how many members were bad together.
type CauseEvidence struct {
	Of       string  `json:"of"` // the rule of the members
	By       string  `json:"by"` // circuit, cabinet, feeder, community, street, district or city
	Bad      int     `json:"bad"`
	Total    int     `json:"total"`
	Share    float64 `json:"share,omitempty"`
	AtLeast  int     `json:"at_least,omitempty"`
	WithinMS int64   `json:"within_ms,omitempty"`
}

// evidence is why r opens at f; m decided it, nil where no number did.
func (e *Engine) evidence(f *facility, r *Rule, m *measure) *Evidence {
	x := &Evidence{Rule: r.Name, Version: e.set.version, When: r.When, Silent: r.Silent, ForMS: r.For.Milliseconds(), At: e.wall, Decided: m.evidence()}
	if a := f.find(r.index); a != nil {
		x.Since, x.Pending = a.event, a.pending
		x.Window = e.heldBy(f, r, a)
	}
	if r.Silent > 0 {
		x.Seen, x.Expect, x.Outage = f.seen, f.expectMS, e.outage(f)
		return x
	}
	if r.Sensor != nil {
		x.Sensors = e.faultySensors(f)
		return x
	}
	v := &e.view
	v.f, v.e, v.rule = f, e, r
	if r.atOnce != nil && r.atOnce.ask(v) == yes {
		x.AtOnce = r.AtOnce
	}
	x.Values = e.evidenceValues(f, r)
	return x
}

// outage is the newest one since f was last heard, nil if there was none.
func (e *Engine) outage(f *facility) *OutageEvidence {
	l := &e.links[f.link]
	if l.back <= f.seen || l.lasted == 0 {
		return nil
	}
	return &OutageEvidence{Link: l.name, From: max(f.seen, l.back-l.lasted), To: l.back, MS: l.darkness(e.wall) - f.dark}
}

// outage is the newest one since its members were last heard, nil if there was none,
// or they are not silent. Of several that end at once it is the one of who has had most.
func (c *cause) outage(e *Engine) (newest *OutageEvidence) {
	if c.rule.Collapse.of.Silent == 0 {
		return nil
	}
	for f := range c.bad {
		if x := e.outage(f); x != nil && (newest == nil || cmp.Or(cmp.Compare(x.To, newest.To), cmp.Compare(x.MS, newest.MS), cmp.Compare(newest.From, x.From), cmp.Compare(newest.Link, x.Link)) > 0) {
			newest = x
		}
	}
	return newest
}

// evidenceValues is what r looks at as it is at f.
func (e *Engine) evidenceValues(f *facility, r *Rule) (out []EvidenceValue) {
	for _, c := range r.reads {
		if !f.has(c) && r.spares(f, c.Name) {
			continue // it has neither such a sensor nor a limit for one
		}
		out = append(out, e.shownValue(f, r, c))
	}
	for _, d := range r.derived {
		if d.base != nil {
			if d.part == 0 {
				out = append(out, e.shownUsual(f, r, d.base))
			}
			continue
		}
		y := EvidenceValue{Name: d.name, Title: devices.Title{ZH: d.name, EN: d.name}, At: f.newest}
		if n, ok := d.of(f, f.newest); ok {
			y.Number = number(n)
		}
		out = append(out, y)
	}
	return out
}

// shownUsual is a residual of f as it is, with what it is the rest of.
func (e *Engine) shownUsual(f *facility, r *Rule, b *baseline) EvidenceValue {
	x := EvidenceValue{Name: b.name, Title: devices.Title{ZH: b.name, EN: b.name}, Unit: b.channel.Unit, At: f.newest}
	if l, from, ok := r.limit(f, b.channel.Name, e.texts); ok {
		x.Limit, x.From = number(l), from
	}
	n, ok := b.of(f, 0, f.newest)
	if !ok {
		return x
	}
	l := f.usualOf(b)
	x.At, x.Number, x.Usual = l.at, number(n), &UsualEvidence{Channel: b.channel.Name, Value: l.now, Expected: l.usual, Band: l.band}
	if b.on != nil {
		x.Usual.On = b.on.Name
	}
	return x
}

// shownValue is a channel as it is at f.
func (e *Engine) shownValue(f *facility, r *Rule, c *devices.Channel) EvidenceValue {
	x := EvidenceValue{Name: c.Name, Title: c.Title, Unit: c.Unit}
	if l, from, ok := r.limit(f, c.Name, e.texts); ok && c.Type == devices.Number {
		x.Limit, x.From = number(l), from
		x.Tiers = r.tiersOf(f, c.Name, e.texts)
	}
	v, fresh := f.value(c.ID, r.maxAge(f))
	if v.at == 0 {
		return x
	}
	x.At, x.Stale = v.at, !fresh || f.doubted(v.channel)
	switch c.Type {
	case devices.Bool:
		yes := v.num == 1
		x.Yes = &yes
	case devices.Text:
		t := e.texts.text(v.text)
		x.Text = &t
	default:
		x.Number = number(v.num)
	}
	return x
}

// tiersOf is the limits of a channel of f, nil where it has only one.
func (r *Rule) tiersOf(f *facility, channel string, t *texts) (out []float64) {
	more := false
	for tier := 1; tier <= tiers; tier++ {
		name := tierName(channel, tier)
		_, own := f.limits[name]
		more = more || tier > 1 && own
		l, _, ok := r.limit(f, name, t)
		if !ok {
			return nil
		}
		out = append(out, l)
	}
	if !more {
		return nil
	}
	return out
}

// number is x where JSON can say it.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// evidence is why the ticket of c opens.
func (c *cause) evidence(e *Engine) *Evidence {
	x := c.rule.Collapse
	return &Evidence{Rule: c.rule.Name, Version: e.set.version, Since: c.reached, Pending: c.pending, ForMS: c.rule.wait().Milliseconds(), At: e.wall,
		Cause: &CauseEvidence{Of: x.Of, By: x.By.String(), Bad: len(c.bad), Total: c.parent.total[c.rule.Kind], Share: x.Share, AtLeast: x.AtLeast, WithinMS: x.Within.Milliseconds()}}
}

// read notes that a rule looks at a channel or at its limit.
func (r *Rule) read(c *devices.Channel) {
	if !slices.Contains(r.reads, c) {
		r.reads = append(r.reads, c)
		slices.SortFunc(r.reads, func(a, b *devices.Channel) int { return strings.Compare(a.Name, b.Name) })
	}
}

package rules

import (
	"cmp"
	"container/heap"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Transition is an alert that began or ended.
type Transition struct {
	Facility devices.FacilityID
	Kind     devices.Kind
	Defect   string
	Severity Severity
	Opened   bool  // else it ended
	At       int64 // event time, Unix ms
	Wall     int64 // of the frame that decided it
	Channel  string
	Value    float64 // NaN = none
	Limit    float64 // NaN = none
	Summary  devices.Title
}

// Refused is an uplink for the quarantine.
type Refused struct {
	Uplink  devices.Uplink
	Refusal devices.Refusal
}

// Engine judges one partition. It belongs to one goroutine.
type Engine struct {
	set        *Set
	ids        map[string]*devices.Channel
	facilities map[devices.FacilityID]*facility
	devices    map[devices.DeviceID]*facility
	circuits   map[devices.FacilityID]*circuit
	timers     timers
	waiting    []*facility // with an alert that waits for time to pass
	wall       int64
	out        []Transition
	Evaluated  int64 // messages judged since the start
	Late       int64
	Duplicates int64
}

// NewEngine returns an engine without any state.
func NewEngine(set *Set, dict *devices.Dictionary) *Engine {
	e := &Engine{set: set, ids: make(map[string]*devices.Channel), facilities: make(map[devices.FacilityID]*facility),
		devices: make(map[devices.DeviceID]*facility), circuits: make(map[devices.FacilityID]*circuit)}
	for _, c := range dict.All() {
		e.ids[c.Name] = c
	}
	return e
}

// Step judges one batch and returns what began and what ended; the slice is
// valid until the next call.
func (e *Engine) Step(b *devices.Batch) ([]Transition, error) {
	e.out = e.out[:0]
	if e.wall > 0 && b.Wall-e.wall > 5000 {
		e.away(b.Wall - e.wall)
	}
	e.wall = b.Wall
	for i := range b.Items {
		it := &b.Items[i]
		switch {
		case it.Type == devices.ItemCensus:
			if err := e.census(it.Control); err != nil {
				return nil, fmt.Errorf("frame %d: %w", b.Seq, err)
			}
		case it.Type == devices.ItemUplink && it.Refusal == nil:
			e.message(it.Message, it.Uplink.Flags)
		}
	}
	e.tick()
	return e.out, nil
}

// away moves every silence timer on: while nothing was received at all, nobody
// can be blamed for silence.
func (e *Engine) away(ms int64) {
	for _, f := range e.facilities {
		if f.seen > 0 {
			f.seen += ms
		}
	}
}

func (e *Engine) census(text []byte) error {
	var cs []registry.Change
	if err := json.Unmarshal(text, &cs); err != nil {
		return fmt.Errorf("census change: %w", err)
	}
	for i := range cs {
		e.adopt(&cs[i].Facility)
	}
	return nil
}

func (e *Engine) adopt(c *registry.Facility) {
	f := e.facilities[c.ID]
	if f == nil {
		f = &facility{id: c.ID}
		e.facilities[c.ID] = f
	}
	if c.Kind != devices.KindUnknown {
		f.kind = c.Kind
	}
	f.device, f.limits, f.expectMS = c.Device, c.Limits, c.ExpectS*1000
	e.devices[c.Device] = f
	if c.Circuit != "" && f.circuit == nil {
		id := devices.FacilityID(c.Cabinet + ":" + c.Circuit)
		ci := e.circuits[id]
		if ci == nil {
			ci = &circuit{id: id}
			e.circuits[id] = ci
		}
		f.circuit = ci
		ci.members = append(ci.members, f)
	}
	e.watch(f)
}

// message judges one message.
func (e *Engine) message(m *devices.Message, flags devices.UplinkFlags) {
	e.Evaluated++
	f := e.devices[m.Device]
	if f == nil {
		f = &facility{id: devices.FacilityID(m.Device), device: m.Device, kind: guess(m)}
		e.facilities[f.id], e.devices[m.Device] = f, f
	}
	if f.kind == devices.KindUnknown {
		f.kind = guess(m)
	}
	if m.Type == devices.State && flags.Has(devices.FlagWill) {
		return // a will says that a connection broke, not that a device is silent
	}
	if f.book.observe(m) {
		e.Duplicates++
		return
	}
	e.heard(f, m)
	for i := range m.Readings {
		e.reading(f, &m.Readings[i])
	}
	if m.Type == devices.Event {
		if c := e.ids[m.Event.Name]; c != nil && c.Type == devices.Bool {
			e.reading(f, &devices.Reading{Time: m.Event.Time, Values: []devices.Value{{Channel: c, Num: 1}}})
		}
	}
}

// guess tells the kind of an unknown device by its channels.
func guess(m *devices.Message) devices.Kind {
	for i := range m.Readings {
		for _, v := range m.Readings[i].Values {
			switch v.Channel.Name {
			case "cover_open", "tilt_deg", "water_level_m":
				return devices.Manhole
			case "lamp_on", "dim_pct", "power_w", "lamp_failure":
				return devices.Streetlight
			case "displacement_mm", "strain_ue", "inclination_deg", "crack_mm":
				return devices.Bridge
			}
		}
	}
	return devices.KindUnknown
}

func (e *Engine) heard(f *facility, m *devices.Message) {
	f.seen = e.wall
	if m.State.ExpectS > 0 {
		f.expectMS = m.State.ExpectS * 1000
	}
	if m.State.NextS > 0 {
		f.seen += m.State.NextS * 1000
	}
	if f.silent {
		f.silent = false
		if f.circuit != nil {
			f.circuit.silent--
			e.judgeCircuit(f.circuit)
		}
		for i, r := range e.set.byKind[f.kind] {
			if r.Silent > 0 && r.Share == 0 {
				e.holds(f, i, r, no, e.wall)
			}
		}
	}
	e.watch(f)
}

// reading judges one reading of f, unless it is late or too old to be now.
func (e *Engine) reading(f *facility, r *devices.Reading) {
	if r.Time < f.newest {
		f.book.Late++
		e.Late++
		return
	}
	f.newest = r.Time
	for i := range r.Values {
		if v := &r.Values[i]; v.Quality == devices.Good {
			f.set(value{v.Channel.ID, v.Num, v.Text, r.Time})
		}
	}
	if e.wall-r.Time > reach.Milliseconds() {
		return
	}
	v := view{f: f, ids: e.ids}
	for i, rule := range e.set.byKind[f.kind] {
		if rule.when == nil {
			continue
		}
		v.rule = rule
		t := ask(rule.when, &v)
		if rule.clear != nil && i < len(f.alerts) && f.alerts[i].firing {
			if t = ask(rule.clear, &v); t == yes {
				t = no
			} else {
				t = yes
			}
		}
		e.holds(f, i, rule, t, r.Time)
	}
}

// holds moves an alert on: t is whether its condition holds now.
func (e *Engine) holds(f *facility, i int, r *Rule, t truth, at int64) {
	if t == unknown || t == no && (i >= len(f.alerts) || f.alerts[i] == alert{}) {
		return
	}
	a := f.alert(e.set.byKind[f.kind], i)
	switch {
	case t == yes && a.firing:
		a.quiet = 0
	case t == yes && a.pending == 0:
		a.pending, a.event = e.wall, at
	case t == no && a.firing && a.quiet == 0:
		a.quiet = e.wall
	case t == no && !a.firing:
		*a = alert{}
		return
	}
	e.ripen(f, r, a, at)
	if !f.waiting && (a.pending != 0 && !a.firing || a.quiet != 0) {
		f.waiting = true
		e.waiting = append(e.waiting, f)
	}
}

// ripen fires or ends an alert whose time has come.
func (e *Engine) ripen(f *facility, r *Rule, a *alert, at int64) {
	switch {
	case !a.firing && a.pending != 0 && e.wall-a.pending >= r.For.Milliseconds():
		if r.Silent > 0 && f.circuit != nil && f.circuit.firing {
			a.pending = e.wall // the circuit is the cause and has its ticket: wait anew when it is over
			return
		}
		a.firing = true
		e.emit(f, r, true, a.event)
	case a.firing && a.quiet != 0 && e.wall-a.quiet >= r.ClearFor.Milliseconds():
		e.emit(f, r, false, at)
		*a = alert{}
	}
}

func (e *Engine) emit(f *facility, r *Rule, opened bool, at int64) {
	t := Transition{Facility: f.id, Kind: f.kind, Defect: r.Name, Severity: r.Severity, Opened: opened, At: at, Wall: e.wall, Summary: r.Summary}
	t.Value, t.Limit = r.shown(f)
	if r.Channel != nil {
		t.Channel = r.Channel.Name
	}
	e.out = append(e.out, t)
}

// tick lets time pass for what waits for it, in an order that replays alike.
func (e *Engine) tick() {
	for len(e.timers) > 0 && e.timers[0].at <= e.wall {
		t := heap.Pop(&e.timers).(timer)
		t.f.due = 0
		e.silence(t.f)
	}
	slices.SortFunc(e.waiting, func(a, b *facility) int { return cmp.Compare(a.id, b.id) })
	still := e.waiting[:0]
	for _, f := range e.waiting {
		f.waiting = false
		for i, r := range e.set.byKind[f.kind] {
			if i < len(f.alerts) {
				a := &f.alerts[i]
				e.ripen(f, r, a, e.wall)
				f.waiting = f.waiting || a.pending != 0 && !a.firing || a.quiet != 0
			}
		}
		if f.waiting {
			still = append(still, f)
		}
	}
	e.waiting = still
}

// silence is when a facility's silence timer rings.
func (e *Engine) silence(f *facility) {
	if f.silent {
		return
	}
	if f.deadline(e.set) > e.wall {
		e.watch(f)
		return
	}
	f.silent, f.since = true, e.wall
	for i, r := range e.set.byKind[f.kind] {
		if r.Silent > 0 && r.Share == 0 {
			e.holds(f, i, r, yes, f.seen)
		}
	}
	if f.circuit != nil {
		f.circuit.silent++
		e.judgeCircuit(f.circuit)
	}
}

// deadline is the wall clock at which f counts as silent, MaxInt64 for never.
func (f *facility) deadline(s *Set) int64 {
	if f.expectMS == 0 || f.seen == 0 {
		return math.MaxInt64
	}
	for _, r := range s.byKind[f.kind] {
		if r.Silent > 0 {
			return f.seen + int64(r.Silent*float64(f.expectMS))
		}
	}
	return math.MaxInt64
}

func (e *Engine) watch(f *facility) {
	at := f.deadline(e.set)
	if f.due != 0 || f.silent || at == math.MaxInt64 {
		return
	}
	f.due = at
	heap.Push(&e.timers, timer{at, f})
}

// judgeCircuit opens or ends the ticket of a circuit.
func (e *Engine) judgeCircuit(c *circuit) {
	for _, r := range e.set.byKind[devices.Streetlight] {
		if r.Share == 0 {
			continue
		}
		share := float64(c.silent) / float64(len(c.members))
		dark := c.silent >= r.AtLeast && share >= r.Share
		if dark == c.firing || c.firing && share >= r.Share/2 {
			return
		}
		c.firing = dark
		e.out = append(e.out, Transition{Facility: c.id, Kind: devices.Streetlight, Defect: r.Name, Severity: r.Severity, Opened: dark, At: e.wall, Wall: e.wall,
			Value: float64(c.silent), Limit: float64(len(c.members)), Summary: r.Summary})
	}
}

// timer is when a facility's silence is looked at.
type timer struct {
	at int64
	f  *facility
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].f.id < t[j].f.id
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push adds a timer.
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }

// Pop takes the last timer.
func (t *timers) Pop() any {
	n := len(*t) - 1
	x := (*t)[n]
	*t = (*t)[:n]
	return x
}

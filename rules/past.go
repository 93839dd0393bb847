package rules

import (
	"cmp"
	"slices"

	"lamplighter/devices"
)

// What a device tells of a time that is over is judged too, but as history: by
// event time alone, on a copy of the facility that knows only what was told of
// that time. A fault that shows there becomes one [Historic] transition with
// both its times; it opens nothing now, pages nobody, and clears nothing.
//
// A run is what was told in ascending order without anything known in between:
// a batch, or a batch in several messages. What lies in a stretch of time that
// was judged before is a copy and says nothing.

// past is the history that is being told of a facility.
type past struct {
	run    *facility // knows what the run has told; nil between runs
	faults []pastFault
	told   []span64 // event times that were judged as history, ascending; at most maxTold
	due    int64    // wall clock when a run that nothing followed counts as ended
}

// span64 is a stretch of event time, both ends included.
type span64 struct{ From, To int64 }

// pastFault is a rule whose condition holds in the run.
type pastFault struct {
	rule   int
	event  int64 // event time when it began
	calm   int64 // event time when it went, 0 = it holds
	step   uint8 // the worst
	sure   bool  // need not last
	firing bool
	value  float64 // when it began to fire
	limit  float64
	why    *Evidence
}

const (
	// settle is how long after its last reading a run can be continued, ms by the
	// wall clock. What is bad then ends with what was told of it.
	settle = 60_000
	// maxTold bounds what is remembered of judged history; of more, neighbours
	// become one.
	maxTold = 16
)

// recall judges a reading of f as history.
func (e *Engine) recall(f *facility, r *devices.Reading) {
	x := f.rare()
	if x.past == nil {
		x.past = &past{}
	}
	p := x.past
	if p.knows(r.Time) {
		return
	}
	if p.run != nil && !p.follows(r.Time) {
		e.endRun(f, 0)
	}
	if p.run == nil {
		p.run = runOf(f)
		p.run.newest = r.Time
		p.run.suspects(f, r.Time)
	}
	p.note(r.Time)
	p.due = e.wall + settle
	e.after(f, p.due)
	e.tellPast(f, p, r)
}

// runOf is f without anything that is known of it but by the census.
func runOf(f *facility) *facility {
	g := &facility{}
	g.surveyed(f)
	return g
}

// suspects has a run, which begins at an event time, doubt its sensors by what is usual
// of those of f.
func (f *facility) suspects(g *facility, at int64) {
	if g.more == nil || g.more.sensors == nil {
		return
	}
	s := f.sensors()
	for _, p := range g.more.sensors.probes {
		s.probes = append(s.probes, probe{channel: p.channel, n: p.n, moves: p.moves, step: p.step, every: p.every, level: p.level, last: p.level, at: at, since: at})
	}
}

// surveyed takes over what the census says of g.
func (f *facility) surveyed(g *facility) {
	f.id, f.device, f.kind, f.limits, f.model, f.area = g.id, g.device, g.kind, g.limits, g.model, g.area
	lon, lat, ok := g.place()
	f.lon, f.lat, f.hasPlace = float32(lon), float32(lat), ok
	f.hours = g.when()
}

// knows tells whether t lies in what was judged.
func (p *past) knows(t int64) bool {
	return slices.ContainsFunc(p.told, func(s span64) bool { return t >= s.From && t <= s.To })
}

// follows tells whether t continues the run: nothing else is known in between.
func (p *past) follows(t int64) bool {
	return t > p.run.newest && !slices.ContainsFunc(p.told, func(s span64) bool { return s.From > p.run.newest && s.From <= t })
}

// note remembers that t is judged. The stretch of the run grows.
func (p *past) note(t int64) {
	for i := range p.told {
		if s := &p.told[i]; p.run.newest == s.To && t > s.To {
			s.To = t
			return
		}
	}
	i, _ := slices.BinarySearchFunc(p.told, t, func(s span64, t int64) int { return int(min(1, max(-1, s.From-t))) })
	p.told = slices.Insert(p.told, i, span64{t, t})
	if len(p.told) <= maxTold {
		return
	}
	near := 0
	for i := 1; i+1 < len(p.told); i++ {
		if p.told[i+1].From-p.told[i].To < p.told[near+1].From-p.told[near].To {
			near = i
		}
	}
	p.told[near].To = p.told[near+1].To
	p.told = slices.Delete(p.told, near+1, near+2)
}

// tellPast asks the rules about a reading of the run.
func (e *Engine) tellPast(f *facility, p *past, r *devices.Reading) {
	g, k := p.run, &e.set.kinds[f.kind]
	e.passPast(f, p, r.Time)
	g.newest, g.expectMS = r.Time, f.expectMS
	v := &e.view
	v.f, v.e = g, e
	e.fadePast(p, k)
	if k.sensor != nil {
		e.probe(g, k, r)
	}
	e.take(g, k, r)
	for _, rule := range k.rules {
		if rule.when == nil {
			continue
		}
		i := slices.IndexFunc(p.faults, func(x pastFault) bool { return x.rule == rule.index })
		if active, known := rule.active(e, g, r.Time); !active || !known {
			v.rule = rule
			if i >= 0 && (!p.faults[i].firing || rule.clear != nil && p.asks(rule, i, v) != no) {
				p.fades(i)
			} else if i >= 0 && rule.clear != nil {
				e.holdsPast(p, rule, i, no, r.Time)
			}
			continue
		}
		v.rule = rule
		e.holdsPast(p, rule, i, p.asks(rule, i, v), r.Time)
	}
}

// asks is whether a rule holds in the run; i is where its fault stands, -1 = nowhere.
func (p *past) asks(rule *Rule, i int, v *view) truth {
	if i >= 0 && p.faults[i].firing && rule.clear != nil {
		return not(rule.clear.ask(v))
	}
	return rule.when.ask(v)
}

// fadePast is [Engine.fade] in the run.
func (e *Engine) fadePast(p *past, k *kindRules) {
	for i := len(p.faults) - 1; i >= 0; i-- {
		rule := k.rules[p.faults[i].rule]
		if rule.known(p.run) {
			continue
		}
		e.view.rule = rule
		if p.asks(rule, i, &e.view) == unknown {
			p.fades(i)
		}
	}
}

// fades is [facility.fades] in the run.
func (p *past) fades(i int) {
	if p.faults[i].firing {
		p.faults[i].calm = 0
		return
	}
	p.faults = slices.Delete(p.faults, i, i+1)
}

// holdsPast notes whether the condition of a rule holds at a time of the run; i
// is where its fault stands, -1 = nowhere.
func (e *Engine) holdsPast(p *past, rule *Rule, i int, t truth, at int64) {
	switch {
	case i < 0 && t != yes:
	case t == unknown && rule.known(p.run):
	case t == unknown:
		p.fades(i)
	case t == no && !p.faults[i].firing:
		p.faults = slices.Delete(p.faults, i, i+1)
	case t == no:
		if p.faults[i].calm == 0 {
			p.faults[i].calm = at
		}
	default:
		if i < 0 {
			p.faults = append(p.faults, pastFault{rule: rule.index, event: at})
			i = len(p.faults) - 1
		}
		x := &p.faults[i]
		x.calm = 0
		x.sure = x.sure || rule.For == 0 || rule.atOnce != nil && rule.atOnce.ask(&e.view) == yes
		for s := len(rule.Steps); s > int(x.step); s-- {
			if rule.Steps[s-1].when.ask(&e.view) == yes {
				x.step = uint8(s)
			}
		}
		e.lastsPast(p.run, rule, x, at)
	}
}

// lastsPast lets a fault of the run fire that has lasted until an event time.
func (e *Engine) lastsPast(g *facility, rule *Rule, x *pastFault, at int64) {
	if rule.Confirmed {
		at = g.newest
	}
	if x.firing || !x.sure && at-x.event < rule.For.Milliseconds() {
		return
	}
	x.firing = true
	m := e.decided(g, rule, x.step, 0)
	_, x.value, x.limit = e.shown(g, rule, x.step, m)
	x.why = e.evidence(g, rule, m)
	x.why.Since, x.why.Pending = x.event, x.event
}

// passPast lets event time pass in the run.
func (e *Engine) passPast(f *facility, p *past, at int64) {
	k := &e.set.kinds[f.kind]
	kept := p.faults[:0]
	for i := range p.faults {
		x := &p.faults[i]
		rule := k.rules[x.rule]
		if rule.Confirmed && !x.firing && at-p.run.newest > rule.maxAge(f) {
			continue
		}
		e.lastsPast(p.run, rule, x, at)
		if x.firing && x.calm != 0 && at-x.calm >= rule.ClearFor.Milliseconds() {
			e.historic(f, x, x.calm)
			continue
		}
		kept = append(kept, *x)
	}
	clear(p.faults[len(kept):])
	p.faults = kept
}

// endRun ends the run of f: with what was told last, or, where live readings
// have followed it without a gap, at the first of them.
func (e *Engine) endRun(f *facility, next int64) {
	p := f.more.past
	for i := range p.faults {
		x := &p.faults[i]
		if !x.firing {
			continue
		}
		until := max(p.run.newest, next)
		if x.calm != 0 {
			until = x.calm
		}
		e.historic(f, x, until)
	}
	p.run, p.faults, p.due = nil, nil, 0
}

// endOf ends the run of f that nothing has followed. What it told last is the state of
// now where that is the newest that is known, and as young as it may be of a device that
// reports so seldom: a logger that sends twice a day may have nothing younger to tell.
func (e *Engine) endOf(f *facility) {
	if !f.anew || f.more.past.run.newest != f.newest || !e.current(f) {
		e.endRun(f, 0)
		return
	}
	f.anew, f.owed = false, false
	e.judge(f, &e.set.kinds[f.kind], everything, f.newest)
	e.present(f, f.newest)
	e.ripen(f, f.newest)
}

// endRuns ends the runs of all: the rules that judged them go.
func (e *Engine) endRuns() {
	for _, f := range sorted(e.chores) {
		if p := f.more.past; !f.gone && p != nil && p.run != nil {
			e.endRun(f, 0)
		}
	}
}

// present goes over from the run to the state of now: the reading at an event
// time is the first that was judged live, and nothing is known between it and
// the run. What held in the run and holds now began then.
func (e *Engine) present(f *facility, at int64) {
	p := f.more.past
	e.passPast(f, p, at)
	kept := p.faults[:0]
	for _, x := range p.faults {
		e.stays(f, &x, at)
		a := f.find(x.rule)
		if a == nil || a.pending == 0 || a.quiet != 0 || x.calm != 0 {
			kept = append(kept, x)
			continue
		}
		if a.event == at {
			a.event, a.step = x.event, max(a.step, x.step)
			a.sure = a.sure || x.firing
		}
	}
	p.faults = kept
	e.endRun(f, at)
}

// stays lets a fault that fires in the run begin in the state of now, when nothing
// holds there that would begin it but its clear does not end it either: had the run
// been told in time, the ticket would be open.
func (e *Engine) stays(f *facility, x *pastFault, at int64) {
	r := e.set.kinds[f.kind].rules[x.rule]
	if !x.firing || x.calm != 0 || r.clear == nil || f.find(x.rule) != nil {
		return
	}
	e.view = view{f: f, e: e, rule: r}
	if active, known := r.active(e, f, at); active && known && r.clear.ask(&e.view) != yes {
		e.holds(f, r, yes, at)
		f.find(x.rule).sure = true
	}
}

// historic tells of a fault that was over before anybody heard of it, unless
// the ticket that is open now covers it, or a maintenance window covered it then.
func (e *Engine) historic(f *facility, x *pastFault, until int64) {
	r := e.set.kinds[f.kind].rules[x.rule]
	if a := f.find(x.rule); a != nil && (a.firing || a.held) && a.event <= x.event {
		return
	}
	until = max(x.event, until)
	fires := x.event
	if !x.sure {
		fires = min(until, x.event+r.For.Milliseconds())
	}
	if e.maintainedFrom(f, r, fires, until) {
		return
	}
	t := Transition{Type: Historic, Facility: f.id, Kind: f.kind, Defect: r.Name, Severity: r.severity(x.step), Rules: e.set.version, At: x.event, Until: until, Wall: e.wall,
		Summary: r.summary(x.step, 0), Value: x.value, Limit: x.limit, Evidence: x.why}
	if r.Channel != nil {
		t.Channel = r.Channel.Name
	}
	if x.why != nil && x.why.Decided != nil {
		t.Channel = cmp.Or(x.why.Decided.Channel, t.Channel)
	}
	e.found.Transitions = append(e.found.Transitions, t)
}

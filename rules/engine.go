package rules

import (
	"fmt"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/timetable"
)

// Refused is an uplink for the quarantine.
type Refused struct {
	Uplink  devices.Uplink
	Refusal devices.Refusal
}

// Findings is what follows from one batch.
type Findings struct {
	Transitions []Transition
	Gaps        []Gap
	Stood       []Stood
	Letters     []Letter // what other partitions have to know
}

// Counts is how many facilities of a kind stand how, by [Standing].
type Counts [standings]int

// Engine judges one partition. It belongs to one goroutine.
type Engine struct {
	set        *Set
	dict       *devices.Dictionary
	owns       func(*registry.Facility) bool
	ids        map[string]*devices.Channel
	texts      *texts
	facilities map[devices.FacilityID]*facility
	devices    map[devices.DeviceID]*facility // whose device is not called like the facility
	parents    map[parentKey]*parent
	partition  int
	partitions int                // of the log
	wholes     map[wideKey]*whole // causes that are put together here
	astir      []*whole           // to be looked at when the frame has been judged
	shared     map[int]uint64     // the newest frame with a share, by partition
	words      map[int]uint64     // the newest frame with a word on a cause, by partition
	stirred    []*cause           // to be looked at when the frame has been judged
	idle       []*cause           // memory of stirred
	windows    []Window           // that are not over
	lifted     []lifted           // windows that are over, the latest last; at most maxLifted
	turns      int64              // wall clock when the next of them begins or ends, 0 = never
	links      []link             // the first is that of messages without a source
	usual      uint16             // of links: the last that was looked for
	passing    bool               // the causes have been looked at
	paying     bool               // the rules are asked about what is known, see Engine.pay
	counts     [4]Counts          // by devices.Kind
	timers     timers
	waiting    []*facility // with an alert that waits for time to pass
	sleepers   timers      // whose alerts wait for an instant that is known
	owed       debts       // of whom the rules are asked without their being heard; those heard since are no longer
	perFrame   int         // of them
	chores     []*facility // of which something comes due
	choreAt    int64       // wall clock when the first of them is due, 0 = never
	spare      []*facility // memory of waiting
	wall       int64
	gap        int64  // ms between two frames beyond which no daemon ran
	seq        uint64 // of the frame
	frame      int64  // counts frames since the start
	skies      [8]skyAt
	tables     map[string]*timetable.Timetable // by their text
	newest     int64                           // event time of the newest reading of all
	noSun      noSun
	found      Findings
	view       view  // of the facility that is being judged
	trouble    error // with what stood in the log, since the last Step
	forgot     bool  // it begins without its past: what is known of lamps elsewhere is no longer so

	Evaluated  int64 // messages judged since the start
	Late       int64
	Duplicates int64
}

// NewEngine returns an engine without any state. It judges by set until the log
// brings another one; owns tells which facilities belong to its partition, nil
// for all.
func NewEngine(set *Set, dict *devices.Dictionary, owns func(*registry.Facility) bool) *Engine {
	if owns == nil {
		owns = func(*registry.Facility) bool { return true }
	}
	e := &Engine{set: set, dict: dict, owns: owns, ids: make(map[string]*devices.Channel), texts: newTexts(), links: make([]link, 1), facilities: make(map[devices.FacilityID]*facility),
		devices: make(map[devices.DeviceID]*facility), parents: make(map[parentKey]*parent),
		partitions: 1, gap: gapOfFrames, perFrame: perFrame, wholes: make(map[wideKey]*whole), shared: make(map[int]uint64), words: make(map[int]uint64)}
	for _, c := range dict.All() {
		e.ids[c.Name] = c
	}
	return e
}

// SetPartitions says how many partitions the log has; an engine that is not told
// so judges the only one.
func (e *Engine) SetPartitions(n int) { e.partitions = max(1, n) }

// Wide tells whether the rules have causes that several partitions have part in:
// then others have to be told of them while time passes, see [Letter].
func (e *Engine) Wide() bool { return e.set.Wide() }

// Step judges one batch and returns what follows, valid until the next call. An
// error says that something in the log could not be read and was passed over;
// the findings are good all the same.
func (e *Engine) Step(b *devices.Batch) (*Findings, error) {
	e.found.Transitions, e.found.Gaps, e.found.Stood, e.trouble = e.found.Transitions[:0], e.found.Gaps[:0], e.found.Stood[:0], nil
	e.found.Letters = e.found.Letters[:0]
	last := e.wall
	e.wall, e.seq, e.partition = b.Wall, b.Seq, b.Partition
	e.frame++
	if last > 0 && e.wall-last > e.gap {
		e.away(e.wall - last)
	}
	e.lapse()
	e.turnIfDue()
	for i := range b.Items {
		e.item(&b.Items[i])
	}
	e.doChores()
	e.ring()
	e.pay()
	e.reckon()
	e.reckonWholes()
	e.wakeUp()
	e.pass()
	if e.trouble != nil {
		return &e.found, fmt.Errorf("frame %d: %w", b.Seq, e.trouble)
	}
	return &e.found, nil
}

func (e *Engine) item(it *devices.Item) {
	var err error
	switch {
	case it.Type == devices.ItemCensus:
		err = e.census(it.Control)
	case it.Type == devices.ItemRuleSet:
		err = e.judgeBy(it.Control)
	case it.Type == devices.ItemWindow:
		err = e.window(it.Control)
	case it.Type == devices.ItemStanding:
		err = e.takeOver(it.Control)
	case it.Type == devices.ItemShare:
		err = e.takeShare(it.Control)
	case it.Type == devices.ItemCause:
		err = e.hear(it.Control)
	case it.Type == devices.ItemLink:
		err = e.linked(it.Control)
	case it.Type == devices.ItemUplink && it.Refusal == nil:
		e.message(it.Message, &it.Uplink)
	}
	if err != nil {
		e.trouble = err
	}
}

// judgeBy switches to another rule file. Alerts of rules that it does not have
// end; the others go on, as bad as the new rules say.
func (e *Engine) judgeBy(text []byte) error {
	if string(text) == e.set.text {
		return nil
	}
	set, err := parse(text, e.dict, true)
	if err != nil {
		return fmt.Errorf("rule set: %w", err)
	}
	old := e.set
	e.endRuns()
	before := len(e.found.Transitions)
	e.rejudge(set)
	all := sorted(e.all())
	var open []graded
	for _, f := range all {
		for i := range f.alerts {
			if a := &f.alerts[i]; a.firing && set.find(f.kind, old.kinds[f.kind].rules[a.rule].Name) == nil {
				e.emit(f, old.kinds[f.kind].rules[a.rule], Ended, e.wall)
			}
		}
		kept := f.alerts[:0]
		for _, a := range f.alerts {
			r := old.kinds[f.kind].rules[a.rule]
			n := set.find(f.kind, r.Name)
			if n == nil {
				continue
			}
			was := r.severity(a.step)
			a.rule, a.words, a.step = n.index, n.sameWords(r, a.words), n.stepOf(was)
			kept = append(kept, a)
			if a.firing && !a.heir {
				open = append(open, graded{f, n, was})
			}
		}
		f.alerts = kept
	}
	for i := before; i < len(e.found.Transitions); i++ {
		if t := &e.found.Transitions[i]; t.Type == Ended {
			t.withdraw(set, devices.KindUnknown)
		}
	}
	e.set, e.noSun.stale = set, true
	e.replace(old)
	for _, f := range all {
		e.weigh(f)
		e.await(f) // what they wait for may come at another time
	}
	for _, f := range e.facilities {
		f.keepLearned(set)
		if f.more != nil && set.kinds[f.kind].sensor == nil {
			f.more.sensors = nil
		}
		e.watch(f)
		e.count(f)
	}
	for _, p := range e.parentsInOrder() {
		e.showPlace(p)
	}
	for i := range open {
		e.regrade(&open[i])
	}
	e.oweAll()
	return nil
}

// all is every facility that has an alert, or counts for a common cause.
func (e *Engine) all() []*facility {
	var out []*facility
	for _, f := range e.facilities {
		if len(f.alerts) > 0 || f.causes != 0 {
			out = append(out, f)
		}
	}
	return out
}

// message judges one message, which came as u.
func (e *Engine) message(m *devices.Message, u *devices.Uplink) {
	flags := u.Flags
	e.Evaluated++
	f := e.of(m.Device)
	if f == nil {
		id := strings.Clone(string(m.Device)) // the message's lies in the log's memory
		if e.facilities[devices.FacilityID(id)] != nil {
			return // of another device by now, though it bears this one's name
		}
		f = e.settle(devices.FacilityID(id))
		f.device = devices.DeviceID(id)
		e.maintain(f)
	}
	if f.kind == devices.KindUnknown {
		e.takeKind(f, guess(m))
	}
	if flags.Has(devices.FlagRetaken) {
		e.retaken(f, m)
		return
	}
	if m.Type == devices.State && flags.Has(devices.FlagWill) {
		return // a will says that a connection broke, not that a device is silent
	}
	last, boot := f.book.LastSeq, f.book.Boot
	dup, gap := f.book.observe(m)
	if gap.To > 0 {
		gap.Device, gap.At = f.device, e.wall
		e.found.Gaps = append(e.found.Gaps, gap)
	}
	if dup {
		e.Duplicates++
		return
	}
	if flags.Has(devices.FlagRetained) && (m.Type != devices.State || f.seen != 0 || f.heir) {
		e.retained(f, m)
		return
	}
	e.heard(f, m, e.linkOf(u.Source))
	if k := &e.set.kinds[f.kind]; k.sensor != nil {
		e.clock(f, k, m)
	}
	anew := m.HasSeq && f.book.first == m.Seq && f.book.LastSeq == m.Seq && (last != m.Seq || boot != m.Boot)
	e.inTurn(f, m, e.ordered(m), &gap, anew)
}

// readings judges readings of f, which ascend in time.
func (e *Engine) readings(f *facility, rs []devices.Reading) {
	for i := range rs {
		e.reading(f, &rs[i])
	}
	e.ripen(f, f.newest)
}

// retaken is a message that came back from quarantine: its readings are history
// however young they are, and its number is one that came after all.
func (e *Engine) retaken(f *facility, m *devices.Message) {
	if gap := f.book.regain(m); gap.To > 0 {
		gap.Device, gap.At = f.device, e.wall
		e.found.Gaps = append(e.found.Gaps, gap)
	}
	rs := e.ordered(m)
	f.book.Late += int64(len(rs))
	e.Late += int64(len(rs))
	for i := range rs {
		e.recall(f, &rs[i])
	}
}

// retained is a message that a broker kept: nobody was heard just now, and only
// a reading with the device's own time says when it was true. It comes with every
// session, so what it promises counts only where nothing else was heard of that.
func (e *Engine) retained(f *facility, m *devices.Message) {
	if m.State.ExpectS > 0 {
		f.expectMS = m.State.ExpectS * 1000
	}
	if m.State.NextS > 0 && f.excused <= f.seen {
		f.excused = e.sent(f, m) + m.State.NextS*1000
	}
	e.watch(f)
	rs := e.ordered(m)
	for i := range rs {
		r := &rs[i]
		if r.Source == devices.TimeDevice && r.Time >= f.newest {
			e.reading(f, r)
		}
	}
	e.ripen(f, f.newest)
}

// reading judges one reading of f: as the state of now, or as history where it
// is too old for that, or says only what is known better.
func (e *Engine) reading(f *facility, r *devices.Reading) {
	if r.Time < f.newest {
		e.belated(f, r)
		return
	}
	before := f.newest
	if e.wall-r.Time > reach.Milliseconds() {
		f.newest, e.newest = r.Time, max(e.newest, r.Time)
		e.fade(f)
		if e.take(f, &e.set.kinds[f.kind], r) != 0 {
			f.anew = true // the rules were not asked: what says the same now is no repetition to them
		}
		e.recall(f, r)
		return
	}
	if len(f.alerts) > 0 {
		e.unconfirm(f, r.Time)
		e.ripen(f, r.Time) // what lasted until now has lasted, whatever the reading says
	}
	f.newest = r.Time
	e.newest = max(e.newest, r.Time)
	e.fade(f)
	k := &e.set.kinds[f.kind]
	changed := f.passes(k, before)
	if k.sensor != nil {
		changed |= e.probe(f, k, r)
	}
	e.now(f, r, e.take(f, k, r)|changed)
	if f.more != nil && f.more.past != nil && f.more.past.run != nil && f.more.past.run.newest == before {
		e.present(f, r.Time)
	}
}

// now asks the rules about the state of f, in which a reading has changed
// something.
func (e *Engine) now(f *facility, r *devices.Reading, changed uint64) {
	k := &e.set.kinds[f.kind]
	if len(k.baselines) > 0 {
		changed |= e.learn(f, k, r)
	}
	if f.anew {
		f.anew, f.owed, changed = false, false, everything
	}
	e.judge(f, k, changed, r.Time)
}

// belated is a reading that is older than the newest of f. What it says of a
// channel of which nothing newer is known is the state of now all the same; else
// it is history, and changes nothing that is newer.
func (e *Engine) belated(f *facility, r *devices.Reading) {
	f.book.Late++
	e.Late++
	if e.wall-r.Time > reach.Milliseconds() {
		e.recall(f, r)
		return
	}
	news := *r
	news.Values = nil
	for _, v := range r.Values {
		if x, _ := f.value(v.Channel.ID, 0); v.Quality == devices.Good && x.at < r.Time {
			news.Values = append(news.Values, v)
		}
	}
	if len(news.Values) == 0 {
		e.recall(f, r)
		return
	}
	e.now(f, &news, e.take(f, &e.set.kinds[f.kind], &news))
}

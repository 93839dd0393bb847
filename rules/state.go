package rules

import (
	"math"
	"time"

	"cel.dev/cel-go/cel"

	"lamplighter/devices"
)

// maxAge is how old a channel's value may be, against the newest reading of
// its facility, before it counts as unknown.
const maxAge = 15 * time.Minute

// reach is how old a reading may be, against the wall clock, to be judged as
// the state of now.
const reach = 15 * time.Minute

// facility is what the engine knows of one facility.
type facility struct {
	id       devices.FacilityID
	device   devices.DeviceID
	kind     devices.Kind
	circuit  *circuit
	limits   map[string]float64
	expectMS int64
	values   []value // few: searched from the front
	newest   int64   // event time of the newest reading
	seen     int64   // wall clock when last heard, 0 = never
	due      int64   // wall clock of the silence timer in the queue, 0 = none
	silent   bool
	since    int64   // wall clock when silent began
	alerts   []alert // by rule index; nil until one is needed
	waiting  bool    // in Engine.waiting
	book     Book
}

type value struct {
	channel int
	num     float64
	text    string
	at      int64
}

// alert is a rule's standing at one facility.
type alert struct {
	pending int64 // wall clock since when the condition holds, 0 = it does not
	quiet   int64 // wall clock since when a firing condition is gone
	firing  bool
	event   int64 // event time when it began
}

// value is the channel's value; ok is false when it is too old to be believed.
// A channel that was never reported is NaN, false and "": the facility has no
// such sensor, so no comparison with it holds.
func (f *facility) value(ch int) (v value, ok bool) {
	for i := range f.values {
		if f.values[i].channel == ch {
			return f.values[i], f.newest-f.values[i].at <= maxAge.Milliseconds()
		}
	}
	return value{num: math.NaN()}, true
}

func (f *facility) set(v value) {
	for i := range f.values {
		if f.values[i].channel == v.channel {
			f.values[i] = v
			return
		}
	}
	f.values = append(f.values, v)
}

func (f *facility) alert(rules []*Rule, i int) *alert {
	if len(f.alerts) < len(rules) {
		f.alerts = append(f.alerts, make([]alert, len(rules)-len(f.alerts))...)
	}
	return &f.alerts[i]
}

// circuit is the lamps that hang on one circuit of one cabinet.
type circuit struct {
	id      devices.FacilityID
	members []*facility
	silent  int // of members
	firing  bool
}

// Book counts what came from one device and what did not.
type Book struct {
	Received   int64  `json:"received"`
	Duplicates int64  `json:"duplicates"`
	Late       int64  `json:"late"`
	Missing    int64  `json:"missing"` // sequence numbers that never came
	Boot       string `json:"boot,omitempty"`
	LastSeq    uint64 `json:"last_seq"`
	started    bool
	window     uint64 // bit i: LastSeq-i has come
	hashes     [8]uint64
	next       int
}

// observe notes a message; it says whether it came before.
func (b *Book) observe(m *devices.Message) (dup bool) {
	b.Received++
	if !m.HasSeq {
		for _, h := range b.hashes {
			if h == m.Hash {
				// the same bytes without a number: a copy only if they carry their own time
				dup = len(m.Readings) > 0 && m.Readings[0].Source == devices.TimeDevice
			}
		}
		b.hashes[b.next] = m.Hash
		b.next = (b.next + 1) % len(b.hashes)
	} else {
		dup = b.number(m)
	}
	if dup {
		b.Duplicates++
	}
	return dup
}

// restart is how far a sequence may run backwards before it counts as begun
// anew by a device that does not name its boots.
const restart = 64

func (b *Book) number(m *devices.Message) (dup bool) {
	if !b.started || m.Boot != b.Boot || m.Seq+restart <= b.LastSeq {
		b.started, b.Boot, b.LastSeq, b.window = true, m.Boot, m.Seq, 1
		return false
	}
	if m.Seq > b.LastSeq {
		ahead := m.Seq - b.LastSeq
		b.Missing += int64(ahead - 1)
		b.window <<= min(ahead, 63)
		if ahead > 63 {
			b.window = 0
		}
		b.window |= 1
		b.LastSeq = m.Seq
		return false
	}
	bit := uint64(1) << (b.LastSeq - m.Seq)
	if b.window&bit != 0 {
		return true
	}
	b.window |= bit
	b.Missing = max(0, b.Missing-1)
	return false
}

// view shows a facility to an expression.
type view struct {
	f    *facility
	rule *Rule
	ids  map[string]*devices.Channel
}

var _ cel.Activation = (*view)(nil)

// ResolveName is the value of a channel or of its limit.
func (v *view) ResolveName(name string) (any, bool) {
	if c, ok := v.ids[name]; ok {
		x, ok := v.f.value(c.ID)
		if !ok {
			return nil, false
		}
		switch c.Type {
		case devices.Bool:
			return x.num == 1, true
		case devices.Text:
			return x.text, true
		}
		return x.num, true
	}
	if len(name) > 6 && name[:6] == "limit_" {
		l, ok := v.rule.limit(v.f, name[6:])
		if !ok {
			l = math.NaN() // no limit: no comparison with it holds
		}
		return l, true
	}
	return nil, false
}

// Parent is nil: there is no outer scope.
func (v *view) Parent() cel.Activation { return nil }

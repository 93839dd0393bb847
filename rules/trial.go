package rules

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Verdict is the outcome of one test.
type Verdict struct {
	File string
	Line int // of the test
	Name string
	// Missing and Extra are lines such as "at 31s: opened circuit_silent of
	// CAB:C1 (line 12)"; none = the test is passed.
	Missing, Extra []string
}

// Good tells whether the test is passed.
func (v *Verdict) Good() bool { return len(v.Missing)+len(v.Extra) == 0 }

// String is the verdict in lines: - was expected, + happened.
func (v *Verdict) String() string {
	if v.Good() {
		return fmt.Sprintf("ok   %s:%d: %s", v.File, v.Line, v.Name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "FAIL %s:%d: %s", v.File, v.Line, v.Name)
	for _, m := range v.Missing {
		fmt.Fprintf(&b, "\n     - expected %s", m)
	}
	for _, x := range v.Extra {
		fmt.Fprintf(&b, "\n     + happened %s", x)
	}
	return b.String()
}

// Run plays every test with an engine of its own.
func (t *Trials) Run() ([]Verdict, error) {
	out := make([]Verdict, 0, len(t.tests))
	for _, x := range t.tests {
		got, err := x.play(NewEngine(t.set, t.dict, nil))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", t.file, x.line, err)
		}
		v := Verdict{File: t.file, Line: x.line, Name: x.name}
		x.compare(got, &v)
		out = append(out, v)
	}
	return out, nil
}

// happened is one transition of a test.
type happened struct {
	Transition
	at      time.Duration
	members int
	taken   bool
}

// play lets a test's time pass, a frame a tick and one for each instant at
// which something is said.
func (x *trial) play(e *Engine) ([]*happened, error) {
	city, err := registry.EncodeFed(x.fed())
	if err != nil {
		return nil, err
	}
	frames, err := x.frames()
	if err != nil {
		return nil, err
	}
	frames[0] = append([]devices.Item{{Type: devices.ItemCensus, Control: city}}, frames[0]...)
	e.gap = max(e.gap, x.tick.Milliseconds()) // a long tick is no daemon that was away
	p := played{open: make(map[string]*happened)}
	b := devices.Batch{}
	for _, at := range x.instants(frames) {
		items, told := frames[at], true
		for told { // letters go round in no time; what they bring about may take one more frame
			b.Seq, b.Wall, b.Items = b.Seq+1, x.start.Add(at).UnixMilli(), items
			found, err := e.Step(&b)
			if err != nil {
				return nil, err
			}
			p.take(at, found.Transitions)
			told = len(found.Letters) > 0 || len(items) > 0 && IsLetter(items[0].Type) || e.untold()
			items = delivered(found.Letters)
		}
	}
	return p.out, nil
}

// delivered is letters as they stand in the log.
func delivered(ls []Letter) []devices.Item {
	items := make([]devices.Item, len(ls))
	for i := range ls {
		items[i] = devices.Item{Type: ls[i].Type, Control: ls[i].Record}
	}
	return items
}

// played is what has happened in a test so far.
type played struct {
	out  []*happened
	open map[string]*happened // by facility and defect
}

func (p *played) take(at time.Duration, ts []Transition) {
	for _, t := range ts {
		key := string(t.Facility) + " " + t.Defect
		if t.Type == Joined && p.open[key] != nil && p.open[key].at == at {
			p.open[key].members++
		}
		if t.Type == Joined || t.Type == Left {
			continue
		}
		h := &happened{Transition: t, at: at}
		p.out = append(p.out, h)
		if t.Type == Opened {
			p.open[key] = h
		}
	}
}

func (x *trial) fed() []registry.Fed {
	out := make([]registry.Fed, len(x.city))
	for i := range x.city {
		out[i].Facility = x.city[i]
	}
	return out
}

// frames is what is said, by the instant.
func (x *trial) frames() (map[time.Duration][]devices.Item, error) {
	out := make(map[time.Duration][]devices.Item)
	seq := uint64(0)
	for i := range x.says {
		s := &x.says[i]
		if s.silent > 0 {
			continue
		}
		if s.window != nil {
			w := *s.window
			w.From, w.To = x.start.Add(s.at).UnixMilli(), x.start.Add(s.at+s.lasts).UnixMilli()
			b, err := w.Encode()
			if err != nil {
				return nil, err
			}
			out[s.at] = append(out[s.at], devices.Item{Type: devices.ItemWindow, Control: b})
			continue
		}
		dice := rand.New(rand.NewPCG(uint64(s.line), 1))
		for at := s.at; at <= max(s.at, s.until); at += max(s.every, 1) {
			for _, id := range s.ids {
				if x.silentAt(id, at) {
					continue
				}
				seq++
				t := x.start.Add(at - s.late)
				out[at] = append(out[at], devices.Item{Type: devices.ItemUplink, Message: &devices.Message{Type: devices.Telemetry, Device: devices.DeviceID(id), Hash: seq, Sent: t.UnixMilli(),
					Readings: []devices.Reading{{Time: t.UnixMilli(), Source: devices.TimeDevice, Values: s.measured(t, at-s.at, dice)}}}})
			}
			if s.every == 0 {
				break
			}
		}
	}
	return out, nil
}

// measured is the values at an instant, so long after the line began.
func (s *said) measured(t time.Time, since time.Duration, dice *rand.Rand) []devices.Value {
	if !slices.ContainsFunc(s.curves, func(c *curve) bool { return c != nil }) {
		return s.values
	}
	out := slices.Clone(s.values)
	for i, c := range s.curves {
		if c != nil {
			out[i].Num = c.at(t, since, dice)
		}
	}
	return out
}

func (x *trial) silentAt(id string, at time.Duration) bool {
	return slices.ContainsFunc(x.says, func(s said) bool {
		return s.silent > 0 && at >= s.at && at < s.at+s.silent && slices.Contains(s.ids, id)
	})
}

func (x *trial) instants(frames map[time.Duration][]devices.Item) []time.Duration {
	var out []time.Duration
	for at := time.Duration(0); at <= x.until; at += x.tick {
		out = append(out, at)
	}
	for at := range frames {
		out = append(out, at)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compare finds a transition for each that is expected.
func (x *trial) compare(got []*happened, v *Verdict) {
	wants := slices.Clone(x.expects)
	slices.SortStableFunc(wants, func(a, b expected) int { return cmp.Compare(a.at, b.at) })
	for _, w := range wants {
		i := slices.IndexFunc(got, func(h *happened) bool { return !h.taken && w.is(h, x.tolerance) })
		if i < 0 {
			v.Missing = append(v.Missing, fmt.Sprintf("at %s: %s %s of %s%s (line %d)", short(w.at), saying(w.what), w.defect, w.facility, w.more(), w.line))
			continue
		}
		got[i].taken = true
	}
	for _, h := range got {
		if h.taken {
			continue
		}
		line := fmt.Sprintf("at %s: %s %s of %s, severity %s", short(h.at), saying(h.Type), h.Defect, h.Facility, h.Severity)
		if h.Worded {
			line += fmt.Sprintf(", now %s (%s)", h.Summary.ZH, h.Summary.EN)
		}
		if h.members > 0 {
			line += fmt.Sprintf(", members %d", h.members)
		}
		v.Extra = append(v.Extra, line)
	}
}

func (w *expected) is(h *happened, tolerance time.Duration) bool {
	return w.what == h.Type && w.defect == h.Defect && w.facility == string(h.Facility) && (w.at-h.at).Abs() <= tolerance &&
		(w.severity == "" || w.severity == h.Severity) && (w.members < 0 || w.members == h.members)
}

func (w *expected) more() (s string) {
	if w.severity != "" {
		s += ", severity " + string(w.severity)
	}
	if w.members >= 0 {
		s += fmt.Sprintf(", members %d", w.members)
	}
	return s
}

func saying(t TransitionType) string {
	return map[TransitionType]string{Opened: "opened", Ended: "closed", Changed: "changed", Historic: "historic"}[t]
}

// short is a duration as people write it: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

package rules

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// handed is what a partition knows of a facility that hangs elsewhere now, in a
// [Letter] to the partition of its new key. Channels and texts stand in it by
// name. It may come after the facility was heard there.
type handed struct {
	_        struct{} `cbor:",toarray"`
	Facility snapshotFacility
	Channels map[uint32]string // of Facility's channels
	Texts    map[uint32]string // of Facility's texts
	Link     string            // what it was last heard through
	Blind    int64             // ms that the link was down since
	Standing uint8
	Absent   int64 // when it was found to be silent
}

// UnmarshalCBOR reads a letter, also one from before it said when its facility was
// found to be silent: then whatever comes says that it is there.
func (h *handed) UnmarshalCBOR(b []byte) error {
	const six = 0x86 // elements
	if len(b) > 0 && b[0] == six {
		b = append(append([]byte{six + 1}, b[1:]...), 0)
	}
	type current handed
	return cbor.Unmarshal(b, (*current)(h))
}

// handOver packs what is known of f, and lets nothing of it wait here.
func (e *Engine) handOver(f *facility, key string) error {
	if f.more != nil {
		e.letGo(f, len(f.more.held))
		if p := f.more.past; p != nil && p.run != nil {
			e.endRun(f, 0)
		}
	}
	h := handed{Channels: make(map[uint32]string), Texts: make(map[uint32]string), Link: e.links[f.link].name, Blind: e.links[f.link].darkness(e.wall) - f.dark, Standing: uint8(f.shown), Absent: f.absent}
	z := frozen{rules: e.set}
	z.fill(&h.Facility, f)
	s := &h.Facility
	s.Hung, s.Parent, s.Level, s.Limits, s.Model, s.Area, s.Feeder = false, "", 0, nil, 0, 0, 0 // the census says that itself
	all := e.dict.All()
	for _, v := range s.Values {
		h.Channels[v.Channel], h.Texts[v.Text] = all[v.Channel].Name, e.texts.text(v.Text)
	}
	for _, x := range s.Series {
		h.Channels[x.Channel] = all[x.Channel].Name
	}
	if s.Sensors != nil {
		for _, p := range s.Sensors.Probes {
			h.Channels[p.Channel] = all[p.Channel].Name
		}
	}
	return e.post(key, devices.ItemStanding, &h)
}

// takeOver goes on with what another partition knew of a facility. What was
// heard and judged here meanwhile is newer and stays.
func (e *Engine) takeOver(record []byte) error {
	var h handed
	if err := cbor.Unmarshal(record, &h); err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	s := &h.Facility
	f := e.facilities[devices.FacilityID(s.ID)]
	if f == nil || !f.handed(s) {
		return nil // gone again, or it has come before
	}
	channels := e.localChannels(&h)
	for _, v := range s.Values {
		if int(v.Channel) >= len(channels) || channels[v.Channel] == none {
			continue
		}
		if x, _ := f.value(int(channels[v.Channel]), 0); x.at < v.At {
			f.set(value{num: v.Num, at: v.At, text: e.texts.id(h.Texts[v.Text]), channel: channels[v.Channel]}, 0)
		}
	}
	f.newest, f.excused = max(f.newest, s.Newest), max(f.excused, s.Excused)
	if f.more == nil && len(s.Series) > 0 {
		f.thawSeries(s.Series, channels)
	}
	sameDevice := f.device == devices.DeviceID(s.Device)
	if sameDevice && (f.more == nil || len(f.more.learned) == 0) {
		f.thawLearned(s.Learned, e.set)
	}
	if sameDevice && (f.more == nil || f.more.sensors == nil) {
		f.thawSensors(s.Sensors, channels)
	}
	if s.Past != nil && len(s.Past.Told) > 0 && (f.more == nil || f.more.past == nil) {
		f.rare().past = &past{told: s.Past.Told}
	}
	if !f.book.started && f.book.Received == 0 {
		f.book = bookOf(&s.Book)
		if !sameDevice {
			f.book.another()
		}
	}
	e.takeAlerts(f, s)
	e.takeSilence(f, &h)
	e.await(f)
	e.weigh(f)
	e.watch(f)
	e.count(f)
	if f.shown == Standing(h.Standing) {
		f.since = s.Since
	}
	return nil
}

// handed tells whether s brings anything new of f.
func (f *facility) handed(s *snapshotFacility) bool {
	if f.kind != devices.Kind(s.Kind) {
		return false
	}
	for i := range f.alerts {
		if f.alerts[i].heir {
			return true
		}
	}
	return f.seen < s.Seen
}

// localChannels is what the channels of h are called here, by their number there.
func (e *Engine) localChannels(h *handed) []uint32 {
	var out []uint32
	for id, name := range h.Channels {
		if id > maxChannels {
			continue
		}
		for int(id) >= len(out) {
			out = append(out, none)
		}
		if c := e.dict.Lookup([]byte(name)); c != nil {
			out[id] = uint32(c.ID)
		}
	}
	return out
}

// maxChannels bounds the numbers of channels in a handover.
const maxChannels = 1 << 20

// takeAlerts puts what is known of tickets in the place of what was only
// possible. What hung on a common cause elsewhere begins anew here.
func (e *Engine) takeAlerts(f *facility, s *snapshotFacility) {
	kept := f.alerts[:0]
	for _, a := range f.alerts {
		if !a.heir {
			kept = append(kept, a)
		}
	}
	f.alerts = kept
	for _, a := range s.Alerts {
		r := e.set.find(f.kind, a.Rule)
		if r == nil || a.Heir || f.find(r.index) != nil || f.seen > s.Seen && r.Silent > 0 {
			continue
		}
		n := alert{rule: r.index, pending: a.Pending, event: a.Event, told: a.Told, quiet: a.Quiet, calm: a.Calm, firing: a.Firing, sure: a.Sure, step: a.Step, words: a.Words}
		if a.Held {
			n.pending, n.sure = e.wall, false
		}
		f.alerts = append(f.alerts, n.thawed(r)) // the other partition may judge by other rules in this moment
	}
}

// takeSilence goes on to measure the silence of f since it was last heard.
func (e *Engine) takeSilence(f *facility, h *handed) {
	s := &h.Facility
	f.heir = false
	if f.seen >= s.Seen {
		return
	}
	if f.expectMS == 0 {
		f.expectMS = s.ExpectMS
	}
	f.seen, f.silent, f.absent, f.lost, f.link = s.Seen, s.Silent, h.Absent, s.Lost, e.linkOf(h.Link)
	f.dark = e.links[f.link].darkness(e.wall) - h.Blind
}

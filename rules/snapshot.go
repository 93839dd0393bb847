package rules

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// A snapshot is an engine's state after one frame, so that a restart judges
// only what came later. It is
//
//	"LMPSNAPC", a CBOR sequence of one head, its parents, its wholes and its facilities
//	(arrays, in the order of the fields below) and a tail (a map; one that was written
//	before there were tails has none), CRC-32C of all before
//
// Rules and channels stand in it by name: it survives a change of either. The format
// before, "LMPSNAPB", is read too: its alerts had no words, and
// its baselines left nothing out.
const (
	snapshotMagic    = "LMPSNAPC"
	snapshotMagicOld = "LMPSNAPB"
)

type snapshotHead struct {
	_          struct{} `cbor:",toarray"`
	Seq        uint64
	Wall       int64
	Rules      string // the rule file
	Channels   []string
	Texts      []string
	Windows    []Window
	Links      []snapshotLink
	Parents    int
	Wholes     int
	Shared     map[int]uint64 // the newest frame with a share, by partition
	Words      map[int]uint64 // the newest frame with a word on a cause, by partition
	Facilities int
}

type snapshotLink struct {
	_                               struct{} `cbor:",toarray"`
	Name                            string
	Told, Since, Dark, Back, Lasted int64
	Down                            bool
}

type snapshotFacility struct {
	_         struct{} `cbor:",toarray"`
	ID        string
	Device    string
	Kind      uint8
	Parent    string
	Level     uint8 // of the parent, 0 = there is none
	Limits    map[string]float64
	ExpectMS  int64
	Newest    int64
	Seen      int64
	Excused   int64
	Dark      int64
	Link      uint16 // in snapshotHead.Links
	Since     int64
	Silent    bool
	Lost      bool
	Overdue   bool
	Due       int64  // of its timer, 0 = none: when it rings decides since when a lamp is unknown
	Standing  uint8  // as it was told; beyond the standings: it was not
	Why       uint32 // in snapshotHead.Texts
	Anew      bool
	Heir      bool
	Model     uint32 // in snapshotHead.Texts
	Area      uint32 // in snapshotHead.Texts
	Feeder    uint32 // in snapshotHead.Texts
	Hung      bool
	HasPlace  bool
	Lon, Lat  float32
	Timetable string
	Supply    uint8
	Series    []snapshotSeries
	Learned   []snapshotLearned
	Sensors   *snapshotSensors
	Past      *snapshotPast
	Held      []snapshotHeld
	Next      uint64
	Values    []snapshotValue
	Alerts    []snapshotAlert
	Marks     []snapshotMark
	Book      snapshotBook
}

type snapshotValue struct {
	_       struct{} `cbor:",toarray"`
	Channel uint32   // in snapshotHead.Channels
	Text    uint32   // in snapshotHead.Texts
	At      int64
	Num     float64
}

type snapshotAlert struct {
	_                                 struct{} `cbor:",toarray"`
	Rule                              string
	Pending, Event, Told, Quiet, Calm int64
	Firing, Heir, Sure, Held          bool
	Step                              uint8
	Words                             uint16
}

// UnmarshalCBOR reads an alert, also one of the format before, which had no words:
// such a ticket is told its words once more, and the desk knows them.
func (a *snapshotAlert) UnmarshalCBOR(b []byte) error {
	type current snapshotAlert
	if len(b) == 0 || b[0] != 0x80|11 { // an array of eleven
		return cbor.Unmarshal(b, (*current)(a))
	}
	var old snapshotAlertB
	err := cbor.Unmarshal(b, &old)
	*a = snapshotAlert{Rule: old.Rule, Pending: old.Pending, Event: old.Event, Told: old.Told, Quiet: old.Quiet, Calm: old.Calm, Firing: old.Firing, Heir: old.Heir, Sure: old.Sure, Held: old.Held, Step: old.Step}
	return err
}

// snapshotAlertB is an alert as "LMPSNAPB" had it.
type snapshotAlertB struct {
	_                                 struct{} `cbor:",toarray"`
	Rule                              string
	Pending, Event, Told, Quiet, Calm int64
	Firing, Heir, Sure, Held          bool
	Step                              uint8
}

type snapshotSeries struct {
	_       struct{} `cbor:",toarray"`
	Channel uint32   // in snapshotHead.Channels
	At      []int64
	Num     []float64
}

type snapshotBook struct {
	_                                   struct{} `cbor:",toarray"`
	Received, Duplicates, Late, Missing int64
	Boot                                string
	Started                             bool
	First, LastSeq                      uint64
	Open                                []span
	Recent                              *[8]uint64
	Next                                int
}

// frozen is a copy of the state that the engine no longer changes.
type frozen struct {
	head       snapshotHead
	parents    []snapshotParent
	wholes     []snapshotWhole
	marks      map[devices.FacilityID][]snapshotMark
	facilities []facility
	lifted     []lifted
	rules      *Set
}

// freeze copies the state after frame seq. It takes some 100 ns a facility: the
// writing, which takes longer, needs no lock.
func (e *Engine) freeze(seq uint64) *frozen {
	z := &frozen{rules: e.set, lifted: slices.Clone(e.lifted), facilities: make([]facility, 0, len(e.facilities))}
	z.head = snapshotHead{Seq: seq, Wall: e.wall, Rules: e.set.text, Texts: slices.Clone(e.texts.list), Windows: slices.Clone(e.windows), Parents: len(e.parents), Wholes: len(e.wholes), Shared: maps.Clone(e.shared), Words: maps.Clone(e.words), Facilities: len(e.facilities)}
	for _, c := range e.dict.All() {
		z.head.Channels = append(z.head.Channels, c.Name)
	}
	for _, l := range e.links {
		z.head.Links = append(z.head.Links, snapshotLink{Name: l.name, Told: l.told, Since: l.since, Dark: l.dark, Back: l.back, Lasted: l.lasted, Down: l.down})
	}
	z.freezeParents(e)
	z.freezeWholes(e)
	values, alerts := 0, 0
	for _, f := range e.facilities {
		values, alerts = values+len(f.values), alerts+len(f.alerts)
	}
	vs, as := make([]value, 0, values), make([]alert, 0, alerts)
	for _, f := range e.facilities {
		z.facilities = append(z.facilities, *f)
		c := &z.facilities[len(z.facilities)-1]
		vs, c.values = keep(vs, f.values)
		as, c.alerts = keep(as, f.alerts)
		c.more = f.more.clone()
		c.book.open = slices.Clone(f.book.open)
		if f.book.recent != nil {
			r := *f.book.recent
			c.book.recent = &r
		}
	}
	return z
}

// keep appends part to all and returns all and the copy.
func keep[T any](all, part []T) ([]T, []T) {
	n := len(all)
	all = append(all, part...)
	return all, all[n:len(all):len(all)]
}

// write writes the snapshot.
func (z *frozen) write(w io.Writer) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	b := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<16)
	if _, err := b.WriteString(snapshotMagic); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	enc := cbor.NewEncoder(b)
	err := enc.Encode(&z.head)
	for i := range z.parents {
		err = errors.Join(err, enc.Encode(&z.parents[i]))
	}
	for i := range z.wholes {
		err = errors.Join(err, enc.Encode(&z.wholes[i]))
	}
	var s snapshotFacility
	for i := 0; i < len(z.facilities) && err == nil; i++ {
		z.fill(&s, &z.facilities[i])
		err = enc.Encode(&s)
	}
	if err == nil {
		err = enc.Encode(z.tail())
	}
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = binary.Write(w, binary.LittleEndian, sum.Sum32())
	}
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

func (z *frozen) fill(s *snapshotFacility, f *facility) {
	b := &f.book
	values, alerts := s.Values[:0], s.Alerts[:0]
	*s = snapshotFacility{ID: string(f.id), Device: string(f.device), Kind: uint8(f.kind), Limits: f.limits, ExpectMS: f.expectMS, Newest: f.newest, Seen: f.seen, Excused: f.excused, Dark: f.dark, Link: f.link, Since: f.since, Silent: f.silent, Lost: f.lost, Overdue: f.overdue, Due: f.due, Standing: uint8(f.standing), Why: f.why, Anew: f.anew, Heir: f.heir,
		Book: snapshotBook{Received: b.Received, Duplicates: b.Duplicates, Late: b.Late, Missing: b.Missing, Boot: b.Boot, Started: b.started, First: b.first, LastSeq: b.LastSeq, Open: b.open, Recent: b.recent, Next: b.next}}
	if f.parent != nil {
		s.Parent, s.Level = string(f.parent.id), uint8(f.parent.level)
	}
	s.Marks = z.marks[f.id]
	for _, v := range f.values {
		values = append(values, snapshotValue{Channel: v.channel, Text: v.text, At: v.at, Num: v.num})
	}
	for _, a := range f.alerts {
		alerts = append(alerts, snapshotAlert{Rule: z.rules.kinds[f.kind].rules[a.rule].Name, Pending: a.pending, Event: a.event, Told: a.told, Quiet: a.quiet, Calm: a.calm, Firing: a.firing, Heir: a.heir, Sure: a.sure, Held: a.held, Step: a.step, Words: a.words})
	}
	s.Values, s.Alerts = values, alerts
	s.Area, s.Feeder, s.Hung = f.area, f.feeder, f.hung
	s.Past, s.Held, s.Next = f.more.frozenPast(z.rules, f.kind)
	s.Model, s.HasPlace, s.Lon, s.Lat, s.Series = f.model, f.hasPlace, f.lon, f.lat, f.more.frozen()
	s.Learned, s.Sensors = f.more.frozenLearned(), f.more.frozenSensors()
	if s.Supply = uint8(f.hours.supply); f.hours.table != nil {
		s.Timetable = f.hours.table.String()
	}
}

// restore fills an engine without state from a snapshot of size bytes, whose
// frame it returns.
func (e *Engine) restore(r io.ReaderAt, size int64) (seq uint64, err error) {
	if seq, err = e.read(r, size); err != nil {
		return 0, fmt.Errorf("read snapshot: %w", err)
	}
	return seq, nil
}

func (e *Engine) read(r io.ReaderAt, size int64) (uint64, error) {
	n := int64(len(snapshotMagic))
	if err := intact(r, size); err != nil {
		return 0, err
	}
	dec := cbor.NewDecoder(bufio.NewReaderSize(io.NewSectionReader(r, n, size-n-4), 1<<16))
	var h snapshotHead
	if err := dec.Decode(&h); err != nil {
		return 0, err
	}
	set, err := parse([]byte(h.Rules), e.dict, true)
	if err != nil {
		return 0, err
	}
	e.set, e.wall, e.windows = set, h.Wall, h.Windows
	e.nextTurn()
	maps.Copy(e.shared, h.Shared)
	maps.Copy(e.words, h.Words)
	e.thawLinks(h.Links)
	e.texts = newTexts()
	for _, t := range h.Texts {
		e.texts.id(t)
	}
	return h.Seq, e.thaw(dec, &h)
}

// intact looks at the beginning and the sum of a snapshot.
func intact(r io.ReaderAt, size int64) error {
	n := int64(len(snapshotMagic))
	if size < n+4 {
		return fmt.Errorf("it has %d bytes: %w", size, devices.ErrInvalid)
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	body := io.NewSectionReader(r, 0, size-4)
	magic, tail := make([]byte, n), make([]byte, 4)
	if _, err := r.ReadAt(tail, size-4); err != nil {
		return err
	}
	if _, err := io.ReadFull(io.TeeReader(body, sum), magic); err != nil {
		return err
	}
	if m := string(magic); m != snapshotMagic && m != snapshotMagicOld {
		return fmt.Errorf("found %q at the beginning, want %q: %w", magic, snapshotMagic, devices.ErrInvalid)
	}
	if _, err := io.Copy(sum, body); err != nil {
		return err
	}
	if got, want := sum.Sum32(), binary.LittleEndian.Uint32(tail); got != want {
		return fmt.Errorf("its sum is %08x, want %08x: %w", got, want, devices.ErrInvalid)
	}
	return nil
}

func (e *Engine) thaw(dec *cbor.Decoder, h *snapshotHead) error {
	channels := make([]uint32, len(h.Channels))
	for i, name := range h.Channels {
		if c := e.dict.Lookup([]byte(name)); c != nil {
			channels[i] = uint32(c.ID)
		} else {
			channels[i] = none
		}
	}
	if err := e.thawParents(dec, h.Parents); err != nil {
		return err
	}
	if err := e.thawWholes(dec, h.Wholes); err != nil {
		return err
	}
	e.facilities = make(map[devices.FacilityID]*facility, h.Facilities)
	marks := make(map[*facility][]snapshotMark)
	for range h.Facilities {
		var s snapshotFacility
		if err := dec.Decode(&s); err != nil {
			return err
		}
		if f := e.revive(&s, channels); len(s.Marks) > 0 {
			marks[f] = s.Marks
		}
	}
	var tail snapshotTail
	if err := dec.Decode(&tail); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	e.thawTail(&tail, channels)
	e.thawPlaces(marks)
	e.thawCauses()
	heap.Init(&e.timers)
	heap.Init(&e.sleepers)
	return nil
}

func bookOf(b *snapshotBook) Book {
	return Book{Received: b.Received, Duplicates: b.Duplicates, Late: b.Late, Missing: b.Missing, Boot: b.Boot, LastSeq: b.LastSeq, started: b.Started, first: b.First, open: b.Open, recent: b.Recent, next: b.Next}
}

func (e *Engine) thawLinks(ls []snapshotLink) {
	if len(ls) == 0 {
		return
	}
	e.links = make([]link, len(ls))
	for i, l := range ls {
		e.links[i] = link{name: l.Name, told: l.Told, since: l.Since, dark: l.Dark, back: l.Back, lasted: l.Lasted, down: l.Down}
	}
}

// none is the channel of a value whose channel is no longer known.
const none = 1<<32 - 1

func (e *Engine) revive(s *snapshotFacility, channels []uint32) *facility {
	f := e.settle(devices.FacilityID(s.ID))
	b := &s.Book
	f.kind, f.limits, f.expectMS, f.newest, f.seen, f.excused, f.silent, f.heir = devices.Kind(s.Kind), s.Limits, s.ExpectMS, s.Newest, s.Seen, s.Excused, s.Silent, s.Heir
	f.dark, f.lost, f.overdue = s.Dark, s.Lost, s.Overdue
	if int(s.Link) < len(e.links) {
		f.link = s.Link
	}
	f.book = bookOf(b)
	e.newest = max(e.newest, f.newest)
	e.takeDevice(f, devices.DeviceID(s.Device))
	for _, v := range s.Values {
		if int(v.Channel) < len(channels) && channels[v.Channel] != none {
			f.values = append(f.values, value{num: v.Num, at: v.At, text: v.Text, channel: channels[v.Channel]})
		}
	}
	f.anew = s.Anew
	f.area, f.feeder = s.Area, s.Feeder
	f.model, f.hasPlace, f.lon, f.lat = s.Model, s.HasPlace, s.Lon, s.Lat
	f.hours = lightingHours{e.timetable(s.Timetable), supply(s.Supply)}
	f.thawSeries(s.Series, channels)
	f.thawLearned(s.Learned, e.set)
	f.thawSensors(s.Sensors, channels)
	e.thawPast(f, s, channels)
	wait := false
	for _, a := range s.Alerts {
		if r := e.set.find(f.kind, a.Rule); r != nil {
			f.alerts = append(f.alerts, alert{rule: r.index, pending: a.Pending, event: a.Event, told: a.Told, quiet: a.Quiet, calm: a.Calm, firing: a.Firing, heir: a.Heir, sure: a.Sure, held: a.Held, step: a.Step, words: a.Words}.thawed(r))
			switch {
			case a.Heir || a.Firing && a.Quiet == 0:
			case !a.Firing && a.Pending > e.wall:
				f.wakes = min(a.Pending, cmp.Or(f.wakes, a.Pending))
			default:
				wait = true
			}
		}
	}
	if wait {
		e.await(f)
	}
	if f.wakes != 0 {
		e.sleepers = append(e.sleepers, timer{f.wakes, f})
	}
	e.rehang(f, s)
	e.maintain(f)
	if f.due = s.Due; f.due != 0 {
		e.timers = append(e.timers, timer{f.due, f})
	}
	f.since, f.why = s.Since, s.Why
	if f.standing = min(Standing(s.Standing), standings); f.standing < standings {
		f.shown = f.standing // until its causes are there
		e.counts[f.kind][f.shown]++
	}
	return f
}

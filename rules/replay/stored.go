package replay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// Store is a time-series store that gives its raw points.
type Store interface {
	// Export calls fn with the stored points of facilities in [from, to), Unix ms:
	// series by series in any order, a long one in several calls. text is that of
	// a text channel's points, "" of numbers. at and values are fn's until it
	// returns; its error ends the export and is returned.
	Export(ctx context.Context, ids []string, from, to int64, fn func(id, channel, text string, at []int64, values []float64) error) error
}

// Past is what of the past is judged from a store, and what stood meanwhile.
type Past struct {
	From, To int64 // Unix ms: [From, To)
	Census   []registry.Fed
	Windows  []devices.Item
}

// Stored judges what a store has of a time: the readings of one instant of a
// facility as one message that came at that instant. The partitions are judged
// one after the other, so that only one of them and some slices of its readings
// are in memory. tell, which may be nil, is called with the part that is done,
// from 0 to 1.
//
// A store knows nothing of what was promised, when a message came, and what was
// null: what the rules say of silence and of sensors is not in the result, see
// [CompareStored].
func Stored(ctx context.Context, s Store, past *Past, o Options, tell func(done float64)) (*Result, error) {
	parts := make([][]registry.Fed, o.Partitions)
	for _, f := range past.Census {
		p := o.Partition(f.Facility.Key())
		parts[p] = append(parts[p], f)
	}
	r := &Result{}
	for p, census := range parts {
		j := NewJudge(&o, p)
		t := &track{judge: j, wall: past.From}
		err := judgeStored(ctx, s, past, census, t, func(until int64) {
			if tell != nil {
				tell((float64(p) + float64(until-past.From)/float64(past.To-past.From)) / float64(len(parts)))
			}
		})
		if err != nil {
			return nil, err
		}
		r.add(j)
		r.Tickets = append(r.Tickets, j.ledger.all...)
		join(r.Tickets, j.ledger.abroad)
	}
	if tell != nil {
		tell(1)
	}
	inOrder(r.Tickets)
	unknown := beyond(o.Set)
	r.Tickets = slices.DeleteFunc(r.Tickets, func(t *Ticket) bool { return unknown[Defect{t.Kind, t.Defect}] != "" })
	return r, nil
}

// judgeStored judges one partition, while the next slice is being read.
func judgeStored(ctx context.Context, s Store, past *Past, census []registry.Fed, t *track, tell func(until int64)) error {
	text, err := registry.EncodeFed(slices.Clone(census)) // it leaves out devices that bear their facility's name
	if err != nil {
		return err
	}
	t.frame(past.From, append([]devices.Item{{Type: devices.ItemCensus, Control: text}}, past.Windows...))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	read, free := make(chan *slice), make(chan *slice, 2)
	free <- &slice{}
	free <- &slice{}
	done := make(chan error, 1)
	go func() {
		defer close(read)
		done <- newSlicer(s, t.judge.opt.Dict, census).run(ctx, past, free, read)
	}()
	for x := range read {
		x.judge(t, census)
		tell(x.to)
		free <- x
	}
	return <-done
}

// The span of a slice follows what was in the last ones: so many points are
// wanted, and with overfull times as many it is begun again, shorter.
const (
	wanted   = 500_000 // points of 24 bytes
	asked    = 2_000   // facilities of one question
	overfull = 4
	shortest = int64(time.Minute / time.Millisecond)
	longest  = int64(24 * time.Hour / time.Millisecond)
)

var errOverfull = errors.New("more points than wanted")

// slicer reads slices of the readings of some facilities.
type slicer struct {
	store      Store
	wanted     int
	dict       *devices.Dictionary
	ids        []string
	facilities map[string]uint32 // by id: the index in the census
}

func newSlicer(s Store, dict *devices.Dictionary, census []registry.Fed) *slicer {
	r := &slicer{store: s, wanted: wanted, dict: dict, facilities: make(map[string]uint32, len(census))}
	for i := range census {
		id := string(census[i].Facility.ID)
		r.ids, r.facilities[id] = append(r.ids, id), uint32(i)
	}
	return r
}

// run fills slices in the order of time.
func (r *slicer) run(ctx context.Context, past *Past, free <-chan *slice, read chan<- *slice) error {
	if len(r.ids) == 0 {
		return nil
	}
	span := int64(time.Hour / time.Millisecond)
	for from := past.From; from < past.To; {
		x := <-free
		for {
			err := r.fill(ctx, x, from, min(from+span, past.To), span > shortest)
			if err == nil {
				break
			}
			if !errors.Is(err, errOverfull) {
				return err
			}
			span = max(shortest, span/overfull)
		}
		from = x.to
		part := float64(r.wanted) / float64(max(1, len(x.points)))
		span = max(shortest, min(longest, int64(float64(span)*min(overfull, part))))
		select {
		case read <- x:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// slice is the stored points of a time, by time and facility.
type slice struct {
	from, to int64
	points   []point
	lines    []line
	vals     []devices.Value
}

// point is one stored value.
type point struct {
	at       int64
	num      float64
	facility uint32
	line     uint32
}

// line is what the points of a series have in common.
type line struct {
	channel *devices.Channel
	text    string
}

func (r *slicer) fill(ctx context.Context, x *slice, from, to int64, bounded bool) error {
	x.from, x.to, x.points, x.lines = from, to, x.points[:0], x.lines[:0]
	take := func(id, channel, text string, at []int64, values []float64) error {
		f, ok := r.facilities[id]
		ch := r.channel(channel, text)
		if !ok || ch == nil {
			return nil
		}
		if bounded && len(x.points)+len(at) > overfull*r.wanted {
			return errOverfull
		}
		x.lines = append(x.lines, line{ch, text})
		for i := range at {
			x.points = append(x.points, point{at[i], values[i], f, uint32(len(x.lines) - 1)})
		}
		return nil
	}
	for ids := range slices.Chunk(r.ids, asked) {
		if err := r.store.Export(ctx, ids, from, to, take); err != nil {
			return err
		}
	}
	slices.SortFunc(x.points, x.order)
	return nil
}

// order is by time and facility; the rest only makes two runs alike.
func (x *slice) order(a, b point) int {
	switch {
	case a.at != b.at:
		return cmp.Compare(a.at, b.at)
	case a.facility != b.facility:
		return cmp.Compare(a.facility, b.facility)
	}
	l, m := &x.lines[a.line], &x.lines[b.line]
	return cmp.Or(cmp.Compare(l.channel.ID, m.channel.ID), cmp.Compare(a.num, b.num), cmp.Compare(l.text, m.text))
}

// channel is what the codec took a name for; nil where the points are none of
// it: the numbers of messages, or those of another type than it has.
func (r *slicer) channel(name, text string) *devices.Channel {
	if name == "seq" {
		return nil
	}
	ch := r.dict.Lookup([]byte(name))
	if ch == nil {
		t := devices.Number
		if text != "" {
			t = devices.Text
		}
		ch = r.dict.Learn(name, t)
	}
	if ch == nil || (ch.Type == devices.Text) != (text != "") {
		return nil
	}
	return ch
}

// judge lets the time of the slice pass.
func (x *slice) judge(t *track, census []registry.Fed) {
	for i := 0; i < len(x.points); {
		at := x.points[i].at
		lull(t, at)
		t.items, x.vals = t.items[:0], x.vals[:0]
		for i < len(x.points) && x.points[i].at == at {
			f := x.points[i].facility
			first := len(x.vals)
			for ; i < len(x.points) && x.points[i].at == at && x.points[i].facility == f; i++ {
				x.vals = append(x.vals, x.value(&x.points[i]))
			}
			t.items = append(t.items, said(&census[f].Facility, at, x.vals[first:len(x.vals):len(x.vals)]))
		}
		t.frame(at, t.items)
		hear(t)
	}
	lull(t, x.to)
}

// lull lets the seconds pass before an instant.
func lull(t *track, until int64) {
	for t.wall+second <= until {
		t.frame(t.wall+second, nil)
		hear(t)
	}
}

// hear brings the letters of the only partition to itself. It takes no time.
func hear(t *track) {
	if len(t.letters) > 0 && t.judge.opt.Partitions == 1 {
		p := newPost(t.judge.opt)
		p.take(t.letters)
		p.deliver(func(_ int, items []devices.Item) []rules.Letter {
			t.judge.Frame(t.wall, items)
			return t.judge.letters
		})
	}
	t.letters = t.letters[:0]
}

// value is what the codec made of a value; that a device doubted it is not
// stored.
func (x *slice) value(p *point) devices.Value {
	l := &x.lines[p.line]
	if l.text != "" {
		return devices.Value{Channel: l.channel, Text: l.text}
	}
	v := devices.Value{Channel: l.channel, Num: p.num}
	if !l.channel.Plausible(p.num) {
		v.Quality = devices.Implausible
	}
	return v
}

// said is a message of a facility's device with one reading. Its hash tells it
// from the others of the facility, of which no two are of the same instant.
func said(f *registry.Facility, at int64, vals []devices.Value) devices.Item {
	m := &devices.Message{Type: devices.Telemetry, Device: f.Device, Hash: uint64(at), Received: at,
		Readings: []devices.Reading{{Time: at, Device: at, Received: at, Source: devices.TimeDevice, Values: vals}}}
	return devices.Item{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: f.Device, Received: at}, Message: m}
}

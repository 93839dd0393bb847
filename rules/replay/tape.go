package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/tape"
	"lamplighter/rules"
)

// Tape judges a recording from its beginning to its end. Census are facilities
// to know beforehand, in addition to those that the recording tells of. tell,
// which may be nil, is called with the instant up to which has been read.
func Tape(ctx context.Context, in *tape.Reader, census []registry.Fed, o Options, tell func(until int64)) (*Result, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := &player{opt: &o, post: newPost(&o), partitions: make(map[devices.DeviceID]int)}
	var wg sync.WaitGroup
	for i := range o.Partitions {
		t := &track{judge: NewJudge(&o, i), wall: in.Begin(), in: make(chan part, 8)}
		p.tracks = append(p.tracks, t)
		wg.Go(func() {
			for x := range t.in {
				t.play(x, end(x.block))
				t.letters = nil
				p.playing.Done()
			}
		})
	}
	err := p.begin(in.Begin(), census)
	if err == nil {
		err = p.read(ctx, in, tell)
	}
	for _, t := range p.tracks {
		close(t.in)
	}
	wg.Wait()
	if err != nil {
		return nil, err
	}
	js, ls := make([]*Judge, len(p.tracks)), make([]*ledger, len(p.tracks))
	for i, t := range p.tracks {
		js[i], ls[i] = t.judge, t.judge.ledger
	}
	return sum(js, ls...), nil
}

// player spreads a recording over the partitions.
type player struct {
	opt        *Options
	post       *post
	tracks     []*track
	wide       bool                     // rules may have come whose partitions tell each other of causes
	playing    sync.WaitGroup           // parts that the tracks have not played to their end
	partitions map[devices.DeviceID]int // of the devices in the census
}

// part is the records of a block that belong to one partition.
type part struct {
	block *tape.Block
	mine  []int32 // of block.Records
}

// begin tells every partition of the census that is known beforehand.
func (p *player) begin(at int64, census []registry.Fed) error {
	if len(census) == 0 {
		return nil
	}
	text, err := registry.EncodeFed(census)
	if err != nil {
		return err
	}
	b := &tape.Block{Until: at, Records: []tape.Record{{Type: devices.ItemCensus, Control: text, Uplink: devices.Uplink{Received: at}}}}
	return p.play(b)
}

func (p *player) read(ctx context.Context, in *tape.Reader, tell func(int64)) error {
	for {
		b, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.Join(p.play(b), ctx.Err())
		}
		if err != nil {
			return err
		}
		if tell != nil {
			tell(b.Until)
		}
	}
}

// play gives each partition its part of a block. What is no uplink goes to all
// of them, as each knows what it owns.
func (p *player) play(b *tape.Block) error {
	parts := make([]part, len(p.tracks))
	for i := range parts {
		parts[i] = part{block: b, mine: make([]int32, 0, len(b.Records)/len(parts)+8)}
	}
	for i := range b.Records {
		r := &b.Records[i]
		if r.Type == devices.ItemUplink {
			n := p.of(&r.Uplink)
			parts[n].mine = append(parts[n].mine, int32(i))
			continue
		}
		if r.Type == devices.ItemCensus {
			if err := p.learn(r.Control); err != nil {
				return err
			}
		}
		p.wide = p.wide || r.Type == devices.ItemRuleSet && !p.opt.Fixed
		for n := range parts {
			parts[n].mine = append(parts[n].mine, int32(i))
		}
	}
	if p.wide || p.opt.Set.Wide() {
		p.playing.Wait()
		p.together(b, parts)
		return nil
	}
	p.playing.Add(len(parts))
	for i, t := range p.tracks {
		t.in <- parts[i]
	}
	return nil
}

// letterEvery is how long letters are under way at most, ms.
const letterEvery = 250

// end is the instant of the newest record of a block, or up to which it tells.
func end(b *tape.Block) int64 {
	if n := len(b.Records); n > 0 {
		return max(b.Until, b.Records[n-1].Uplink.Received)
	}
	return b.Until
}

// together plays a block a quarter of a second at a time, so that what one
// partition has to tell comes to the others in time.
func (p *player) together(b *tape.Block, parts []part) {
	from, last := b.Until, end(b)
	for i, t := range p.tracks {
		from = min(from, t.wall)
		if len(parts[i].mine) > 0 {
			from = min(from, b.Records[parts[i].mine[0]].Uplink.Received)
		}
	}
	for until := from; ; until = min(until+letterEvery, last) {
		for i, t := range p.tracks {
			parts[i].mine = t.play(parts[i], until)
			p.post.take(t.letters)
			t.letters = nil
		}
		p.post.deliver(func(n int, items []devices.Item) []rules.Letter {
			t := p.tracks[n]
			t.wall = max(t.wall, until)
			t.judge.Frame(t.wall, items)
			return t.judge.letters
		})
		if until == last {
			return
		}
	}
}

// of is the partition of an uplink; whoever is not in the census is marked.
func (p *player) of(u *devices.Uplink) int {
	n, ok := p.partitions[u.Device]
	if !ok {
		u.Flags |= devices.FlagUnknown
		n = p.opt.Partition(string(u.Device))
	}
	return n
}

func (p *player) learn(control []byte) error {
	fed, err := registry.DecodeFed(control)
	if err != nil {
		return fmt.Errorf("census in the recording: %w", err)
	}
	for i := range fed {
		f := &fed[i].Facility
		if fed[i].Gone {
			delete(p.partitions, f.Device)
			continue
		}
		p.partitions[f.Device] = p.opt.Partition(f.Key())
	}
	return nil
}

// track is one partition: it makes frames of records.
type track struct {
	judge   *Judge
	in      chan part
	wall    int64 // of the newest frame
	items   []devices.Item
	letters []rules.Letter // that it has to tell
}

// second is how long a partition that is idle waits for its next frame, ms.
const second = 1000

// play judges what of a part was received up to an instant, and returns what was
// received later.
func (t *track) play(p part, until int64) (rest []int32) {
	rs, i := p.block.Records, 0
	for i < len(p.mine) {
		at := rs[p.mine[i]].Uplink.Received
		if at > until {
			break
		}
		t.idle(at)
		t.items = t.items[:0]
		for ; i < len(p.mine) && rs[p.mine[i]].Uplink.Received == at; i++ {
			r := &rs[p.mine[i]]
			t.items = append(t.items, devices.Item{Type: r.Type, Uplink: r.Uplink, Control: r.Control})
		}
		t.frame(at, t.items)
	}
	t.idle(until)
	return p.mine[i:]
}

func (t *track) frame(wall int64, items []devices.Item) {
	t.wall = wall
	t.judge.Frame(wall, items)
	t.letters = append(t.letters, t.judge.letters...)
}

// idle lets the seconds pass before an instant.
func (t *track) idle(until int64) {
	for t.wall+second <= until {
		t.frame(t.wall+second, nil)
	}
}

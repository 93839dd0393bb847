package replay

import (
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// Decoder turns uplinks into messages; see package codec.
type Decoder interface {
	Decode(u *devices.Uplink, m *devices.Message) *devices.Refusal
	Reset()
}

// Options of a replay.
type Options struct {
	Set        *rules.Set // to begin with
	Fixed      bool       // no other rule set is taken over from the log: Set judges all the time
	Dict       *devices.Dictionary
	Decoder    func() Decoder
	Partitions int
	Partition  func(key string) int // of a facility's key, as the daemon has it
}

// owns tells which facilities belong to a partition.
func (o *Options) owns(p int) func(*registry.Facility) bool {
	return func(f *registry.Facility) bool { return o.Partition(f.Key()) == p }
}

// Result is what came of a replay.
type Result struct {
	Tickets    []*Ticket // in the order of their opening
	Messages   int64     // judged
	Refused    int64
	Late       int64 // readings
	Duplicates int64 // messages
	Missing    int64 // messages that did not come, by their numbers
	Trouble    error // the first control that could not be read and was passed over
}

// Judge judges the frames of one partition. It belongs to one goroutine.
type Judge struct {
	opt      *Options
	engine   *rules.Engine
	letters  []rules.Letter // of the newest frame
	decoder  Decoder
	batch    devices.Batch
	messages []devices.Message
	ledger   *ledger
	result   Result
}

// NewJudge returns the judge of a partition, without any state.
func NewJudge(o *Options, partition int) *Judge {
	j := &Judge{opt: o, engine: rules.NewEngine(o.Set, o.Dict, o.owns(partition)), decoder: o.Decoder(), ledger: newLedger()}
	j.engine.SetPartitions(o.Partitions)
	j.batch.Partition = partition
	return j
}

// Frame judges one frame; items have what the log keeps: uplinks are decoded
// here, in place, unless they have their message.
func (j *Judge) Frame(wall int64, items []devices.Item) {
	j.batch.Seq++
	j.batch.Wall, j.batch.Items = wall, items
	if len(items) > 0 {
		j.decode(items)
	}
	found, err := j.engine.Step(&j.batch)
	if err != nil && j.result.Trouble == nil {
		j.result.Trouble = fmt.Errorf("partition %d: %w", j.batch.Partition, err)
	}
	j.letters = found.Letters
	for i := range found.Transitions {
		j.ledger.take(&found.Transitions[i])
	}
	for i := range found.Gaps {
		j.result.Missing += int64(found.Gaps[i].To - found.Gaps[i].From + 1)
	}
}

func (j *Judge) decode(items []devices.Item) {
	j.decoder.Reset()
	if len(j.messages) < len(items) {
		j.messages = make([]devices.Message, len(items))
	}
	for i := range items {
		it := &items[i]
		switch {
		case it.Message != nil:
		case it.Type == devices.ItemUplink:
			it.Message = &j.messages[i]
			if it.Refusal = j.decoder.Decode(&it.Uplink, it.Message); it.Refusal != nil {
				j.result.Refused++
			}
		case it.Type == devices.ItemRuleSet && j.opt.Fixed:
			it.Control = []byte(j.opt.Set.Text())
		}
	}
}

// sum is what several judges found and have written into ledgers.
func sum(js []*Judge, ls ...*ledger) *Result {
	r := &Result{}
	for _, j := range js {
		r.add(j)
	}
	for _, l := range ls {
		r.Tickets = append(r.Tickets, l.all...)
	}
	for _, l := range ls {
		join(r.Tickets, l.abroad)
	}
	inOrder(r.Tickets)
	return r
}

// add adds what one judge counted.
func (r *Result) add(j *Judge) {
	r.Messages += j.engine.Evaluated
	r.Late += j.engine.Late
	r.Duplicates += j.engine.Duplicates
	r.Refused += j.result.Refused
	r.Missing += j.result.Missing
	if r.Trouble == nil {
		r.Trouble = j.result.Trouble
	}
}

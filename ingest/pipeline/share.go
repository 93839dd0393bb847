package pipeline

import (
	"sync"

	"lamplighter/devices"
	"lamplighter/ingest/uplog"
)

// shared is how many decoded batches of a partition are kept for the consumers
// that come a little later.
const shared = 16

// Share is what the consumers of one partition have in common: the newest
// decoded batches, and the oldest frame that any of them may ask for again.
type Share struct {
	log       *uplog.Log
	partition int
	consumers int
	decoder   func() Decoder

	mu     sync.Mutex
	newest uint64            // guarded by mu: the newest frame that was decoded here
	slots  []*slot           // guarded by mu
	needs  map[string]uint64 // guarded by mu: by consumer
}

// slot is one decoded batch. It is written by the consumer that comes first and
// only read after that; it is used again when nobody holds it.
type slot struct {
	batch
	decoder Decoder
	seq     uint64        // guarded by Share.mu
	holders int           // guarded by Share.mu
	ready   chan struct{} // closed when it is decoded; replaced under Share.mu
	err     error         // set before ready is closed
}

// NewShare returns what so many consumers of a partition share; decoder makes a
// decoder, of which it needs up to sixteen.
func NewShare(log *uplog.Log, partition, consumers int, decoder func() Decoder) *Share {
	return &Share{log: log, partition: partition, consumers: consumers, decoder: decoder, needs: make(map[string]uint64)}
}

// take returns the decoded frame, nil when the consumer is behind and has to
// decode for itself. What is returned is given back with release.
func (s *Share) take(f *uplog.Frame) (*slot, error) {
	t, first := s.claim(f.Seq)
	if t == nil {
		return nil, nil
	}
	if first {
		t.err = t.fill(f, t.decoder)
		close(t.ready)
	}
	<-t.ready
	if t.err != nil {
		s.release(t)
		return nil, t.err
	}
	return t, nil
}

// claim finds the slot of frame seq; first is true for the one who has to fill it.
func (s *Share) claim(seq uint64) (t *slot, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.slots {
		if t.seq == seq {
			t.holders++
			return t, false
		}
	}
	if seq <= s.newest {
		return nil, false
	}
	if t = s.free(); t == nil {
		return nil, false
	}
	s.newest = seq
	t.seq, t.holders, t.ready, t.err = seq, 1, make(chan struct{}), nil
	return t, true
}

// free is a slot that nobody holds, the oldest. mu is held.
func (s *Share) free() *slot {
	var oldest *slot
	for _, t := range s.slots {
		if t.holders == 0 && (oldest == nil || t.seq < oldest.seq) {
			oldest = t
		}
	}
	if len(s.slots) < shared && (oldest == nil || oldest.seq+shared > s.newest) {
		oldest = &slot{decoder: s.decoder()}
		s.slots = append(s.slots, oldest)
	}
	return oldest
}

func (s *Share) release(t *slot) {
	s.mu.Lock()
	t.holders--
	s.mu.Unlock()
}

// needed notes the oldest frame that a consumer may ask for again, and tells
// the log what nobody will.
func (s *Share) needed(consumer string, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.needs[consumer] >= seq {
		return
	}
	s.needs[consumer] = seq
	if len(s.needs) < s.consumers {
		return
	}
	low := seq
	for _, n := range s.needs {
		low = min(low, n)
	}
	if low > 0 {
		s.log.Passed(s.partition, low-1)
	}
}

// batch is a Batch with the memory that is used again for the next.
type batch struct {
	devices.Batch
	messages []devices.Message
}

// fill decodes f.
func (b *batch) fill(f *uplog.Frame, d Decoder) error {
	d.Reset()
	if len(b.messages) < f.Count {
		b.messages = make([]devices.Message, f.Count)
		b.Items = make([]devices.Item, 0, f.Count)
	}
	clear(b.Items) // lets go of the frame that they alias
	b.Partition, b.Seq, b.Wall, b.Items = f.Partition, f.Seq, f.Wall, b.Items[:0]
	for r := range f.Records() {
		n := len(b.Items)
		b.Items = append(b.Items, devices.Item{Type: r.Type, Uplink: r.Uplink, Control: r.Control})
		if r.Type == devices.ItemUplink {
			it := &b.Items[n]
			it.Message = &b.messages[n]
			it.Refusal = d.Decode(&it.Uplink, it.Message)
		}
	}
	return nil
}

package rules

import "lamplighter/devices"

// Book counts what came from one device and what did not.
type Book struct {
	Received   int64  `json:"received"`
	Duplicates int64  `json:"duplicates"`
	Late       int64  `json:"late"`
	Missing    int64  `json:"missing"` // sequence numbers that have not come
	Boot       string `json:"boot,omitempty"`
	LastSeq    uint64 `json:"last_seq"`

	started bool
	first   uint64     // the lowest number of this boot
	open    []span     // what is missing between first and LastSeq, ascending; at most maxOpen
	recent  *[8]uint64 // hashes of the last messages that had no number
	next    int
}

// span is the sequence numbers from From to To, both included.
type span struct {
	From uint64 `cbor:"1,keyasint"`
	To   uint64 `cbor:"2,keyasint"`
}

// Gap is an entry of the loss ledger: sequence numbers of a device that were
// jumped over, or (Filled) that came after all.
type Gap struct {
	Device devices.DeviceID
	Boot   string
	From   uint64
	To     uint64
	At     int64 // wall clock of the frame that showed it, Unix ms
	Filled bool
}

const (
	// maxOpen is how many gaps of a device can still be filled; older ones are
	// lost for good, and what comes of them later counts as a duplicate.
	maxOpen = 16
	// restart is how far a sequence may run backwards before it counts as begun
	// anew by a device that does not name its boots.
	restart = 64
	// leap is how far a sequence may jump before it counts as begun anew rather
	// than as a loss: nobody sends so much while nobody listens.
	leap = 1_000_000
)

// observe notes a message. dup says that it came before; gap, when its To is
// not 0, what the message shows to be missing or brings after all.
func (b *Book) observe(m *devices.Message) (dup bool, gap Gap) {
	b.Received++
	if m.HasSeq {
		dup, gap = b.number(m)
	} else {
		dup = b.repeated(m)
	}
	if dup {
		b.Duplicates++
	}
	return dup, gap
}

// regain notes a message that came back from quarantine. It never moves the
// sequence: a boot of long ago does not begin anew.
func (b *Book) regain(m *devices.Message) (gap Gap) {
	b.Received++
	if m.HasSeq && b.started && m.Boot == b.Boot && b.fill(m.Seq) {
		gap = Gap{Device: m.Device, Boot: m.Boot, From: m.Seq, To: m.Seq, Filled: true}
	}
	return gap
}

// another begins anew with the numbers of another device.
func (b *Book) another() {
	b.started, b.Boot, b.first, b.LastSeq, b.open, b.recent = false, "", 0, 0, nil, nil
}

// repeated looks for the same bytes among the last messages without a number;
// they are a copy only if they carry their own time.
func (b *Book) repeated(m *devices.Message) (dup bool) {
	if b.recent == nil {
		b.recent = new([8]uint64)
	}
	if len(m.Readings) > 0 && m.Readings[0].Source == devices.TimeDevice {
		for _, h := range b.recent {
			dup = dup || h == m.Hash
		}
	}
	b.recent[b.next] = m.Hash
	b.next = (b.next + 1) % len(b.recent)
	return dup
}

func (b *Book) number(m *devices.Message) (dup bool, gap Gap) {
	gap = Gap{Device: m.Device, Boot: m.Boot}
	switch {
	case !b.started || m.Boot != b.Boot || m.Seq > b.LastSeq && m.Seq-b.LastSeq > leap || m.Boot == "" && m.Seq+restart <= b.LastSeq:
		b.started, b.Boot, b.first, b.LastSeq = true, m.Boot, m.Seq, m.Seq
		b.open = b.open[:0]
		return false, Gap{}
	case m.Seq > b.LastSeq:
		if m.Seq > b.LastSeq+1 {
			gap.From, gap.To = b.LastSeq+1, m.Seq-1
			b.miss(len(b.open), span{gap.From, gap.To})
		}
		b.LastSeq = m.Seq
		return false, gap
	case m.Seq < b.first:
		if m.Seq+1 < b.first {
			gap.From, gap.To = m.Seq+1, b.first-1
			b.miss(0, span{gap.From, gap.To})
		}
		b.first = m.Seq
		return false, gap
	}
	if !b.fill(m.Seq) {
		return true, Gap{}
	}
	gap.From, gap.To, gap.Filled = m.Seq, m.Seq, true
	return false, gap
}

// miss notes a gap at place i of the open ones.
func (b *Book) miss(i int, s span) {
	b.Missing += int64(s.To - s.From + 1)
	b.insert(i, s)
}

func (b *Book) insert(i int, s span) {
	b.open = append(b.open, span{})
	copy(b.open[i+1:], b.open[i:])
	b.open[i] = s
	if len(b.open) > maxOpen {
		b.open = append(b.open[:0], b.open[1:]...)
	}
}

// fill takes seq out of the gap that it lies in; false if it lies in none.
func (b *Book) fill(seq uint64) bool {
	for i := range b.open {
		s := &b.open[i]
		if seq < s.From || seq > s.To {
			continue
		}
		b.Missing--
		switch old := *s; {
		case old.From == old.To:
			b.open = append(b.open[:i], b.open[i+1:]...)
		case seq == old.From:
			s.From++
		case seq == old.To:
			s.To--
		default:
			s.To = seq - 1
			b.insert(i+1, span{seq + 1, old.To})
		}
		return true
	}
	return false
}

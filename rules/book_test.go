package rules

import (
	"math/rand/v2"
	"testing"

	"lamplighter/devices"
)

func numbered(boot string, seq uint64) *devices.Message {
	return &devices.Message{Device: "D", Boot: boot, Seq: seq, HasSeq: true}
}

func TestLedgerOfNumbers(t *testing.T) {
	type say struct {
		boot string
		seq  uint64
		dup  bool
		gap  Gap
	}
	miss := func(boot string, from, to uint64) Gap { return Gap{Device: "D", Boot: boot, From: from, To: to} }
	came := func(boot string, seq uint64) Gap {
		return Gap{Device: "D", Boot: boot, From: seq, To: seq, Filled: true}
	}
	for name, c := range map[string]struct {
		says    []say
		missing int64
	}{
		"in order":                   {[]say{{"a", 1, false, Gap{}}, {"a", 2, false, Gap{}}, {"a", 2, true, Gap{}}}, 0},
		"a jump, and one comes":      {[]say{{"a", 1, false, Gap{}}, {"a", 5, false, miss("a", 2, 4)}, {"a", 3, false, came("a", 3)}, {"a", 3, true, Gap{}}}, 2},
		"hours later from the flash": {[]say{{"a", 1, false, Gap{}}, {"a", 3, false, miss("a", 2, 2)}, {"a", 500, false, miss("a", 4, 499)}, {"a", 2, false, came("a", 2)}}, 496},
		"before the first":           {[]say{{"a", 10, false, Gap{}}, {"a", 8, false, miss("a", 9, 9)}, {"a", 9, false, came("a", 9)}}, 0},
		"a new boot":                 {[]say{{"a", 100, false, Gap{}}, {"b", 1, false, Gap{}}, {"b", 2, false, Gap{}}}, 0},
		"back to 1 without a boot":   {[]say{{"", 100, false, Gap{}}, {"", 1, false, Gap{}}, {"", 2, false, Gap{}}}, 0},
		"a little back is a copy":    {[]say{{"", 100, false, Gap{}}, {"", 101, false, Gap{}}, {"", 100, true, Gap{}}}, 0},
		"a leap is a new beginning":  {[]say{{"a", 1, false, Gap{}}, {"a", 1 << 40, false, Gap{}}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var b Book
			for _, s := range c.says {
				dup, gap := b.observe(numbered(s.boot, s.seq))
				if gap.To == 0 {
					gap = Gap{}
				}
				if dup != s.dup || gap != s.gap {
					t.Errorf("%s/%d: dup %v gap %+v, want %v %+v", s.boot, s.seq, dup, gap, s.dup, s.gap)
				}
			}
			if b.Missing != c.missing {
				t.Errorf("%d missing, want %d", b.Missing, c.missing)
			}
		})
	}
}

// Whatever is lost, doubled and disordered within what the book can hold: what
// never came is missing, and what came twice is a duplicate.
func TestLedgerAddsUp(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var sent []uint64
		lost, copies := 0, 0
		for seq := uint64(1); seq <= 300; seq++ {
			switch p := r.IntN(100); {
			case p < 3 && seq > 1 && seq < 300:
				lost++
			case p < 6:
				copies++
				sent = append(sent, seq, seq)
			default:
				sent = append(sent, seq)
			}
		}
		for i := range sent { // neighbours change places
			if j := i + r.IntN(4); j < len(sent) && i > 0 {
				sent[i], sent[j] = sent[j], sent[i]
			}
		}
		var b Book
		for _, s := range sent {
			b.observe(numbered("x", s))
		}
		over := b.Duplicates - int64(copies) // of gaps that the book had given up
		if over != 0 && len(b.open) < maxOpen || b.Missing != int64(lost)+over {
			t.Errorf("seed %d: missing %d of %d, duplicates %d of %d", seed, b.Missing, lost, b.Duplicates, copies)
		}
	}
}

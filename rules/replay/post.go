package replay

import (
	"lamplighter/devices"
	"lamplighter/rules"
)

// post brings the letters of partitions to each other. It takes no time: who
// waits for an answer has it in the same instant.
type post struct {
	opt  *Options
	bags [][]devices.Item // by partition
	full bool             // some of them
}

func newPost(o *Options) *post { return &post{opt: o, bags: make([][]devices.Item, o.Partitions)} }

// take collects what the newest frame of a judge has to tell.
func (p *post) take(ls []rules.Letter) {
	for _, l := range ls {
		it := devices.Item{Type: l.Type, Control: l.Record}
		for n := range p.bags {
			if l.Key == "" || p.opt.Partition(l.Key) == n {
				p.bags[n] = append(p.bags[n], it)
			}
		}
		p.full = true
	}
}

// deliver has frames of letters judged until nobody has any more to tell; frame
// judges one and returns what that one has to tell. Who has had letters gets an
// empty frame after the last of them: what has been opened is told in the next.
func (p *post) deliver(frame func(partition int, items []devices.Item) []rules.Letter) {
	for again := false; p.full || again; {
		bags := p.bags
		p.bags, again, p.full = make([][]devices.Item, len(bags)), p.full, false
		for n, items := range bags {
			if len(items) > 0 || again {
				p.take(frame(n, items))
			}
		}
	}
}

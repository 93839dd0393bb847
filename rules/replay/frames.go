package replay

import (
	"slices"

	"lamplighter/devices"
	"lamplighter/rules"
)

// Log judges the frames of a log in the order of their walls. What partitions
// have told each other stands in the frames; with other rules than those of the
// log they tell each other anew.
type Log struct {
	opt    *Options
	judges []*Judge // by partition; nil = not begun
	walls  []int64  // of their newest frames
	before func(begin int64) []devices.Item
	begin  int64
	post   *post
	ledger *ledger // of all, as a facility that is moved is judged elsewhere from then on
}

// NewLog returns a judge of a log; before gives records, of the census and of
// windows, that stood before the oldest frame of a partition, of which begin is the
// wall clock.
func NewLog(o *Options, before func(begin int64) []devices.Item) *Log {
	return &Log{opt: o, judges: make([]*Judge, o.Partitions), walls: make([]int64, o.Partitions), before: before, post: newPost(o), ledger: newLedger()}
}

// Frame judges the next frame of a partition.
func (l *Log) Frame(partition int, wall int64, items []devices.Item) {
	if l.opt.Fixed {
		items = slices.DeleteFunc(items, func(it devices.Item) bool { return it.Type == devices.ItemShare || it.Type == devices.ItemCause })
	}
	ls := l.judge(partition, wall, items)
	if !l.opt.Fixed {
		return
	}
	l.post.take(slices.DeleteFunc(ls, func(x rules.Letter) bool { return x.Type == devices.ItemStanding }))
	l.post.deliver(func(p int, items []devices.Item) []rules.Letter { return l.judge(p, max(wall, l.walls[p]), items) })
}

func (l *Log) judge(partition int, wall int64, items []devices.Item) []rules.Letter {
	j := l.judges[partition]
	if j == nil {
		j = NewJudge(l.opt, partition)
		j.ledger = l.ledger
		l.judges[partition] = j
		j.Frame(wall, l.before(wall))
		if l.begin == 0 || wall < l.begin {
			l.begin = wall
		}
	}
	l.walls[partition] = wall
	j.Frame(wall, items)
	return j.letters
}

// Begin is the wall clock of the oldest frame, 0 if there was none.
func (l *Log) Begin() int64 { return l.begin }

// Result is what came of it.
func (l *Log) Result() *Result {
	var js []*Judge
	for _, j := range l.judges {
		if j != nil {
			js = append(js, j)
		}
	}
	return sum(js, l.ledger)
}

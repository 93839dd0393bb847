package replay

import "lamplighter/devices"

// Log judges the frames of a log, partition by partition, each in its order.
type Log struct {
	opt    *Options
	judges []*Judge // by partition; nil = not begun
	before []devices.Item
	begin  int64
}

// NewLog returns a judge of a log; before are records, of the census and of
// windows, that stood before its oldest frames.
func NewLog(o *Options, before []devices.Item) *Log {
	return &Log{opt: o, judges: make([]*Judge, o.Partitions), before: before}
}

// Frame judges the next frame of a partition.
func (l *Log) Frame(partition int, wall int64, items []devices.Item) {
	j := l.judges[partition]
	if j == nil {
		j = NewJudge(l.opt, partition)
		l.judges[partition] = j
		j.Frame(wall, append([]devices.Item(nil), l.before...))
		if l.begin == 0 || wall < l.begin {
			l.begin = wall
		}
	}
	j.Frame(wall, items)
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
	return sum(js)
}

package uplog

import (
	"context"
	"fmt"

	"lamplighter/devices"
)

// OpenPast opens a log to read what stands in it: nothing is written, and no
// partition is made. With an embedded server the folder must not be in use. Only
// [Log.Past], [Log.Partitions] and [Log.Close] may be called.
func OpenPast(ctx context.Context, o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{opt: o, trouble: make(map[int]string), stop: func() {}}
	k, err := l.dial()
	if err != nil {
		return nil, err
	}
	l.link.Store(k)
	if err := l.findPartitions(ctx, k); err != nil {
		k.close()
		return nil, err
	}
	l.m = newMetrics(l)
	return l, nil
}

func (l *Log) findPartitions(ctx context.Context, k *link) error {
	n, err := k.partitions(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("open the log: there is none: %w", devices.ErrNotFound)
	}
	for i := range n {
		s, err := k.js.Stream(ctx, streamName(i))
		if err != nil {
			return fmt.Errorf("open partition %d of the log: %w", i, err)
		}
		k.streams = append(k.streams, s)
		p := newPartition(i, k.maxRecord())
		p.last.Store(s.CachedInfo().State.LastSeq)
		l.parts = append(l.parts, p)
	}
	return nil
}

// Past calls fn with every frame of the partition that is there now, oldest
// first, and returns; or with the error of fn. Any number of readers may read,
// also beside those of [Log.Read].
func (l *Log) Past(ctx context.Context, partition int, fn func(*Frame) error) error {
	first, last, err := l.Bounds(partition)
	if err != nil {
		return err
	}
	upTo := func(f *Frame) error {
		if f.Seq > last {
			return nil
		}
		return fn(f)
	}
	for seq := max(first, 1); seq <= last; {
		next, err := l.catchUp(ctx, l.parts[partition], seq, upTo)
		if err != nil {
			return err
		}
		if next == seq {
			return fmt.Errorf("read partition %d: the server has nothing from frame %d on, the newest is %d", partition, seq, last)
		}
		seq = next
	}
	return nil
}

// Bytes are the frame as it stands in the log. They never change.
func (f *Frame) Bytes() []byte { return f.all }

// ParseFrame reads what [Frame.Bytes] was; [ErrCorrupt] when it is not that.
func ParseFrame(partition int, seq uint64, b []byte) (*Frame, error) {
	return openFrame(partition, seq, b)
}

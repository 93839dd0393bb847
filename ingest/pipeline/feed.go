package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/uplog"
)

// Changes is the census and its history.
type Changes interface {
	// ChangesSince are the changes after one, oldest first, each with the facility
	// as it is now.
	ChangesSince(ctx context.Context, id int64, limit int) ([]registry.Change, error)
	// After are the facilities after one, by id.
	After(ctx context.Context, after devices.FacilityID, limit int) ([]registry.Facility, error)
	Newest(ctx context.Context) (int64, error)
	Refresh(ctx context.Context) error
}

// Appender is the log, as the feed sees it.
type Appender interface {
	Partitions() int
	Append(ctx context.Context, partition int, r *uplog.Record, a devices.Acker) error
	Bounds(partition int) (first, last uint64, err error)
}

// CensusFeed puts the changes of the census into the log, so that the rules see
// them in order with the readings. A log that knows nothing of the census gets
// the facilities as they are; from then on each change goes to the partition of
// the facility's key; when it has moved there from another partition, to both;
// and when it is not known where it was, to all. Whoever reads a change keeps
// the facilities of its own partition ([PartitionOf] of their key) and lets go
// of the others. A change may come twice.
type CensusFeed struct {
	Log    Appender
	Census Changes
	File   string // remembers the newest change in the log; "" = feed everything at each start
	Logger zerolog.Logger

	again atomic.Bool // everything has to be fed once more
	last  int64       // newest change that is durable in the log
	whole bool        // the facilities as they are have to be fed first
	known bool        // the log, or one before it, has been fed before
}

const (
	feedEvery   = time.Second
	feedChanges = 2000 // read at a time
	feedRecord  = 500  // in one record: about 100 KB
)

// Again feeds everything once more: a partition has lost what it was told. It is
// safe for concurrent use.
func (f *CensusFeed) Again() { f.again.Store(true) }

// Run feeds until ctx ends.
func (f *CensusFeed) Run(ctx context.Context) {
	t := time.NewTicker(feedEvery)
	defer t.Stop()
	for err := f.begin(); ; {
		more := false
		if err == nil {
			more, err = f.feed(ctx)
		}
		if err != nil && ctx.Err() == nil {
			f.Logger.Error().Err(err).Msg("census into the log")
		}
		err = nil
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// begin finds out how far the feed had come. A log without frames has been
// replaced, and gets everything.
func (f *CensusFeed) begin() error {
	var err error
	if f.last, err = readMark(f.File); err != nil {
		return err
	}
	f.known, f.whole = f.last > 0, f.last == 0
	if f.known {
		f.whole, err = f.empty()
	}
	return err
}

func (f *CensusFeed) empty() (bool, error) {
	for p := range f.Log.Partitions() {
		_, last, err := f.Log.Bounds(p)
		if err != nil || last > 0 {
			return false, err
		}
	}
	return true, nil
}

// feed makes durable what came after the last change; more is true when there
// may be more at once.
func (f *CensusFeed) feed(ctx context.Context) (more bool, err error) {
	if err := f.Census.Refresh(ctx); err != nil {
		return false, err
	}
	if f.again.Swap(false) {
		f.whole = true
	}
	if f.whole {
		if err := f.feedAll(ctx); err != nil {
			return false, err
		}
	}
	cs, err := f.Census.ChangesSince(ctx, f.last, feedChanges)
	if err != nil || len(cs) == 0 {
		return false, err
	}
	arrive, leave := f.sort(cs)
	if err := f.write(ctx, arrive); err != nil {
		return false, err
	}
	if err := f.write(ctx, leave); err != nil { // who leaves is handed over to where it is known by now
		return false, err
	}
	f.last = cs[len(cs)-1].ID
	return true, writeMark(f.File, f.last)
}

// feedAll feeds the facilities as they are. What changes meanwhile follows: as
// a change.
func (f *CensusFeed) feedAll(ctx context.Context) error {
	newest, err := f.Census.Newest(ctx)
	if err != nil {
		return err
	}
	began, n := time.Now(), 0
	for after := devices.FacilityID(""); ; {
		fs, err := f.Census.After(ctx, after, feedChanges)
		if err != nil {
			return err
		}
		if len(fs) == 0 {
			break
		}
		after, n = fs[len(fs)-1].ID, n+len(fs)
		parts := make([][]registry.Fed, f.Log.Partitions())
		for i := range fs {
			p := PartitionOf(fs[i].Key(), len(parts))
			parts[p] = append(parts[p], registry.Fed{Facility: fs[i], Moved: f.known})
		}
		if err := f.write(ctx, parts); err != nil {
			return err
		}
	}
	f.whole = false
	if !f.known && newest > 0 { // else what is gone since the last change is told by the history
		f.last, f.known = newest, true
		err = writeMark(f.File, f.last)
	}
	f.Logger.Info().Int("facilities", n).Dur("took", time.Since(began)).Msg("the census is in the log")
	return err
}

// sort says which change goes to which partition: where the facility belongs
// now, and where it may have been.
func (f *CensusFeed) sort(cs []registry.Change) (arrive, leave [][]registry.Fed) {
	arrive, leave = make([][]registry.Fed, f.Log.Partitions()), make([][]registry.Fed, f.Log.Partitions())
	for i := range cs {
		c := &cs[i]
		to, was := PartitionOf(c.Facility.Key(), len(arrive)), -1
		switch {
		case c.New:
			was = to
		case c.Was != "":
			was = PartitionOf(c.Was, len(arrive))
		}
		if c.Gone && was >= 0 {
			to = was
		}
		fed := registry.Fed{Facility: c.Facility, Gone: c.Gone, Moved: was != to}
		for p := range arrive {
			switch {
			case p == to:
				arrive[p] = append(arrive[p], fed)
			case p == was || was < 0:
				leave[p] = append(leave[p], fed)
			}
		}
	}
	return arrive, leave
}

// write makes changes durable, by partition.
func (f *CensusFeed) write(ctx context.Context, parts [][]registry.Fed) error {
	acks := newReceipt()
	for p, part := range parts {
		for len(part) > 0 {
			n := min(len(part), feedRecord)
			text, err := registry.EncodeFed(part[:n])
			if err != nil {
				return err
			}
			if err := acks.append(ctx, f.Log, p, &uplog.Record{Type: devices.ItemCensus, Control: text}); err != nil {
				return err
			}
			part = part[n:]
		}
	}
	return acks.wait(ctx)
}

// Broadcast appends a control text (a rule set, a maintenance window) to every
// partition and returns when it is durable in all of them.
func Broadcast(ctx context.Context, log Appender, t devices.ItemType, control []byte) error {
	acks := newReceipt()
	for p := range log.Partitions() {
		if err := acks.append(ctx, log, p, &uplog.Record{Type: t, Control: control}); err != nil {
			return err
		}
	}
	return acks.wait(ctx)
}

// Letter is a control text for the partition of a key, or for all of them.
type Letter struct {
	Key     string // "" = for all
	Type    devices.ItemType
	Control []byte
}

// Send appends letters to the partitions that they are for and returns when they
// are durable there; each partition gets its own in their order.
func Send(ctx context.Context, log Appender, ls []Letter) error {
	n := log.Partitions()
	acks := newReceipt()
	for i := range ls {
		l := &ls[i]
		if acks.sent+n > cap(acks.got) {
			if err := acks.wait(ctx); err != nil {
				return err
			}
			acks = newReceipt()
		}
		for p := range n {
			if l.Key != "" && p != PartitionOf(l.Key, n) {
				continue
			}
			if err := acks.append(ctx, log, p, &uplog.Record{Type: l.Type, Control: l.Control}); err != nil {
				return err
			}
		}
	}
	return acks.wait(ctx)
}

// receipt counts the acknowledgements of several records.
type receipt struct {
	sent int
	got  chan error
}

func newReceipt() *receipt { return &receipt{got: make(chan error, 2048)} }

// Acked implements devices.Acker: there is room, for each record was counted.
func (r *receipt) Acked(_ uint16, err error) { r.got <- err }

func (r *receipt) append(ctx context.Context, log Appender, p int, rec *uplog.Record) error {
	if r.sent == cap(r.got) {
		return errors.New("too many records at once")
	}
	if err := log.Append(ctx, p, rec, r); err != nil {
		return err
	}
	r.sent++
	return nil
}

func (r *receipt) wait(ctx context.Context) error {
	for range r.sent {
		select {
		case err := <-r.got:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/uplog"
)

// Changes is the history of the census.
type Changes interface {
	ChangesSince(ctx context.Context, id int64, limit int) ([]registry.Change, error)
	Refresh(ctx context.Context) error
}

// Appender is the log, as the feed sees it.
type Appender interface {
	Partitions() int
	Append(ctx context.Context, partition int, r *uplog.Record, a devices.Acker) error
	Bounds(partition int) (first, last uint64, err error)
}

// CensusFeed puts the changes of the census into the log, so that the rules see
// them in order with the readings. A change goes to the partition of the
// facility's key; when the facility has moved there from another partition, to
// both, and when it is not known where it was, to all: whoever reads a change
// keeps the facilities of its own partition ([PartitionOf] of [KeyOf]) and lets
// go of the others. A change may come twice.
type CensusFeed struct {
	Log    Appender
	Census Changes
	File   string // remembers the newest change in the log; "" = feed everything at each start
	Logger zerolog.Logger

	again    atomic.Bool       // everything has to be fed once more
	last     int64             // newest change that is durable in the log
	complete bool              // where knows every facility that was ever fed
	where    map[uint64]uint16 // hash of a facility's id → its partition
}

const (
	feedEvery   = time.Second
	feedChanges = 1000 // read at a time
	feedRecord  = 200  // in one record
)

// KeyOf is the partition key of a facility: its cabinet, else itself.
func KeyOf(f *registry.Facility) string {
	if f.Cabinet != "" {
		return f.Cabinet
	}
	return string(f.ID)
}

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
	f.where = make(map[uint64]uint16)
	var err error
	f.last, err = readMark(f.File)
	if err == nil && f.last > 0 {
		var empty bool
		if empty, err = f.empty(); empty {
			f.last = 0
		}
	}
	f.complete = f.last == 0
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
	if f.again.Swap(false) {
		f.last, f.complete = 0, false
		clear(f.where)
	}
	if err := f.Census.Refresh(ctx); err != nil {
		return false, err
	}
	cs, err := f.Census.ChangesSince(ctx, f.last, feedChanges)
	if err != nil || len(cs) == 0 {
		return false, err
	}
	parts := f.sort(cs)
	acks := newReceipt()
	for p, part := range parts {
		for len(part) > 0 {
			n := min(len(part), feedRecord)
			text, err := json.Marshal(part[:n])
			if err != nil {
				return false, fmt.Errorf("write census changes: %w", err)
			}
			if err := acks.append(ctx, f.Log, p, &uplog.Record{Type: devices.ItemCensus, Control: text}); err != nil {
				return false, err
			}
			part = part[n:]
		}
	}
	if err := acks.wait(ctx); err != nil {
		return false, err
	}
	f.last = cs[len(cs)-1].ID
	return true, writeMark(f.File, f.last)
}

// fedChange is a change as the rules read it (rules.Fed).
type fedChange struct {
	*registry.Change
	Moved bool `json:"moved,omitempty"`
}

// sort says which change goes to which partition.
func (f *CensusFeed) sort(cs []registry.Change) [][]fedChange {
	parts := make([][]fedChange, f.Log.Partitions())
	for i := range cs {
		c := &cs[i]
		id := xxhash.Sum64String(string(c.Facility.ID))
		to := PartitionOf(KeyOf(&c.Facility), len(parts))
		was, known := f.where[id]
		f.where[id] = uint16(to)
		moved := known && to != int(was) || !known && !f.complete
		for p := range parts {
			if p == to || known && p == int(was) || !known && !f.complete {
				parts[p] = append(parts[p], fedChange{c, moved})
			}
		}
	}
	return parts
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

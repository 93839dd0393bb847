package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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

// CensusFeed puts the changes of the census into the log, so that the rules see
// them in order with the readings. It feeds the whole history at each start:
// that is idempotent, and heals a log whose oldest frames have aged out.
type CensusFeed struct {
	Log    Appender
	Census Changes
	Logger zerolog.Logger
}

const (
	feedEvery   = time.Second
	feedChanges = 1000 // read at a time
	feedRecord  = 200  // in one record
)

// Run feeds until ctx ends.
func (f *CensusFeed) Run(ctx context.Context) {
	t := time.NewTicker(feedEvery)
	defer t.Stop()
	for last := int64(0); ; {
		next, err := f.feed(ctx, last)
		if err != nil && ctx.Err() == nil {
			f.Logger.Error().Err(err).Msg("census into the log")
		}
		if next > last {
			last = next
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// feed appends what came after change last; it returns the new last.
func (f *CensusFeed) feed(ctx context.Context, last int64) (int64, error) {
	if err := f.Census.Refresh(ctx); err != nil {
		return last, err
	}
	cs, err := f.Census.ChangesSince(ctx, last, feedChanges)
	if err != nil {
		return last, err
	}
	byPart := make([][]registry.Change, f.Log.Partitions())
	for _, c := range cs {
		key := c.Facility.Cabinet
		if key == "" {
			key = string(c.Facility.ID)
		}
		p := PartitionOf(key, len(byPart))
		byPart[p] = append(byPart[p], c)
	}
	for p, part := range byPart {
		for len(part) > 0 {
			n := min(len(part), feedRecord)
			text, err := json.Marshal(part[:n])
			if err != nil {
				return last, fmt.Errorf("write census changes: %w", err)
			}
			if err := f.Log.Append(ctx, p, &uplog.Record{Type: devices.ItemCensus, Control: text}, nil); err != nil {
				return last, err
			}
			part = part[n:]
		}
	}
	if len(cs) > 0 {
		last = cs[len(cs)-1].ID
	}
	return last, nil
}

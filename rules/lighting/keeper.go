package lighting

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lamplighter/devices/database"
)

const (
	lookEvery = time.Minute
	// grace is how long after dawn a night is closed: what was on its way then has come.
	grace = 15 * time.Minute
	// atOnce is how many nights are summed up in one go.
	atOnce = 31
	// farBack is how many nights are caught up with at most.
	farBack = 400
)

// Keep closes nights until ctx ends: after each dawn, what a stopped daemon has
// missed, and anew what something was said of since; trouble hears of errors.
func (b *Book) Keep(ctx context.Context, trouble func(error)) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := b.Work(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errMoved) {
			trouble(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-b.wake:
		}
	}
}

// Work closes what can be closed now, and opens and closes the tickets that
// follow from the newest night.
func (b *Book) Work(ctx context.Context) error {
	p, err := b.place(ctx)
	if err != nil {
		return err
	}
	judged, err := b.judged(ctx)
	if err != nil {
		return err
	}
	for _, d := range b.opt.Set.Rates {
		if err := b.catchUp(ctx, d, p, judged); err != nil {
			return fmt.Errorf("lighting rate %s: %w", d.Name, err)
		}
		if err := b.settle(ctx, d); err != nil {
			return fmt.Errorf("lighting rate %s: %w", d.Name, err)
		}
		if err := b.show(ctx, d); err != nil {
			return fmt.Errorf("lighting rate %s: %w", d.Name, err)
		}
	}
	return nil
}

// judged is the wall clock up to which the rules have judged every partition.
func (b *Book) judged(ctx context.Context) (int64, error) {
	var n int
	var wall int64
	if err := b.opt.DB.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MIN(wall),0) FROM partition_state WHERE id<?`, b.opt.Parts).Scan(&n, &wall); err != nil {
		return 0, fmt.Errorf("how far the rules are: %w", err)
	}
	if n < b.opt.Parts {
		return 0, nil
	}
	return wall, nil
}

// catchUp closes the nights of a rate that are over, and those of which something
// was said since they were closed.
func (b *Book) catchUp(ctx context.Context, d *Definition, p Place, judged int64) error {
	for {
		cs, err := b.missing(ctx, d, p, judged)
		if err != nil {
			return err
		}
		if len(cs) < atOnce {
			old, err := b.stale(ctx, d.Name, atOnce-len(cs))
			if err != nil {
				return err
			}
			cs = append(cs, old...)
		}
		if len(cs) == 0 {
			return nil
		}
		began := time.Now()
		if err := b.close(ctx, cs); err != nil {
			return err
		}
		b.opt.Log.Info().Str("rate", d.Name).Int("nights", len(cs)).Str("last", cs[len(cs)-1].Day).Dur("took", time.Since(began)).Msg("lighting nights are closed")
	}
}

// missing are the nights that are over and not closed, the oldest first.
func (b *Book) missing(ctx context.Context, d *Definition, p Place, judged int64) ([]*closing, error) {
	var last sql.NullString
	if err := b.opt.DB.QueryRow(ctx, `SELECT MAX(day) FROM lighting_night WHERE rate=?`, d.Name).Scan(&last); err != nil {
		return nil, err
	}
	day := next(last.String)
	if !last.Valid {
		var since sql.NullInt64
		if err := b.opt.DB.QueryRow(ctx, `SELECT MIN(since) FROM lamp_watched`).Scan(&since); err != nil {
			return nil, err
		}
		if !since.Valid {
			return nil, nil // no lamp was ever heard: there is nothing to tell
		}
		day = time.UnixMilli(max(since.Int64, judged-farBack*24*time.Hour.Milliseconds())).In(b.opt.Zone).Format(dayForm)
	}
	var out []*closing
	for ; len(out) < atOnce; day = next(day) {
		n, err := d.night(day, p, b.opt.Zone)
		if err != nil {
			return nil, err
		}
		if n.Dawn+grace.Milliseconds() > judged {
			break
		}
		out = append(out, &closing{Night: n, def: d})
	}
	return out, nil
}

// stale are closed nights of which something was said since.
func (b *Book) stale(ctx context.Context, rate string, limit int) ([]*closing, error) {
	found, err := database.All(ctx, b.opt.DB, func(row database.Row) (n ClosedNight, err error) {
		err = row.Scan(&n.Day, &n.Version, &n.Dusk, &n.Dawn, &n.Stale)
		return n, err
	}, `SELECT day, version, dusk, dawn, stale FROM lighting_night WHERE rate=? AND stale>0 ORDER BY day LIMIT ?`, rate, limit)
	if err != nil {
		return nil, err
	}
	var out []*closing
	for i := range found {
		n := &found[i]
		d, err := b.definition(ctx, rate, n.Version)
		if err != nil {
			return nil, err
		}
		out = append(out, &closing{Night: n.Night, def: d, stale: n.Stale, exists: true})
	}
	return out, nil
}

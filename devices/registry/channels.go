package registry

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// RecallChannels teaches dict the channels that were met before, with the type
// that they had then.
func (r *Registry) RecallChannels(ctx context.Context, dict *devices.Dictionary) error {
	rows, err := r.db.Query(ctx, `SELECT name, type FROM channel_met ORDER BY at, name`)
	if err != nil {
		return fmt.Errorf("recall channels: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return fmt.Errorf("recall channels: %w", err)
		}
		t, err := devices.ParseValueType(typ)
		if err != nil {
			return fmt.Errorf("recall channel %s: %w", name, err)
		}
		dict.Learn(name, t)
	}
	return rows.Err()
}

// keepChannelsEvery is how much of what was met a crash can forget; the log,
// which is judged again, brings it back.
const keepChannelsEvery = 2 * time.Second

// KeepChannels writes the unknown channels that dict learns into the database
// until ctx ends; trouble, which may be temporary, is told to fn.
func (r *Registry) KeepChannels(ctx context.Context, dict *devices.Dictionary, fn func(error)) {
	kept := 0
	t := time.NewTicker(keepChannelsEvery)
	defer t.Stop()
	for {
		n, err := r.keepChannels(ctx, dict, kept)
		if err == nil {
			kept = n
		} else if ctx.Err() == nil {
			fn(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (r *Registry) keepChannels(ctx context.Context, dict *devices.Dictionary, kept int) (int, error) {
	all := dict.All()
	if len(all) == kept {
		return kept, nil
	}
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		for _, c := range all[kept:] {
			if !c.Unknown {
				continue
			}
			if _, err := tx.Exec(ctx, `INSERT INTO channel_met (name, type, at) VALUES (?,?,?) ON CONFLICT (name) DO NOTHING`, c.Name, c.Type.String(), r.now().UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return kept, fmt.Errorf("keep channels: %w", err)
	}
	return len(all), nil
}

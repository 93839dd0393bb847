package tickets

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices/database"
)

const (
	pruneEvery = time.Minute
	pruneBatch = 2000 // rows in one transaction, so that nobody waits for it
)

// Keep prunes now and then until ctx ends; trouble hears of errors.
func (q *Quarantine) Keep(ctx context.Context, trouble func(error)) {
	t := time.NewTicker(pruneEvery)
	defer t.Stop()
	for {
		if err := q.Prune(ctx); err != nil && ctx.Err() == nil {
			trouble(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Prune deletes what is too old, and the oldest of what is too much, and counts
// both by device and code. The counts are kept ten times as long.
func (q *Quarantine) Prune(ctx context.Context) error {
	now := q.opt.Now()
	oldest := now.Add(-q.opt.MaxAge).UnixMilli()
	for {
		n, err := q.delete(ctx, "age", `SELECT id FROM quarantine WHERE at<? ORDER BY at, id LIMIT ?`, oldest, pruneBatch)
		if err != nil {
			return err
		}
		if n < pruneBatch {
			break
		}
	}
	if err := q.shrink(ctx); err != nil {
		return err
	}
	err := q.opt.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM quarantine_unkept WHERE hour<?`, now.Add(-10*q.opt.MaxAge).UnixMilli()/3_600_000)
		return err
	})
	if err != nil {
		return fmt.Errorf("prune quarantine: %w", err)
	}
	return nil
}

// shrink deletes the oldest until the rest fits.
func (q *Quarantine) shrink(ctx context.Context) error {
	for {
		var bytes, rows int64
		if err := q.opt.DB.QueryRow(ctx, `SELECT COALESCE(SUM(kept),0), COUNT(*) FROM quarantine`).Scan(&bytes, &rows); err != nil {
			return fmt.Errorf("measure quarantine: %w", err)
		}
		if bytes <= q.opt.MaxBytes || rows == 0 {
			return nil
		}
		// as many of the oldest as make up the surplus if all are alike
		n := min(pruneBatch, max(1, (bytes-q.opt.MaxBytes)*rows/bytes))
		if _, err := q.delete(ctx, "bytes", `SELECT id FROM quarantine ORDER BY at, id LIMIT ?`, n); err != nil {
			return err
		}
	}
}

// delete deletes the rows that a query chooses and counts those that nobody had
// taken back.
func (q *Quarantine) delete(ctx context.Context, reason, choose string, args ...any) (n int, err error) {
	var lost int64
	err = q.opt.DB.Write(ctx, func(tx *database.Tx) error {
		gone, err := tx.Query(ctx, `DELETE FROM quarantine WHERE id IN (`+choose+`) RETURNING device, code, resolved_at`, args...)
		if err != nil {
			return err
		}
		defer gone.Close()
		n, lost = 0, 0
		over := make(map[refusalOf]int64)
		for gone.Next() {
			var k refusalOf
			var resolved int64
			if err := gone.Scan(&k.device, &k.code, &resolved); err != nil {
				return err
			}
			n++
			if resolved == 0 {
				over[k]++
				lost++
			}
		}
		if err := gone.Err(); err != nil {
			return err
		}
		if err := gone.Close(); err != nil {
			return err
		}
		return count(ctx, tx, q.opt.Now().UnixMilli(), reason, over)
	})
	if err != nil {
		return 0, fmt.Errorf("prune quarantine: %w", err)
	}
	q.unkept.WithLabelValues(reason).Add(float64(lost))
	return n, nil
}

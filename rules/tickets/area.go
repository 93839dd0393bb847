package tickets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Area is a ticket on an area, about a figure of all that lies in it.
type Area struct {
	Facility, Defect string
	Severity         rules.Severity
	At               int64 // the time that the figure is of ended, Unix ms
	Anew             bool  // the figure of that time was settled before, and was made anew since
	Value, Limit     float64
	Summary          devices.Title
	Note             string // in the history
	Withdrawn        bool   // of what is over: nothing is held against a target there any more
	Evidence         *rules.Evidence
}

// Settle opens tickets on areas whose figure is low and closes those of areas
// where it is not, with whatever else belongs to the same transaction: when that
// fails nothing happens. An area that has its ticket gets no second one; if its
// ticket tells of the same time, it tells of the figure that was made anew.
func (d *Desk) Settle(ctx context.Context, low, over []Area, also func(context.Context, *database.Tx) error) error {
	now := d.opt.Now().UnixMilli()
	var did tally
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		for i := range over {
			c := closing{facility: over[i].Facility, defect: over[i].Defect, wall: now, note: over[i].Note}
			if over[i].Withdrawn {
				c.by = ruleSet
			}
			if err := d.end(ctx, tx, c, &did); err != nil {
				return err
			}
		}
		for i := range low {
			if err := d.openArea(ctx, tx, &low[i], now, &did); err != nil {
				return err
			}
		}
		return also(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("tickets on areas: %w", err)
	}
	d.metrics.count(&did, telemetry)
	d.changed()
	return nil
}

func (d *Desk) openArea(ctx context.Context, tx *database.Tx, a *Area, now int64, did *tally) error {
	if a.Anew {
		if known, err := retell(ctx, tx, a, now); err != nil || known {
			return err
		}
	}
	why, err := evidence(&rules.Transition{Evidence: a.Evidence})
	if err != nil {
		return err
	}
	return d.open(ctx, tx, &opening{facility: a.Facility, kind: devices.Streetlight.String(), defect: a.Defect, severity: a.Severity, at: a.At, wall: now,
		summary: a.Summary, value: a.Value, limit: a.Limit, note: a.Note, evidence: why}, did)
}

// retell tells the ticket of an area of the figure that was made anew. It reports
// whether there is to be no other one: a ticket that a person has closed since stays
// so, unless it told of the same time and the figure is lower now.
func retell(ctx context.Context, tx *database.Tx, a *Area, now int64) (bool, error) {
	var id, at, ended int64
	var state, by string
	var value float64
	var said devices.Title
	err := tx.QueryRow(ctx, `SELECT id, state, closed_by, closed_at, event_at, COALESCE(value,0), summary_zh, summary_en FROM ticket WHERE facility=? AND defect=? ORDER BY id DESC LIMIT 1`, a.Facility, a.Defect).
		Scan(&id, &state, &by, &ended, &at, &value, &said.ZH, &said.EN)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case state == "closed":
		return by != telemetry && ended >= a.At && (at != a.At || a.Value >= value), nil
	case at != a.At || said == a.Summary:
		return true, nil
	}
	if _, err := tx.Exec(ctx, `UPDATE ticket SET summary_zh=?, summary_en=?, value=?, limit_value=? WHERE id=?`, a.Summary.ZH, a.Summary.EN, a.Value, a.Limit, id); err != nil {
		return false, err
	}
	return true, event(ctx, tx, id, now, telemetry, "revised", reworded(said, a.Summary))
}

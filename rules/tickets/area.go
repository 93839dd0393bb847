package tickets

import (
	"context"
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
	Value, Limit     float64
	Summary          devices.Title
	Note             string
	Evidence         *rules.Evidence
}

// Settle opens tickets on areas whose figure is low and closes those of areas
// where it is not, with whatever else belongs to the same transaction: when that
// fails nothing happens. An area that has its ticket gets no second one.
func (d *Desk) Settle(ctx context.Context, low, over []Area, also func(context.Context, *database.Tx) error) error {
	now := d.opt.Now().UnixMilli()
	var did tally
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		for i := range over {
			if err := d.end(ctx, tx, closing{facility: over[i].Facility, defect: over[i].Defect, wall: now}, &did); err != nil {
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
	why, err := evidence(&rules.Transition{Evidence: a.Evidence})
	if err != nil {
		return err
	}
	return d.open(ctx, tx, &opening{facility: a.Facility, kind: devices.Streetlight.String(), defect: a.Defect, severity: a.Severity, at: a.At, wall: now,
		summary: a.Summary, value: a.Value, limit: a.Limit, note: a.Note, evidence: why}, did)
}

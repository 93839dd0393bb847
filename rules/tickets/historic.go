package tickets

import (
	"context"

	"lamplighter/devices/database"
)

// wasOver is the note of a ticket of history, in both languages.
const wasOver = "得知时故障已经结束；it was over before anybody heard of it"

// history writes down a fault that was over before anybody heard of it: a
// ticket that is closed from the beginning, with the times of the fault, and
// nobody is paged. What another ticket tells of already is told once: the same
// batch may come again, and after a restart of the rules under other names.
func (d *Desk) history(ctx context.Context, tx *database.Tx, o *opening, until int64, did *tally) error {
	var known int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ticket WHERE facility=? AND defect=? AND event_at<=? AND (state<>'closed' OR closed_at>=?)`, o.facility, o.defect, until, o.at).Scan(&known); err != nil || known > 0 {
		return err
	}
	number, err := d.number(ctx, tx, o.wall)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO ticket (number, facility, kind, defect, severity, state, opened_at, event_at, closed_at, closed_by, rule, summary_zh, summary_en, channel, value, limit_value, evidence, historic)
		VALUES (?,?,?,?,?,'closed',?,?,?,?,?,?,?,?,?,?,?,1) RETURNING id`,
		number, o.facility, o.kind, o.defect, string(o.severity), o.at, o.at, until, telemetry, o.defect, o.summary.ZH, o.summary.EN, o.channel, number64(o.value), number64(o.limit), o.evidence).Scan(&id)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		at   int64
		what string
	}{{o.at, "opened"}, {until, "closed"}} {
		if err := event(ctx, tx, id, x.at, telemetry, x.what, wasOver); err != nil {
			return err
		}
	}
	did.historic++
	return nil
}

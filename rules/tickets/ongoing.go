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

// current is the ticket of a fault that lasts: it is open, or a person has closed it
// and the rules have not seen the fault end since.
type current struct {
	id       int64
	number   string
	severity rules.Severity
	summary  devices.Title
	byHand   bool // closed
}

// ongoing is the ticket that t goes on with, nil if there is none.
func ongoing(ctx context.Context, tx *database.Tx, t *rules.Transition) (*current, error) {
	var c current
	var state, by string
	err := tx.QueryRow(ctx, `SELECT id, number, severity, summary_zh, summary_en, state, closed_by FROM ticket WHERE facility=? AND defect=? AND historic=0 ORDER BY id DESC LIMIT 1`, string(t.Facility), t.Defect).
		Scan(&c.id, &c.number, &c.severity, &c.summary.ZH, &c.summary.EN, &state, &by)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if c.byHand = state == "closed"; c.byHand && (by == telemetry || by == ruleSet) {
		return nil, err
	}
	return &c, err
}

// again opens a ticket for a fault that has got worse since a person has closed its
// ticket: as bad as it was then it stays closed.
func (d *Desk) again(ctx context.Context, tx *database.Tx, t *rules.Transition, c *current, why string, did *tally) error {
	o := openingOf(t, why)
	o.note = fmt.Sprintf("%s 人工结案后加重；it has got worse since %s was closed by hand", c.number, c.number)
	return d.open(ctx, tx, o, did)
}

// takeOver makes the ticket of what a person has found that of the rule of the same
// name, when that tells of it too: it is as bad as the worse of the two says, and ends
// when the rule says so. taken is false where there is none.
func (d *Desk) takeOver(ctx context.Context, tx *database.Tx, t *rules.Transition, why string) (taken bool, err error) {
	c, err := ongoing(ctx, tx, t)
	if err != nil || c == nil || c.byHand {
		return false, err
	}
	res, err := tx.Exec(ctx, `UPDATE ticket SET evidence=? WHERE id=? AND evidence='' AND EXISTS (SELECT 1 FROM ticket_event WHERE ticket=? AND what='opened' AND who<>?)`, why, c.id, c.id, telemetry)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	rule := *t
	rule.Worded = true
	if c.severity.Worse(t.Severity) {
		rule.Severity = c.severity
	}
	return true, d.worded(ctx, tx, &rule, c, why)
}

// member writes down who came under a common cause, or was heard again. Who comes
// under one whose ticket a person has closed gets a ticket of that cause, with all
// who are still behind it.
func (d *Desk) member(ctx context.Context, tx *database.Tx, t *rules.Transition, did *tally) error {
	c, err := ongoing(ctx, tx, t)
	if err != nil || c == nil {
		return err
	}
	if t.Type == rules.Left {
		// One that moves to another partition joins there again; what that writes down may be written before this.
		_, err = tx.Exec(ctx, `UPDATE ticket_member SET left_at=? WHERE ticket=? AND facility=? AND joined_at<=?`, t.Wall, c.id, string(t.Member), t.Wall)
		return err
	}
	if c.byHand {
		if c, err = d.joinedAgain(ctx, tx, t, c, did); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO ticket_member (ticket, facility, joined_at) VALUES (?,?,?) ON CONFLICT (ticket, facility) DO UPDATE SET joined_at=excluded.joined_at, left_at=0`, c.id, string(t.Member), t.Wall)
	return err
}

// joinedAgain is the ticket of a common cause that a person has closed: a new one,
// where a member comes that the closed one never had.
func (d *Desk) joinedAgain(ctx context.Context, tx *database.Tx, t *rules.Transition, c *current, did *tally) (*current, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ticket_member WHERE ticket=? AND facility=?`, c.id, string(t.Member)).Scan(&n); err != nil || n > 0 {
		return c, err
	}
	o := openingOf(t, "")
	o.note = fmt.Sprintf("%s 人工结案后 %s 并入；%s has come under it since %s was closed by hand", c.number, t.Member, t.Member, c.number)
	if err := d.open(ctx, tx, o, did); err != nil {
		return nil, err
	}
	fresh, err := ongoing(ctx, tx, t)
	if err != nil || fresh == nil {
		return nil, errors.Join(err, fmt.Errorf("%s of %s: its new ticket is not there", t.Defect, t.Facility))
	}
	_, err = tx.Exec(ctx, `INSERT INTO ticket_member (ticket, facility, joined_at) SELECT ?, facility, joined_at FROM ticket_member WHERE ticket=? AND left_at=0`, fresh.id, c.id)
	return fresh, err
}

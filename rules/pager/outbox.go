package pager

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lamplighter/devices/database"
)

// row is a page that one sender has claimed.
type row struct {
	id, ticket, created int64
	body                string
	attempts            int // this one included
}

// lease is how long a claim holds: longer than an attempt can take. A daemon
// that dies in between leaves the page to be sent again after it, Unix ms.
const lease = 30_000

// claim takes the first page of the channel that is due: of each facility and defect
// the oldest, for what comes back goes on with what was told of the ticket before. It
// returns nil when there is none. The joins are CROSS so that SQLite takes them in this
// order, each by an index, and not through all that is pending for every page.
func (p *Pager) claim(ctx context.Context, channel string) (*row, error) {
	now := p.opt.Now().UnixMilli()
	for {
		var r row
		err := p.opt.DB.QueryRow(ctx, `SELECT id, ticket, created_at, body, attempts FROM outbox o WHERE state='pending' AND channel=? AND next_at<=?
			AND NOT EXISTS (SELECT 1 FROM ticket t CROSS JOIN ticket s CROSS JOIN outbox b
				WHERE t.id=o.ticket AND s.facility=t.facility AND s.defect=t.defect AND b.ticket=s.id AND b.state='pending' AND b.channel=o.channel AND b.id<o.id) ORDER BY id LIMIT 1`, channel, now).
			Scan(&r.id, &r.ticket, &r.created, &r.body, &r.attempts)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("pages that are due: %w", err)
		}
		mine, err := p.update(ctx, `UPDATE outbox SET attempts=attempts+1, next_at=? WHERE id=? AND attempts=? AND state='pending'`, now+lease, r.id, r.attempts)
		if err != nil {
			return nil, fmt.Errorf("claim page %d: %w", r.id, err)
		}
		if mine {
			r.attempts++
			return &r, nil
		}
	}
}

// giveUp is how long a page is tried, ms.
const giveUp = 24 * 3600 * 1000

// settle writes down how an attempt went; result is its metric label.
func (p *Pager) settle(ctx context.Context, r *row, f *failure) (result string, err error) {
	now := p.opt.Now().UnixMilli()
	state, why, next, done := "sent", "", now, now
	result = state
	if f != nil {
		state, result, why = "failed", "failed", f.err.Error()
		if f.again && now-r.created < giveUp {
			state, result, done = "pending", "retry", 0
			next = now + max(min(int64(500)<<min(r.attempts-1, 10), 300_000), f.wait.Milliseconds())
		}
	}
	if _, err := p.update(ctx, `UPDATE outbox SET state=?, next_at=?, done_at=?, last_error=? WHERE id=? AND attempts=?`, state, next, done, why, r.id, r.attempts); err != nil {
		return "", fmt.Errorf("settle page %d: %w", r.id, err)
	}
	return result, nil
}

// orphans fails the pages of channels that the configuration no longer has:
// nobody would ever send them, and a failed page is seen.
func (p *Pager) orphans(ctx context.Context) error {
	q, args := `UPDATE outbox SET state='failed', done_at=?, last_error='its channel is not in the configuration any more' WHERE state='pending'`, []any{p.opt.Now().UnixMilli()}
	for i := range p.opt.Channels {
		q, args = q+` AND channel<>?`, append(args, p.opt.Channels[i].Name)
	}
	if _, err := p.update(ctx, q, args...); err != nil {
		return fmt.Errorf("pages without a channel: %w", err)
	}
	return nil
}

// update tells whether a statement has changed anything.
func (p *Pager) update(ctx context.Context, q string, args ...any) (changed bool, err error) {
	err = p.opt.DB.Write(ctx, func(tx *database.Tx) error {
		res, err := tx.Exec(ctx, q, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		changed = n > 0
		return err
	})
	return changed, err
}

// Sent is one page as the ticket's page shows it.
type Sent struct {
	Channel   string `json:"channel"`
	State     string `json:"state"` // pending, sent, failed; continued: not sent, it goes on from the ticket before
	Attempts  int    `json:"attempts"`
	LastError string `json:"last_error"`
	At        int64  `json:"at"`
}

// Of is every page of a ticket, oldest first.
func (p *Pager) Of(ctx context.Context, ticket int64) ([]Sent, error) {
	out, err := database.All(ctx, p.opt.DB, func(row database.Row) (Sent, error) {
		var s Sent
		err := row.Scan(&s.Channel, &s.State, &s.Attempts, &s.LastError, &s.At)
		return s, err
	}, `SELECT channel, state, attempts, last_error, created_at FROM outbox WHERE ticket=? ORDER BY id`, ticket)
	if err != nil {
		return nil, fmt.Errorf("pages of ticket %d: %w", ticket, err)
	}
	return out, nil
}

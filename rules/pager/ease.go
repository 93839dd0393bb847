package pager

import (
	"context"
	"encoding/json"
	"fmt"

	"lamplighter/devices/database"
	"lamplighter/rules/tickets"
)

// ease makes what is still kept back on a channel no worse than the ticket is now:
// nobody is told of a severity that was over before its page went. Worse words stay
// news, at the severity of now.
func (p *Pager) ease(ctx context.Context, tx *database.Tx, c *Channel, pg *tickets.Page, b *Body) error {
	held, err := p.keptBack(ctx, tx, c.Name, pg.Ticket)
	if err != nil {
		return err
	}
	for _, h := range held {
		if rank[h.Severity] <= rank[b.Severity] {
			continue
		}
		_, before, err := read(tx.QueryRow(ctx, `SELECT id, body, words, rules FROM outbox WHERE ticket=? AND channel=? AND id<? ORDER BY id DESC LIMIT 1`, pg.Ticket, c.Name, h.id))
		if err != nil {
			return fmt.Errorf("the page before %d: %w", h.id, err)
		}
		if !c.wants(b) || before != nil && rank[b.Severity] <= rank[before.Severity] && !h.words.worse(before.words) {
			if _, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id=?`, h.id); err != nil {
				return fmt.Errorf("take page %d back: %w", h.id, err)
			}
			continue
		}
		eased := *b
		eased.What, eased.At, eased.Ticket, eased.Current = h.What, h.At, h.Ticket, h.Current
		text, err := json.Marshal(&eased)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE outbox SET body=? WHERE id=?`, string(text), h.id); err != nil {
			return fmt.Errorf("ease page %d: %w", h.id, err)
		}
	}
	return nil
}

// kept is a page that waits for its time.
type kept struct {
	chapter
	id int64
}

// keptBack is those of a ticket on a channel, the oldest first.
func (p *Pager) keptBack(ctx context.Context, tx *database.Tx, channel string, ticket int64) ([]kept, error) {
	out, err := database.All(ctx, tx, func(row database.Row) (kept, error) {
		id, c, err := read(row)
		if err != nil {
			return kept{}, err
		}
		return kept{*c, id}, nil
	}, `SELECT id, body, words, rules FROM outbox WHERE channel=? AND ticket=? AND state='pending' AND attempts=0 AND next_at>? ORDER BY id`, channel, ticket, p.opt.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("pages that are kept back: %w", err)
	}
	return out, nil
}

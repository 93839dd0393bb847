package pager

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"lamplighter/devices/database"
	"lamplighter/rules/tickets"
)

// chapter is a page of a story: of a ticket, and of those that it goes on from
// because they were back before their end was told. The newest says what its
// receiver knows.
type chapter struct {
	Body
	words words // the worst that the story has told
}

// words is one of a rule's wordings, from 1, the worst first; 0 = none. Those of
// another version of the rule set may stand in another order.
type words struct {
	of    uint16
	rules string
}

// worse tells whether w is news to who knows of u.
func (w words) worse(u words) bool {
	return w.of > 0 && (w.rules != u.rules || u.of == 0 || w.of < u.of)
}

// put writes a page for one channel, or what the channel need not hear. What is
// not wanted is written only where the channel knows of the ticket.
func (p *Pager) put(ctx context.Context, tx *database.Tx, channel string, pg *tickets.Page, b *Body, wanted bool) error {
	x := &chapter{*b, words{pg.Words, pg.Rules}}
	if pg.What == "opened" {
		return p.begin(ctx, tx, channel, pg, x)
	}
	var unheard bool
	var err error
	if pg.What == "closed" {
		if unheard, err = p.withdraw(ctx, tx, channel, pg.Ticket); err != nil {
			return err
		}
	}
	known, err := p.known(ctx, tx, channel, pg.Ticket)
	switch {
	case err != nil || known == nil && (unheard || !wanted):
		return err
	case known == nil:
		return p.write(ctx, tx, channel, pg, x, "pending")
	case pg.Worded && !x.words.worse(known.words):
		return nil // the ticket before had these words, or worse
	}
	if unheard {
		x.Body = known.as(b.What, b.At)
	}
	x.follow(known)
	return p.write(ctx, tx, channel, pg, x, "pending")
}

// begin writes the first page of a ticket. What is back before its end was told
// is as it would have been had it never gone: news only where it is worse.
func (p *Pager) begin(ctx context.Context, tx *database.Tx, channel string, pg *tickets.Page, x *chapter) error {
	before, err := p.relapse(ctx, tx, channel, pg.Ticket)
	if err != nil {
		return err
	}
	if before == nil {
		return p.write(ctx, tx, channel, pg, x, "pending")
	}
	worse := rank[x.Severity] > rank[before.Severity] || x.words.worse(before.words)
	x.follow(before)
	if !worse {
		return p.write(ctx, tx, channel, pg, x, "continued")
	}
	// What is worse may be taken back; that the story goes on may not.
	still := &chapter{before.as(x.What, x.At), before.words}
	still.Ticket, still.Current = x.Ticket, x.Current
	if err := p.write(ctx, tx, channel, pg, still, "continued"); err != nil {
		return err
	}
	x.What = "worse"
	return p.write(ctx, tx, channel, pg, x, "pending")
}

// as is the page as another that tells nothing new.
func (c *chapter) as(what, at string) Body {
	b := c.Body
	b.What, b.At = what, at
	return b
}

// follow gives a page the ticket that its receiver has heard of, and the words.
func (c *chapter) follow(known *chapter) {
	if c.Ticket != known.Ticket {
		c.Ticket, c.Current = known.Ticket, c.Ticket
	}
	if !c.words.worse(known.words) {
		c.words = known.words
	}
}

func (p *Pager) write(ctx context.Context, tx *database.Tx, channel string, pg *tickets.Page, x *chapter, state string) error {
	text, err := json.Marshal(&x.Body)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO outbox (channel, ticket, body, words, rules, state, next_at, created_at) VALUES (?,?,?,?,?,?,?,?)`, channel, pg.Ticket, string(text), x.words.of, x.words.rules, state, pg.At+pg.Delay, pg.At)
	return err
}

// withdraw takes back the pages of a ticket that are still kept back on a
// channel; unheard says that there were some. A page that a sender has claimed is
// never taken back.
func (p *Pager) withdraw(ctx context.Context, tx *database.Tx, channel string, ticket int64) (unheard bool, err error) {
	res, err := tx.Exec(ctx, `DELETE FROM outbox WHERE channel=? AND ticket=? AND state='pending' AND attempts=0 AND next_at>?`, channel, ticket, p.opt.Now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("take pages back: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// relapse takes back the page that says closed of the ticket before, if it is
// still kept back on a channel: what is the same again within that time is
// nothing new to the receiver, and goes on under the ticket that it knows.
func (p *Pager) relapse(ctx context.Context, tx *database.Tx, channel string, ticket int64) (*chapter, error) {
	id, c, err := read(tx.QueryRow(ctx, `SELECT o.id, o.body, o.words, o.rules FROM outbox o JOIN ticket t ON t.id=o.ticket JOIN ticket n ON n.facility=t.facility AND n.defect=t.defect AND n.id=?
		WHERE o.state='pending' AND o.next_at>? AND o.channel=? AND o.attempts=0 AND o.ticket<>n.id ORDER BY o.id DESC LIMIT 1`, ticket, p.opt.Now().UnixMilli(), channel))
	if err != nil {
		return nil, fmt.Errorf("the ticket before: %w", err)
	}
	if c == nil || c.What != "closed" {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id=?`, id); err != nil {
		return nil, fmt.Errorf("take page %d back: %w", id, err)
	}
	return c, nil
}

// known is the newest page of a ticket on a channel, nil if there is none.
func (p *Pager) known(ctx context.Context, tx *database.Tx, channel string, ticket int64) (*chapter, error) {
	_, c, err := read(tx.QueryRow(ctx, `SELECT id, body, words, rules FROM outbox WHERE ticket=? AND channel=? ORDER BY id DESC LIMIT 1`, ticket, channel))
	if err != nil {
		return nil, fmt.Errorf("the page before: %w", err)
	}
	return c, nil
}

// read is a page as it is kept, nil if there is none.
func read(row database.Row) (id int64, c *chapter, err error) {
	c = &chapter{}
	var text string
	if err = row.Scan(&id, &text, &c.words.of, &c.words.rules); errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &c.Body)
	}
	return id, c, err
}

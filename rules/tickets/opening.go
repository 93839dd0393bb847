package tickets

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// opening is what a ticket is opened with.
type opening struct {
	facility, kind, defect string
	severity               rules.Severity
	at, wall               int64 // event time and now, Unix ms
	summary                devices.Title
	channel                string
	value, limit           float64 // NaN = none
	words                  uint16  // of Page
	rules                  string  // of Page
	delay                  int64   // ms that the page is kept back
	note                   string  // in the history
	by                     string  // who has found it; "" = telemetry
	evidence               string  // JSON of rules.Evidence, "" = none
}

// openingOf is that of what rules tell; why is JSON of rules.Evidence, "" = none.
func openingOf(t *rules.Transition, why string) *opening {
	return &opening{
		facility: string(t.Facility), kind: t.Kind.String(), defect: t.Defect, severity: t.Severity, at: t.At, wall: t.Wall,
		summary: t.Summary, channel: t.Channel, value: t.Value, limit: t.Limit, words: t.Words, rules: t.Rules, delay: t.Page.After.Milliseconds(), evidence: why,
	}
}

// open opens a ticket unless there is one for the facility and defect.
func (d *Desk) open(ctx context.Context, tx *database.Tx, o *opening, did *tally) error {
	if _, err := openTicket(ctx, tx, o.facility, o.defect); !errors.Is(err, sql.ErrNoRows) {
		return err // nil: there is one already
	}
	number, err := d.number(ctx, tx, o.wall)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO ticket (number, facility, kind, defect, severity, state, opened_at, event_at, rule, summary_zh, summary_en, channel, value, limit_value, evidence)
		VALUES (?,?,?,?,?,'open',?,?,?,?,?,?,?,?,?) ON CONFLICT (facility, defect) WHERE state <> 'closed' DO NOTHING RETURNING id`,
		number, o.facility, o.kind, o.defect, string(o.severity), o.wall, o.at, o.defect, o.summary.ZH, o.summary.EN, o.channel, number64(o.value), number64(o.limit), o.evidence).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // somebody was faster
	}
	if err != nil {
		return err
	}
	if err := event(ctx, tx, id, o.wall, cmp.Or(o.by, telemetry), "opened", o.note); err != nil {
		return err
	}
	did.opened = append(did.opened, [2]string{o.kind, o.defect})
	return d.opt.Outbox.Enqueue(ctx, tx, Page{Ticket: id, What: "opened", At: o.wall, Delay: o.delay, Words: o.words, Rules: o.rules})
}

// telemetry is who opens and closes what nobody did by hand; ruleSet closes what
// no rule tells of any more, or other rules or limits no longer find in what is known.
const (
	telemetry = "telemetry"
	ruleSet   = "rules"
)

// closing is what a ticket is closed with.
type closing struct {
	facility, defect string
	wall             int64  // Unix ms
	delay            int64  // ms that the page is kept back
	by               string // "" = telemetry: 核查
	note             string // in the history
	why              string // JSON of rules.Evidence, "" = none
}

// ended is the closing of what rules tell to be over. Where the rule has gone
// nobody has verified that the fault has.
func ended(t *rules.Transition, why string) closing {
	c := closing{why: why, facility: string(t.Facility), defect: t.Defect, wall: t.Wall, delay: t.Page.ClearAfter.Milliseconds()}
	if t.Withdrawn {
		c.by = ruleSet
		c.note = fmt.Sprintf("规则集 %s 不再包含开单规则，未经核查；rule set %s no longer has the rule of this ticket: not verified", t.Rules, t.Rules)
		if t.Evidence != nil && t.Evidence.Kind != "" {
			c.note = fmt.Sprintf("普查中该设施的类型已改为 %s，未经核查；the facility is a %s by the census now: not verified", t.Evidence.Kind, t.Evidence.Kind)
		}
	} else if t.Evidence != nil && t.Evidence.Switched() {
		c.by = ruleSet
		c.note = fmt.Sprintf("规则或限值变更后按已知数据结案（规则集 %s），未经核查；by what was known once the rules or the limits had changed (rule set %s): not verified", t.Rules, t.Rules)
	}
	return c
}

// end closes the ticket of what is over, if it is still open.
func (d *Desk) end(ctx context.Context, tx *database.Tx, c closing, did *tally) error {
	var id int64
	by := cmp.Or(c.by, telemetry)
	err := tx.QueryRow(ctx, `UPDATE ticket SET state='closed', closed_at=?, closed_by=? WHERE facility=? AND defect=? AND state <> 'closed' RETURNING id`, c.wall, by, c.facility, c.defect).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // closed by hand before
	}
	if err != nil {
		return err
	}
	if err := explained(ctx, tx, id, c.wall, by, "closed", c.note, c.why); err != nil {
		return err
	}
	if c.by == ruleSet {
		did.withdrawn++
	} else {
		did.closed++
	}
	return d.opt.Outbox.Enqueue(ctx, tx, Page{Ticket: id, What: "closed", At: c.wall, Delay: c.delay})
}

// regrade gives an open ticket another severity, or worse words. What got worse is
// paged, once.
func (d *Desk) regrade(ctx context.Context, tx *database.Tx, t *rules.Transition, why string, did *tally) error {
	c, err := ongoing(ctx, tx, t)
	if err != nil || c == nil {
		return err
	}
	graded, worded := c.severity != t.Severity, t.Worded && c.summary != t.Summary
	if !graded && !worded {
		return nil // told before
	}
	graver := t.Severity.Worse(c.severity)
	if c.byHand {
		if !graver && !worded {
			return nil
		}
		return d.again(ctx, tx, t, c, why, did)
	}
	return d.worded(ctx, tx, t, c, why)
}

// worded gives the open ticket c the severity and the words of t.
func (d *Desk) worded(ctx context.Context, tx *database.Tx, t *rules.Transition, c *current, why string) error {
	id, was, said := c.id, string(c.severity), c.summary
	graded, worded, graver := c.severity != t.Severity, t.Worded && c.summary != t.Summary, t.Severity.Worse(c.severity)
	if _, err := tx.Exec(ctx, `UPDATE ticket SET severity=?, summary_zh=?, summary_en=?, channel=?, value=?, limit_value=? WHERE id=?`, string(t.Severity), t.Summary.ZH, t.Summary.EN, t.Channel, number64(t.Value), number64(t.Limit), id); err != nil {
		return err
	}
	by := telemetry
	if t.Evidence != nil && t.Evidence.Switched() {
		by = ruleSet
	}
	if graded {
		if err := explained(ctx, tx, id, t.Wall, by, "severity", was+" → "+string(t.Severity), why); err != nil {
			return err
		}
		why = "" // it is told once
	}
	if worded {
		if err := explained(ctx, tx, id, t.Wall, by, "words", reworded(said, t.Summary), why); err != nil {
			return err
		}
	}
	if graded && !graver {
		if err := d.opt.Outbox.Enqueue(ctx, tx, Page{Ticket: id, What: "better", At: t.Wall}); err != nil {
			return err
		}
	}
	if !worded && !graver {
		return nil
	}
	return d.opt.Outbox.Enqueue(ctx, tx, Page{Ticket: id, What: "worse", At: t.Wall, Delay: t.Page.After.Milliseconds(), Words: t.Words, Rules: t.Rules, Worded: !graver})
}

// reworded is the note of a ticket whose words have changed.
func reworded(old, now devices.Title) string {
	return fmt.Sprintf("%s → %s / %s → %s", old.ZH, now.ZH, old.EN, now.EN)
}

// openTicket is the ticket that is open for a facility and defect;
// sql.ErrNoRows if there is none.
func openTicket(ctx context.Context, tx *database.Tx, facility, defect string) (id int64, err error) {
	err = tx.QueryRow(ctx, `SELECT id FROM ticket WHERE facility=? AND defect=? AND state <> 'closed'`, facility, defect).Scan(&id)
	return id, err
}

// number is T-YYYYMMDD-NNNN, counted per civil day of the city.
func (d *Desk) number(ctx context.Context, tx *database.Tx, wall int64) (string, error) {
	day := time.UnixMilli(wall).In(d.opt.Zone).Format("20060102")
	var n int
	if err := tx.QueryRow(ctx, `INSERT INTO ticket_number (day, n) VALUES (?,1) ON CONFLICT (day) DO UPDATE SET n=ticket_number.n+1 RETURNING n`, day).Scan(&n); err != nil {
		return "", err
	}
	return fmt.Sprintf("T-%s-%04d", day, n), nil
}

func number64(f float64) any {
	if math.IsNaN(f) {
		return nil
	}
	return f
}

func event(ctx context.Context, tx *database.Tx, ticket, at int64, who, what, note string) error {
	return explained(ctx, tx, ticket, at, who, what, note, "")
}

// explained is a line of the history with JSON of rules.Evidence, "" = none.
func explained(ctx context.Context, tx *database.Tx, ticket, at int64, who, what, note, why string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ticket_event (ticket, at, who, what, note, evidence) VALUES (?,?,?,?,?,?)`, ticket, at, who, what, note, why)
	return err
}

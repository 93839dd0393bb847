// Package tickets keeps disposal tickets (处置工单). The [Desk] writes what the
// rules found, in one transaction with the rules' cursor; people acknowledge,
// comment on and close what it opened. There is at most one open ticket for a
// facility and a kind of defect: an index of the database says so.
package tickets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Page is what an outbox is asked to send.
type Page struct {
	Ticket int64
	What   string // opened or closed
	At     int64
}

// Outbox takes pages within the transaction that caused them.
type Outbox interface {
	Enqueue(ctx context.Context, tx *database.Tx, p Page) error
	Wake() // after the commit
}

// Options of a Desk.
type Options struct {
	DB      *database.DB
	Outbox  Outbox
	Zone    *time.Location // of the city: numbers count per civil day
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Desk implements rules.Desk. It is safe for concurrent use.
type Desk struct {
	opt    Options
	opened *prometheus.CounterVec

	mu   sync.Mutex
	news chan struct{} // guarded by mu: closed and replaced when a ticket changed
}

var _ rules.Desk = (*Desk)(nil)

// New returns a desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Desk{opt: o, news: make(chan struct{}),
		opened: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_tickets_total", Help: "Tickets opened, by kind of facility and defect."}, []string{"kind", "defect"})}
	o.Metrics.MustRegister(d.opened)
	return d
}

// Resume takes a partition over: whoever held it before is fenced. A cursor
// beyond the newest frame of the log is another log's, and begins anew.
func (d *Desk) Resume(ctx context.Context, partition int, newest uint64) (rules.Position, error) {
	var p rules.Position
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO partition_state (id, epoch, rules_seq) VALUES (?,0,0) ON CONFLICT (id) DO NOTHING`, partition); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE partition_state SET epoch=epoch+1, rules_seq=CASE WHEN rules_seq>? THEN 0 ELSE rules_seq END WHERE id=?`, newest, partition); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT epoch, rules_seq FROM partition_state WHERE id=?`, partition).Scan(&p.Epoch, &p.Seq)
	})
	if err != nil {
		return p, fmt.Errorf("take over partition %d: %w", partition, err)
	}
	return p, nil
}

// Commit writes an outcome down, whole or not at all.
func (d *Desk) Commit(ctx context.Context, o *rules.Outcome) error {
	var opened []*rules.Transition
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		opened = opened[:0]
		if err := fence(ctx, tx, o); err != nil {
			return err
		}
		for i := range o.Transitions {
			t := &o.Transitions[i]
			is, err := d.apply(ctx, tx, t)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", t.Defect, t.Facility, err)
			}
			if is {
				opened = append(opened, t)
			}
		}
		if err := ledger(ctx, tx, o.Gaps); err != nil {
			return err
		}
		return quarantine(ctx, tx, o)
	})
	if err != nil {
		return err
	}
	for _, t := range opened {
		d.opened.WithLabelValues(t.Kind.String(), t.Defect).Inc()
	}
	if len(o.Transitions) > 0 {
		d.changed()
	}
	return nil
}

// fence moves the cursor; it fails when the partition is no longer ours.
func fence(ctx context.Context, tx *database.Tx, o *rules.Outcome) error {
	res, err := tx.Exec(ctx, `UPDATE partition_state SET rules_seq=? WHERE id=? AND epoch=? AND rules_seq=?`, o.NewSeq, o.Partition, o.Epoch, o.OldSeq)
	if err != nil {
		return fmt.Errorf("move cursor: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("cursor of partition %d is not at %d in epoch %d: %w", o.Partition, o.OldSeq, o.Epoch, errors.Join(devices.ErrFenced, err))
	}
	return nil
}

// apply writes one transition; opened tells whether a ticket came into being.
func (d *Desk) apply(ctx context.Context, tx *database.Tx, t *rules.Transition) (opened bool, err error) {
	switch t.Type {
	case rules.Ended:
		return false, d.recovered(ctx, tx, t)
	case rules.Joined, rules.Left:
		return false, member(ctx, tx, t)
	}
	if _, err := openTicket(ctx, tx, t); !errors.Is(err, sql.ErrNoRows) {
		return false, err // nil: there is one already
	}
	number, err := d.number(ctx, tx, t.Wall)
	if err != nil {
		return false, err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO ticket (number, facility, kind, defect, severity, state, opened_at, event_at, rule, summary_zh, summary_en, channel, value, limit_value)
		VALUES (?,?,?,?,?,'open',?,?,?,?,?,?,?,?) ON CONFLICT (facility, defect) WHERE state <> 'closed' DO NOTHING RETURNING id`,
		number, t.Facility, t.Kind.String(), t.Defect, string(t.Severity), t.Wall, t.At, t.Defect, t.Summary.ZH, t.Summary.EN, t.Channel, number64(t.Value), number64(t.Limit)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // there is one already
	}
	if err != nil {
		return false, err
	}
	if err := event(ctx, tx, id, t.Wall, "telemetry", "opened", ""); err != nil {
		return false, err
	}
	return true, d.opt.Outbox.Enqueue(ctx, tx, Page{id, "opened", t.Wall})
}

// recovered closes the ticket of an alert that ended: 核查 by telemetry.
func (d *Desk) recovered(ctx context.Context, tx *database.Tx, t *rules.Transition) error {
	var id int64
	err := tx.QueryRow(ctx, `UPDATE ticket SET state='closed', closed_at=?, closed_by='telemetry' WHERE facility=? AND defect=? AND state <> 'closed' RETURNING id`, t.Wall, t.Facility, t.Defect).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // closed by hand before
	}
	if err != nil {
		return err
	}
	if err := event(ctx, tx, id, t.Wall, "telemetry", "closed", ""); err != nil {
		return err
	}
	return d.opt.Outbox.Enqueue(ctx, tx, Page{id, "closed", t.Wall})
}

// openTicket is the ticket that is open for what t is about; sql.ErrNoRows if
// there is none.
func openTicket(ctx context.Context, tx *database.Tx, t *rules.Transition) (id int64, err error) {
	err = tx.QueryRow(ctx, `SELECT id FROM ticket WHERE facility=? AND defect=? AND state <> 'closed'`, string(t.Facility), t.Defect).Scan(&id)
	return id, err
}

// member writes down who came under a common cause, or was heard again.
func member(ctx context.Context, tx *database.Tx, t *rules.Transition) error {
	id, err := openTicket(ctx, tx, t)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // closed by hand before
	}
	if err != nil {
		return err
	}
	if t.Type == rules.Left {
		_, err = tx.Exec(ctx, `UPDATE ticket_member SET left_at=? WHERE ticket=? AND facility=?`, t.Wall, id, string(t.Member))
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ticket_member (ticket, facility, joined_at) VALUES (?,?,?) ON CONFLICT (ticket, facility) DO UPDATE SET joined_at=excluded.joined_at, left_at=0`, id, string(t.Member), t.Wall)
	return err
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
	_, err := tx.Exec(ctx, `INSERT INTO ticket_event (ticket, at, who, what, note) VALUES (?,?,?,?,?)`, ticket, at, who, what, note)
	return err
}

func (d *Desk) changed() {
	d.opt.Outbox.Wake()
	d.mu.Lock()
	close(d.news)
	d.news = make(chan struct{})
	d.mu.Unlock()
}

// News is a channel that closes when a ticket has changed in this process.
func (d *Desk) News() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

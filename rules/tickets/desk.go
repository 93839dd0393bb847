// Package tickets keeps disposal tickets (处置工单). The [Desk] writes what the
// rules found, in one transaction with the rules' cursor; people acknowledge,
// comment on and close what it opened. There is at most one open ticket for a
// facility and a kind of defect: an index of the database says so.
package tickets

import (
	"context"
	"errors"
	"fmt"
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
	What   string // opened, acknowledged, worse or closed; better is no page, and eases what is kept back
	At     int64
	Delay  int64  // ms to keep it back; what closes before its page has gone is never paged
	Words  uint16 // of opened and worse, as in rules.Transition
	Rules  string // the same
	Worded bool   // of worse: for its words alone
}

// Outbox takes pages within the transaction that caused them.
type Outbox interface {
	Enqueue(ctx context.Context, tx *database.Tx, p Page) error
	Wake() // after the commit
}

// Ledger takes down what else is to be kept of an outcome, within its
// transaction: written with the tickets and the cursor, or not at all.
type Ledger interface {
	// Begun tells whether it knows how the lamps of a partition stand; if not, the
	// next outcome brings all of them.
	Begun(ctx context.Context, tx *database.Tx, partition int) (bool, error)
	Write(ctx context.Context, tx *database.Tx, o *rules.Outcome) error
}

// Options of a Desk.
type Options struct {
	DB         *database.DB
	Outbox     Outbox
	Ledger     Ledger         // may be nil
	Quarantine *Quarantine    // default: one with the usual bounds
	Zone       *time.Location // of the city: numbers count per civil day
	Metrics    prometheus.Registerer
	Now        func() time.Time
}

// Desk implements rules.Desk. It is safe for concurrent use.
type Desk struct {
	opt     Options
	metrics *metrics

	mu   sync.Mutex
	news chan struct{} // guarded by mu: closed and replaced when a ticket changed
}

var _ rules.Desk = (*Desk)(nil)

// New returns a desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Quarantine == nil {
		o.Quarantine = NewQuarantine(QuarantineOptions{DB: o.DB, Metrics: o.Metrics, Now: o.Now})
	}
	d := &Desk{opt: o, metrics: newMetrics(&o), news: make(chan struct{})}
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
		if d.opt.Ledger != nil {
			begun, err := d.opt.Ledger.Begun(ctx, tx, partition)
			if err != nil {
				return err
			}
			p.Untold = !begun
		}
		return tx.QueryRow(ctx, `SELECT epoch, rules_seq, wall FROM partition_state WHERE id=?`, partition).Scan(&p.Epoch, &p.Seq, &p.Wall)
	})
	if err != nil {
		return p, fmt.Errorf("take over partition %d: %w", partition, err)
	}
	return p, nil
}

// Commit writes an outcome down, whole or not at all.
func (d *Desk) Commit(ctx context.Context, o *rules.Outcome) error {
	var did tally
	refused := d.opt.Quarantine.admit(o.Wall, o.Refused)
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		if err := fence(ctx, tx, o); err != nil {
			return err
		}
		for i := range o.Transitions {
			t := &o.Transitions[i]
			if err := d.apply(ctx, tx, t, &did); err != nil {
				return fmt.Errorf("%s of %s: %w", t.Defect, t.Facility, err)
			}
		}
		if err := ledger(ctx, tx, o.Gaps); err != nil {
			return err
		}
		if d.opt.Ledger != nil {
			if err := d.opt.Ledger.Write(ctx, tx, o); err != nil {
				return err
			}
		}
		return refused.write(ctx, tx)
	})
	if err != nil {
		return err
	}
	d.metrics.count(&did, telemetry)
	if len(o.Transitions) > 0 {
		d.changed()
	}
	return nil
}

// fence moves the cursor; it fails when the partition is no longer ours.
func fence(ctx context.Context, tx *database.Tx, o *rules.Outcome) error {
	res, err := tx.Exec(ctx, `UPDATE partition_state SET rules_seq=?, wall=? WHERE id=? AND epoch=? AND rules_seq=?`, o.NewSeq, o.Wall, o.Partition, o.Epoch, o.OldSeq)
	if err != nil {
		return fmt.Errorf("move cursor: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("cursor of partition %d is not at %d in epoch %d: %w", o.Partition, o.OldSeq, o.Epoch, errors.Join(devices.ErrFenced, err))
	}
	return nil
}

// apply writes one transition.
func (d *Desk) apply(ctx context.Context, tx *database.Tx, t *rules.Transition, did *tally) error {
	if t.Type == rules.Joined || t.Type == rules.Left {
		return d.member(ctx, tx, t, did)
	}
	why, err := evidence(t)
	if err != nil {
		return err
	}
	switch t.Type {
	case rules.Ended:
		return d.end(ctx, tx, ended(t, why), did)
	case rules.Changed:
		return d.regrade(ctx, tx, t, why, did)
	}
	if t.Type == rules.Opened {
		if taken, err := d.takeOver(ctx, tx, t, why); err != nil || taken {
			return err
		}
	}
	o := openingOf(t, why)
	if t.Type == rules.Historic {
		return d.history(ctx, tx, o, t.Until, did)
	}
	return d.open(ctx, tx, o, did)
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

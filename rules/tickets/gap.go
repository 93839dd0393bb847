package tickets

import (
	"context"
	"fmt"
	"math"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Gap is an entry of the loss ledger: sequence numbers of one device, from From
// to To, that did not come when they should have.
type Gap struct {
	ID     int64            `json:"id"`
	Device devices.DeviceID `json:"device"`
	Boot   string           `json:"boot"`
	From   int64            `json:"from"`
	To     int64            `json:"to"`
	At     int64            `json:"at"`      // when it showed, Unix ms
	Came   int64            `json:"came"`    // how many of them came after all
	CameAt int64            `json:"came_at"` // when the last of these came, Unix ms, 0 = none
}

// ledger writes gaps down, and what came after all.
func ledger(ctx context.Context, tx *database.Tx, gaps []rules.Gap) error {
	for i := range gaps {
		g := &gaps[i]
		from, to := number63(g.From), number63(g.To)
		var err error
		if g.Filled {
			_, err = tx.Exec(ctx, `UPDATE gap SET came=came+?, came_at=? WHERE device=? AND boot=? AND from_seq<=? AND to_seq>=?`, to-from+1, g.At, string(g.Device), clean(g.Boot), from, to)
		} else {
			_, err = tx.Exec(ctx, `INSERT INTO gap (device, boot, from_seq, to_seq, at) VALUES (?,?,?,?,?)`, string(g.Device), clean(g.Boot), from, to, g.At)
		}
		if err != nil {
			return fmt.Errorf("gap of %s: %w", g.Device, err)
		}
	}
	return nil
}

func number63(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// GapFilter narrows the loss ledger. Empty fields do not narrow.
type GapFilter struct {
	Device devices.DeviceID
	Open   bool // what has not come to this day
	Order  database.Order
	Limit  int // 1 to 1000
}

// Gaps is the loss ledger.
func (d *Desk) Gaps(ctx context.Context, f GapFilter) ([]Gap, error) {
	cond, args := f.Order.Where()
	q := `SELECT id, device, boot, from_seq, to_seq, at, came, came_at FROM gap WHERE ` + cond
	if f.Device != "" {
		q, args = q+` AND device=?`, append(args, string(f.Device))
	}
	if f.Open {
		q += ` AND came < to_seq-from_seq+1`
	}
	out, err := database.All(ctx, d.opt.DB, func(row database.Row) (Gap, error) {
		var g Gap
		err := row.Scan(&g.ID, &g.Device, &g.Boot, &g.From, &g.To, &g.At, &g.Came, &g.CameAt)
		return g, err
	}, q+" "+f.Order.By()+` LIMIT ?`, append(args, max(1, min(f.Limit, 1000)))...)
	if err != nil {
		return nil, fmt.Errorf("gaps: %w", err)
	}
	return out, nil
}

// Member is a facility behind a ticket of a common cause.
type Member struct {
	Facility devices.FacilityID `json:"facility"`
	Name     string             `json:"name"`
	JoinedAt int64              `json:"joined_at"`
	LeftAt   int64              `json:"left_at"` // 0 = still there, or until the ticket was closed
}

// Members is who is, or was, behind a ticket, in an order over the columns of
// ticket_member m, at most limit.
func (d *Desk) Members(ctx context.Context, ticket int64, o database.Order, limit int) ([]Member, error) {
	cond, args := o.Where()
	out, err := database.All(ctx, d.opt.DB, func(row database.Row) (Member, error) {
		var m Member
		err := row.Scan(&m.Facility, &m.Name, &m.JoinedAt, &m.LeftAt)
		return m, err
	}, `SELECT m.facility, COALESCE(f.name,''), m.joined_at, m.left_at FROM ticket_member m LEFT JOIN facility f ON f.id=m.facility
		WHERE m.ticket=? AND `+cond+` `+o.By()+` LIMIT ?`, append(append([]any{ticket}, args...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("members of ticket %d: %w", ticket, err)
	}
	return out, nil
}

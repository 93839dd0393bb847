package tickets

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// WindowsOptions of a list of windows.
type WindowsOptions struct {
	DB *database.DB
	// Send puts a record into the log of every partition and returns when it is
	// durable there.
	Send func(ctx context.Context, record []byte) error
	Now  func() time.Time
}

// Windows is the list of maintenance windows. A window is written down first and
// sent into the log then; what could not be sent is sent again. It is safe for
// concurrent use.
type Windows struct{ opt WindowsOptions }

// NewWindows returns the list.
func NewWindows(o WindowsOptions) *Windows {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Windows{o}
}

// ListedWindow is a window and what became of it.
type ListedWindow struct {
	rules.Window
	MadeAt  int64
	EndedAt int64 // early, by hand; 0 = it was not
	EndedBy string
	Sent    bool // it stands in the log
}

const windowColumns = `id, facility, cabinet, circuit, feeder, area, kind, rule, begins, ends, reason, made_by, made_at, ended_at, ended_by, sent`

func scanWindow(row database.Row) (w ListedWindow, err error) {
	var sent int64
	err = row.Scan(&w.ID, &w.Facility, &w.Cabinet, &w.Circuit, &w.Feeder, &w.Area, &w.Kind, &w.Rule, &w.From, &w.To, &w.Reason, &w.By, &w.MadeAt, &w.EndedAt, &w.EndedBy, &sent)
	w.Sent = sent != 0
	return w, err
}

// Add writes a window down, under an id of its own, and sends it into the log.
// When only the sending fails the error is a devices.ErrTemporary: it is sent
// later.
func (l *Windows) Add(ctx context.Context, w rules.Window) (ListedWindow, error) {
	w.ID = rand.Text()[:16]
	now := l.opt.Now().UnixMilli()
	err := l.opt.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO maintenance (id, facility, cabinet, circuit, feeder, area, kind, rule, begins, ends, reason, made_by, made_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			w.ID, string(w.Facility), w.Cabinet, w.Circuit, w.Feeder, string(w.Area), w.Kind, w.Rule, w.From, w.To, w.Reason, w.By, now)
		return err
	})
	if err != nil {
		return ListedWindow{}, fmt.Errorf("add window: %w", err)
	}
	return l.sent(ctx, w.ID)
}

// End ends a window now. devices.ErrConflict when it is over.
func (l *Windows) End(ctx context.Context, id, who string) (ListedWindow, error) {
	now := l.opt.Now().UnixMilli()
	err := l.opt.DB.Write(ctx, func(tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE maintenance SET ends=CASE WHEN begins>? THEN begins+1 ELSE ? END, ended_at=?, ended_by=?, sent=0 WHERE id=? AND ended_at=0 AND ends>?`, now, now, now, who, id, now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		var ends int64
		if err := database.Found(tx.QueryRow(ctx, `SELECT ends FROM maintenance WHERE id=?`, id).Scan(&ends)); err != nil {
			return err
		}
		return fmt.Errorf("it is over since %s: %w", time.UnixMilli(ends).UTC().Format(time.RFC3339), devices.ErrConflict)
	})
	if err != nil {
		return ListedWindow{}, fmt.Errorf("end window %s: %w", id, err)
	}
	return l.sent(ctx, id)
}

// sent sends a window as it is written down and returns it.
func (l *Windows) sent(ctx context.Context, id string) (ListedWindow, error) {
	w, err := l.Get(ctx, id)
	if err != nil {
		return w, err
	}
	if err := l.send(ctx, &w); err != nil {
		return w, fmt.Errorf("window %s is written down and begins to count when the log takes it: %w", id, errors.Join(devices.ErrTemporary, err))
	}
	return w, nil
}

// send sends one window. What was ended before it began is sent as long over.
func (l *Windows) send(ctx context.Context, w *ListedWindow) error {
	out := w.Window
	if w.EndedAt != 0 && w.EndedAt <= w.From {
		out.From, out.To = 0, 1
	}
	b, err := out.Encode()
	if err != nil {
		return err
	}
	if err := l.opt.Send(ctx, b); err != nil {
		return err
	}
	w.Sent = true
	return l.opt.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE maintenance SET sent=1 WHERE id=? AND ended_at=?`, w.ID, w.EndedAt)
		return err
	})
}

// Get is one window; devices.ErrNotFound if there is none.
func (l *Windows) Get(ctx context.Context, id string) (ListedWindow, error) {
	w, err := scanWindow(l.opt.DB.QueryRow(ctx, `SELECT `+windowColumns+` FROM maintenance WHERE id=?`, id))
	if err = database.Found(err); err != nil {
		return w, fmt.Errorf("window %s: %w", id, err)
	}
	return w, nil
}

// Spot is what a window may name a facility by.
type Spot struct {
	Facility         devices.FacilityID
	Cabinet, Circuit string
	Feeder           string // that supplies it
	Area             devices.AreaCode
	Kind             devices.Kind
}

// WindowFilter narrows the list. Empty fields do not narrow.
type WindowFilter struct {
	State string // waiting, now or over
	At    *Spot  // only windows that name what stands there
	Order database.Order
	Limit int // 1 to 1000
}

// List is a page of the windows.
func (l *Windows) List(ctx context.Context, f WindowFilter) ([]ListedWindow, error) {
	cond, args := f.Order.Where()
	where, now := []string{cond}, l.opt.Now().UnixMilli()
	switch f.State {
	case "waiting":
		where, args = append(where, "begins>? AND ended_at=0"), append(args, now)
	case "now":
		where, args = append(where, "begins<=? AND ends>?"), append(args, now, now)
	case "over":
		where, args = append(where, "(ends<=? OR ended_at>0)"), append(args, now)
	}
	if x := f.At; x != nil {
		where = append(where, "facility IN ('',?) AND cabinet IN ('',?) AND circuit IN ('',?) AND feeder IN ('',?) AND kind IN ('',?) AND (area='' OR CAST(? AS TEXT) LIKE area||'%')")
		args = append(args, string(x.Facility), x.Cabinet, x.Circuit, x.Feeder, x.Kind.String(), string(x.Area))
	}
	return l.query(ctx, strings.Join(where, " AND ")+" "+f.Order.By()+` LIMIT ?`, append(args, max(1, min(f.Limit, 1000)))...)
}

func (l *Windows) query(ctx context.Context, cond string, args ...any) ([]ListedWindow, error) {
	out, err := database.All(ctx, l.opt.DB, scanWindow, `SELECT `+windowColumns+` FROM maintenance WHERE `+cond, args...)
	if err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	return out, nil
}

// sendEvery is how often what is not in the log yet is sent again.
const sendEvery = 5 * time.Second

// Keep sends every window that is not over once, so that rules that have
// forgotten their past learn of it, and then what could not be sent, until ctx
// ends; trouble hears of errors.
func (l *Windows) Keep(ctx context.Context, trouble func(error)) {
	t := time.NewTicker(sendEvery)
	defer t.Stop()
	cond, args := `ends>? OR sent=0`, []any{l.opt.Now().UnixMilli()}
	for {
		err := l.sendAll(ctx, cond, args...)
		if err == nil {
			cond, args = `sent=0`, nil
		} else if ctx.Err() == nil {
			trouble(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (l *Windows) sendAll(ctx context.Context, cond string, args ...any) error {
	ws, err := l.query(ctx, cond+` ORDER BY made_at, id`, args...)
	if err != nil {
		return err
	}
	for i := range ws {
		if err := l.send(ctx, &ws[i]); err != nil {
			return fmt.Errorf("send window %s: %w", ws[i].ID, err)
		}
	}
	return nil
}

package tickets

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// Ticket is one disposal ticket. Instants are Unix ms, 0 = not yet.
type Ticket struct {
	ID             int64              `json:"id"`
	Number         string             `json:"number"`
	Facility       devices.FacilityID `json:"facility"`
	FacilityName   string             `json:"facility_name"`
	Kind           string             `json:"kind"`
	Defect         string             `json:"defect"`
	Severity       string             `json:"severity"`
	State          string             `json:"state"` // open, acknowledged, closed
	OpenedAt       int64              `json:"opened_at"`
	EventAt        int64              `json:"event_at"`
	AcknowledgedAt int64              `json:"acknowledged_at"`
	AcknowledgedBy string             `json:"acknowledged_by"`
	ClosedAt       int64              `json:"closed_at"`
	ClosedBy       string             `json:"closed_by"`
	Summary        devices.Title      `json:"summary"`
	Channel        string             `json:"channel"`
	Value          *float64           `json:"value"`
	Limit          *float64           `json:"limit"`
	Lon            *float64           `json:"lon"`
	Lat            *float64           `json:"lat"`
	Owner          string             `json:"owner"`
	Historic       bool               `json:"historic"` // was over before anybody heard of it: never paged, and its times are those of the fault
}

// Event is one line of a ticket's history. Its id is the id of the live stream.
type Event struct {
	ID     int64  `json:"id"`
	Ticket int64  `json:"ticket"`
	At     int64  `json:"at"`
	Who    string `json:"by"`
	What   string `json:"what"`
	Note   string `json:"note"`
}

const columns = `t.id, t.number, t.facility, COALESCE(f.name,''), t.kind, t.defect, t.severity, t.state, t.opened_at, t.event_at, t.acknowledged_at, t.acknowledged_by,
	t.closed_at, t.closed_by, t.summary_zh, t.summary_en, t.channel, t.value, t.limit_value, f.lon, f.lat, COALESCE(f.owner,''), t.historic FROM ticket t LEFT JOIN facility f ON f.id = t.facility`

func scan(row database.Row) (Ticket, error) {
	var t Ticket
	var historic int
	err := row.Scan(&t.ID, &t.Number, &t.Facility, &t.FacilityName, &t.Kind, &t.Defect, &t.Severity, &t.State, &t.OpenedAt, &t.EventAt, &t.AcknowledgedAt, &t.AcknowledgedBy,
		&t.ClosedAt, &t.ClosedBy, &t.Summary.ZH, &t.Summary.EN, &t.Channel, &t.Value, &t.Limit, &t.Lon, &t.Lat, &t.Owner, &historic)
	t.Historic = historic != 0
	return t, err
}

// Filter narrows a list. Empty fields do not narrow.
type Filter struct {
	State    string // open, acknowledged, closed; "live" = not closed
	Kind     string
	Facility string
	Severity string
	Defect   string
	Historic string          // "yes" or "no"
	Within   registry.Filter // about what lies in a place or hangs on it, and about that
	From, To int64           // opened in [From, To), Unix ms; 0 = open end
	Order    database.Order  // the zero value is the newest first
	Limit    int             // 1 to 500, default 100
}

// within is the condition that Within means.
func (f *Filter) within() (cond string, args []any) {
	cond, args = f.Within.Bears("t.facility")
	if a := f.Within.Area; a != "" {
		of := string(devices.AreaFacility(a.Level(), a))
		cond, args = cond+" OR t.facility>=? AND t.facility<=?", append(args, of, of+"999999999999999")
	}
	if name := f.Within.Feeder; name != "" {
		cond, args = cond+" OR t.facility=?", append(args, string(devices.FeederFacility(name)))
	}
	return "(" + cond + ")", args
}

// List is tickets, the newest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Ticket, error) {
	where, args := []string{"1=1"}, []any{}
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	switch {
	case f.State == "live":
		where = append(where, "t.state <> 'closed'")
	case f.State != "":
		add("t.state=?", f.State)
	}
	if f.Kind != "" {
		add("t.kind=?", f.Kind)
	}
	if f.Facility != "" {
		add("t.facility=?", f.Facility)
	}
	if f.Within != (registry.Filter{}) {
		cond, in := f.within()
		where, args = append(where, cond), append(args, in...)
	}
	if f.Severity != "" {
		add("t.severity=?", f.Severity)
	}
	if f.Defect != "" {
		add("t.defect=?", f.Defect)
	}
	if f.Historic != "" {
		add("t.historic=?", map[string]int{"no": 0, "yes": 1}[f.Historic])
	}
	if f.From > 0 {
		add("t.opened_at>=?", f.From)
	}
	if f.To > 0 {
		add("t.opened_at<?", f.To)
	}
	if f.Order.Key == "" {
		f.Order = database.Order{Column: "t.id", Key: "t.id", Desc: true}
	}
	after, more := f.Order.Where()
	where, args = append(where, after), append(args, more...)
	if f.Limit < 1 || f.Limit > 500 {
		f.Limit = 100
	}
	out, err := database.All(ctx, d.opt.DB, scan, `SELECT `+columns+` WHERE `+strings.Join(where, " AND ")+` `+f.Order.By()+` LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return out, nil
}

// Get is one ticket; devices.ErrNotFound if there is none.
func (d *Desk) Get(ctx context.Context, id int64) (Ticket, error) {
	t, err := scan(d.opt.DB.QueryRow(ctx, `SELECT `+columns+` WHERE t.id=?`, id))
	if err = database.Found(err); err != nil {
		return t, fmt.Errorf("ticket %d: %w", id, err)
	}
	return t, nil
}

// History is everything that happened to a ticket, oldest first.
func (d *Desk) History(ctx context.Context, id int64) ([]Event, error) {
	return d.events(ctx, `ticket=? ORDER BY id`, id)
}

// EventsSince is what happened to any ticket after event id, oldest first.
func (d *Desk) EventsSince(ctx context.Context, id int64, limit int) ([]Event, error) {
	return d.events(ctx, `id>? ORDER BY id LIMIT ?`, id, limit)
}

// LastEvent is the id of the newest event, 0 if there is none.
func (d *Desk) LastEvent(ctx context.Context) (int64, error) {
	var id int64
	err := d.opt.DB.QueryRow(ctx, `SELECT COALESCE(MAX(id),0) FROM ticket_event`).Scan(&id)
	return id, err
}

func (d *Desk) events(ctx context.Context, cond string, args ...any) ([]Event, error) {
	out, err := database.All(ctx, d.opt.DB, func(row database.Row) (Event, error) {
		var e Event
		err := row.Scan(&e.ID, &e.Ticket, &e.At, &e.Who, &e.What, &e.Note)
		return e, err
	}, `SELECT id, ticket, at, who, what, note FROM ticket_event WHERE `+cond, args...)
	if err != nil {
		return nil, fmt.Errorf("ticket events: %w", err)
	}
	return out, nil
}

// Acknowledge says that somebody has taken the ticket on.
func (d *Desk) Acknowledge(ctx context.Context, id int64, who, note string) error {
	return d.act(ctx, id, who, note, "acknowledged", `UPDATE ticket SET state='acknowledged', acknowledged_at=?, acknowledged_by=? WHERE id=? AND state='open'`)
}

// Close ends a ticket by hand.
func (d *Desk) Close(ctx context.Context, id int64, who, note string) error {
	return d.act(ctx, id, who, note, "closed", `UPDATE ticket SET state='closed', closed_at=?, closed_by=? WHERE id=? AND state<>'closed'`)
}

// act changes a ticket and its history; devices.ErrConflict when its state
// does not allow it.
func (d *Desk) act(ctx context.Context, id int64, who, note, what, update string) error {
	now := d.opt.Now().UnixMilli()
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		var state string
		if err := database.Found(tx.QueryRow(ctx, `SELECT state FROM ticket WHERE id=?`, id).Scan(&state)); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, update, now, who, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("it is %s: %w", state, errors.Join(devices.ErrConflict, err))
		}
		if err := event(ctx, tx, id, now, who, what, note); err != nil {
			return err
		}
		return d.opt.Outbox.Enqueue(ctx, tx, Page{Ticket: id, What: what, At: now})
	})
	if err != nil {
		return fmt.Errorf("ticket %d: %s: %w", id, what, err)
	}
	if what == "closed" {
		d.metrics.closed.WithLabelValues("people").Inc()
	}
	d.changed()
	return nil
}

package lighting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// LampNight is one lamp in one night, as it counts.
type LampNight struct {
	Day      string
	Facility devices.FacilityID
	Name     string
	Area     devices.AreaCode
	Cabinet  string
	Road     string
	Class    string
	Lamps    int64 // that it stands for: they are in the tally
	Bucket   State // of a definition that measures time the worst of its parts
	Tally
	Parts []Part
}

// Part is a time of the night, [From, To), in which the lamp was not intact.
type Part struct {
	Spell
	Ticket       int64 // about it, 0 = none
	TicketNumber string
}

// LampQuery asks for the lamps behind a figure.
type LampQuery struct {
	Rate, Version string
	Level         int
	Area          devices.AreaCode
	Place         *string
	From, To      string  // days, both included
	Buckets       []State // none = all
	AfterDay      string  // the page before ended with this night
	AfterID       devices.FacilityID
	Limit         int
}

// errEnough ends a page.
var errEnough = errors.New("enough")

// Lamps lists the lamp-nights behind a figure: all of them, whose tallies are
// together those of the figure, or those of some buckets. They come by day; within
// one, first lamps that have left the census since, then by id.
func (b *Book) Lamps(ctx context.Context, q LampQuery) ([]LampNight, error) {
	nights, err := b.Nights(ctx, q.Rate, max(q.From, q.AfterDay), q.To)
	if err != nil {
		return nil, err
	}
	out := []LampNight{}
	for i := range nights {
		n := &nights[i]
		if q.Version != "" && n.Version != q.Version {
			continue
		}
		after := devices.FacilityID("")
		if n.Day == q.AfterDay {
			after = q.AfterID
		}
		if out, err = b.lampsOf(ctx, &q, n, after, out); err != nil {
			return nil, fmt.Errorf("lamps of %s: %w", n.Day, err)
		}
		if len(out) >= q.Limit {
			break
		}
	}
	return out, b.ticketsOf(ctx, out)
}

// lampsOf adds those of one night.
func (b *Book) lampsOf(ctx context.Context, q *LampQuery, n *ClosedNight, after devices.FacilityID, out []LampNight) ([]LampNight, error) {
	d, err := b.definition(ctx, q.Rate, n.Version)
	if err != nil {
		return out, err
	}
	f, err := b.facts(ctx, n.Dusk, n.Dawn)
	if err != nil {
		return out, err
	}
	at, err := b.noons([]string{n.Day})
	if err != nil {
		return out, err
	}
	p := registry.PastFilter{Kind: devices.Streetlight, At: at, After: after}
	var tables *hours
	if d.Census {
		if tables, err = b.hours(ctx, at); err != nil {
			return out, err
		}
	}
	if len(q.Buckets) > 0 && !slices.Contains(q.Buckets, Intact) && len(f.away) == 0 && (tables == nil || tables.fed[0] == nil) {
		p.Where, p.Args = suspects, []any{n.Dawn, n.Dusk, n.Dawn, n.Dusk, n.Dusk, n.Day}
	}
	instants := d.instants(&n.Night, b.opt.Zone)
	var l lamp
	err = b.opt.Census.EachAt(ctx, p, func(id devices.FacilityID, then []*registry.Facility) error {
		row := then[0]
		if weight(row) == 0 || !q.covers(cellOf(row)) {
			return nil
		}
		if err := b.lamp(f, &l, id, row).by(tables, d, 0, &n.Night); err != nil {
			return err
		}
		x := d.lampNight(&n.Night, &l, instants)
		if len(q.Buckets) > 0 && !slices.ContainsFunc(q.Buckets, func(s State) bool { return *x.bucket(s) > 0 }) {
			return nil
		}
		out = append(out, x)
		// Those that are gone have no place in the order of the ids: they come at once.
		if len(out) >= q.Limit && (after != "" || b.opt.Census.Has(id)) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// suspects are the lamps that can be anything but intact: a narrowing for speed,
// wider than the truth. Of a lamp whose census was changed since
// nothing is assumed. The plus signs keep a planner from walking through all that
// ended since, once for each lamp.
const suspects = `(EXISTS (SELECT 1 FROM lamp_exception e WHERE e.facility=f.id AND e.began<? AND (+e.ended=0 OR +e.ended>?))
	OR EXISTS (SELECT 1 FROM lamp_finding g WHERE g.facility=f.id AND g.found_at<? AND (+g.ended_at=0 OR +g.ended_at>?))
	OR NOT EXISTS (SELECT 1 FROM lamp_watched w WHERE w.facility=f.id AND w.since<=?)
	OR f.timetable<>'' OR f.condition<>'intact' OR f.installed>? OR c.at IS NOT NULL)`

// covers tells whether a cell is part of the figure.
func (q *LampQuery) covers(c cell) bool {
	return strings.HasPrefix(string(c.area), string(q.Area)) && (q.Place == nil || q.Level == 0 || c.at(q.Level) == *q.Place)
}

// lampNight is a lamp as it counts in a night.
func (d *Definition) lampNight(n *Night, l *lamp, instants []int64) LampNight {
	f := l.row
	x := LampNight{Day: n.Day, Facility: f.ID, Name: f.Name, Area: f.Area, Cabinet: f.Cabinet, Road: f.Road, Class: f.RoadClass, Lamps: weight(f)}
	x.Tally = d.measure(n, l, instants).times(x.Lamps)
	for _, p := range d.parts(n, l) {
		if p.State != Intact {
			x.Parts = append(x.Parts, Part{Spell: p})
		}
	}
	for _, s := range []State{Faulty, Unknown, Excluded, Intact} {
		if *x.bucket(s) > 0 {
			x.Bucket = s
			break
		}
	}
	return x
}

// ticketsOf looks the tickets up: of the lamp itself, or of the cause that it was
// a member of.
func (b *Book) ticketsOf(ctx context.Context, ls []LampNight) error {
	for i := range ls {
		for j := range ls[i].Parts {
			p := &ls[i].Parts[j]
			if p.State != Faulty && p.State != Unknown || p.Finding != 0 {
				continue
			}
			if err := b.ticketOf(ctx, ls[i].Facility, p); err != nil {
				return fmt.Errorf("tickets of %s: %w", ls[i].Facility, err)
			}
		}
	}
	return nil
}

func (b *Book) ticketOf(ctx context.Context, id devices.FacilityID, p *Part) error {
	silent := p.State == Unknown
	return database.Each(ctx, b.opt.DB, func(row database.Row) error {
		var ticket int64
		var number, defect string
		if err := row.Scan(&ticket, &number, &defect); err != nil {
			return err
		}
		own := defect != "" && slices.Contains(strings.Split(p.Reason, ","), defect)
		if p.Ticket == 0 && (own || defect == "" || silent) {
			p.Ticket, p.TicketNumber = ticket, number
		}
		return nil
	}, `SELECT t.id, t.number, t.defect FROM ticket t WHERE t.facility=? AND t.opened_at<? AND (t.closed_at=0 OR t.closed_at>?)
		UNION ALL SELECT t.id, t.number, '' FROM ticket_member m JOIN ticket t ON t.id=m.ticket WHERE m.facility=? AND m.joined_at<? AND (m.left_at=0 OR m.left_at>?) AND (t.closed_at=0 OR t.closed_at>?) ORDER BY 1`,
		string(id), p.To, p.From, string(id), p.To, p.From, p.From)
}

package lighting

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// facts is what was written down of some time, beside the census.
type facts struct {
	spells map[devices.FacilityID][]Spell
	since  map[devices.FacilityID]int64 // of lamps that were not heard before the time
	away   map[int][]Spell              // by partition
	head   int64                        // findings said until then
}

// facts of the time from dusk to dawn.
func (b *Book) facts(ctx context.Context, dusk, dawn int64) (*facts, error) {
	f := &facts{spells: map[devices.FacilityID][]Spell{}, since: map[devices.FacilityID]int64{}, away: map[int][]Spell{}}
	if err := b.opt.DB.QueryRow(ctx, `SELECT n FROM lighting_head WHERE id=1`).Scan(&f.head); err != nil {
		return nil, fmt.Errorf("lighting facts: %w", err)
	}
	for _, read := range []func(context.Context, *facts, int64, int64) error{b.readExceptions, b.readFindings, b.readSince, b.readAway} {
		if err := read(ctx, f, dusk, dawn); err != nil {
			return nil, fmt.Errorf("lighting facts: %w", err)
		}
	}
	return f, nil
}

func (b *Book) readExceptions(ctx context.Context, f *facts, dusk, dawn int64) error {
	return database.Each(ctx, b.opt.DB, func(row database.Row) error {
		var id devices.FacilityID
		var s Spell
		var standing string
		if err := row.Scan(&id, &standing, &s.Reason, &s.From, &s.To); err != nil {
			return err
		}
		s.State = map[string]State{"faulty": Faulty, "maintenance": Excluded}[standing]
		if s.State == Intact {
			s.State = Unknown
		}
		if s.State == Excluded {
			s.Reason = "maintenance"
		}
		f.spells[id] = append(f.spells[id], s)
		return nil
	}, `SELECT facility, standing, reason, began, ended FROM lamp_exception WHERE began<? AND (ended=0 OR ended>?) ORDER BY id`, dawn, dusk)
}

func (b *Book) readFindings(ctx context.Context, f *facts, dusk, dawn int64) error {
	return database.Each(ctx, b.opt.DB, func(row database.Row) error {
		var id devices.FacilityID
		s := Spell{State: Faulty}
		if err := row.Scan(&s.Finding, &id, &s.Reason, &s.From, &s.To); err != nil {
			return err
		}
		f.spells[id] = append(f.spells[id], s)
		return nil
	}, `SELECT id, facility, defect, found_at, ended_at FROM lamp_finding WHERE found_at<? AND (ended_at=0 OR ended_at>?) ORDER BY id`, dawn, dusk)
}

// readSince reads of which lamps it is not true that they were heard before.
func (b *Book) readSince(ctx context.Context, f *facts, dusk, _ int64) error {
	take := func(row database.Row) error {
		var id devices.FacilityID
		var since int64
		if err := row.Scan(&id, &since); err != nil {
			return err
		}
		f.since[id] = since
		return nil
	}
	if err := database.Each(ctx, b.opt.DB, take, `SELECT facility, since FROM lamp_watched WHERE since>?`, dusk); err != nil {
		return err
	}
	if err := database.Each(ctx, b.opt.DB, take, `SELECT f.id, CAST(? AS BIGINT) FROM facility f WHERE f.kind='streetlight' AND NOT EXISTS (SELECT 1 FROM lamp_watched w WHERE w.facility=f.id)`, int64(never)); err != nil {
		return err
	}
	noon := dusk - 24*time.Hour.Milliseconds() // or before
	return database.Each(ctx, b.opt.DB, take, `SELECT DISTINCT c.facility, CAST(? AS BIGINT) FROM census_change c WHERE c.at>? AND c.what='gone' AND NOT EXISTS (SELECT 1 FROM lamp_watched w WHERE w.facility=c.facility)`, int64(never), noon)
}

func (b *Book) readAway(ctx context.Context, f *facts, dusk, dawn int64) error {
	return database.Each(ctx, b.opt.DB, func(row database.Row) error {
		var part int
		s := Spell{State: Unknown, Reason: "away"}
		if err := row.Scan(&part, &s.From, &s.To); err != nil {
			return err
		}
		f.away[part] = append(f.away[part], s)
		return nil
	}, `SELECT part, began, ended FROM lamp_away WHERE began<? AND ended>?`, dawn, dusk)
}

// lamp fills in what is known of one.
func (b *Book) lamp(f *facts, l *lamp, id devices.FacilityID, row *registry.Facility) *lamp {
	l.row, l.since, l.spells = row, f.since[id], f.spells[id]
	if len(f.away) > 0 {
		if away := f.away[b.opt.Partition(row.Key())]; len(away) > 0 {
			l.spells = append(append([]Spell(nil), l.spells...), away...)
		}
	}
	return l
}

// by leaves out of a night what a definition leaves to the timetables.
func (l *lamp) by(h *hours, d *Definition, noon int, n *Night) error {
	if !d.Census {
		return nil
	}
	off, err := h.off(noon, n, l.row)
	if len(off) > 0 {
		l.spells = append(off, l.spells...)
	}
	return err
}

package registry

import (
	"context"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Put adds or replaces facilities, all or nothing, each with its history. They
// are checked as those of a file are; devices.ErrInvalid says what is wrong.
func (r *Registry) Put(ctx context.Context, by string, fs ...Facility) error {
	ids := make(map[devices.FacilityID]bool, len(fs))
	list := make([]row, len(fs))
	grid, err := r.survey(ctx)
	if err != nil {
		return fmt.Errorf("put census: %w", err)
	}
	bad := &ImportError{}
	for i := range fs {
		if list[i].f, err = clean(r, &fs[i]); err != nil {
			return fmt.Errorf("put census: %w", err)
		}
		list[i].line = i + 1
		grid.look(&list[i].f, i+1, bad)
		if ids[fs[i].ID] {
			bad.add(i+1, "id", string(fs[i].ID), "the same id comes twice")
		}
		ids[fs[i].ID] = true
	}
	if err := bad.err(); err != nil {
		return fmt.Errorf("put census: %w", err)
	}
	i := 0
	err = r.db.Session(ctx, func(s *database.Session) error {
		err := r.stage(ctx, s, func() (*row, error) {
			if i++; i > len(list) {
				return nil, nil
			}
			return &list[i-1], nil
		})
		if err != nil {
			return err
		}
		return s.Write(ctx, func(tx *database.Tx) error {
			a := applied{r: r, tx: tx, by: by, now: r.now().UnixMilli(), columns: staged()[1:], bad: bad, holds: func(id devices.FacilityID) bool { return ids[id] }}
			return a.run(ctx)
		})
	})
	if err != nil {
		return fmt.Errorf("put census: %w", err)
	}
	return r.Refresh(ctx)
}

// Remove takes facilities out of the census; what they were stays in the
// history. devices.ErrNotFound when one is not there.
func (r *Registry) Remove(ctx context.Context, by string, ids ...devices.FacilityID) error {
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		if err := head(ctx, tx); err != nil {
			return err
		}
		a := applied{r: r, tx: tx, by: by, now: r.now().UnixMilli()}
		if err := a.remove(ctx, ids); err != nil {
			return err
		}
		for _, d := range a.freed {
			if _, err := tx.Exec(ctx, `DELETE FROM credential WHERE device=?`, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove from the census: %w", err)
	}
	return r.Refresh(ctx)
}

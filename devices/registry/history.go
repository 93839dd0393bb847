package registry

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"lamplighter/devices"
)

// Change is one change of the census on its way into the log, so that rules see
// the census of the time they judge.
type Change struct {
	ID       int64    `json:"id"`
	At       int64    `json:"at"`
	By       string   `json:"by"`
	Facility Facility `json:"facility"` // as it is now; of one that is gone the id
	Gone     bool     `json:"gone,omitempty"`
	// Was is the partition key before the change; "" when it is new, or when
	// nobody knows: then New tells.
	Was string `json:"-"`
	New bool   `json:"-"`
}

// ChangesSince is the history after change id, oldest first. New secrets are
// not among it.
func (r *Registry) ChangesSince(ctx context.Context, id int64, limit int) ([]Change, error) {
	rows, err := r.db.Query(ctx, `SELECT c.id, c.at, c.who, c.facility, c.what, c.detail, f.provisional, f.updated, `+prefixed("f", staged())+` FROM census_change c LEFT JOIN facility f ON f.id=c.facility
		WHERE c.id>? AND c.what<>'password' ORDER BY c.id LIMIT ?`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("census changes: %w", err)
	}
	defer rows.Close()
	var out []Change
	for rows.Next() {
		var c Change
		var s scanned
		var facility, what, detail string
		var provisional sql.NullBool
		var updated sql.NullInt64
		if err := rows.Scan(append([]any{&c.ID, &c.At, &c.By, &facility, &what, &detail, &provisional, &updated}, s.into()...)...); err != nil {
			return nil, fmt.Errorf("census changes: %w", err)
		}
		if c.Gone = !s.id.Valid; c.Gone {
			c.Facility.ID = devices.FacilityID(facility)
		} else if c.Facility, err = s.facility(); err != nil {
			return nil, fmt.Errorf("census change %d: %w", c.ID, err)
		}
		c.Facility.Provisional, c.Facility.Updated = provisional.Bool, updated.Int64
		c.New = what == "added"
		if c.Was, err = keyBefore(&c, what, detail); err != nil {
			return nil, fmt.Errorf("census change %d: %w", c.ID, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// keyBefore is the partition key before a change.
func keyBefore(c *Change, what, detail string) (string, error) {
	switch {
	case what == "added" || detail == "":
		return "", nil
	case what == "gone":
		var f Facility
		err := json.Unmarshal([]byte(detail), &f)
		return f.Key(), err
	}
	var d map[string][2]string
	if err := json.Unmarshal([]byte(detail), &d); err != nil {
		return "", err
	}
	if cab, ok := d["cabinet"]; ok {
		return keyOf(cab[0], c.Facility.ID), nil
	}
	return c.Facility.Key(), nil
}

// Newest is the number of the newest change.
func (r *Registry) Newest(ctx context.Context) (id int64, err error) {
	if err := r.db.QueryRow(ctx, `SELECT COALESCE(MAX(id),0) FROM census_change`).Scan(&id); err != nil {
		return 0, fmt.Errorf("census changes: %w", err)
	}
	return id, nil
}

// Event is one entry of a facility's history.
type Event struct {
	ID   int64  `json:"id"`
	At   int64  `json:"at"` // Unix ms
	By   string `json:"by"`
	What string `json:"what"` // added, changed, gone or password
	// Changes are what stood in a column and what stands there since.
	Changes map[string][2]string `json:"changes,omitempty"`
	// Was is the facility that is gone.
	Was *Facility `json:"was,omitempty"`
}

// Columns are the columns that changed, sorted.
func (e *Event) Columns() []string { return slices.Sorted(maps.Keys(e.Changes)) }

// History is what was changed about a facility, the newest first, from before
// change id on (0 = from the newest); it outlives the facility.
func (r *Registry) History(ctx context.Context, id devices.FacilityID, before int64, limit int) ([]Event, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	rows, err := r.db.Query(ctx, `SELECT id, at, who, what, detail FROM census_change WHERE facility=? AND id<? ORDER BY id DESC LIMIT ?`, string(id), before, limit)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", id, err)
	}
	defer rows.Close()
	out := []Event{}
	for rows.Next() {
		var e Event
		var detail string
		err := rows.Scan(&e.ID, &e.At, &e.By, &e.What, &detail)
		if err == nil && detail != "" {
			if e.What == "gone" {
				e.Was = &Facility{}
				err = json.Unmarshal([]byte(detail), e.Was)
			} else {
				err = json.Unmarshal([]byte(detail), &e.Changes)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", id, err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// refreshPage is how many changes are taken over at a time.
const refreshPage = 20000

// Refresh takes over what this process and others have changed since the last
// call.
func (r *Registry) Refresh(ctx context.Context) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	for {
		n, err := r.refresh(ctx)
		if err != nil {
			return fmt.Errorf("refresh census: %w", err)
		}
		if n < refreshPage {
			return nil
		}
	}
}

func (r *Registry) refresh(ctx context.Context) (n int, err error) {
	r.mu.RLock()
	last := r.last
	r.mu.RUnlock()
	rows, err := r.db.Query(ctx, `SELECT c.id, c.facility, `+indexText+` FROM census_change c
		LEFT JOIN facility f ON f.id=c.facility LEFT JOIN credential k ON k.device=f.device WHERE c.id>? ORDER BY c.id LIMIT ?`, last, refreshPage)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var id devices.FacilityID
		var text sql.RawBytes
		if err := rows.Scan(&last, &id, &text); err != nil {
			return n, err
		}
		if err := r.take(last, id, text); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// take takes one change over; without a text the facility is gone.
func (r *Registry) take(change int64, id devices.FacilityID, text []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = change
	if len(text) == 0 {
		r.index.drop(id)
		return nil
	}
	if err := r.index.read(text); err != nil {
		return err
	}
	_, device, _ := bytes.Cut(text, []byte{' '})
	device, _, _ = bytes.Cut(device, []byte{' '})
	r.met(devices.DeviceID(device))
	return nil
}

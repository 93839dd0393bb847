// Package registry is the census (普查建档): which facilities the city has,
// which device sits on each, where it is, which cabinet feeds it, and the grid
// of areas. It keeps them in the database, with the history of every change,
// and an index of them in memory, so that the way of a reading never waits for
// SQL.
package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Options of a Registry.
type Options struct {
	Dir    string           // for the pepper file
	Bounds Box              // a facility outside of it is a mistake; default China
	Now    func() time.Time // default time.Now
}

// Registry is the open census. It is safe for concurrent use.
type Registry struct {
	db      *database.DB
	now     func() time.Time
	pepper  []byte
	bounds  Box
	columns []column

	refreshing sync.Mutex // one Refresh at a time

	mu    sync.RWMutex
	index *index // guarded by mu
	last  int64  // guarded by mu: newest change that the index holds

	seenMu sync.Mutex
	seen   map[devices.DeviceID]*seen // guarded by seenMu
	unseen []devices.DeviceID         // guarded by seenMu: driven out, and still in the database
}

// Open loads the index.
func Open(ctx context.Context, db *database.DB, o Options) (*Registry, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Bounds == (Box{}) {
		o.Bounds = china()
	}
	r := &Registry{db: db, now: o.Now, bounds: o.Bounds, columns: columnTable(), index: newIndex(), seen: make(map[devices.DeviceID]*seen)}
	var err error
	if r.pepper, err = secretFile(filepath.Join(o.Dir, "device-pepper")); err != nil {
		return nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, fmt.Errorf("load census: %w", err)
	}
	return r, r.loadSeen(ctx)
}

// load fills the index. Changes that are committed meanwhile are taken over by
// the next Refresh.
func (r *Registry) load(ctx context.Context) error {
	if err := r.db.QueryRow(ctx, `SELECT COALESCE(MAX(id),0) FROM census_change`).Scan(&r.last); err != nil {
		return err
	}
	rows, err := r.db.Query(ctx, `SELECT f.id, f.device, f.kind, f.cabinet, f.gateway, f.provisional, k.digest FROM facility f LEFT JOIN credential k ON k.device=f.device`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var s indexRow
	for rows.Next() {
		if err := rows.Scan(s.into()...); err != nil {
			return err
		}
		if err := s.put(r.index); err != nil {
			return err
		}
	}
	return rows.Err()
}

// indexRow is what the database tells of a facility for the index.
type indexRow struct {
	id, device, kind, cabinet, gateway, digest sql.RawBytes
	provisional                                sql.NullInt64
}

func (s *indexRow) into() []any {
	return []any{&s.id, &s.device, &s.kind, &s.cabinet, &s.gateway, &s.provisional, &s.digest}
}

// put takes the row over; x makes copies of its texts.
func (s *indexRow) put(x *index) error {
	kind, err := devices.ParseKind(string(s.kind))
	if err != nil {
		return fmt.Errorf("facility %s: %w", s.id, err)
	}
	f := Facility{ID: devices.FacilityID(s.id), Device: devices.DeviceID(s.device), Kind: kind, Cabinet: string(s.cabinet), Gateway: devices.DeviceID(s.gateway), Provisional: s.provisional.Int64 != 0}
	var d *digest
	if len(s.digest) > 0 {
		if d, err = parseDigest(string(s.digest)); err != nil {
			return fmt.Errorf("device %s: %w", s.device, err)
		}
	}
	x.put(&f, d)
	return nil
}

// Find looks a device up in memory.
func (r *Registry) Find(d devices.DeviceID) (Entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := r.index.find(d)
	if i == 0 {
		return Entry{}, false
	}
	return r.index.entry(i), true
}

// Known tells whether the census has the device.
func (r *Registry) Known(d devices.DeviceID) bool {
	_, ok := r.Find(d)
	return ok
}

// Adopted tells whether the census has the device, and not only provisionally.
func (r *Registry) Adopted(d devices.DeviceID) bool {
	e, ok := r.Find(d)
	return ok && !e.Provisional
}

// IsGateway tells whether child is listed under gw.
func (r *Registry) IsGateway(gw, child devices.DeviceID) bool {
	e, ok := r.Find(child)
	return ok && e.Gateway == gw
}

// Count is how many facilities the index holds.
func (r *Registry) Count() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.count
}

// deviceOf is the device of a facility, "" if there is no such facility.
func (r *Registry) deviceOf(id devices.FacilityID) devices.DeviceID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := r.index.of(id)
	if i == 0 {
		return ""
	}
	return devices.DeviceID(r.index.texts.text(r.index.at(i).device))
}

// Enroll takes an unknown device into the census provisionally, marked until
// the city adopts it. It costs nothing for a device that is known.
// devices.ErrConflict when a facility with another device bears its name.
func (r *Registry) Enroll(ctx context.Context, d devices.DeviceID) error {
	if r.Known(d) {
		return nil
	}
	if _, err := devices.ParseDeviceID(string(d)); err != nil {
		return fmt.Errorf("enroll: %w", err)
	}
	now := r.now().UnixMilli()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		if err := head(ctx, tx); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO facility (id, device, kind, name, provisional, updated) VALUES (?,?,?,?,1,?) ON CONFLICT DO NOTHING`, string(d), string(d), devices.KindUnknown.String(), string(d), now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, what, detail) VALUES (?,'anonymous',?,'added','')`, now, string(d))
		return err
	})
	if err == nil {
		err = r.Refresh(ctx)
	}
	if err == nil && !r.Known(d) {
		err = fmt.Errorf("a facility with another device bears its name: %w", devices.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("enroll %s: %w", d, err)
	}
	return nil
}

// head makes this transaction the only one that writes to the census until it
// ends; see migration 0030.
func head(ctx context.Context, tx *database.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE census_head SET n=n+1 WHERE id=1`)
	return err
}

var errDryRun = errors.New("dry run")

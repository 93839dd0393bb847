// Package registry is the census (普查建档): which facilities the city has,
// which device sits on each, where it is, which cabinet feeds it, and the grid
// of areas. It keeps them in the database, with the history of every change,
// and an index of them in memory, so that the way of a reading never waits for
// SQL.
package registry

import (
	"bytes"
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
	Limits LimitCheck       // of what is imported or put; nil = any limit is taken
	Now    func() time.Time // default time.Now
}

// Registry is the open census. It is safe for concurrent use.
type Registry struct {
	db      *database.DB
	now     func() time.Time
	pepper  []byte
	bounds  Box
	columns []column
	check   LimitCheck

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
	r := &Registry{db: db, now: o.Now, bounds: o.Bounds, columns: columnTable(), check: o.Limits, index: newIndex(), seen: make(map[devices.DeviceID]*seen)}
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
	rows, err := r.db.Query(ctx, `SELECT `+indexText+` FROM facility f LEFT JOIN credential k ON k.device=f.device`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var text sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := r.index.read(text); err != nil {
			return err
		}
	}
	return rows.Err()
}

// indexText is what the index wants of a facility f and a credential k, as one
// text: a million rows of one column are read in half the time that seven take.
// Only the last part may hold spaces; all is NULL when there is no facility.
const indexText = `f.id||' '||f.device||' '||f.kind||' '||CAST(f.provisional AS TEXT)||' '||f.gateway||' '||COALESCE(k.digest,'')||' '||f.cabinet`

// read takes over what indexText wrote, and makes copies of it.
func (x *index) read(text []byte) error {
	parts := bytes.SplitN(text, []byte{' '}, 7)
	if len(parts) != 7 {
		return fmt.Errorf("facility %q: %w", text, devices.ErrInvalid)
	}
	kind, err := devices.ParseKind(string(parts[2]))
	if err != nil {
		return fmt.Errorf("facility %s: %w", parts[0], err)
	}
	f := Facility{ID: devices.FacilityID(parts[0]), Device: devices.DeviceID(parts[1]), Kind: kind, Provisional: string(parts[3]) != "0", Gateway: devices.DeviceID(parts[4]), Cabinet: string(parts[6])}
	var d *digest
	if len(parts[5]) > 0 {
		if d, err = parseDigest(parts[5]); err != nil {
			return fmt.Errorf("device %s: %w", f.Device, err)
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

// Size is how many facilities the index holds.
func (r *Registry) Size() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.count
}

// Has tells whether the census has a facility.
func (r *Registry) Has(id devices.FacilityID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.of(id) != 0
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

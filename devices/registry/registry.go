// Package registry is the census (普查建档): which facilities the city has,
// which device sits on each, where it is, and which cabinet feeds it. It keeps
// them in the database and an index of them in memory, so that the way of a
// reading never waits for SQL.
package registry

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Facility is one row of the census.
type Facility struct {
	ID          devices.FacilityID `json:"id"`
	Device      devices.DeviceID   `json:"device"`
	Kind        devices.Kind       `json:"kind"`
	Component   string             `json:"component,omitempty"` // 16 digits: 6 county (GB/T 2260), 2 class, 2 subclass, 6 serial
	Name        string             `json:"name"`
	Lon         float64            `json:"lon"` // WGS84; 0,0 with HasPlace false
	Lat         float64            `json:"lat"`
	HasPlace    bool               `json:"has_place"`
	Area        devices.AreaCode   `json:"area,omitempty"`
	Cabinet     string             `json:"cabinet,omitempty"`
	Circuit     string             `json:"circuit,omitempty"`
	Vendor      string             `json:"vendor,omitempty"`
	Model       string             `json:"model,omitempty"`
	ExpectS     int64              `json:"expect_s,omitempty"` // seconds between messages
	InCharge    string             `json:"in_charge,omitempty"`
	Owner       string             `json:"owner,omitempty"`
	Maintainer  string             `json:"maintainer,omitempty"`
	Installed   string             `json:"installed,omitempty"` // date
	Condition   string             `json:"condition,omitempty"` // intact, damaged, missing, retired
	Gateway     devices.DeviceID   `json:"gateway,omitempty"`
	Provisional bool               `json:"provisional,omitempty"`
	Limits      map[string]float64 `json:"limits,omitempty"` // by channel
	Updated     int64              `json:"updated"`
}

// Change is one change of the census; it goes through the log, so that rules
// see the census of the time they judge.
type Change struct {
	ID       int64    `json:"id"`
	At       int64    `json:"at"`
	By       string   `json:"by"`
	Facility Facility `json:"facility"`
	Gone     bool     `json:"gone,omitempty"`
}

// Entry is what the way of a reading needs to know of a device.
type Entry struct {
	Facility     devices.FacilityID
	Kind         devices.Kind
	PartitionKey string // the cabinet where it hangs on one, else the facility
	Gateway      devices.DeviceID
	Provisional  bool
}

// Options say where the pepper lies.
type Options struct {
	Dir string // for the pepper file
	Now func() time.Time
}

// Registry is the open census. It is safe for concurrent use.
type Registry struct {
	db     *database.DB
	now    func() time.Time
	pepper []byte

	mu      sync.RWMutex
	entries map[devices.DeviceID]Entry  // guarded by mu
	secrets map[devices.DeviceID]string // guarded by mu: hex digests
	last    int64                       // guarded by mu: newest change that the index holds

	seenMu sync.Mutex
	seen   map[devices.DeviceID]*Seen // guarded by seenMu
}

// Seen is a device that tried to get in and is not in the census, or may not.
type Seen struct {
	Device devices.DeviceID `json:"device"`
	Source string           `json:"source"`
	Reason string           `json:"reason"`
	First  int64            `json:"first"`
	Last   int64            `json:"last"`
	Count  int64            `json:"count"`
}

const maxSeen = 10000

// Open loads the index.
func Open(ctx context.Context, db *database.DB, o Options) (*Registry, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Registry{db: db, now: o.Now, entries: make(map[devices.DeviceID]Entry), secrets: make(map[devices.DeviceID]string), seen: make(map[devices.DeviceID]*Seen)}
	var err error
	if r.pepper, err = secretFile(filepath.Join(o.Dir, "device-pepper")); err != nil {
		return nil, err
	}
	return r, r.load(ctx)
}

// secretFile reads 32 random bytes, made on first use.
func secretFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	b = make([]byte, 32)
	rand.Read(b)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, fmt.Errorf("write secret: %w", err)
	}
	return b, nil
}

func (r *Registry) load(ctx context.Context) error {
	if err := r.db.QueryRow(ctx, `SELECT COALESCE(MAX(id),0) FROM census_change`).Scan(&r.last); err != nil {
		return fmt.Errorf("load census: %w", err)
	}
	rows, err := r.db.Query(ctx, `SELECT id, device, kind, cabinet, gateway, provisional FROM facility`)
	if err != nil {
		return fmt.Errorf("load census: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f Facility
		var kind string
		if err := rows.Scan(&f.ID, &f.Device, &kind, &f.Cabinet, &f.Gateway, &f.Provisional); err != nil {
			return fmt.Errorf("load census: %w", err)
		}
		if f.Kind, err = devices.ParseKind(kind); err != nil {
			return fmt.Errorf("load census: facility %s: %w", f.ID, err)
		}
		r.entries[f.Device] = entryOf(&f)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load census: %w", err)
	}
	return r.loadSecrets(ctx)
}

func (r *Registry) loadSecrets(ctx context.Context) error {
	rows, err := r.db.Query(ctx, `SELECT device, digest FROM credential`)
	if err != nil {
		return fmt.Errorf("load credentials: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d devices.DeviceID
		var s string
		if err := rows.Scan(&d, &s); err != nil {
			return fmt.Errorf("load credentials: %w", err)
		}
		r.secrets[d] = s
	}
	return rows.Err()
}

func entryOf(f *Facility) Entry {
	e := Entry{Facility: f.ID, Kind: f.Kind, PartitionKey: f.Cabinet, Gateway: f.Gateway, Provisional: f.Provisional}
	if e.PartitionKey == "" {
		e.PartitionKey = string(f.ID)
	}
	return e
}

// Find looks a device up in memory.
func (r *Registry) Find(d devices.DeviceID) (Entry, bool) {
	r.mu.RLock()
	e, ok := r.entries[d]
	r.mu.RUnlock()
	return e, ok
}

// Known tells whether the census has the device.
func (r *Registry) Known(d devices.DeviceID) bool {
	_, ok := r.Find(d)
	return ok
}

// IsGateway tells whether child is listed under gw.
func (r *Registry) IsGateway(gw, child devices.DeviceID) bool {
	e, ok := r.Find(child)
	return ok && e.Gateway == gw
}

// Verify tells whether password is the device's secret. The secret is random
// and long, so a keyed hash is as good as a slow one and takes a microsecond.
func (r *Registry) Verify(d devices.DeviceID, password []byte) bool {
	r.mu.RLock()
	want, ok := r.secrets[d]
	r.mu.RUnlock()
	return hmac.Equal([]byte(r.digest(d, password)), []byte(want)) && ok
}

func (r *Registry) digest(d devices.DeviceID, password []byte) string {
	m := hmac.New(sha256.New, r.pepper)
	m.Write([]byte(d))
	m.Write([]byte{0})
	m.Write(password)
	return hex.EncodeToString(m.Sum(nil))
}

// NewPassword gives the device a new random secret; this is the only time that
// it is seen.
func (r *Registry) NewPassword(ctx context.Context, d devices.DeviceID) (string, error) {
	p := rand.Text()
	return p, r.SetPassword(ctx, d, p)
}

// SetPassword gives the device a secret of at least 16 characters.
func (r *Registry) SetPassword(ctx context.Context, d devices.DeviceID, password string) error {
	if len(password) < 16 {
		return fmt.Errorf("password of %s: has %d characters, want at least 16 random ones: %w", d, len(password), devices.ErrInvalid)
	}
	dig := r.digest(d, []byte(password))
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO credential (device, digest, at) VALUES (?,?,?) ON CONFLICT (device) DO UPDATE SET digest=excluded.digest, at=excluded.at`, d, dig, r.now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("set password of %s: %w", d, err)
	}
	r.mu.Lock()
	r.secrets[d] = dig
	r.mu.Unlock()
	return nil
}

// Seen notes a device that was not let in.
func (r *Registry) Seen(d devices.DeviceID, source, reason string) {
	now := r.now().UnixMilli()
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	s := r.seen[d]
	if s == nil {
		if len(r.seen) >= maxSeen {
			return
		}
		s = &Seen{Device: d, First: now}
		r.seen[d] = s
	}
	s.Source, s.Reason, s.Last = source, reason, now
	s.Count++
}

// SeenList is every device that was not let in, the latest first.
func (r *Registry) SeenList() []Seen {
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	out := make([]Seen, 0, len(r.seen))
	for _, s := range r.seen {
		out = append(out, *s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Last > out[j].Last })
	return out
}

// Put adds or replaces facilities in one transaction, each with its history.
func (r *Registry) Put(ctx context.Context, by string, fs ...Facility) error {
	now := r.now().UnixMilli()
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		for i := range fs {
			fs[i].Updated = now
			if err := put(ctx, tx, by, &fs[i]); err != nil {
				return fmt.Errorf("facility %s: %w", fs[i].ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put census: %w", err)
	}
	r.mu.Lock()
	for i := range fs {
		r.entries[fs[i].Device] = entryOf(&fs[i])
	}
	r.mu.Unlock()
	return nil
}

func put(ctx context.Context, tx *database.Tx, by string, f *Facility) error {
	if f.Device == "" {
		f.Device = devices.DeviceID(f.ID)
	}
	if f.Condition == "" {
		f.Condition = "intact"
	}
	limits, err := json.Marshal(f.Limits)
	if err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	var lon, lat any
	if f.HasPlace {
		lon, lat = f.Lon, f.Lat
	}
	if _, err := tx.Exec(ctx, upsert, f.ID, f.Device, f.Kind.String(), f.Component, f.Name, lon, lat, f.Area, f.Cabinet, f.Circuit, f.Vendor, f.Model,
		f.ExpectS, f.InCharge, f.Owner, f.Maintainer, f.Installed, f.Condition, f.Gateway, b2i(f.Provisional), string(limits), f.Updated); err != nil {
		return err
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, body) VALUES (?,?,?,?)`, f.Updated, by, f.ID, string(body))
	return err
}

var upsert = func() string {
	cols := strings.Fields("id device kind component name lon lat area cabinet circuit vendor model expect_s in_charge owner maintainer installed condition gateway provisional limits updated")
	sets := make([]string, 0, len(cols))
	for _, c := range cols[1:] {
		sets = append(sets, c+"=excluded."+c)
	}
	return "INSERT INTO facility (" + strings.Join(cols, ",") + ") VALUES (?" + strings.Repeat(",?", len(cols)-1) + ") ON CONFLICT (id) DO UPDATE SET " + strings.Join(sets, ",")
}()

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ChangesSince is the history after change id, oldest first.
func (r *Registry) ChangesSince(ctx context.Context, id int64, limit int) ([]Change, error) {
	rows, err := r.db.Query(ctx, `SELECT id, at, who, gone, body FROM census_change WHERE id > ? ORDER BY id LIMIT ?`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("census changes: %w", err)
	}
	defer rows.Close()
	var out []Change
	for rows.Next() {
		var c Change
		var body string
		if err := rows.Scan(&c.ID, &c.At, &c.By, &c.Gone, &body); err != nil {
			return nil, fmt.Errorf("census changes: %w", err)
		}
		if err := json.Unmarshal([]byte(body), &c.Facility); err != nil {
			return nil, fmt.Errorf("census change %d: %w", c.ID, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Refresh takes over what another process has changed since the last call.
func (r *Registry) Refresh(ctx context.Context) error {
	r.mu.RLock()
	last := r.last
	r.mu.RUnlock()
	cs, err := r.ChangesSince(ctx, last, 10000)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range cs {
		r.last = cs[i].ID
		if cs[i].Gone {
			delete(r.entries, cs[i].Facility.Device)
			continue
		}
		r.entries[cs[i].Facility.Device] = entryOf(&cs[i].Facility)
	}
	if len(cs) > 0 {
		return r.loadSecrets(ctx)
	}
	return nil
}

// Enroll takes an unknown device into the census provisionally, marked until
// the city adopts it. It costs nothing for a device that is known.
func (r *Registry) Enroll(ctx context.Context, d devices.DeviceID) error {
	if r.Known(d) {
		return nil
	}
	return r.Put(ctx, "anonymous", Facility{ID: devices.FacilityID(d), Device: d, Name: string(d), Provisional: true})
}

// Adopted tells whether the census has the device, and not only provisionally.
func (r *Registry) Adopted(d devices.DeviceID) bool {
	e, ok := r.Find(d)
	return ok && !e.Provisional
}

package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/codec"
	"lamplighter/devices/database"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/rules/pager"
	"lamplighter/rules/tickets"
)

// world is a server over a real database, with a store and rules of the test's
// own making.
type world struct {
	t      *testing.T
	server *Server
	db     *database.DB
	auth   *auth.Keeper
	census *registry.Registry
	desk   *tickets.Desk
	bin    *tickets.Quarantine
	store  *memoryStore
	state  *memoryState
	again  *memoryRetaker
	log    *memoryLog
	tokens map[auth.Role]string
	seq    uint64    // of the last outcome
	now    time.Time // of the account of the lamps

	lighting *lighting.Book
}

// start is when the tests begin: 2026-01-01T08:00:00+08:00.
var start = time.UnixMilli(1767225600000)

const adminPassword = "correct-horse-battery"

func newWorld(t *testing.T, url string, change func(*Options)) *world {
	t.Helper()
	ctx := t.Context()
	db, err := database.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, store: newStore(), state: &memoryState{facts: map[devices.FacilityID]rules.Facts{}}, tokens: map[auth.Role]string{}, now: start}
	now := func() time.Time { return start }
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels())
	if err != nil {
		t.Fatal(err)
	}
	if w.census, err = registry.Open(ctx, db, registry.Options{Dir: t.TempDir(), Now: now}); err != nil {
		t.Fatal(err)
	}
	w.auth = auth.New(auth.Options{DB: db, Dir: t.TempDir()})
	if _, err := w.auth.EnsureAdmin(ctx); err != nil {
		t.Fatal(err)
	}
	for _, r := range []auth.Role{auth.Viewer, auth.Operator, auth.Dispatcher, auth.Admin} {
		if _, w.tokens[r], err = w.auth.NewToken(ctx, "the "+string(r), r, 0); err != nil {
			t.Fatal(err)
		}
	}
	reg := prometheus.NewRegistry()
	zone := time.FixedZone("CST", 8*3600)
	pages := pager.New(pager.Options{DB: db, Zone: zone, Log: zerolog.Nop(), Metrics: reg, Now: now})
	w.bin = tickets.NewQuarantine(tickets.QuarantineOptions{DB: db, Metrics: reg, Now: now})
	w.desk = tickets.New(tickets.Options{DB: db, Outbox: pages, Quarantine: w.bin, Ledger: lighting.Ledger{}, Zone: zone, Metrics: reg, Now: now})
	w.log = &memoryLog{}
	windows := tickets.NewWindows(tickets.WindowsOptions{DB: db, Send: w.log.send, Now: now})
	set, err := lighting.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if w.lighting, err = lighting.Open(ctx, lighting.Options{DB: db, Census: w.census, Set: set, Zone: zone, Parts: 1, Tickets: w.desk, Metrics: reg, Log: zerolog.Nop(), Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	all, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridge.Channels())
	if err != nil {
		t.Fatal(err)
	}
	if w.state.set, err = rules.Parse(rules.Default(), all); err != nil {
		t.Fatal(err)
	}
	w.again = &memoryRetaker{dict: dict, census: w.census}
	o := Options{Address: "127.0.0.1:0", DB: db, Auth: w.auth, Census: w.census, Dict: dict, Tickets: w.desk, Quarantine: w.bin, Windows: windows, Lighting: w.lighting, Retaker: w.again, Pager: pages,
		State: w.state, Querier: w.store, Health: func() []Part { return []Part{{Name: "log", OK: true}} }, Zone: zone, Log: zerolog.Nop(), Gatherer: reg}
	if change != nil {
		change(&o)
	}
	if w.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	w.server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

func sqlite(t *testing.T) string { return "sqlite://" + t.TempDir() + "/test.db" }

// happens commits an outcome as the rules would.
func (w *world) happens(o rules.Outcome) {
	w.t.Helper()
	p, err := w.desk.Resume(w.t.Context(), 0, w.seq)
	if err != nil {
		w.t.Fatal(err)
	}
	w.seq++
	o.Epoch, o.OldSeq, o.NewSeq = p.Epoch, p.Seq, w.seq
	if o.Wall == 0 {
		o.Wall = start.UnixMilli()
	}
	if err := w.desk.Commit(w.t.Context(), &o); err != nil {
		w.t.Fatal(err)
	}
}

// opens makes a ticket of a cover.
func (w *world) opens(facility string, s rules.Severity) {
	w.t.Helper()
	w.happens(rules.Outcome{Findings: rules.Findings{Transitions: []rules.Transition{{Type: rules.Opened, Facility: devices.FacilityID(facility), Kind: devices.Manhole, Defect: "cover_displaced", Severity: s,
		Wall: start.UnixMilli(), At: start.UnixMilli(), Summary: devices.Title{ZH: "井盖移位", EN: "Cover displaced"}, Channel: "tilt_deg", Value: 33, Limit: 15}}}})
}

// refuses puts a payload into quarantine.
func (w *world) refuses(device, payload string, ref devices.Refusal) {
	w.t.Helper()
	w.happens(rules.Outcome{Refused: []rules.Refused{{Uplink: devices.Uplink{Device: devices.DeviceID(device), Topic: "f/1/" + device + "/telemetry", Payload: []byte(payload), Received: start.UnixMilli() - 60_000, Source: "listener"}, Refusal: ref}}})
}

func (w *world) facility(fs ...registry.Facility) {
	w.t.Helper()
	if err := w.census.Put(w.t.Context(), "test", fs...); err != nil {
		w.t.Fatal(err)
	}
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request with the token of a role; "" for none.
func (w *world) ask(r auth.Role, method, path, body string) reply {
	w.t.Helper()
	return w.send(method, path, body, func(q *http.Request) {
		if r != "" {
			q.Header.Set("Authorization", "Bearer "+w.tokens[r])
		}
	})
}

func (w *world) send(method, path, body string, change func(*http.Request)) reply {
	w.t.Helper()
	q, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.server.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	change(q)
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{a.StatusCode, a.Header, b}
}

// into decodes an answer that must have the given status.
func (w *world) into(a reply, status int, v any) {
	w.t.Helper()
	if a.status != status {
		w.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if v != nil {
		if err := json.Unmarshal(a.body, v); err != nil {
			w.t.Fatalf("%v: %s", err, a.body)
		}
	}
}

// problem is an answer that must be a problem.
func (w *world) problem(a reply, status int, code string) Problem {
	w.t.Helper()
	var p Problem
	w.into(a, status, &p)
	if p.Code != code || p.Status != status || p.Detail == "" || p.Cure == "" || p.Title == "" || a.header.Get("Content-Type") != "application/problem+json" {
		w.t.Errorf("problem %s of type %q, want code %s with detail and cure", a.body, a.header.Get("Content-Type"), code)
	}
	return p
}

// memoryStore is a time-series store in memory.
type memoryStore struct {
	mu     sync.Mutex
	away   error                         // guarded by mu
	points map[string]map[string][]Point // guarded by mu
	ranges int                           // guarded by mu: how often Range was called
}

func newStore() *memoryStore { return &memoryStore{points: map[string]map[string][]Point{}} }

func (m *memoryStore) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = err
}

func (m *memoryStore) put(id, channel string, pts ...Point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.points[id] == nil {
		m.points[id] = map[string][]Point{}
	}
	m.points[id][channel] = append(m.points[id][channel], pts...)
}

// asked is how often points were asked for.
func (m *memoryStore) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ranges
}

// Range implements Querier.
func (m *memoryStore) Range(_ context.Context, id, channel string, from, to int64, limit int) ([]Point, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ranges++
	var out []Point
	for _, p := range m.points[id][channel] {
		if p.T >= from && p.T <= to {
			out = append(out, p)
		}
	}
	return out[max(0, len(out)-limit):], m.away
}

// Latest implements Querier.
func (m *memoryStore) Latest(_ context.Context, ids []string) (map[string]map[string]Point, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]map[string]Point{}
	for _, id := range ids {
		out[id] = map[string]Point{}
		for ch, pts := range m.points[id] {
			out[id][ch] = pts[len(pts)-1]
		}
	}
	return out, m.away
}

// memoryState is what the rules know.
type memoryState struct {
	facts   map[devices.FacilityID]rules.Facts
	sunless map[devices.FacilityID]bool
	asked   *rules.Expecting
	set     *rules.Set
}

// Inspect implements State.
func (m *memoryState) Inspect(id devices.FacilityID) (rules.Facts, bool) {
	f, ok := m.facts[id]
	return f, ok
}

// Expected implements State: a degree is a millimetre.
func (m *memoryState) Expected(q *rules.Expecting) (out []rules.Expectation, ok bool) {
	m.asked = q
	for _, x := range q.On {
		out = append(out, rules.Expectation{At: x.At, Expected: x.Value, Band: 0.5})
	}
	return out, true
}

// Count implements State.
func (m *memoryState) Count() (all [4]rules.Counts, newest int64) {
	for _, f := range m.facts {
		all[f.Kind][f.Standing]++
		newest = max(newest, f.Newest)
	}
	return all, newest
}

// Standings implements State.
func (m *memoryState) Standings(ids []devices.FacilityID) []rules.Standing {
	out := make([]rules.Standing, len(ids))
	for i, id := range ids {
		out[i] = m.facts[id].Standing
	}
	return out
}

// Sunless implements State.
func (m *memoryState) Sunless(ids []devices.FacilityID) []bool {
	out := make([]bool, len(ids))
	for i, id := range ids {
		out[i] = m.sunless[id]
	}
	return out
}

// Rules implements State.
func (m *memoryState) Rules() *rules.Set { return m.set }

// memoryLog keeps the records of windows.
type memoryLog struct {
	sent []string
	full bool
}

func (m *memoryLog) send(_ context.Context, record []byte) error {
	if m.full {
		return fmt.Errorf("append: %w", devices.ErrFull)
	}
	m.sent = append(m.sent, string(record))
	return nil
}

// memoryRetaker decodes for real and keeps what is taken back.
type memoryRetaker struct {
	dict   *devices.Dictionary
	census *registry.Registry
	taken  []devices.Uplink
	full   bool
}

// Try implements Retaker.
func (m *memoryRetaker) Try(u *devices.Uplink, msg *devices.Message) *devices.Refusal {
	if !m.census.Known(u.Device) {
		u.Flags |= devices.FlagUnknown
	}
	return codec.New(m.dict, codec.Options{}).Decode(u, msg)
}

// Retake implements Retaker.
func (m *memoryRetaker) Retake(_ context.Context, u *devices.Uplink) error {
	if m.full {
		return fmt.Errorf("append: %w", devices.ErrFull)
	}
	m.taken = append(m.taken, *u)
	return nil
}

var errTest = errors.New("connection refused")

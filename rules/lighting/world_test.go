package lighting

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// zone is the city's.
var zone = time.FixedZone("CST", 8*3600)

// at is an instant of January 2026, in the city's zone, Unix ms.
func at(day, hour, minute int) int64 {
	return time.Date(2026, 1, day, hour, minute, 0, 0, zone).UnixMilli()
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world is a book over a real database, whose facts come as the rules would bring
// them.
type world struct {
	tester
	ctx    context.Context
	db     *database.DB
	census *registry.Registry
	desk   *tickets.Desk
	book   *Book
	set    *Set
	now    int64
	pos    map[int]rules.Position
}

// silentPager takes no pages.
type silentPager struct{ asked []tickets.Page }

// Enqueue notes the page.
func (p *silentPager) Enqueue(_ context.Context, _ *database.Tx, x tickets.Page) error {
	p.asked = append(p.asked, x)
	return nil
}

// Wake does nothing.
func (*silentPager) Wake() {}

func newWorld(t tester, ctx context.Context, url, dir, definitions string) *world {
	t.Helper()
	w := &world{tester: t, ctx: ctx, now: at(1, 8, 0), pos: map[int]rules.Position{}}
	clock := func() time.Time { return time.UnixMilli(w.now) }
	var err error
	if w.db, err = database.Open(ctx, url); err != nil {
		t.Fatal(err)
	}
	if w.census, err = registry.Open(ctx, w.db, registry.Options{Dir: dir, Now: clock}); err != nil {
		t.Fatal(err)
	}
	w.desk = tickets.New(tickets.Options{DB: w.db, Outbox: &silentPager{}, Ledger: Ledger{}, Zone: zone, Metrics: prometheus.NewRegistry(), Now: clock})
	w.open(definitions)
	return w
}

// open opens the book, as a start of the daemon does.
func (w *world) open(definitions string) {
	w.Helper()
	set, err := Parse("test.yml", []byte(definitions))
	if err != nil {
		w.Fatal(err)
	}
	w.set = set
	if w.book, err = Open(w.ctx, Options{DB: w.db, Census: w.census, Set: set, Zone: zone, Parts: 1, Tickets: w.desk, Log: zerolog.Nop(), Now: func() time.Time { return time.UnixMilli(w.now) }}); err != nil {
		w.Fatal(err)
	}
}

// lamps puts lamps into the census.
func (w *world) lamps(fs ...registry.Facility) {
	w.Helper()
	for i := range fs {
		fs[i].Kind = devices.Streetlight
	}
	if err := w.census.Put(w.ctx, "test", fs...); err != nil {
		w.Fatal(err)
	}
}

// stood commits what the rules say at an instant.
func (w *world) stood(wall int64, all ...rules.Stood) {
	w.Helper()
	p, ok := w.pos[0]
	if !ok {
		var err error
		if p, err = w.desk.Resume(w.ctx, 0, 1<<40); err != nil {
			w.Fatal(err)
		}
	}
	for i := range all {
		all[i].At = wall
	}
	o := rules.Outcome{Epoch: p.Epoch, OldSeq: p.Seq, NewSeq: p.Seq + 1, OldWall: p.Wall, Wall: wall, Findings: rules.Findings{Stood: all}}
	if err := w.desk.Commit(w.ctx, &o); err != nil {
		w.Fatal(err)
	}
	p.Seq, p.Wall = o.NewSeq, wall
	w.pos[0] = p
}

// watch lets the rules judge until an instant, without any long absence.
func (w *world) watch(until int64) {
	w.Helper()
	if p := w.pos[0]; p.Wall > 0 {
		for t := p.Wall + 10*60_000; t < until; t += 10 * 60_000 {
			w.stood(t)
		}
	}
	w.stood(until)
}

func (w *world) work() {
	w.Helper()
	if err := w.book.Work(w.ctx); err != nil {
		w.Fatal(err)
	}
}

// rates are figures as text, one a line.
func (w *world) rates(q Query) string {
	w.Helper()
	fs, err := w.book.Rates(w.ctx, q)
	if err != nil {
		w.Fatal(err)
	}
	out := ""
	for i := range fs {
		f := &fs[i]
		out += fmt.Sprintf("%s %s: %d intact %d faulty %d unknown %d excluded", f.Place, f.Period, f.Intact, f.Faulty, f.Unknown, f.Excluded)
		if f.Known {
			out += fmt.Sprintf(" = %.2f%% (%.2f-%.2f, target %.2f)", 100*f.Value, 100*f.Worst, 100*f.Best, 100*f.Target)
		}
		out += "\n"
	}
	return out
}

package lighting

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// BenchmarkMillion keeps the account of a million lamps for a quarter, 3 % of them
// with an exception each night: how long it takes to close a night after dawn, to
// catch up with all 90 at once, and to report the quarter at each level. Run it
// with -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	const lamps, nights = 1_000_000, 90
	definition := `
place: {lon: 119.3, lat: 26.08}
rates:
  - {name: intact, version: "1", title: {zh: z, en: e}, instants: [dusk+30m, midnight, dawn-30m], conditions: {damaged: faulty, retired: excluded}, targets: {main: 98}}
`
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, b.Context(), "sqlite://"+b.TempDir()+"/test.db", b.TempDir(), definition)
		w.fill(b, lamps, nights)
		var err error
		if w.census, err = registry.Open(w.ctx, w.db, registry.Options{Dir: b.TempDir()}); err != nil {
			b.Fatal(err)
		}
		w.open(definition)
		w.stood(at(nights, 12, 0))
		b.StartTimer()
		began := time.Now()
		w.work()
		b.ReportMetric(time.Since(began).Seconds(), "s/90_nights")
		w.stood(at(nights+1, 12, 0))
		began = time.Now()
		w.work()
		b.ReportMetric(time.Since(began).Seconds(), "s/night")
		for _, level := range levels() {
			began = time.Now()
			fs, err := w.book.Rates(w.ctx, Query{Rate: "intact", Level: level, Period: "quarter", From: "2026-01-01", To: "2026-03-31"})
			if err != nil || len(fs) == 0 {
				b.Fatalf("%d figures, %v", len(fs), err)
			}
			b.ReportMetric(time.Since(began).Seconds(), "s/"+LevelName(level))
		}
		began = time.Now()
		if ls, err := w.book.Lamps(w.ctx, LampQuery{Rate: "intact", From: "2026-02-15", To: "2026-02-15", Buckets: []State{Faulty, Unknown, Excluded}, Limit: 500}); err != nil || len(ls) < 500 {
			b.Fatalf("%d lamps, %v", len(ls), err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/page_of_500_lamps")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys>>20), "MB")
		if err := w.db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fill writes a city and its quarter past the rules: they would take a quarter.
func (w *world) fill(b *testing.B, lamps, nights int) {
	insert := func(table string, columns []string, n int, row func(i int) []any) {
		b.Helper()
		err := w.db.Write(w.ctx, func(tx *database.Tx) error {
			i := -1
			return tx.InsertMany(context.Background(), table, columns, func() ([]any, error) {
				if i++; i == n {
					return nil, nil
				}
				return row(i), nil
			})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	id := func(i int) string { return fmt.Sprintf("SL-%07d", i) }
	class := classes()
	insert("facility", []string{"id", "device", "kind", "name", "area", "cabinet", "road", "road_class", "updated"}, lamps, func(i int) []any {
		return []any{id(i), id(i), "streetlight", fmt.Sprintf("%d号路灯", i), fmt.Sprintf("3501%02d%03d%03d", i/125_000+1, i/10_000%12+1, i/1000%10+1), fmt.Sprintf("CAB-%05d", i/300), fmt.Sprintf("道路%d", i/200), class[i/200%5], 1}
	})
	insert("lamp_watched", []string{"facility", "since"}, lamps, func(i int) []any { return []any{id(i), at(1, 8, 0)} })
	per := lamps * 3 / 100
	standing := []string{"faulty", "unknown", "maintenance"}
	insert("lamp_exception", []string{"facility", "standing", "reason", "began", "ended"}, per*nights, func(i int) []any {
		night, k := i/per, i%per
		return []any{id((k*33 + night*7) % lamps), standing[k%3], "lamp_out", at(night+1, 17, k%60), at(night+2, 5, k%60)}
	})
}

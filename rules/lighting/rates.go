package lighting

import (
	"context"
	"fmt"
	"math/bits"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Figure is a rate of one place in one period.
type Figure struct {
	Rate, Version string
	Level         int
	Place         string // area code, cabinet, or district/road; of the city ""
	Name          string // of an area, where the census knows it
	Area          string // that all of it lies in
	Period        string // 2026-01-31, 2026-01 or 2026-Q1
	From, To      string // the first and the last night that is in it
	Nights        int    // in which it has lamps of any class of road
	Unit          string // lamp_nights or lamp_ms
	Tally
	Num, Den           int64
	Known              bool // there is something to judge: Value (Num by Den), Best and Worst say something
	Value, Best, Worst float64
	Target             float64 // from 0 to 1: of the classes of road, as they have part in it

	nights [3]int64 // Nights by month of the quarter, a bit for each day
}

// Low tells whether the figure lies below its target.
func (f *Figure) Low() bool { return f.Known && f.Value < f.Target-hair }

// Query asks for figures.
type Query struct {
	Rate     string
	Version  string // "" = all
	Level    int
	Area     devices.AreaCode // only what lies in it in all nights of the figure
	Place    *string          // only this one
	Period   string           // day, month or quarter
	From, To string           // days, both included; "" = open end
	After    string           // Cursor of the figure before
	Limit    int              // 0 = all
}

// Cursor is the place of a figure in the order of a list.
func (f *Figure) Cursor() string { return f.Place + mark + f.Period + mark + f.Version }

const mark = "\x1f"

// periods are the SQL of the period of a day.
var periods = map[string]string{
	"day":     "s.day",
	"month":   "SUBSTR(s.day,1,7)",
	"quarter": "SUBSTR(s.day,1,4)||'-Q'||CAST((CAST(SUBSTR(s.day,6,2) AS INTEGER)+2)/3 AS TEXT)",
}

// nightsOf is the SQL of a bit for each night of a month of a quarter: each class of
// road may have its own.
const nightsOf = `CAST(SUM(CASE WHEN (CAST(SUBSTR(s.day,6,2) AS INTEGER)-1)%%3=%d THEN 1<<(CAST(SUBSTR(s.day,9,2) AS INTEGER)-1) ELSE 0 END) AS BIGINT) AS nights%d, `

// Rates are figures by place and period, each the sum of the nights in it.
func (b *Book) Rates(ctx context.Context, q Query) ([]Figure, error) {
	period, ok := periods[q.Period]
	if !ok {
		return nil, fmt.Errorf("lighting rates: period %q; want day, month or quarter: %w", q.Period, devices.ErrInvalid)
	}
	where, args := []string{"s.rate=?", "s.level=?"}, []any{q.Rate, q.Level}
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if q.From != "" {
		add("s.day>=?", q.From)
	}
	if q.To != "" {
		add("s.day<=?", q.To)
	}
	if q.Version != "" {
		add("s.version=?", q.Version)
	}
	if q.Place != nil {
		add("s.place=?", *q.Place)
	}
	var nights strings.Builder
	for i := range 3 {
		fmt.Fprintf(&nights, nightsOf, i, i)
	}
	inner := `SELECT s.place AS place, ` + period + ` AS period, s.version AS version, s.class AS class, MIN(s.day) AS first, MAX(s.day) AS last, ` + nights.String() + ` MIN(s.area) AS area, MAX(s.area) AS last_area,
		CAST(SUM(s.intact) AS BIGINT) AS intact, CAST(SUM(s.faulty) AS BIGINT) AS faulty, CAST(SUM(s.unsure) AS BIGINT) AS unsure, CAST(SUM(s.excluded) AS BIGINT) AS excluded
		FROM lighting_sum s WHERE ` + strings.Join(where, " AND ") + ` GROUP BY s.place, ` + period + `, s.version, s.class`
	place := `x.place||'` + mark + `'||x.period||'` + mark + `'||x.version`
	only := []string{"1=1"}
	if q.Area != "" { // all nights and classes of it
		const all = ` OVER (PARTITION BY i.place, i.period, i.version) AS `
		inner = `SELECT i.*, MIN(i.area)` + all + `lowest, MAX(i.last_area)` + all + `highest FROM (` + inner + `) i`
		only, args = append(only, "x.lowest>=?", "x.highest<=?"), append(args, string(q.Area), string(q.Area)+"999999999999999")
	}
	if q.After != "" {
		only, args = append(only, place+` > ?`), append(args, q.After)
	}
	text := `SELECT x.place, COALESCE(a.name,''), x.period, x.version, x.class, x.first, x.last, x.nights0, x.nights1, x.nights2, x.area, x.intact, x.faulty, x.unsure, x.excluded FROM (` + inner + `) x LEFT JOIN area a ON a.code=x.place WHERE ` + strings.Join(only, " AND ")
	out, err := b.figures(ctx, q, text+` ORDER BY `+place, args)
	if err != nil {
		return nil, fmt.Errorf("lighting rates: %w", err)
	}
	return out, nil
}

// figures joins the classes of road of each place and period.
func (b *Book) figures(ctx context.Context, q Query, text string, args []any) ([]Figure, error) {
	rows, err := b.opt.DB.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Figure{}
	defs := map[string]*Definition{}
	for rows.Next() {
		f := Figure{Rate: q.Rate, Level: q.Level}
		var class string
		if err := rows.Scan(&f.Place, &f.Name, &f.Period, &f.Version, &class, &f.From, &f.To, &f.nights[0], &f.nights[1], &f.nights[2], &f.Area, &f.Intact, &f.Faulty, &f.Unknown, &f.Excluded); err != nil {
			return nil, err
		}
		d := defs[f.Version]
		if d == nil {
			if d, err = b.definition(ctx, q.Rate, f.Version); err != nil {
				return nil, err
			}
			defs[f.Version] = d
		}
		f.Unit = d.Unit()
		f.Target = d.target(class) * f.counted()
		if n := len(out); n > 0 && out[n-1].Cursor() == f.Cursor() {
			out[n-1].join(&f)
			continue
		}
		if q.Limit > 0 && len(out) == q.Limit {
			break
		}
		out = append(out, f)
	}
	for i := range out {
		out[i].finish(defs[out[i].Version])
	}
	return out, rows.Err()
}

func (f *Figure) counted() float64 { return float64(f.Intact + f.Faulty + f.Unknown) }

func (f *Figure) join(o *Figure) {
	f.From, f.To = min(f.From, o.From), max(f.To, o.To)
	for i := range f.nights {
		f.nights[i] |= o.nights[i]
	}
	f.Target += o.Target
	f.Add(o.Tally)
}

// finish makes the rates of the sums.
func (f *Figure) finish(d *Definition) {
	if n := f.counted(); n > 0 {
		f.Target /= n * 100
	} else {
		f.Target = d.Target / 100
	}
	for _, m := range f.nights {
		f.Nights += bits.OnesCount64(uint64(m))
	}
	f.Num, f.Den = d.fraction(f.Tally)
	f.Value, f.Best, f.Worst, f.Known = d.rate(f.Tally)
}

// Nights are the nights of a rate that are closed, from one day to another, both
// included, by day.
func (b *Book) Nights(ctx context.Context, rate, from, to string) ([]ClosedNight, error) {
	out, err := database.All(ctx, b.opt.DB, func(row database.Row) (n ClosedNight, err error) {
		err = row.Scan(&n.Day, &n.Version, &n.Dusk, &n.Dawn, &n.ClosedAt, &n.Revision, &n.Stale)
		return n, err
	}, `SELECT day, version, dusk, dawn, closed_at, revision, stale FROM lighting_night WHERE rate=? AND day>=? AND day<=? ORDER BY day`, rate, from, to)
	if err != nil {
		return nil, fmt.Errorf("lighting nights: %w", err)
	}
	return out, nil
}

// ClosedNight is a night that was summed up.
type ClosedNight struct {
	Night
	Version  string
	ClosedAt int64
	Revision int64 // how often it was summed up
	Stale    int64 // > 0: it will be once more
}

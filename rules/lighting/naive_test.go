package lighting

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// said is one thing that happens in the naive model.
type happening struct {
	minute int // since noon of the first day
	lamp   int
	is     rules.Standing
	why    string
}

const naiveText = `
place: {lon: 119.3, lat: 26.08}
rates:
  - {name: intact, version: "1", title: {zh: a, en: a}, measure: time, findings: true, except: [door], conditions: {damaged: faulty, retired: excluded}}
  - {name: on, version: "1", title: {zh: c, en: c}, night: census, measure: time, except: [door]}
  - {name: lit, version: "1", title: {zh: b, en: b}, night: census, instants: [dusk+30m, midnight, "04:00"], faulty_at: most, faults: [lamp_out], unknown: faulty}
`

// TestFiguresAreWhatANaiveCountSays holds the sums, and the lists behind them,
// against a model that walks through every minute of every lamp.
func TestFiguresAreWhatANaiveCountSays(t *testing.T) {
	devicestest.FewerChecks(t, 12)
	empty := emptyDatabase(t)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "w")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "test.db"), empty, 0o600)
		}
		if err != nil {
			r.Fatal(err)
		}
		w := newWorld(r, t.Context(), "sqlite://"+filepath.Join(dir, "test.db"), dir, naiveText)
		defer w.db.Close()
		m := draw(r)
		m.play(w)
		w.now = at(m.first+3, 12, 0)
		w.work()
		listed := rapid.IntRange(0, 3*len(w.set.Rates)*len(levels())-1).Draw(r, "figures whose lists are read")
		for _, d := range w.set.Rates {
			for _, level := range levels() {
				for period, lists := range map[string]bool{"day": listed == 0, "month": listed == 1, "quarter": listed == 2} {
					fs := w.byPeriod(Query{Rate: d.Name, Level: level, Period: period})
					want := m.wanted(w, d, level, period)
					if len(fs) != len(want) {
						w.Fatalf("%s, level %s: figures of %d times of a %s, want %d", d.Name, LevelName(level), len(fs), period, len(want))
					}
					for name, places := range want {
						w.hold(d, fs[name], name, places, lists)
					}
				}
				listed -= 3
			}
		}
	})
}

// byPeriod are the figures that are asked for, by their night, month or quarter.
func (w *world) byPeriod(q Query) map[string][]Figure {
	w.Helper()
	fs, err := w.book.Rates(w.ctx, q)
	if err != nil {
		w.Fatal(err)
	}
	out := map[string][]Figure{}
	for i := range fs {
		out[fs[i].Period] = append(out[fs[i].Period], fs[i])
	}
	return out
}

// emptyDatabase is the file of a database without facts: to migrate one for each
// check would be most of the work.
func emptyDatabase(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.db")
	db, err := database.Open(t.Context(), "sqlite://"+path)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// model is a small city and its three nights.
type model struct {
	first    int // day of the year 2026 that the first night begins on
	lamps    []registry.Facility
	moved    []registry.Facility // what the census says from noon of the second day on
	happened []happening
	findings []happening
	ends     []int // of the findings, minute
	away     [2]int
}

const minutes = 3 * 24 * 60

// circuit is metered in cabinet A, and is a lamp elsewhere.
const circuit = "A:C1"

// lamps is how many a facility stands for.
func lamps(f *registry.Facility) int64 {
	switch {
	case f.Lamps > 0:
		return f.Lamps
	case f.ID == circuit && f.Cabinet == "A":
		return 0
	}
	return 1
}

func draw(r *rapid.T) *model {
	// the second month begins with the third night, or with it the second quarter
	m := &model{first: rapid.SampledFrom([]int{1, 30, 89}).Draw(r, "first day")}
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(r, name) }
	for i := range 5 {
		id, lamps := "SL-"+string(rune('1'+i)), rapid.SampledFrom([]int64{0, 0, 1, 60})
		if i == 3 {
			id = circuit
		}
		table := func() string {
			return pick("timetable", "", "", "18:30/06:00", "dusk/23:30", "08:00/20:00", "00:00/24:00")
		}
		f := registry.Facility{ID: devices.FacilityID(id), Lamps: lamps.Draw(r, "lamps"), Area: devices.AreaCode(pick("area", "350102001001", "350102001002", "350103001", "")), Cabinet: pick("cabinet", "", "A", "B"),
			Road: pick("road", "", "五四路"), RoadClass: pick("class", "", "main"), Condition: pick("condition", "intact", "intact", "damaged", "retired"), Installed: pick("installed", "", m.day(1)), Timetable: table()}
		if f.Cabinet != "" {
			f.Circuit = pick("circuit", "", "C1")
		}
		m.lamps = append(m.lamps, f)
		f.Cabinet, f.Lamps, f.Timetable = pick("moved", "A", "C"), lamps.Draw(r, "lamps then"), table()
		m.moved = append(m.moved, f)
	}
	minute := rapid.IntRange(0, minutes-1)
	for range rapid.IntRange(0, 25).Draw(r, "events") {
		is := rapid.SampledFrom([]rules.Standing{rules.OK, rules.Faulty, rules.Unknown, rules.Maintenance}).Draw(r, "is")
		why := ""
		if is == rules.Faulty {
			why = pick("why", "lamp_out", "door", "door,lamp_out")
		}
		m.happened = append(m.happened, happening{minute.Draw(r, "minute"), rapid.IntRange(0, 4).Draw(r, "lamp"), is, why})
	}
	slices.SortStableFunc(m.happened, func(a, b happening) int { return a.minute - b.minute })
	for range rapid.IntRange(0, 3).Draw(r, "findings") {
		f := happening{minute: minute.Draw(r, "found"), lamp: rapid.IntRange(0, 4).Draw(r, "on"), why: pick("found", "leaning", "door")}
		m.findings = append(m.findings, f)
		m.ends = append(m.ends, f.minute+rapid.IntRange(1, 900).Draw(r, "lasts"))
	}
	if rapid.Bool().Draw(r, "away") {
		from := rapid.IntRange(1, minutes-200).Draw(r, "gone")
		m.away = [2]int{from, from + rapid.IntRange(16, 180).Draw(r, "for")}
	}
	m.happened = slices.DeleteFunc(m.happened, func(h happening) bool { return h.minute > m.away[0] && h.minute < m.away[1] })
	return m
}

func (m *model) wall(minute int) int64 { return at(m.first, 12, 0) + int64(minute)*60_000 }

// day is the date of a night, from 0.
func (m *model) day(n int) string {
	return time.UnixMilli(at(m.first+n, 12, 0)).In(zone).Format("2006-01-02")
}

// period is the day, the month or the quarter of a night.
func (m *model) period(period string, n int) string {
	d := m.day(n)
	switch period {
	case "month":
		return d[:7]
	case "quarter":
		return d[:4] + "-Q" + map[string]string{"01": "1", "02": "1", "03": "1", "04": "2"}[d[5:7]]
	}
	return d
}

// play lets it all happen.
func (m *model) play(w *world) {
	w.now = at(m.first, 11, 0)
	w.lamps(slices.Clone(m.lamps)...)
	next := 0
	for minute := 0; minute < minutes; minute++ {
		if minute == 24*60 {
			w.now = m.wall(minute)
			w.lamps(slices.Clone(m.moved)...)
		}
		if minute > m.away[0] && minute < m.away[1] {
			continue
		}
		batch := []rules.Stood{}
		for ; next < len(m.happened) && m.happened[next].minute == minute; next++ {
			h := m.happened[next]
			batch = append(batch, rules.Stood{Facility: m.lamps[h.lamp].ID, Is: h.is, Why: h.why})
		}
		if minute == 0 { // every lamp is heard but the last
			for _, f := range m.lamps[:4] {
				batch = append([]rules.Stood{{Facility: f.ID, Is: rules.OK}}, batch...)
			}
		}
		byDay := minute%(24*60) < 3*60 || minute%(24*60) > 21*60 // nobody asks how long it was not watched then
		if len(batch) > 0 || minute%14 == 0 && !byDay || minute == m.away[0] || minute == m.away[1] {
			w.stood(m.wall(minute), batch...)
		}
	}
	w.now = m.wall(minutes)
	findings, ends := m.findings, m.ends
	m.findings, m.ends = nil, nil
	for i, h := range findings {
		f, err := w.book.Find(w.ctx, Finding{Facility: m.lamps[h.lamp].ID, Defect: h.why, FoundAt: m.wall(h.minute), By: "t"})
		if lamps(&m.moved[h.lamp]) == 0 {
			if !errors.Is(err, devices.ErrInvalid) {
				w.Fatalf("a finding on what counts no lamps: %v", err)
			}
			continue
		}
		if err != nil {
			w.Fatal(err)
		}
		w.now = max(w.now, m.wall(ends[i]))
		if _, err := w.book.EndFinding(w.ctx, f.ID, m.wall(ends[i]), "t", ""); err != nil {
			w.Fatal(err)
		}
		m.findings, m.ends = append(m.findings, h), append(m.ends, ends[i])
	}
	w.watch(max(w.pos[0].Wall+1, at(m.first+3, 11, 0)))
}

// on tells whether a lamp should be on by a timetable, in a minute of a night.
func (m *model) on(f *registry.Facility, day, minute int) bool {
	table, fed := f.Timetable, m.lamps[3]
	if day > 0 {
		fed = m.moved[3]
	}
	if table == "" && f.Cabinet == "A" && f.Circuit == "C1" && fed.Cabinet == "A" {
		table = fed.Timetable
	}
	clock := (minute + 12*60) % (24 * 60)
	switch table {
	case "18:30/06:00":
		return clock >= 18*60+30 || clock < 6*60
	case "dusk/23:30":
		return clock >= 12*60 && clock < 23*60+30
	case "08:00/20:00":
		return clock >= 8*60 && clock < 20*60
	}
	return true
}

// state is what a lamp is in a minute, told in the simplest way.
func (m *model) state(d *Definition, f *registry.Facility, lamp, day, minute int) State {
	if d.Census && !m.on(f, day, minute) || f.Installed > m.day(day) || f.Condition == "retired" && d.Name == "intact" {
		return Excluded
	}
	is, why, heard := rules.Unknown, "", lamp < 4
	if heard {
		is = rules.OK
	}
	for _, h := range m.happened {
		if h.lamp != lamp || h.minute > minute {
			continue
		}
		is, why = h.is, h.why
		heard = heard || is == rules.OK || is == rules.Faulty
	}
	found := false
	for i, h := range m.findings {
		found = found || h.lamp == lamp && h.minute <= minute && minute < m.ends[i] && h.why != "door"
	}
	bad := strings.Contains(why, "lamp_out")
	switch {
	case is == rules.Maintenance:
		return Excluded
	case d.Name == "intact" && (found || f.Condition == "damaged"):
		return Faulty
	case !heard || is == rules.Unknown || minute >= m.away[0] && minute < m.away[1]:
		return Unknown
	case is == rules.Faulty && bad:
		return Faulty
	}
	return Intact
}

// count is the tally of a lamp in a night.
func (m *model) count(d *Definition, n *Night, f *registry.Facility, lamp, day int) (t Tally) {
	minuteOf := func(ms int64) int { return int((ms - m.wall(0)) / 60_000) }
	if d.Time {
		for minute := minuteOf(n.Dusk); minute < minuteOf(n.Dawn); minute++ {
			*t.bucket(m.state(d, f, lamp, day, minute)) += 60_000
		}
		return t
	}
	k := [4]int{}
	for _, minute := range []int{minuteOf(n.Dusk) + 30, day*24*60 + 12*60, day*24*60 + 16*60} {
		k[m.state(d, f, lamp, day, minute)]++
	}
	all := 3 - k[Excluded]
	switch {
	case all == 0:
		t.Excluded = 1
	case 2*k[Faulty] > all:
		t.Faulty = 1
	case 2*(k[Faulty]+k[Unknown]) > all:
		t.Unknown = 1
	default:
		t.Intact = 1
	}
	return t
}

// figure is what a place should have in a period.
type figure struct {
	Tally
	from, to string
	nights   int
}

// wanted are the figures of a rate and a level by period and place: the sums of
// the nights, each counted by itself.
func (m *model) wanted(w *world, d *Definition, level int, period string) map[string]map[string]figure {
	w.Helper()
	want := map[string]map[string]figure{}
	for day := range 3 {
		n, err := d.night(m.day(day), *w.set.Place, zone)
		if err != nil {
			w.Fatal(err)
		}
		for i := range m.lamps {
			f := &m.lamps[i]
			if day > 0 {
				f = &m.moved[i]
			}
			if lamps(f) == 0 {
				continue
			}
			name, place := m.period(period, day), cellOf(f).at(level)
			if want[name] == nil {
				want[name] = map[string]figure{}
			}
			x := want[name][place]
			if x.from == "" {
				x.from = n.Day
			}
			if x.to != n.Day {
				x.nights++
			}
			x.to = n.Day
			one := m.count(d, &n, f, i, day)
			for range lamps(f) {
				x.Add(one)
			}
			want[name][place] = x
		}
	}
	return want
}

// hold holds the figures of a period and a level against what is wanted of its
// places, and the lists behind them against the figures.
func (w *world) hold(d *Definition, fs []Figure, period string, want map[string]figure, lists bool) {
	w.Helper()
	if len(fs) != len(want) {
		w.Fatalf("%s of %s: %d figures, want %v", d.Name, period, len(fs), want)
	}
	for i := range fs {
		f := &fs[i]
		if got := (figure{f.Tally, f.From, f.To, f.Nights}); got != want[f.Place] {
			w.Fatalf("%s of %q in %s: %+v, want %+v", d.Name, f.Place, period, got, want[f.Place])
		}
		if lists {
			w.holdLists(f)
		}
	}
}

// holdLists holds the lists behind a figure against it: of all lamps,
// and of those that are not intact.
func (w *world) holdLists(f *Figure) {
	w.Helper()
	for _, buckets := range [][]State{nil, {Faulty, Unknown, Excluded}} {
		ls, err := w.book.Lamps(w.ctx, LampQuery{Rate: f.Rate, Level: f.Level, Place: &f.Place, From: f.From, To: f.To, Limit: 100, Buckets: buckets})
		if err != nil {
			w.Fatal(err)
		}
		var listed Tally
		for _, x := range ls {
			listed.Add(x.Tally)
		}
		if buckets != nil {
			listed.Intact = f.Intact // of the others there are none in it, or parts of nights
		}
		if listed != f.Tally {
			w.Fatalf("the list (%v) of %s of %q on %s: %+v, want %+v", buckets, f.Rate, f.Place, f.From, listed, f.Tally)
		}
	}
}

package lighting

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
	"lamplighter/rules/tickets"
)

// found enters findings of the first night, one for each lamp, and sums it up anew.
func (w *world) found(lamps ...int) []int64 {
	w.Helper()
	ids := w.enter(lamps...)
	w.work()
	return ids
}

func (w *world) enter(lamps ...int) (ids []int64) {
	w.Helper()
	for _, n := range lamps {
		f, err := w.book.Find(w.ctx, Finding{Facility: devices.FacilityID(fmt.Sprint("SL-", n)), Defect: "leaning", FoundAt: at(1, 15, 0), By: "chen"})
		if err != nil {
			w.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	return ids
}

// withdrawn takes findings back and sums their nights up anew.
func (w *world) withdrawn(ids ...int64) {
	w.Helper()
	for _, id := range ids {
		if _, err := w.book.EndFinding(w.ctx, id, at(1, 15, 0), "chen", "entered in error"); err != nil {
			w.Fatal(err)
		}
	}
	w.work()
}

// history is what was told of a ticket.
func (w *world) history(id int64) string {
	w.Helper()
	h, err := w.desk.History(w.ctx, id)
	if err != nil {
		w.Fatal(err)
	}
	out := make([]string, len(h))
	for i, e := range h {
		out[i] = strings.TrimSpace(e.What + " " + e.Note)
	}
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return strings.HasPrefix(s, "opened") }), "\n")
}

func (w *world) want(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s\n%s\nwant\n%s", what, got, want)
	}
}

// TestANewestNightThatIsSummedAnewIsHeldAgainstItsTargetAgain: by day people enter
// what they have seen by night, and take back what was a mistake.
func TestANewestNightThatIsSummedAnewIsHeldAgainstItsTargetAgain(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.morning(2)
		w.want("of a good night", w.tickets(), "")
		ids := w.found(0)
		w.want("at the target", w.tickets(), "")
		ids = append(ids, w.found(1, 2)...)
		const one = "area:350102 lighting_rate_low "
		w.want("below it", w.tickets(), one+"open")
		ids = append(ids, w.found(3)...)
		w.withdrawn(w.found(3)...) // it changes nothing
		w.want("its history, lower still", w.history(1), "revised 350102 2026-01-01 可感知完好率为 70.00 %，低于 90 % → 350102 2026-01-01 可感知完好率为 60.00 %，低于 90 % / "+
			"350102: Observable intact rate of 2026-01-01 was 70.00 %, below 90 % → 350102: Observable intact rate of 2026-01-01 was 60.00 %, below 90 %")
		x, err := w.desk.Get(w.ctx, 1)
		if err != nil || *x.Value != 60 || !strings.Contains(x.Summary.EN, "60.00 %") {
			t.Errorf("the ticket says %+v, %v; want 60", x, err)
		}
		w.withdrawn(ids...)
		w.want("all withdrawn", w.tickets(), one+"closed")
		_, last, _ := strings.Cut(w.history(1), "\n")
		w.want("its history", last, "closed 2026-01-01 重算后为 100.00 %，不低于 90 %；2026-01-01 was summed anew: 100.00 %, not below 90 %")
		w.found(0, 1, 2)
		w.want("found again", w.tickets(), one+"closed\n"+one+"open")
	})
}

func TestWhatAPersonHasClosedOpensForTheSameNightOnlyIfItIsLowerThanItSaid(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.ten()
	w.morning(2)
	ids := w.found(0, 1, 2)
	if err := w.desk.Close(w.ctx, 1, "chen", "seen to"); err != nil {
		t.Fatal(err)
	}
	const closed = "area:350102 lighting_rate_low closed"
	w.withdrawn(ids[0])
	w.want("better, though low", w.tickets(), closed)
	w.found(0)
	w.want("as low as it was", w.tickets(), closed)
	w.found(3)
	w.want("lower", w.tickets(), closed+"\narea:350102 lighting_rate_low open")
}

func TestAnOlderNightThatIsSummedAnewRaisesNothing(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.ten()
	w.morning(3)
	for _, id := range w.enter(0, 1, 2) {
		if _, err := w.book.EndFinding(w.ctx, id, at(2, 12, 0), "chen", ""); err != nil {
			t.Fatal(err)
		}
	}
	w.work()
	w.want("figures", w.rates(Query{Rate: "intact", Level: int(devices.City), Period: "day"}), " 2026-01-01: 7 intact 3 faulty 0 unknown 0 excluded = 70.00% (70.00-70.00, target 90.00)\n 2026-01-02: 10 intact 0 faulty 0 unknown 0 excluded = 100.00% (100.00-100.00, target 90.00)\n")
	w.want("tickets", w.tickets(), "")
}

// TestATicketOnARateThatMeasuresTimeTellsHours: of milliseconds nobody has an idea.
func TestATicketOnARateThatMeasuresTimeTellsHours(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), strings.Replace(text, "instants: [dusk+30m, midnight, dawn-30m]", "measure: time, night: {from: \"18:00\", to: \"06:00\"}", 1))
	defer w.db.Close()
	w.ten()
	w.morning(2)
	w.found(0, 1, 2)
	h, err := w.desk.History(w.ctx, 1)
	if err != nil || len(h) != 1 {
		t.Fatalf("history %v, %v", h, err)
	}
	note, _, _ := strings.Cut(h[0].Note, " /api/")
	w.want("note", note, "可感知完好率（intact，定义版本 1）：完好 84.0 灯·小时，故障 36.0 灯·小时，未知 0.0 灯·小时，剔除 0.0 灯·小时；最好 70.00 %，最差 70.00 %。"+
		"Observable intact rate (intact, definition 1): intact 84.0 lamp-hours, faulty 36.0 lamp-hours, unknown 0.0 lamp-hours, excluded 0.0 lamp-hours; best 70.00 %, worst 70.00 %.")
	x, err := tickets.Explain(w.ctx, w.db, "1")
	if err != nil {
		t.Fatal(err)
	}
	s := fmt.Sprint(x.Sentences(zone))
	for _, want := range []string{"条件：可感知完好率低于 90 %；Observable intact rate below 90 %", "完好（intact）为 84.0 灯·小时", "intact was 84.0 lamp-hours"} {
		if !strings.Contains(s, want) {
			t.Errorf("sentences do not say %q: %s", want, s)
		}
	}
}

// A summer night is as good as a winter's for the least number of lamps.
func TestAnAreaHasAsManyLampsInAShortNight(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), strings.Replace(text, "instants: [dusk+30m, midnight, dawn-30m]", `night: {from: "21:00", to: "04:00"}, measure: time`, 1))
	defer w.db.Close()
	w.set.Rates[0].AtLeast = 10
	w.ten()
	w.watch(at(1, 16, 0))
	w.now = at(1, 16, 0)
	w.enter(0, 1, 2)
	w.morning(2)
	w.want("of ten lamps", w.tickets(), "area:350102 lighting_rate_low open")
}

// Nobody can see that a rate has risen where there are no lamps.
func TestTheTicketOfAnAreaThatHasNoLampsAnyMoreIsClosed(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.morning(2)
		w.found(0, 1, 2)
		w.want("low", w.tickets(), "area:350102 lighting_rate_low open")
		var moved []registry.Facility
		for i := range 10 {
			moved = append(moved, registry.Facility{ID: devices.FacilityID(fmt.Sprint("SL-", i)), Area: "350103001001"})
		}
		w.lamps(moved...)
		w.morning(3)
		w.want("moved away", w.tickets(), "area:350102 lighting_rate_low closed\narea:350103 lighting_rate_low open")
		w.want("why", w.history(1), "closed 2026-01-02 该区域已无灯具，或定义版本 1 不再对其立案，未经核查；no lamp lay there on 2026-01-02, or definition 1 asks for no ticket there any more: not verified")
		w.open(strings.NewReplacer(`version: "1"`, `version: "2"`, "levels: [district]", "levels: [street]").Replace(text))
		w.morning(4)
		w.want("another level", w.tickets(), "area:350102 lighting_rate_low closed\narea:350103 lighting_rate_low closed\narea:350103001 lighting_rate_low open")
	})
}

// A road that lay partly elsewhere in one night is not wholly in the area that month.
func TestWhatLiesInAnAreaDoesSoInAllNights(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.lamps(registry.Facility{ID: "SL-B", Area: "350102001001", Road: "古田路"}, registry.Facility{ID: "SL-C", Area: "350102001002", Road: "古田路", RoadClass: "main"})
		w.morning(2)
		w.lamps(registry.Facility{ID: "SL-Z", Area: "350102002001", Road: "五四路"})
		w.morning(3)
		if err := w.census.Remove(w.ctx, "test", "SL-Z"); err != nil {
			t.Fatal(err)
		}
		w.morning(4)
		for area, want := range map[devices.AreaCode]string{
			"350102001001": "",
			"350102001":    "350102/古田路 2026-01: 0 intact 0 faulty 6 unknown 0 excluded\n",
			"350102":       "350102/五四路 2026-01: 30 intact 0 faulty 1 unknown 0 excluded = 100.00% (96.77-100.00, target 90.00)\n350102/古田路 2026-01: 0 intact 0 faulty 6 unknown 0 excluded\n",
		} {
			q := Query{Rate: "intact", Level: LevelRoad, Period: "month", Area: area}
			w.want("in "+string(area), w.rates(q), want)
			fs, err := w.book.Rates(w.ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range fs {
				w.holdLists(&fs[i])
			}
		}
	})
}

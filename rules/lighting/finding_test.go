package lighting

import (
	"errors"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

func TestWhatWasMendedCanStillBeWithdrawn(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.morning(4)
		id := w.enter(5)[0]
		if _, err := w.book.EndFinding(w.ctx, id, at(3, 15, 0), "wang", "straightened"); err != nil {
			t.Fatal(err)
		}
		w.work()
		month := Query{Rate: "intact", Level: int(devices.City), Period: "month"}
		w.want("mended", w.rates(month), " 2026-01: 28 intact 2 faulty 0 unknown 0 excluded = 93.33% (93.33-93.33, target 90.00)\n")
		var over *Over
		if _, err := w.book.EndFinding(w.ctx, id, at(3, 16, 0), "li", ""); !errors.Is(err, devices.ErrConflict) || !errors.As(err, &over) || !strings.HasSuffix(over.What, "was said by wang to be mended since 2026-01-03T15:00:00+08:00") {
			t.Errorf("mended twice: %v", err)
		}
		f, err := w.book.EndFinding(w.ctx, id, at(1, 15, 0), "li", "another lamp")
		if err != nil || f.EndedAt != f.FoundAt || f.EndedBy != "li" || f.EndNote != "another lamp；wang 2026-01-03T15:00:00+08:00 straightened" {
			t.Errorf("withdrawn: %+v, %v", f, err)
		}
		w.work()
		w.want("withdrawn", w.rates(month), " 2026-01: 30 intact 0 faulty 0 unknown 0 excluded = 100.00% (100.00-100.00, target 90.00)\n")
		for _, again := range []int64{at(1, 15, 0), at(3, 15, 0)} {
			if _, err := w.book.EndFinding(w.ctx, id, again, "li", ""); !errors.As(err, &over) || !strings.HasSuffix(over.What, "was withdrawn by li") {
				t.Errorf("what is withdrawn is ended at %d: %v", again, err)
			}
		}
	})
}

func TestAFindingOnWhatCountsNoLampsIsRefused(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.lamps(
		registry.Facility{ID: "LC-7", Area: "350102001001", Cabinet: "LC-7"},
		registry.Facility{ID: "LC-7:C1", Area: "350102001001", Cabinet: "LC-7", Circuit: "C1"},
		registry.Facility{ID: "LC-7:C2", Area: "350102001001", Cabinet: "LC-7", Circuit: "C2", Lamps: 42},
	)
	for id, want := range map[devices.FacilityID]string{"LC-7": "LC-7 feeds lamps", "LC-7:C1": "LC-7:C1 feeds lamps", "LC-7:C2": ""} {
		_, err := w.book.Find(w.ctx, Finding{Facility: id, Defect: "leaning", FoundAt: w.now, By: "chen"})
		var r *Refused
		if want == "" && err != nil || want != "" && (!errors.As(err, &r) || r.Field != "facility" || !strings.HasPrefix(r.Why, want) || !strings.Contains(r.Why, "`lamps`")) {
			t.Errorf("%s: %v; want %q", id, err, want)
		}
	}
}

// What else leaves the census, or is corrected in it, is no lamp and takes none away:
// the list behind a night that is closed is still that of its figure.
func TestWhatWasNoLampIsNoneWhenTheCensusChanges(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.lamps(registry.Facility{ID: "SL-X", Area: "350102001001"}) // never heard
		covers := []registry.Facility{{ID: "MH-1", Kind: devices.Manhole, Area: "350102001001"}, {ID: "MH-2", Kind: devices.Manhole, Area: "350102001001"}}
		if err := w.census.Put(w.ctx, "test", covers...); err != nil {
			t.Fatal(err)
		}
		w.morning(2)
		w.now = at(2, 13, 0)
		lamp := registry.Facility{ID: "SL-9", Kind: devices.Manhole, Area: "350102001001"}
		covers[1].Kind = devices.Streetlight
		if err := errors.Join(w.census.Remove(w.ctx, "test", "MH-1", "SL-X"), w.census.Put(w.ctx, "test", lamp, covers[1])); err != nil {
			t.Fatal(err)
		}
		w.enter(5)
		w.morning(3)
		w.want("figures", w.rates(Query{Rate: "intact", Level: int(devices.City), Period: "day"}),
			" 2026-01-01: 9 intact 1 faulty 1 unknown 0 excluded = 90.00% (81.82-90.91, target 90.00)\n 2026-01-02: 9 intact 1 faulty 1 unknown 0 excluded = 90.00% (81.82-90.91, target 90.00)\n")
		fs, err := w.book.Rates(w.ctx, Query{Rate: "intact", Level: int(devices.City), Period: "day"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range fs {
			w.holdLists(&fs[i])
		}
	})
}

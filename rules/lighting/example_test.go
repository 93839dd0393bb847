package lighting

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// TestTheWorkedExampleOfThePageIsTrue plays the example of deploy/docs/lighting.md
// and looks for its figures on the page.
func TestTheWorkedExampleOfThePageIsTrue(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), "place: {lon: 119.3, lat: 26.08}\n"+string(Default()))
	defer w.db.Close()
	var fs []registry.Facility
	var heard []rules.Stood
	for i := range 10 {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprint("L", i+1)), Area: "350102001001"})
		heard = append(heard, rules.Stood{Facility: fs[i].ID, Is: rules.OK})
	}
	w.lamps(fs...)
	w.stood(at(1, 8, 0), heard...)
	w.now = at(1, 15, 0)
	if _, err := w.book.Find(w.ctx, Finding{Facility: "L10", Defect: "leaning", FoundAt: w.now, By: "陈工"}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		at int64
		s  rules.Stood
	}{
		{at(1, 17, 0), rules.Stood{Facility: "L9", Is: rules.Maintenance}}, {at(1, 20, 0), rules.Stood{Facility: "L7", Is: rules.Faulty, Why: "lamp_out"}},
		{at(1, 23, 0), rules.Stood{Facility: "L8", Is: rules.Unknown, Why: "silent"}}, {at(2, 6, 0), rules.Stood{Facility: "L7", Is: rules.OK}}, {at(2, 7, 0), rules.Stood{Facility: "L9", Is: rules.OK}},
	} {
		w.watch(x.at - 1)
		w.stood(x.at, x.s)
	}
	w.morning(2)
	figs, err := w.book.Rates(w.ctx, Query{Rate: "intact", Level: int(devices.Street), Period: "day"})
	if err != nil || len(figs) != 1 {
		t.Fatalf("%d figures, %v", len(figs), err)
	}
	f := &figs[0]
	got := fmt.Sprintf("    intact %d, faulty %d, unknown %d, excluded %d\n    value %d/%d = %s %%, best %d/%d = %s %%, worst %d/%d = %s %%, target %s %%\n", f.Intact, f.Faulty, f.Unknown, f.Excluded,
		f.Intact, f.Intact+f.Faulty, Percent(f.Value, 2), f.Intact+f.Unknown, f.Intact+f.Faulty+f.Unknown, Percent(f.Best, 2), f.Intact, f.Intact+f.Faulty+f.Unknown, Percent(f.Worst, 2), Goal(f.Target))
	page, err := os.ReadFile("../../deploy/docs/lighting.md")
	if err != nil || !strings.Contains(string(page), got) {
		t.Errorf("the page does not say\n%s(%v)", got, err)
	}
	ls, err := w.book.Lamps(w.ctx, LampQuery{Rate: "intact", From: "2026-01-01", To: "2026-01-01", Buckets: []State{Faulty, Unknown, Excluded}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range ls {
		lines = append(lines, fmt.Sprintf("%s %s %s", l.Facility, l.Bucket, l.Parts[0].Reason))
	}
	if got, want := strings.Join(lines, ", "), "L10 faulty leaning, L7 faulty lamp_out, L8 unknown silent, L9 excluded maintenance"; got != want {
		t.Errorf("list %s, want %s", got, want)
	}
}

package lighting

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/rules"
	"lamplighter/rules/strict"
	"lamplighter/rules/tickets"
)

const text = `
place: {lon: 119.3, lat: 26.08}
rates:
  - {name: intact, version: "1", title: {zh: 可感知完好率, en: Observable intact rate}, instants: [dusk+30m, midnight, dawn-30m], findings: true, target: 90, targets: {main: 98}, ticket: {levels: [district], at_least: 2}}
`

// ten puts ten lamps of one district into the census and lets all be heard.
func (w *world) ten() []rules.Stood {
	w.Helper()
	fs := make([]registry.Facility, 10)
	heard := make([]rules.Stood, 10)
	for i := range fs {
		fs[i] = registry.Facility{ID: devices.FacilityID(fmt.Sprint("SL-", i)), Area: "350102001001", Road: "五四路", Cabinet: "CAB-1"}
		heard[i] = rules.Stood{Facility: fs[i].ID, Is: rules.OK}
	}
	w.lamps(fs...)
	w.stood(at(1, 8, 0), heard...)
	return heard
}

// open says of which tickets there are how many.
func (w *world) tickets() string {
	w.Helper()
	ts, err := w.desk.List(w.ctx, tickets.Filter{})
	if err != nil {
		w.Fatal(err)
	}
	out := make([]string, len(ts))
	for i, x := range ts {
		out[len(ts)-1-i] = string(x.Facility) + " " + x.Defect + " " + x.State
	}
	return strings.Join(out, "\n")
}

// morning lets a night pass and closes it.
func (w *world) morning(day int) {
	w.Helper()
	w.now = at(day, 8, 0)
	w.watch(w.now)
	w.work()
}

func TestALowRateOpensOneTicketOnItsAreaAndAGoodOneClosesIt(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.watch(at(1, 17, 0))
		w.stood(at(1, 17, 1), rules.Stood{Facility: "SL-0", Is: rules.Faulty, Why: "lamp_out"}, rules.Stood{Facility: "SL-1", Is: rules.Faulty, Why: "lamp_out"}, rules.Stood{Facility: "SL-2", Is: rules.Unknown, Why: "silent"}, rules.Stood{Facility: "SL-3", Is: rules.Maintenance})
		w.morning(2)
		day := Query{Rate: "intact", Level: int(devices.District), Period: "day"}
		if got, want := w.rates(day), "350102 2026-01-01: 6 intact 2 faulty 1 unknown 1 excluded = 75.00% (66.67-77.78, target 90.00)\n"; got != want {
			t.Errorf("figures\n%swant\n%s", got, want)
		}
		one := "area:350102 lighting_rate_low open"
		if got := w.tickets(); got != one {
			t.Fatalf("tickets\n%s", got)
		}
		x, err := tickets.Explain(w.ctx, w.db, "1")
		if err != nil || x.Evidence == nil || *x.Evidence.Values[1].Number != 2 || !strings.Contains(*x.Evidence.Values[4].Text, "place=350102") {
			t.Errorf("evidence %+v, %v", x.Evidence, err)
		}
		w.open(text) // a restart
		w.work()
		w.morning(4) // two nights later, both low: what was missed opens nothing anew
		if got := w.tickets(); got != one {
			t.Errorf("tickets\n%s", got)
		}
		if err := w.desk.Close(w.ctx, 1, "chen", "seen to"); err != nil {
			t.Fatal(err)
		}
		w.open(text)
		w.work()
		if got := w.tickets(); strings.Contains(got, "open") {
			t.Errorf("what a person has closed opens for the same night\n%s", got)
		}
		w.morning(5)
		w.stood(at(5, 9, 0), rules.Stood{Facility: "SL-0", Is: rules.OK}, rules.Stood{Facility: "SL-1", Is: rules.OK})
		w.morning(6)
		if got, want := w.tickets(), "area:350102 lighting_rate_low closed\narea:350102 lighting_rate_low closed"; got != want {
			t.Errorf("tickets\n%s\nwant\n%s", got, want)
		}
	})
}

func TestALateFindingSumsItsNightsUpAnew(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		w.morning(4)
		month := Query{Rate: "intact", Level: LevelRoad, Period: "month"}
		if got, want := w.rates(month), "350102/五四路 2026-01: 30 intact 0 faulty 0 unknown 0 excluded = 100.00% (100.00-100.00, target 90.00)\n"; got != want {
			t.Errorf("before\n%swant\n%s", got, want)
		}
		f, err := w.book.Find(w.ctx, Finding{Facility: "SL-5", Defect: "leaning", FoundAt: at(2, 15, 0), Note: "斜", By: "chen"})
		if err != nil {
			t.Fatal(err)
		}
		if f, err = w.book.EndFinding(w.ctx, f.ID, at(3, 15, 0), "wang", ""); err != nil || f.EndedBy != "wang" {
			t.Fatalf("ended %+v, %v", f, err)
		}
		if _, err := w.book.EndFinding(w.ctx, f.ID, at(3, 16, 0), "wang", ""); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("ended twice: %v", err)
		}
		w.work()
		if got, want := w.rates(month), "350102/五四路 2026-01: 29 intact 1 faulty 0 unknown 0 excluded = 96.67% (96.67-96.67, target 90.00)\n"; got != want {
			t.Errorf("after\n%swant\n%s", got, want)
		}
		ns, err := w.book.Nights(w.ctx, "intact", "2026-01-01", "2026-01-31")
		if err != nil || len(ns) != 3 || ns[0].Revision != 1 || ns[1].Revision != 2 || ns[1].Stale != 0 {
			t.Errorf("nights %+v, %v", ns, err)
		}
		ls, err := w.book.Lamps(w.ctx, LampQuery{Rate: "intact", From: "2026-01-01", To: "2026-01-31", Buckets: []State{Faulty}, Limit: 10})
		if err != nil || len(ls) != 1 || ls[0].Facility != "SL-5" || ls[0].Day != "2026-01-02" || len(ls[0].Parts) != 1 || ls[0].Parts[0].Finding != f.ID {
			t.Errorf("list %+v, %v", ls, err)
		}
	})
}

func TestWhatTheLedgerWritesIsWrittenOnce(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		w.ten()
		p := w.pos[0]
		o := rules.Outcome{Epoch: p.Epoch, OldSeq: p.Seq, NewSeq: p.Seq + 1, OldWall: p.Wall, Wall: p.Wall + 1000, Findings: rules.Findings{Stood: []rules.Stood{{Facility: "SL-0", At: p.Wall + 500, Is: rules.Faulty, Why: "lamp_out"}, {Facility: "SL-0", At: p.Wall + 700, Is: rules.OK}, {Facility: "SL-1", At: p.Wall + 700, Is: rules.Unknown, Why: "silent"}}}}
		if err := w.desk.Commit(w.ctx, &o); err != nil {
			t.Fatal(err)
		}
		if err := w.desk.Commit(w.ctx, &o); !errors.Is(err, devices.ErrFenced) {
			t.Errorf("a second time: %v", err)
		}
		var n, open int
		if err := w.db.QueryRow(w.ctx, `SELECT COUNT(*), SUM(CASE WHEN ended=0 THEN 1 ELSE 0 END) FROM lamp_exception`).Scan(&n, &open); err != nil || n != 2 || open != 1 {
			t.Errorf("%d exceptions, %d of them last, %v; want 2, 1", n, open, err)
		}
		q, err := w.desk.Resume(w.ctx, 0, 1<<40) // a restart
		if err != nil || q.Seq != o.NewSeq || q.Wall != o.Wall {
			t.Errorf("resumed at %+v, %v", q, err)
		}
	})
}

func TestALedgerBeginsOnce(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		p, err := w.desk.Resume(w.ctx, 0, 1<<40)
		if err != nil || !p.Untold {
			t.Fatalf("of a data folder without a ledger: %+v, %v", p, err)
		}
		o := rules.Outcome{Epoch: p.Epoch, NewSeq: 1, Wall: at(1, 8, 0), Begins: true, Findings: rules.Findings{Stood: []rules.Stood{{Facility: "SL-0", At: at(1, 8, 0), Is: rules.OK}, {Facility: "SL-1", At: at(1, 8, 0), Is: rules.Faulty, Why: "lamp_out"}}}}
		if err := w.desk.Commit(w.ctx, &o); err != nil {
			t.Fatal(err)
		}
		if p, err = w.desk.Resume(w.ctx, 0, 1<<40); err != nil || p.Untold {
			t.Errorf("when it has begun: %+v, %v", p, err)
		}
		if p, err = w.desk.Resume(w.ctx, 1, 1<<40); err != nil || !p.Untold {
			t.Errorf("of another partition: %+v, %v", p, err)
		}
		var watched, faulty int
		if err := w.db.QueryRow(w.ctx, `SELECT (SELECT COUNT(*) FROM lamp_watched), (SELECT COUNT(*) FROM lamp_exception WHERE standing='faulty')`).Scan(&watched, &faulty); err != nil || watched != 2 || faulty != 1 {
			t.Errorf("%d lamps heard, %d faulty, %v", watched, faulty, err)
		}
	})
}

func TestFiguresOfTwoVersionsAreNeverMixed(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.ten()
	w.morning(3)
	changed := strings.Replace(text, "target: 90", "target: 80", 1)
	set, err := Parse("x.yml", []byte(changed))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(w.ctx, Options{DB: w.db, Census: w.census, Set: set, Zone: zone}); !errors.Is(err, devices.ErrInvalid) || !strings.Contains(err.Error(), "new version") {
		t.Errorf("a changed definition without a new version: %v", err)
	}
	w.open(strings.Replace(changed, `version: "1"`, `version: "2"`, 1))
	w.morning(4)
	fs, err := w.book.Rates(w.ctx, Query{Rate: "intact", Level: int(devices.City), Period: "quarter"})
	if err != nil || len(fs) != 2 || fs[0].Version != "1" || fs[0].Intact != 20 || fs[0].Target != 0.9 || fs[1].Version != "2" || fs[1].Intact != 10 || fs[1].Target != 0.8 {
		t.Errorf("figures %+v, %v", fs, err)
	}
}

func TestACircuitWithoutLampControllersCountsAsItsLamps(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.lamps(
		registry.Facility{ID: "LC-7:C1", Area: "350102001001", Cabinet: "LC-7", Circuit: "C1", Lamps: 60},
		registry.Facility{ID: "LC-7:C2", Area: "350102001001", Cabinet: "LC-7", Circuit: "C2", Lamps: 42},
		registry.Facility{ID: "LC-8:C1", Area: "350102001001", Cabinet: "LC-8", Circuit: "C1"}, // its lamps have controllers
		registry.Facility{ID: "SL-1", Area: "350102001001", Cabinet: "LC-8", Circuit: "C1"},
	)
	w.stood(at(1, 8, 0), rules.Stood{Facility: "LC-7:C1", Is: rules.OK}, rules.Stood{Facility: "LC-7:C2", Is: rules.Faulty, Why: "current_low"}, rules.Stood{Facility: "LC-8:C1", Is: rules.OK}, rules.Stood{Facility: "SL-1", Is: rules.OK})
	w.watch(at(1, 17, 0))
	w.morning(2)
	if got, want := w.rates(Query{Rate: "intact", Level: LevelCabinet, Period: "day"}), "LC-7 2026-01-01: 60 intact 42 faulty 0 unknown 0 excluded = 58.82% (58.82-58.82, target 90.00)\nLC-8 2026-01-01: 1 intact 0 faulty 0 unknown 0 excluded = 100.00% (100.00-100.00, target 90.00)\n"; got != want {
		t.Errorf("figures\n%swant\n%s", got, want)
	}
	ls, err := w.book.Lamps(w.ctx, LampQuery{Rate: "intact", From: "2026-01-01", To: "2026-01-01", Buckets: []State{Faulty}, Limit: 10})
	if err != nil || len(ls) != 1 || ls[0].Facility != "LC-7:C2" || ls[0].Lamps != 42 || ls[0].Faulty != 42 {
		t.Errorf("the faulty ones %+v, %v", ls, err)
	}
}

// TestTheBuiltInLitRateKnowsADarkCircuit: lit counts what burns, so it counts by
// the rules that mean dark, of a lamp as of a circuit that is only measured.
func TestTheBuiltInLitRateKnowsADarkCircuit(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), "place: {lon: 119.3, lat: 26.08}\n"+string(Default()))
	defer w.db.Close()
	var fs []registry.Facility
	var heard, bad []rules.Stood
	stands := func(id devices.FacilityID, lamps int64, is rules.Standing, why string) {
		cabinet, _, metered := strings.Cut(string(id), ":")
		if !metered {
			cabinet = ""
		}
		fs = append(fs, registry.Facility{ID: id, Area: "350102001001", Cabinet: cabinet, Lamps: lamps})
		heard = append(heard, rules.Stood{Facility: id, Is: rules.OK})
		bad = append(bad, rules.Stood{Facility: id, Is: is, Why: why})
	}
	stands("LC-7:C1", 60, rules.Faulty, "supply_loss")
	stands("LC-7:C2", 60, rules.Faulty, "circuit_dark")
	stands("LC-7:C3", 60, rules.Faulty, "lamps_missing") // most of them burn
	stands("LC-7:C4", 60, rules.Faulty, "relay_failure") // a relay may be stuck where it is on
	stands("LC-7:C5", 60, rules.Unknown, "silent")
	stands("SL-1", 0, rules.Faulty, "lamp_out")
	stands("SL-2", 0, rules.Faulty, "lamp_dark")
	stands("SL-3", 0, rules.Faulty, "gear_failure,lamp_dim")
	stands("SL-4", 0, rules.OK, "")
	w.lamps(fs...)
	w.stood(at(1, 8, 0), heard...)
	w.watch(at(1, 17, 0))
	w.stood(at(1, 17, 1), bad...)
	w.morning(2)
	for rate, want := range map[string]string{"lit": "122 intact 122 faulty 60 unknown", "intact": "1 intact 243 faulty 60 unknown"} {
		if got := w.rates(Query{Rate: rate, Level: int(devices.City), Period: "day"}); !strings.Contains(got, want) {
			t.Errorf("%s: %swant %s", rate, got, want)
		}
	}
}

// TestTheBuiltInLitRateHasATargetForEachClassOfRoad: as lighting.md tells them; a
// street of which nothing is lit is below all of them, and no ticket is opened on it.
func TestTheBuiltInLitRateHasATargetForEachClassOfRoad(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), "place: {lon: 119.3, lat: 26.08}\n"+string(Default()))
	defer w.db.Close()
	classes := []string{"main", "secondary", "branch", ""}
	var fs []registry.Facility
	var heard, dark []rules.Stood
	for i, class := range classes {
		id := devices.FacilityID(fmt.Sprint("LC-", i, ":C1"))
		fs = append(fs, registry.Facility{ID: id, Area: "350102001001", Cabinet: fmt.Sprint("LC-", i), Road: "r" + class, RoadClass: class, Lamps: 60})
		heard = append(heard, rules.Stood{Facility: id, Is: rules.OK})
		dark = append(dark, rules.Stood{Facility: id, Is: rules.Faulty, Why: "lamp_out"})
	}
	w.lamps(fs...)
	w.stood(at(1, 8, 0), heard...)
	w.watch(at(1, 17, 0))
	w.stood(at(1, 17, 1), dark...)
	w.morning(2)
	got := w.rates(Query{Rate: "lit", Level: LevelRoad, Period: "day"})
	want := ""
	for _, x := range [][2]string{{"", "96.00"}, {"branch", "96.00"}, {"main", "98.00"}, {"secondary", "96.00"}} {
		want += fmt.Sprintf("350102/r%s 2026-01-01: 0 intact 60 faulty 0 unknown 0 excluded = 0.00%% (0.00-0.00, target %s)\n", x[0], x[1])
	}
	if got != want {
		t.Errorf("figures\n%swant\n%s", got, want)
	}
	if got, want := w.tickets(), "area:350102 lighting_rate_low open\narea:350102001 lighting_rate_low open"; got != want { // those of intact
		t.Errorf("tickets\n%s\nwant\n%s", got, want)
	}
}

func TestNoRateIsToldWhileTheRulesLieBehind(t *testing.T) {
	w := newWorld(t, t.Context(), "sqlite://"+t.TempDir()+"/test.db", t.TempDir(), text)
	defer w.db.Close()
	w.ten()
	w.now = at(3, 8, 0)
	w.work()
	w.watch(at(2, 5, 0))
	w.work()
	if got := w.rates(Query{Rate: "intact", Level: int(devices.City), Period: "day"}); got != "" {
		t.Errorf("figures of a night that was not judged:\n%s", got)
	}
	w.watch(at(2, 8, 0))
	w.work()
	if got := w.rates(Query{Rate: "intact", Level: int(devices.City), Period: "day"}); !strings.Contains(got, "2026-01-01: 10 intact") {
		t.Errorf("figures:\n%s", got)
	}
}

func TestTheBuiltInDefinitionsAreThoseOfTheExample(t *testing.T) {
	if _, err := Load(""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../deploy/lighting.example.yml")
	if err != nil || string(b) != string(Default()) {
		t.Errorf("deploy/lighting.example.yml is not the built-in file: %v", err)
	}
}

// shipped are the rules of the built-in file and of deploy/rules, or of some files.
func shipped(t *testing.T, paths ...string) *rules.Set {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridge.Channels())
	if err != nil {
		t.Fatal(err)
	}
	ss, err := rules.Sources(paths)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse(rules.Bundle("Asia/Shanghai", ss), dict)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestWhatTheBuiltInDefinitionsNameIsShipped(t *testing.T) {
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range shipped(t, rules.Builtin, "../../deploy/rules").Rules(devices.Streetlight) {
		names = append(names, r.Name)
	}
	for _, w := range set.named {
		if !slices.Contains(names, w.defect) {
			t.Errorf("%s names %s, which no shipped rule is called", w.key, w.defect)
		}
	}
	if len(set.named) < 5 {
		t.Errorf("%d words were read", len(set.named))
	}
}

func TestTheUsualFindingsAreThoseThatTheBoardOffers(t *testing.T) {
	b, err := os.ReadFile("../../dashboards/ui/src/components/FindingDialog.vue")
	if err != nil || !strings.Contains(string(b), "const usual = ['"+strings.Join(usual(), "', '")+"'];") {
		t.Errorf("the board's dialog offers others than %q (%v)", usual(), err)
	}
}

func TestAWordThatMeansNothingIsNamedWithItsPlace(t *testing.T) {
	const def = "rates:\n  - name: lit\n    version: \"1\"\n    title: {zh: z, en: e}\n    instants: [midnight]\n"
	for name, c := range map[string]struct{ text, want string }{
		"a rule":                     {def + "    faults: [lamp_out, leakage]\n", ""},
		"one that the city may load": {def + "    faults: [circuit_dark]\n", ""},
		"a usual finding":            {def + "    except: [dirty_glass]\n", ""},
		"a finding of its own":       {"found: [bird_nest]\n" + def + "    except: [bird_nest]\n", ""},
		"a slip": {def + "    faults: [lamp_outt]\n    except: [leakge, door_open]\n", "f.yml:6:14: rate lit: faults: lamp_outt is no rule for streetlights that is loaded, and nothing that people find; did you mean lamp_out?; load its file (rules.files), or put a word of your own for what people find under found\n" +
			"f.yml:7:14: rate lit: except: leakge is no rule for streetlights that is loaded, and nothing that people find; did you mean leakage?; load its file (rules.files), or put a word of your own for what people find under found"},
		"instants outside of the night": {strings.Replace(def, "[midnight]", "[midnight, dawn, dusk-30m, dusk, dawn-1m]", 1), "f.yml:5:26: rate lit: instants: dawn lies in no night: lamps should be on from dusk until before dawn; want one such as dusk+30m or dawn-30m\nf.yml:5:32: rate lit: instants: dusk-30m lies in no night"},
		"a rule of covers":              {def + "    faults: [cover_sunk]\n", "f.yml:6:14: rate lit: faults: cover_sunk is no rule for streetlights"},
	} {
		set, err := Parse("f.yml", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		err = set.Check(shipped(t))
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, devices.ErrInvalid) || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
}

func TestMistakesOfDefinitionsNameTheirPlace(t *testing.T) {
	good := "rates:\n  - name: intact\n    version: \"1\"\n    title: {zh: z, en: e}\n    instants: [midnight]\n"
	if _, err := Parse("good.yml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":           {good + "    targt: 95\n", "f.yml:6:5: rate intact: rate: unknown key targt"},
		"instant without unit":  {strings.Replace(good, "[midnight]", "[dusk+30]", 1), "f.yml:5:16: rate intact: instants: found \"dusk+30\""},
		"no instant by the sun": {strings.Replace(good, "[midnight]", "[\"21:30\"]", 1), "want at least one by dusk"},
		"target over 100":       {good + "    target: 950\n", "f.yml:6:13: rate intact: target: found \"950\"; want a number from 0 to 100"},
		"class of no road":      {good + "    targets: {lane: 90}\n", "f.yml:6:15: rate intact: targets: found \"lane\"; want expressway, main, secondary or branch"},
		"unknown treatment":     {good + "    unknown: ignore\n", "f.yml:6:14: rate intact: unknown: found \"ignore\"; want apart, intact or faulty"},
		"no version":            {strings.Replace(good, "    version: \"1\"\n", "", 1), "version and title"},
		"no faults":             {good + "    faults: []\n", "would make every lamp intact"},
		"same name twice":       {good + strings.TrimPrefix(good, "rates:\n"), "the name comes twice"},
		"ticket on a cabinet":   {good + "    ticket: {levels: [cabinet]}\n", "want city, district, street or community"},
		"night of the moon":     {good + "    night: moon\n", "f.yml:6:12: rate intact: night: found \"moon\"; want sun or census"},
		"night by day":          {good + "    night: {from: \"06:00\", to: \"18:00\"}\n", "want from after noon"},
		"nothing":               {"", "f.yml: found no rates; want rates:"},
		"a list":                {"- a\n", "f.yml:1:1: file: found a list; want keys and values"},
	} {
		_, err := Parse("f.yml", []byte(c.text))
		var m strict.Mistakes
		if !errors.As(err, &m) || !errors.Is(err, devices.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// A road that becomes a main road in the middle of the time has its figure of all
// nights, whatever class its lamps had in which; a night of both classes is one.
func TestTheNightsOfAFigureAreThoseOfAllClassesOfRoad(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, t.Context(), url, t.TempDir(), text)
		defer w.db.Close()
		lamps := func(class ...string) (fs []registry.Facility) {
			for i, c := range class {
				fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprint("SL-", i)), Area: "350102001001", Road: "五四路", RoadClass: c})
			}
			return fs
		}
		w.now = at(27, 8, 0)
		w.lamps(lamps("branch", "branch")...)
		w.stood(at(27, 8, 0), rules.Stood{Facility: "SL-0", Is: rules.OK}, rules.Stood{Facility: "SL-1", Is: rules.OK})
		w.morning(29)
		w.lamps(lamps("branch", "main")...)
		w.morning(30)
		w.lamps(lamps("main", "main")...)
		w.morning(34)
		for period, want := range map[string]string{"month": "2026-01 5, 2026-02 2", "quarter": "2026-Q1 7", "day": "2026-01-27 1, 2026-01-28 1, 2026-01-29 1, 2026-01-30 1, 2026-01-31 1, 2026-02-01 1, 2026-02-02 1"} {
			fs, err := w.book.Rates(w.ctx, Query{Rate: "intact", Level: LevelRoad, Period: period})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range fs {
				got = append(got, fmt.Sprint(fs[i].Period, " ", fs[i].Nights))
			}
			if x := strings.Join(got, ", "); x != want {
				t.Errorf("nights by %s: %s; want %s", period, x, want)
			}
		}
	})
}

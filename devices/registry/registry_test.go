package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

// on runs a test on both databases, each with a census of its own.
func on(t *testing.T, fn func(t *testing.T, r *Registry)) {
	t.Helper()
	devicestest.Databases(t, func(t *testing.T, url string) { fn(t, openURL(t, url, t.TempDir())) })
}

// open is a census in SQLite.
func open(t *testing.T) *Registry {
	t.Helper()
	dir := t.TempDir()
	return openURL(t, "sqlite://"+dir+"/census.db", dir)
}

// openURL opens a census as another process would.
func openURL(t *testing.T, url, dir string) *Registry {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := Open(t.Context(), db, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// imports takes CSV that is good.
func imports(t *testing.T, r *Registry, text string) Report {
	t.Helper()
	rep, err := r.Import(t.Context(), strings.NewReader(text), ImportOptions{By: "li"})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// refuses takes a file that is bad, and wants these mistakes and that nothing
// has changed.
func refuses(t *testing.T, r *Registry, text string, o ImportOptions, want ...string) {
	t.Helper()
	newest, err := r.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Import(t.Context(), strings.NewReader(text), o)
	var ie *ImportError
	if !errors.As(err, &ie) || !errors.Is(err, devices.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("misses %q in\n%v", w, err)
		}
	}
	if len(ie.Lines)+ie.More != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(ie.Lines)+ie.More, len(want), err)
	}
	if now, err := r.Newest(t.Context()); err != nil || now != newest {
		t.Errorf("a part of a bad file was taken: change %d after %d, %v", now, newest, err)
	}
}

func TestImportIsAllOrNothingAndNamesEveryMistake(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		refuses(t, r, `id,kind,lon,lat,area,expect_s,name,component,installed,condition,gateway
MH-1,manhole,119.3,26.08,350102001,60,one,,,,
MH-2,manhole,26.08,119.3,350102001,60,two,,,,
MH-1,manhole,119.3,26.08,350102001,60,three,,,,
MH 4,lamp,119.3,26.08,3501x,often,four,123,yesterday,broken,MH 9
MH-5,manhole,26.08,80.5,350102001,60,five,,,,
MH-6,manhole,119.3,,350102001,60,six,,,,
`+"MH-7,manhole,119.3,26.08,,,seven\x07,,,,\n"+`MH-8,manhole,119.3,26.08,,,,,,,MH-8
MH-9,manhole
`,
			ImportOptions{},
			`line 3, lat: found "119.3"; want degrees (WGS84) from -90 to 90; are lon and lat swapped?`,
			`line 4, id: found "MH-1"; the same id stands in line 2; give each facility its own`,
			`line 5, id: found "MH 4"`, `line 5, kind: found "lamp"; want manhole, streetlight or bridge`, `line 5, area: found "3501x"`, `line 5, expect_s: found "often"`,
			`line 5, component: found "123"; want 16 digits`, `line 5, installed: found "yesterday"; want a date such as 2024-05-31`, `line 5, condition: found "broken"`, `line 5, gateway: found "MH 9"`,
			`line 6, lon, lat: found "26.08, 80.5"; are lon and lat swapped?`,
			`line 7, lon, lat: found ""; want both or neither`,
			`line 8, name: found "seven\a"; it has the character U+0007, which cannot stand in a text; remove it`,
			`line 9, gateway: found "MH-8"; a device is not its own gateway`,
			`line 10, : found "2 values"; want as many as the header has columns: 11`)
	})
}

func TestImportedDeviceLogsInAndIsFound(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		rep := imports(t, r, "id,kind,cabinet,circuit,馈线,password,limit:tilt_deg\nSL-1,streetlight,CAB,C1,F-7,a-password-of-a-vendor,20\n")
		if want := (Report{Rows: 1, Added: 1, Passwords: 1, Encoding: "UTF-8", NoInterval: 1, NoPlace: 1}); rep != want {
			t.Errorf("report %+v", rep)
		}
		if e, ok := r.Find("SL-1"); !ok || e.PartitionKey != "CAB" || e.Kind != devices.Streetlight || e.Facility != "SL-1" {
			t.Errorf("entry %+v, %v", e, ok)
		}
		if !r.Verify("SL-1", []byte("a-password-of-a-vendor")) || r.Verify("SL-1", []byte("another")) || r.Verify("SL-2", nil) {
			t.Error("the wrong ones are let in")
		}
		f, err := r.Facility(t.Context(), "SL-1")
		if err != nil || f.Limits["tilt_deg"] != 20 || f.Condition != "intact" {
			t.Errorf("facility %+v, %v", f, err)
		}
		cs, err := r.ChangesSince(t.Context(), 0, 10)
		if err != nil || len(cs) != 1 || cs[0].Facility.ID != "SL-1" || !cs[0].New || cs[0].By != "li" {
			t.Fatalf("history %+v, %v", cs, err)
		}
		text, err := EncodeFed([]Fed{{Facility: cs[0].Facility}})
		if err != nil {
			t.Fatal(err)
		}
		if fed, err := DecodeFed(text); err != nil || fed[0].Facility.Cabinet != "CAB" || fed[0].Facility.Feeder != "F-7" {
			t.Errorf("the log has %+v, %v", fed, err)
		}
	})
}

func TestColumnsThatAFileDoesNotHaveStayAsTheyAre(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		imports(t, r, "编号,类型,名称,经度,纬度,设备,限值:tilt_deg\nMH-1,井盖,一号井,119.3,26.08,DEV-1,12\nMH-2,井盖,二号井,119.3,26.08,,\n")
		rep := imports(t, r, "id,kind,name,password\nMH-1,manhole,改名了,a-password-of-a-vendor\nMH-2,manhole,二号井,\n")
		if rep.Changed != 1 || rep.Unchanged != 1 || rep.Passwords != 1 || rep.NoInterval != 2 || rep.NoPlace != 0 {
			t.Errorf("report %+v", rep)
		}
		if rep := imports(t, r, "id,kind,expect_s\nMH-2,manhole,600\nMH-3,manhole,600\n"); rep.NoInterval != 1 || rep.NoPlace != 1 {
			t.Errorf("report %+v, want one facility of the census without an interval, and one without a place", rep)
		}
		f, err := r.Facility(t.Context(), "MH-1")
		if err != nil || f.Name != "改名了" || f.Device != "DEV-1" || !f.HasPlace || f.Limits["tilt_deg"] != 12 {
			t.Errorf("facility %+v, %v", f, err)
		}
		if !r.Verify("DEV-1", []byte("a-password-of-a-vendor")) || r.Known("MH-1") {
			t.Error("the password is that of the device that sits there")
		}
		h, err := r.History(t.Context(), "MH-1", 0, 10)
		if err != nil || len(h) != 3 || h[0].What != "password" || h[1].Changes["name"] != [2]string{"一号井", "改名了"} || len(h[1].Changes) != 1 || h[2].What != "added" {
			t.Errorf("history %+v, %v", h, err)
		}
	})
}

func TestADeviceSitsOnOneFacility(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		imports(t, r, "id,kind,device\nA,manhole,X\nB,manhole,Y\n")
		refuses(t, r, "id,kind,device\nC,manhole,X\n", ImportOptions{}, `line 2, device: found "X"; the device sits on facility A already`)
		refuses(t, r, "id,kind\nX,manhole\n", ImportOptions{}, `line 2, device: found "X"; the device sits on facility A already`) // would make one device two
		refuses(t, r, "id,kind,device\nC,manhole,Z\nZ,manhole,\n", ImportOptions{}, `line 3, device: found "Z"; the same device stands in line 2`)
		refuses(t, r, "id,kind,device\nZ,manhole,\nC,manhole,Z\n", ImportOptions{}, `line 3, device: found "Z"; the same device stands in line 2`)
		if rep := imports(t, r, "id,kind,device\nA,manhole,Y\nB,manhole,X\n"); rep.Changed != 2 { // swapped in the field
			t.Errorf("report %+v", rep)
		}
		x, _ := r.Find("X")
		y, _ := r.Find("Y")
		if x.Facility != "B" || y.Facility != "A" || r.Size() != 2 {
			t.Errorf("X on %s, Y on %s of %d", x.Facility, y.Facility, r.Size())
		}
	})
}

func TestAProvisionalFacilityIsAdoptedByImportingIt(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		for _, d := range []devices.DeviceID{"D-1", "D-2", "D-1"} {
			if err := r.Enroll(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		if r.Adopted("D-1") || !r.Known("D-1") {
			t.Fatal("enrolled is known and not adopted")
		}
		rep := imports(t, r, "id,kind,device\nD-1,manhole,\nMH-2,manhole,D-2\n") // one by its name, one under a facility's
		if rep.Added != 1 || rep.Changed != 1 || rep.Gone != 1 {
			t.Errorf("report %+v", rep)
		}
		e, _ := r.Find("D-2")
		if !r.Adopted("D-1") || !r.Adopted("D-2") || e.Facility != "MH-2" || r.Size() != 2 {
			t.Errorf("D-2 sits on %+v", e)
		}
		if err := r.Enroll(t.Context(), "MH-2"); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("a stranger takes the name of a facility with a device: %v", err)
		}
	})
}

func TestWhatIsMissingInTheFileGoesOnlyWhenAsked(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		imports(t, r, "id,kind,password\nA,manhole,a-password-of-a-vendor\nB,manhole,\nC,manhole,\n")
		if err := r.Enroll(t.Context(), "P"); err != nil {
			t.Fatal(err)
		}
		left := "id,kind\nB,manhole\nC,manhole\n"
		if rep := imports(t, r, left); rep.Gone != 0 || r.Size() != 4 {
			t.Fatalf("report %+v", rep)
		}
		_, err := r.Import(t.Context(), strings.NewReader(left), ImportOptions{DeleteMissing: true})
		var many *TooManyGoneError
		if !errors.As(err, &many) || many.Gone != 1 || many.Of != 3 || r.Size() != 4 {
			t.Fatalf("got %v", err)
		}
		o := ImportOptions{By: "wang", DeleteMissing: true, MayDelete: 1, DryRun: true}
		if rep, err := r.Import(t.Context(), strings.NewReader(left), o); err != nil || rep.Gone != 1 || r.Size() != 4 {
			t.Fatalf("dry run: %+v, %v", rep, err)
		}
		o.DryRun = false
		if rep, err := r.Import(t.Context(), strings.NewReader(left), o); err != nil || rep.Gone != 1 {
			t.Fatalf("report %+v, %v", rep, err)
		}
		if r.Known("A") || !r.Known("P") || r.Verify("A", []byte("a-password-of-a-vendor")) {
			t.Error("A is to be gone, and P to stay")
		}
		h, err := r.History(t.Context(), "A", 0, 10)
		if err != nil || len(h) != 2 || h[0].What != "gone" || h[0].By != "wang" || h[0].Was.ID != "A" {
			t.Errorf("history %+v, %v", h, err)
		}
		imports(t, r, "id,kind\nA,manhole\n")
		if r.Verify("A", []byte("a-password-of-a-vendor")) {
			t.Error("a device that came back has the secret of before")
		}
	})
}

func TestAnotherProcessIsFollowed(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		dir := t.TempDir()
		a, b := openURL(t, url, dir), openURL(t, url, dir)
		imports(t, a, "id,kind,device\nA,manhole,X\nB,manhole,\n")
		if err := a.SetPassword(t.Context(), "li", "X", "a-password-of-a-vendor"); err != nil {
			t.Fatal(err)
		}
		if err := a.Remove(t.Context(), "li", "B"); err != nil {
			t.Fatal(err)
		}
		if err := b.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !b.Verify("X", []byte("a-password-of-a-vendor")) || b.Known("B") || b.Size() != 1 {
			t.Error("the other one has not heard of it")
		}
		imports(t, a, "id,kind,device\nA,manhole,Y\n")
		if err := b.Refresh(t.Context()); err != nil || b.Known("X") || !b.Known("Y") {
			t.Errorf("the old device is to be unknown, the new one known: %v", err)
		}
		if err := a.SetPassword(t.Context(), "li", "X", "a-password-of-a-vendor"); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("password of a device that sits nowhere: %v", err)
		}
	})
}

func TestAChangeSaysWhereTheFacilityWasJudgedBefore(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		imports(t, r, "id,kind,cabinet\nA,streetlight,C1\nB,streetlight,\n")
		imports(t, r, "id,kind,cabinet\nA,streetlight,C2\nB,streetlight,C1\n")
		if err := r.Remove(t.Context(), "li", "A"); err != nil {
			t.Fatal(err)
		}
		cs, err := r.ChangesSince(t.Context(), 2, 10)
		if err != nil || len(cs) != 3 || cs[0].Was != "C1" || cs[1].Was != "B" || cs[2].Was != "C2" || !cs[2].Gone || cs[1].Facility.Cabinet != "C1" {
			t.Errorf("changes %+v, %v", cs, err)
		}
	})
}

func TestSeenIsBoundedSurvivesARestartAndClearsWhenImported(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		dir := t.TempDir()
		r := openURL(t, url, dir)
		clock := time.UnixMilli(1_700_000_000_000)
		r.now = func() time.Time { clock = clock.Add(time.Millisecond); return clock }
		r.Seen("D-1", "listener", "unknown device")
		r.Seen("D-1", "listener", "unknown device")
		for i := range maxSeen + 10 {
			r.Seen(devices.DeviceID(strings.Repeat("x", 1+i%150)+string(rune('A'+i%26))+time.Duration(i).String()), "listener", "\xff")
		}
		if n := len(r.SeenList()); n > maxSeen {
			t.Errorf("%d on the list", n)
		}
		if err := r.keepSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := openURL(t, url, dir)
		if s := find(again.SeenList(), "D-1"); s.Count != 2 || s.Reason != "unknown device" { // heard twice: not driven out by names heard once
			t.Fatalf("after a restart %+v", s)
		}
		imports(t, again, "id,kind\nD-1,manhole\n")
		if s := find(again.SeenList(), "D-1"); s.Count != 0 {
			t.Errorf("imported and still on the list: %+v", s)
		}
		if err := again.keepSeen(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := find(openURL(t, url, dir).SeenList(), "D-1"); s.Count != 0 {
			t.Errorf("imported and back on the list after a restart: %+v", s)
		}
	})
}

func find(list []Seen, d devices.DeviceID) Seen {
	for _, s := range list {
		if s.Device == d {
			return s
		}
	}
	return Seen{}
}

package registry

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

func open(t *testing.T) *Registry {
	t.Helper()
	dir := t.TempDir()
	db, err := database.Open(t.Context(), "sqlite://"+filepath.Join(dir, "census.db"))
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

func TestImportIsAllOrNothingAndNamesEveryMistake(t *testing.T) {
	r := open(t)
	_, err := r.ImportCSV(t.Context(), "test", strings.NewReader(`id,kind,lon,lat,area,expect_s
MH-1,manhole,119.3,26.08,350102001,60
MH-2,manhole,26.08,119.3,350102001,60
MH-1,manhole,119.3,26.08,350102001,60
MH 4,lamp,119.3,26.08,3501x,often
`))
	var ie *ImportError
	if !errors.As(err, &ie) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{`line 3, lat: found "119.3"; want degrees (WGS84) from -90 to 90; are lon and lat swapped?`, `line 4, id: found "MH-1"; the same id stands in line 2`,
		`line 5, id: found "MH 4"`, `line 5, kind: found "lamp"; want manhole, streetlight or bridge`, `line 5, area: found "3501x"`, `line 5, expect_s: found "often"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("misses %q in\n%v", want, err)
		}
	}
	if r.Known("MH-1") {
		t.Error("a part of a bad file was taken")
	}
}

func TestImportedDeviceLogsInAndIsFound(t *testing.T) {
	r := open(t)
	n, err := r.ImportCSV(t.Context(), "test", strings.NewReader("id,kind,cabinet,circuit,password,limit:tilt_deg\nSL-1,streetlight,CAB,C1,a-password-of-a-vendor,20\n"))
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if e, ok := r.Find("SL-1"); !ok || e.PartitionKey != "CAB" || e.Kind != devices.Streetlight {
		t.Errorf("entry %+v, %v", e, ok)
	}
	if !r.Verify("SL-1", []byte("a-password-of-a-vendor")) || r.Verify("SL-1", []byte("another")) || r.Verify("SL-2", nil) {
		t.Error("the wrong ones are let in")
	}
	f, err := r.Facility(t.Context(), "SL-1")
	if err != nil || f.Limits["tilt_deg"] != 20 {
		t.Errorf("facility %+v, %v", f, err)
	}
	cs, err := r.ChangesSince(t.Context(), 0, 10)
	if err != nil || len(cs) != 1 || cs[0].Facility.ID != "SL-1" {
		t.Errorf("history %+v, %v", cs, err)
	}
}

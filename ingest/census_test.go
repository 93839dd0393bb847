package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/simulators/fleet"
)

// cityIn opens the census of a data folder.
func cityIn(t *testing.T, dir string) *registry.Registry {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite://"+filepath.Join(dir, "lamplighter.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r, err := registry.Open(t.Context(), db, registry.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tool runs a subcommand in this process and returns what it prints.
func tool(t *testing.T, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, nil, &out); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.Bytes()
}

// TestWhatIsExportedIsTheSameAfterAnImport takes the demo's city out of one
// census and into another, in both formats.
func TestWhatIsExportedIsTheSameAfterAnImport(t *testing.T) {
	first := t.TempDir()
	census := cityIn(t, first)
	city := fleet.New(fleet.Demo(time.UnixMilli(1767225600000)))
	for range 2 { // the second start adds nothing
		if err := demoAreas(t.Context(), census, city.Areas()); err != nil {
			t.Fatal(err)
		}
	}
	a := &app{census: census}
	if err := a.demoCensus(t.Context(), city.Census()); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"areas", "devices"} {
		for _, format := range []string{"geojson", "csv"} {
			t.Run(what+" "+format, func(t *testing.T) {
				second := t.TempDir()
				file := filepath.Join(t.TempDir(), "city."+format)
				if what == "devices" {
					areas := filepath.Join(t.TempDir(), "areas.geojson")
					tool(t, "areas", "export", areas, "--data", first)
					tool(t, "areas", "import", areas, "--data", second)
				}
				tool(t, what, "export", file, "--data", first)
				tool(t, what, "import", file, "--data", second)
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got := tool(t, what, "export", "--format", format, "--data", second); !bytes.Equal(got, want) || len(want) < 1000 {
					t.Errorf("%d bytes went in, %d other bytes came out", len(want), len(got))
				}
			})
		}
	}
}

// TestTheDemosFacilitiesLieInItsAreas looks at what the board filters by.
func TestTheDemosFacilitiesLieInItsAreas(t *testing.T) {
	census := cityIn(t, t.TempDir())
	city := fleet.New(fleet.Demo(time.UnixMilli(1767225600000)))
	if err := demoAreas(t.Context(), census, city.Areas()); err != nil {
		t.Fatal(err)
	}
	for _, f := range city.Census() {
		for code := f.Area; code != ""; code = code.Parent() {
			x, err := census.Area(t.Context(), code)
			if err != nil || x.Name == "" || !x.HasOutline {
				t.Fatalf("%s lies in %s: %+v, %v", f.ID, code, x, err)
			}
		}
	}
	districts, err := census.Areas(t.Context(), registry.AreaFilter{Level: devices.AreaCode("350102").Level()})
	if err != nil || len(districts) != 4 {
		t.Errorf("districts %+v, %v", districts, err)
	}
}

// TestALimitThatMeansNothingIsRefusedAndAnOldOneIsTold: an import of today refuses
// it; a daemon whose census has it since long ago starts, and says so.
func TestALimitThatMeansNothingIsRefusedAndAnOldOneIsTold(t *testing.T) {
	data := t.TempDir()
	if err := cityIn(t, data).Put(t.Context(), "li", registry.Facility{ID: "BR-1", Kind: devices.Bridge, Limits: map[string]float64{"displacment_mm": 20}}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bridges.csv")
	if err := os.WriteFile(file, []byte("id,kind,limit:displacment_mm\nBR-2,bridge,20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const cure = "did you mean displacement_mm?"
	var out bytes.Buffer
	if err := run(t.Context(), []string{"devices", "import", file, "--data", data}, nil, &out); err == nil || !strings.Contains(err.Error(), "line 2, limit:displacment_mm: found \"20\"") || !strings.Contains(err.Error(), cure) {
		t.Errorf("import: %v", err)
	}
	d := newDaemonIn(t, data, "{}\n")
	d.eventually("the old limit in the log", func() bool {
		log, err := os.ReadFile(filepath.Join(data, "daemon.log"))
		return err == nil && strings.Contains(string(log), "a limit of the census is never judged") && strings.Contains(string(log), cure)
	})
}

package registry

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// writeCity writes a census file of n facilities: nine in ten are lamps on
// circuits of 20, 300 lamps a cabinet, the others covers.
func writeCity(out io.Writer, n int) error {
	b := bufio.NewWriterSize(out, 1<<20)
	fmt.Fprintln(b, "id,kind,component,name,lon,lat,area,cabinet,circuit,vendor,model,expect_s,in_charge,owner,maintainer,installed,condition,password,limit:tilt_deg")
	for i := range n {
		lon, lat, area := 119.2+float64(i%1000)/5000, 26.0+float64(i/1000%1000)/5000, 350102001+i%50
		if i%10 == 9 {
			fmt.Fprintf(b, "MH-%07d,manhole,3501020102%06d,五四路%d号污水井盖,%.6f,%.6f,%d,,,华盖科技,HG-200,3600,市政设施管理处,排水公司,排水养护一队,2023-05-%02d,完好,pw-%07d-abcdefgh,%d\n", i, i%1000000, i, lon, lat, area, i%28+1, i, 10+i%3*5)
			continue
		}
		fmt.Fprintf(b, "SL-%07d,streetlight,3501020118%06d,五四路%d号路灯,%.6f,%.6f,%d,CAB-%05d,C%d,亮道照明,LD-60W,900,城市照明管理处,城市照明管理处,照明养护二队,2022-11-%02d,完好,pw-%07d-abcdefgh,\n", i, i%1000000, i, lon, lat, area, i/300, i/20%15, i%28+1, i)
	}
	return b.Flush()
}

// cityFile is a census file of n facilities, or the one that
// LAMPLIGHTER_TEST_CITY_FILE names, which is made if need be.
func cityFile(tb testing.TB, n int) string {
	tb.Helper()
	name := os.Getenv("LAMPLIGHTER_TEST_CITY_FILE")
	if name == "" {
		name = filepath.Join(tb.TempDir(), "city.csv")
	} else if _, err := os.Stat(name); err == nil {
		return name
	}
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if err := writeCity(f, n); err != nil {
		tb.Fatal(err)
	}
	return name
}

// BenchmarkMillion imports, loads and exports a million facilities, once. With
// LAMPLIGHTER_TEST_CITY_FILE it keeps the file, for a daemon to be started with.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	file := cityFile(b, n)
	for b.Loop() {
		dir := b.TempDir()
		db, err := database.Open(b.Context(), "sqlite://"+filepath.Join(dir, "census.db"))
		if err != nil {
			b.Fatal(err)
		}
		r, err := Open(b.Context(), db, Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		lap := laps(b)
		importFile(b, r, file, Report{Rows: n, Added: n, Passwords: n})
		lap("import_s")
		importFile(b, r, file, Report{Rows: n, Unchanged: n})
		lap("import_again_s")
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		again, err := Open(b.Context(), db, Options{Dir: dir})
		if err != nil || again.Size() != n {
			b.Fatal(err)
		}
		lap("load_s")
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "index_B/device")
		if got, err := again.Export(b.Context(), io.Discard, CSV); err != nil || got != n {
			b.Fatal(got, err)
		}
		lap("export_s")
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func importFile(b *testing.B, r *Registry, file string, want Report) {
	b.Helper()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	want.Encoding = "UTF-8"
	if rep, err := r.Import(b.Context(), f, ImportOptions{By: "bench"}); err != nil || rep != want {
		b.Fatalf("%+v, %v", rep, err)
	}
}

// laps reports how long each part took.
func laps(b *testing.B) func(unit string) {
	last := time.Now()
	return func(unit string) {
		b.ReportMetric(time.Since(last).Seconds(), unit)
		last = time.Now()
	}
}

// BenchmarkFind looks devices up among a million.
func BenchmarkFind(b *testing.B) {
	const n = 1_000_000
	x := newIndex()
	ids := make([]devices.DeviceID, 0, 1000)
	for i := range n {
		id := fmt.Sprintf("SL-%07d", i)
		x.put(&Facility{ID: devices.FacilityID(id), Device: devices.DeviceID(id), Kind: devices.Streetlight, Cabinet: fmt.Sprint("CAB-", i/300)}, nil)
		if i%1000 == 0 {
			ids = append(ids, devices.DeviceID(id))
		}
	}
	r := &Registry{index: x}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := r.Find(ids[i%len(ids)]); !ok {
			b.Fatal("not found")
		}
		i++
	}
}

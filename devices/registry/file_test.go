package registry

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

// facilities draws a small census with every nasty text that may stand in it.
func facilities(t *rapid.T) []Facility {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"", "=1+1", "+86 591", "-", "@SUM(A1)", "'quoted'", "''", "'=1", "a,b", `say "so"`, "two\nlines", "井盖，一号", "a\tb", ";", "\u2028", `\`, "NULL", "{}", "0", "1e9", "<script>", "%", "_"}),
		rapid.StringMatching(`[ -~]{0,20}`), rapid.StringMatching(`[\p{Han},"'\n=+@-]{0,10}`))
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9_.:-]{1,12}`), 1, 8, rapid.ID).Draw(t, "ids")
	slices.Sort(ids)
	fs := make([]Facility, len(ids))
	for i, id := range ids {
		f := &fs[i]
		*f = Facility{ID: devices.FacilityID(id), Device: devices.DeviceID(id), Kind: rapid.SampledFrom([]devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge}).Draw(t, "kind")}
		for _, field := range []*string{&f.Name, &f.Cabinet, &f.Circuit, &f.Vendor, &f.Model, &f.InCharge, &f.Owner, &f.Maintainer, &f.Feeder} {
			*field = strings.TrimSpace(text.Draw(t, "text"))
		}
		if f.Cabinet == "" {
			f.Circuit = ""
		}
		if rapid.Bool().Draw(t, "another device") {
			f.Device = devices.DeviceID("dev" + fmt.Sprint(i) + "~")[:4]
		}
		if rapid.Bool().Draw(t, "placed") {
			f.HasPlace, f.Lon, f.Lat = true, rapid.Float64Range(74, 135).Draw(t, "lon"), rapid.Float64Range(4, 53).Draw(t, "lat")
		}
		f.Area = devices.AreaCode(rapid.SampledFrom([]string{"", "3501", "350102001"}).Draw(t, "area"))
		f.ExpectS = rapid.Int64Range(0, maxExpect).Draw(t, "expect")
		f.Installed = rapid.SampledFrom([]string{"", "2024-02-29"}).Draw(t, "installed")
		f.Condition = rapid.SampledFrom([]string{"intact", "damaged", "missing", "retired"}).Draw(t, "condition")
		for _, ch := range []string{"tilt_deg", "power_w"} {
			if n := rapid.Float64().Draw(t, "limit"); rapid.Bool().Draw(t, "limited") && !math.IsNaN(n) && !math.IsInf(n, 0) {
				if f.Limits == nil {
					f.Limits = map[string]float64{}
				}
				f.Limits[ch] = n
			}
		}
	}
	return fs
}

// all is the census without when it was changed.
func all(t interface{ Fatal(...any) }, ctx context.Context, r *Registry) (out []Facility) {
	if err := r.Each(ctx, func(f *Facility) error {
		f.Updated = 0
		out = append(out, *f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnExportIsImportedAsItWas(t *testing.T) {
	devicestest.FewerChecks(t, 30)
	a, b := open(t), open(t)
	rapid.Check(t, func(rt *rapid.T) {
		fs := facilities(rt)
		clear := func(r *Registry) {
			var ids []devices.FacilityID
			for _, f := range all(rt, t.Context(), r) {
				ids = append(ids, f.ID)
			}
			if err := r.Remove(t.Context(), "test", ids...); err != nil {
				rt.Fatal(err)
			}
		}
		clear(a)
		if err := a.Put(t.Context(), "test", fs...); err != nil {
			rt.Fatal(err)
		}
		if got := all(rt, t.Context(), a); !reflect.DeepEqual(got, fs) {
			rt.Fatalf("put %+v\ngot %+v", fs, got)
		}
		for _, format := range []Format{CSV, GeoJSON} {
			var file bytes.Buffer
			if n, err := a.Export(t.Context(), &file, format); err != nil || n != int64(len(fs)) {
				rt.Fatal(n, err)
			}
			rep, err := a.Import(t.Context(), bytes.NewReader(file.Bytes()), ImportOptions{Format: format})
			if err != nil || rep.Unchanged != int64(len(fs)) {
				rt.Fatalf("into the same census: %+v, %v\n%s", rep, err, file.String())
			}
			clear(b)
			if rep, err = b.Import(t.Context(), bytes.NewReader(file.Bytes()), ImportOptions{Format: format}); err != nil || rep.Added != int64(len(fs)) {
				rt.Fatalf("into an empty census: %+v, %v\n%s", rep, err, file.String())
			}
			if got := all(rt, t.Context(), b); !reflect.DeepEqual(got, fs) {
				rt.Fatalf("%s\nput %+v\ngot %+v", file.String(), fs, got)
			}
		}
	})
}

func TestFilesOfOtherProgramsAreRead(t *testing.T) {
	const text = "编号,类型,名称,经度,纬度,状态,安装日期\r\nMH-1,井盖,\"五四路,\n一号\",119.3,26.08,破损,2024/5/3\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"UTF-8": "\ufeff" + text, "GB18030": gb} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			if rep := imports(t, r, file); rep.Encoding != name {
				t.Errorf("read as %s", rep.Encoding)
			}
			f, err := r.Facility(t.Context(), "MH-1")
			if err != nil || f.Name != "五四路,\n一号" || f.Condition != "damaged" || f.Installed != "2024-05-03" {
				t.Errorf("facility %+v, %v", f, err)
			}
		})
	}
}

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	r := open(t)
	refuses(t, r, "", ImportOptions{}, "line 1, : found \"\"; the file is empty")
	refuses(t, r, "id,kind,colour,id\nA,manhole,red,B\n", ImportOptions{}, `line 1, colour: found "colour"; there is no such column`, `line 1, id: found "id"; the column comes twice`)
	refuses(t, r, "name\nA\n", ImportOptions{}, "line 1, id: found \"\"; the column is missing", "line 1, kind: found \"\"; the column is missing")
	refuses(t, r, "id,kind\nA,manhole\nB,man\"hole\n", ImportOptions{}, "line 3, character 6")
	refuses(t, r, "id,kind,name\nA,manhole,\"caf\xe9\x20\"\n", ImportOptions{}, "line 2, name")
	refuses(t, r, "id,kind,password\nA,manhole,short\n", ImportOptions{}, `line 2, password: found "…"; want at least 16 random characters`)
	geo := ImportOptions{Format: GeoJSON}
	refuses(t, r, "", geo, "want a GeoJSON FeatureCollection")
	refuses(t, r, `{"type":"Feature"}`, geo, "want a FeatureCollection with features")
	refuses(t, r, `{"features":[{"properties":{"id":"A","kind":"manhole"},"geometry":{"type":"Point","coordinates":[119.3,26.08]}},{"properties":{"id":"B"},"geometry":{"type":"LineString","coordinates":[]}},`, geo,
		`line 2, geometry: found "LineString"; want a Point`, "line 2, kind", "line 3, : found \"\"; the file is cut short")
	if r.Size() != 0 {
		t.Error("something was taken")
	}
}

// grid is the areas of a small city: a district with two streets side by side.
const grid = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"3501","name":"福州市"},"geometry":null},
{"type":"Feature","properties":{"code":"350102","name":"鼓楼区"},"geometry":{"type":"Polygon","coordinates":[[[119.2,26.0],[119.4,26.0],[119.4,26.2],[119.2,26.2],[119.2,26.0]]]}},
{"type":"Feature","properties":{"code":"350102001","name":"东街街道"},"geometry":{"type":"MultiPolygon","coordinates":[[[[119.2,26.0],[119.3,26.0],[119.3,26.2],[119.2,26.2],[119.2,26.0]]]]}},
{"type":"Feature","properties":{"code":"350102001001","name":"一社区"},"geometry":null}
]}`

func TestAreasSayWhereAFacilityMayLie(t *testing.T) {
	on(t, func(t *testing.T, r *Registry) {
		rep, err := r.ImportAreas(t.Context(), strings.NewReader(grid), "li", GeoJSON)
		if err != nil || rep.Added != 4 {
			t.Fatalf("%+v, %v", rep, err)
		}
		imports(t, r, "id,kind,lon,lat,area\nA,manhole,119.25,26.1,350102001\nB,manhole,119.302,26.1,350102001001\nC,manhole,119.35,26.1,350102\nD,manhole,118,25,\n")
		refuses(t, r, "id,kind,lon,lat,area\nA,manhole,119.35,26.1,350102001\nB,manhole,119.25,26.1,350102009\nC,manhole,26.1,80,350102001\nE,manhole,0,0,\n", ImportOptions{},
			`line 2, lon, lat: found "119.35, 26.1"; the place lies 5.0 km outside of area 350102001`, `line 3, area: found "350102009"; there is no such area`,
			`line 4, lon, lat: found "26.1, 80"; the place lies`, `line 5, lon, lat: found "0, 0"; the place lies outside of 73.4, 3.8 to 135.1, 53.6`)
		if rep, err = r.ImportAreas(t.Context(), strings.NewReader("code,name\n350102001,东街\n350102002,南街\n"), "li", CSV); err != nil || rep.Added != 1 || rep.Changed != 1 {
			t.Fatalf("%+v, %v", rep, err)
		}
		a, err := r.Area(t.Context(), "350102001")
		if err != nil || a.Name != "东街" || a.Parent != "350102" || a.Level != "street" || len(a.Outline) == 0 || a.Box[0] != 119.2 {
			t.Errorf("area %+v, %v", a, err)
		}
		below, err := r.Areas(t.Context(), AreaFilter{Parent: "350102"})
		if err != nil || len(below) != 2 || below[1].HasOutline {
			t.Errorf("below %+v, %v", below, err)
		}
	})
}

func TestAreasAreExportedAsTheyWereImported(t *testing.T) {
	a, b := open(t), open(t)
	if _, err := a.ImportAreas(t.Context(), strings.NewReader(grid), "li", GeoJSON); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if n, err := a.ExportAreas(t.Context(), &first, GeoJSON); err != nil || n != 4 {
		t.Fatal(n, err)
	}
	if _, err := b.ImportAreas(t.Context(), bytes.NewReader(first.Bytes()), "li", GeoJSON); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ExportAreas(t.Context(), &second, GeoJSON); err != nil || first.String() != second.String() {
		t.Errorf("%v: %s\n%s", err, first.String(), second.String())
	}
}

func TestBadAreasSayWhy(t *testing.T) {
	r := open(t)
	_, err := r.ImportAreas(t.Context(), strings.NewReader(`{"features":[
{"properties":{"code":"3501x","name":"?"},"geometry":null},
{"properties":{"code":"350102001","name":"无区"},"geometry":null},
{"properties":{"code":"3502"},"geometry":{"type":"Polygon","coordinates":[[[26.0,119.2],[26.2,119.2],[26.2,119.4],[26.0,119.2]]]}},
{"properties":{"code":"3503"},"geometry":{"type":"Polygon","coordinates":[[[119.2,26.0],[119.4,26.0]]]}},
{"properties":{"code":"3503"},"geometry":{"type":"Point","coordinates":[119.2,26.0]}}]}`), "li", GeoJSON)
	for _, want := range []string{`line 1, code: found "3501x"`, `line 2, code: found "350102001"; it lies in district 350102, which is neither in the census nor in the file`, `line 3, geometry`,
		`line 4, geometry: found ""; outline: a ring has 2 points`, `line 5, geometry: found ""; outline: found "Point"`, `line 5, code: found "3503"; the same code stands in line 4`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("misses %q in\n%v", want, err)
		}
	}
}

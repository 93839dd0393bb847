package rules

import (
	"errors"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/devices/registry"
)

// imported is what an import of a census into an empty database says.
func imported(t *testing.T, url string, dict *devices.Dictionary, format registry.Format, text string) error {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := registry.Open(t.Context(), db, registry.Options{Dir: t.TempDir(), Limits: LimitsOf(dict)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Import(t.Context(), strings.NewReader(text), registry.ImportOptions{By: "li", Format: format})
	if n := r.Size(); err != nil && n > 0 {
		t.Errorf("%d facilities of a bad file were taken", n)
	}
	return err
}

func TestALimitThatNoRuleWouldJudgeIsNoneOfACensus(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		dict := tell(t).dict
		err := imported(t, url, dict, registry.CSV, `id,kind,limit:displacment_mm,limit:tilt_deg,limit:displacement_mm,limit:displacement_mm_2,limit:displacement_mm_3,limit:battery_low,limit:temp_c,limit:ph_value,limit:tilt_deg_2
BR-1,bridge,20,,,,,,,,
BR-2,bridge,,12,,,,,,,
BR-3,bridge,,,,20,30,,,,
BR-4,bridge,,,30,20,,,,,
BR-5,bridge,,,10,20,20,,,,
BR-6,bridge,,,10,,5,,,,
MH-1,manhole,,15,,,,1,,,
MH-2,manhole,,15,,,,,40,6.5,
SL-1,streetlight,,,,,,,,,40
BR-7,bridge,,,10,,30,,,,
MH-3,manhole,,,,,,,,,
`)
		want := []string{
			`9 mistakes`,
			`line 2, limit:displacment_mm: found "20"; displacment_mm is no channel of a bridge; did you mean displacement_mm?; the limit of a channel of your own is taken once a device has reported it`,
			`line 3, limit:tilt_deg: found "12"; tilt_deg is no channel of a bridge; a manhole and a streetlight has it`,
			`line 4, limit:displacement_mm_2: found "20"; there is no limit:displacement_mm, so it would never be judged; fill that in: a ticket opens over the first`,
			`line 5, limit:displacement_mm_2: found "20"; want more than limit:displacement_mm, which is 30: the tiers of a bridge rise; leave it empty where the one before holds for it`,
			`line 6, limit:displacement_mm_3: found "20"; want more than limit:displacement_mm_2, which is 20`,
			`line 7, limit:displacement_mm_3: found "5"; want more than limit:displacement_mm, which is 10`,
			`line 8, limit:battery_low: found "1"; battery_low has no limit: it is no number`,
			`line 9, limit:ph_value: found "6.5"; ph_value is no channel of a manhole; the limit of a channel of your own is taken once a device has reported it`,
			`line 9, limit:temp_c: found "40"; temp_c is another name of temperature_c; write temperature_c`,
		}
		if !errors.Is(err, devices.ErrInvalid) {
			t.Fatalf("got %v", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("misses %s in\n%v", w, err)
			}
		}
		err = imported(t, url, dict, registry.GeoJSON, `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"id":"BR-1","kind":"bridge","limit:strain":900}}]}`)
		if err == nil || !strings.Contains(err.Error(), `line 1, limit:strain: found "900"; strain is no channel of a bridge; did you mean strain_ue?`) {
			t.Errorf("of GeoJSON: %v", err)
		}
		err = imported(t, url, dict, registry.CSV, "id,kind,limit:voltage_v,limit:voltage_v_low\nSL-1,streetlight,28,28\n")
		if err == nil || !strings.Contains(err.Error(), `line 2, limit:voltage_v_low: found "28"; want less than limit:voltage_v, which is 28`) {
			t.Errorf("a lower limit that is none: %v", err)
		}
		dict.Learn("ph_value", devices.Number) // a device of the city has reported it
		if err := imported(t, url, dict, registry.CSV, "id,kind,limit:ph_value,limit:tilt_deg,limit:tilt_deg_2,限值:displacement_mm,limit:displacement_mm_3,limit:battery_v_low\nMH-1,manhole,6.5,,30,,,3.3\nBR-1,bridge,,,,10,30,\n"); err != nil {
			t.Errorf("limits that are good: %v", err)
		}
	})
}

func TestACensusOfBeforeTheCheckIsOpenedAndItsLimitsAreListed(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		dir := t.TempDir()
		before, err := registry.Open(t.Context(), db, registry.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		bridge := func(id devices.FacilityID, limits map[string]float64) registry.Facility {
			return registry.Facility{ID: id, Kind: devices.Bridge, Limits: limits}
		}
		wrong := map[string]float64{"displacment_mm": 20, "strain_ue": 900}
		if err := before.Put(t.Context(), "li", bridge("BR-1", wrong), bridge("BR-2", wrong), bridge("BR-3", map[string]float64{"strain_ue": 900})); err != nil {
			t.Fatal(err)
		}
		now, err := registry.Open(t.Context(), db, registry.Options{Dir: dir, Limits: LimitsOf(tell(t).dict)})
		if err != nil || now.Size() != 3 {
			t.Fatalf("opened again: %v", err)
		}
		all, err := now.LimitTroubles(t.Context())
		if err != nil || len(all) != 1 || all[0].Kind != devices.Bridge || all[0].Name != "displacment_mm" || all[0].Facilities != 2 || !strings.Contains(all[0].Cure, "did you mean displacement_mm?") {
			t.Errorf("troubles %+v, %v", all, err)
		}
		if err := now.Put(t.Context(), "li", bridge("BR-4", wrong)); !errors.Is(err, devices.ErrInvalid) || !strings.Contains(err.Error(), "limit:displacment_mm") {
			t.Errorf("put once more: %v", err)
		}
	})
}

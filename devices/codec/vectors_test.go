package codec

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lamplighter/devices"
)

// vectors is a folder of payloads of other systems: the many real ones that
// LAMPLIGHTER_VECTORS names, else a few of our own in the same shapes.
func vectors() string {
	if dir := os.Getenv("LAMPLIGHTER_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "vectors")
}

// takenOrRefused decodes b: taken with readings, or refused with a reason.
func takenOrRefused(t *testing.T, d *Decoder, b []byte) *devices.Refusal {
	t.Helper()
	d.Reset()
	var m devices.Message
	ref := d.Decode(uplink("telemetry", string(b)), &m)
	if ref != nil && (ref.Code == "" || ref.Msg == "") || ref == nil && len(m.Readings) == 0 {
		t.Errorf("%.100s: %v, %d readings", b, ref, len(m.Readings))
	}
	return ref
}

// TestDecodedFramesOfVendorsAreTakenOrRefusedWithAReason sends what the codecs
// of vendors make of their frames as flat telemetry.
func TestDecodedFramesOfVendorsAreTakenOrRefusedWithAReason(t *testing.T) {
	dir := vectors()
	for _, file := range []string{"lorawan/uplinks.jsonl", "streetlight/luminaire-controller.jsonl"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		taken, refused := 0, 0
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			var v struct {
				ID       string
				Expected struct{ Data json.RawMessage }
			}
			if err := json.Unmarshal(s.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			if v.Expected.Data == nil {
				continue
			}
			if ref := takenOrRefused(t, newDecoder(t), v.Expected.Data); ref == nil {
				taken++
			} else if refused++; ref.Code != devices.CodeField && ref.Code != devices.CodeJSON && ref.Code != devices.CodeTime {
				t.Errorf("%s: %v", v.ID, ref)
			}
		}
		if taken == 0 || refused == 0 {
			t.Errorf("%s: %d taken, %d refused: the file shows nothing", file, taken, refused)
		}
	}
}

// TestEventsOfOtherPlatformsAreNoTelemetry sends a whole ChirpStack event and a
// FIWARE entity where telemetry belongs.
func TestEventsOfOtherPlatformsAreNoTelemetry(t *testing.T) {
	dir := vectors()
	for _, file := range []string{"chirpstack/v3-luminaire-event.json", "fiware/Streetlight.example.json", "fiware/StreetlightControlCabinet.example.json"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if ref := takenOrRefused(t, newDecoder(t), b); ref == nil {
			t.Errorf("%s was taken as telemetry", file)
		}
	}
}

// TestABridgesLoggerNeedsAZone sends rows of a bridge's logger: its naive local
// time is refused at ts, and without it the row is taken.
func TestABridgesLoggerNeedsAZone(t *testing.T) {
	f, err := os.Open(filepath.Join(vectors(), "bridge/munich-all-sensors-100hz-20s.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	head, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	row, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]json.RawMessage{}
	for i, name := range head[1:] {
		plain, _, _ := strings.Cut(name, " ")
		values[plain] = json.RawMessage(row[i+1])
	}
	whole, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	if ref := takenOrRefused(t, newDecoder(t), whole); ref != nil {
		t.Errorf("without its time: %v", ref)
	}
	ts, err := json.Marshal(row[0])
	if err != nil {
		t.Fatal(err)
	}
	values["ts"] = ts
	if whole, err = json.Marshal(values); err != nil {
		t.Fatal(err)
	}
	if ref := takenOrRefused(t, newDecoder(t), whole); codeOf(ref) != "E_TIME" || ref.Path != "/ts" {
		t.Errorf("with naive local time: %v", ref)
	}
}

// TestABridgesThermometerIsTakenOnceItsFileWasTranslated sends rows of a file as its
// logger wrote it: latin-1, day before month, no zone. Each of the three is refused
// with its reason; translated, the row is of the instant that it was measured at.
func TestABridgesThermometerIsTakenOnceItsFileWasTranslated(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(vectors(), "bridge/munich-air-temperature-1hz-UniBw_2022-04-11_ref_load_01.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\r\n")
	name, _, _ := strings.Cut(strings.TrimPrefix(lines[0], "Time (-),"), ",")
	if utf8.ValidString(name) || !strings.HasPrefix(name, "Air Temperature (") || len(lines) < 10 {
		t.Fatalf("%d lines, head %q: not the file that this test is about", len(lines), lines[0])
	}
	zone := time.FixedZone("CEST", 2*3600)
	for i, line := range lines[1:10] {
		at, value, _ := strings.Cut(line, ",")
		if ref := takenOrRefused(t, newDecoder(t), []byte(`{"`+name+`":`+value+`}`)); codeOf(ref) != "E_FIELD" {
			t.Errorf("line %d, latin-1 in a name: %v", i+2, ref)
		}
		if ref := takenOrRefused(t, newDecoder(t), []byte(`{"ts":"`+at+`","temperature_c":`+value+`}`)); codeOf(ref) != "E_TIME" || ref.Path != "/ts" {
			t.Errorf("line %d, its own time: %v", i+2, ref)
		}
		instant, err := time.ParseInLocation("02.01.2006 15:04:05.000", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		u := uplink("telemetry", `{"ts":"`+instant.Format(time.RFC3339Nano)+`","temperature_c":`+value+`}`)
		u.Received = instant.UnixMilli() + 200
		var m devices.Message
		d := newDecoder(t)
		if ref := d.Decode(u, &m); ref != nil {
			t.Fatalf("line %d, translated: %v", i+2, ref)
		}
		if r := m.Readings[0]; r.Time != instant.UnixMilli() || r.Source != devices.TimeDevice || r.Values[0].Quality != devices.Good {
			t.Errorf("line %d: of %d by %s, %+v; want %d by the device", i+2, r.Time, r.Source, r.Values[0], instant.UnixMilli())
		}
	}
}

package rules

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/codec"
	"lamplighter/devices/registry"
)

// rowsOf is the rows of a bridge's record: of the real one that LAMPLIGHTER_VECTORS
// names, else of one of our own.
func rowsOf(t *testing.T, name string) [][]string {
	t.Helper()
	dir := os.Getenv("LAMPLIGHTER_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "devices", "codec", "testdata", "vectors")
	}
	f, err := os.Open(filepath.Join(dir, "bridge", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1 // one file has a comma more in its head
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// recorded is the features of a bridge's record, which is in g, block by block, as if
// it had been taken rate times a second: at fewer than the 100 that it was, all
// frequencies are lower.
func recorded(t *testing.T, rate float64) (out []bridge.Features) {
	t.Helper()
	var all []float64
	for _, row := range rowsOf(t, "munich-all-sensors-100hz-20s.csv") {
		x, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x*9.80665)
	}
	const length = 256
	var s bridge.Spectrum
	for i := 0; i+length <= len(all); i += length / 2 {
		if x := s.Of(all[i:i+length], rate); !math.IsNaN(x.Frequency) {
			out = append(out, x)
		}
	}
	return out
}

// Most of the real record is of a bridge that nothing drives over: its blocks tell of
// 34 Hz, and those under a load of 10.7 and 13.8 Hz. Three blocks in four are of the
// former here. A drop by 8 % of all is found, and a quiet night is no drop.
func TestTheFrequencyOfARecordedBridge(t *testing.T) {
	s := tell(t)
	ss, err := Sources([]string{"default", "../deploy/rules/bridges.yml"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse(Bundle("", ss), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 600}, registry.Facility{ID: "BR-2", Kind: devices.Bridge, ExpectS: 600}))
	usual, low := recorded(t, 100), recorded(t, 92)
	most := 0.0
	for _, x := range usual {
		most = max(most, x.RMS)
	}
	dice := rand.New(rand.NewPCG(7, 1))
	shaken := func(from []bridge.Features, quiet bool) bridge.Features {
		for range 1000 {
			if x := from[dice.IntN(len(from))]; (x.RMS < most/5) == quiet {
				return x
			}
		}
		return from[0] // our own record has no quiet block
	}
	const drop, still, end = 20 * 24 * hours, 21 * 24 * hours, 25 * 24 * hours
	for sec := 10 * minute; sec < end; sec += 10 * minute {
		blocks, quiet := usual, dice.Float64() < 0.75
		if sec >= drop {
			blocks = low
		}
		one, two := shaken(blocks, quiet), shaken(usual, quiet || sec >= still && sec < still+15*hours)
		warm := 20 + 0.3*dice.NormFloat64()
		s.step(sec, s.says("BR-1", sec, "temperature_c", warm, "frequency_hz", one.Frequency, "acceleration_rms_ms2", one.RMS),
			s.says("BR-2", sec, "temperature_c", warm, "frequency_hz", two.Frequency, "acceleration_rms_ms2", two.RMS))
	}
	if len(s.log) != 1 || !strings.HasSuffix(s.log[0], "opened BR-1 bridge_frequency") {
		t.Fatalf("got %q, want one ticket of BR-1", s.log)
	}
	at, _, _ := strings.Cut(s.log[0], " ")
	if sec, err := strconv.ParseFloat(at, 64); err != nil || sec < drop || sec > drop+12*hours {
		t.Errorf("opened after %s s; want within 12 h of %g", at, drop)
	}
	for _, u := range s.e.facilities["BR-2"].usuals(s.e.set) {
		if u.Name == "shift" {
			t.Logf("usual %.3g ± %.2g Hz; %d steps, %d values left out", *u.Expected, *u.Band, u.Steps, u.Left)
		}
	}
}

// The logger of the record wrote 2022-11-04 08:36:24.897 when its thermometer, which
// writes the day first, had 11.04.2022 08:36:25.984: its clock has day and month
// swapped, and is seven months ahead.
func TestTheSwappedClockOfARecordedBridge(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	first, err := time.ParseInLocation("02.01.2006 15:04:05.000", rowsOf(t, "munich-air-temperature-1hz-UniBw_2022-04-11_ref_load_01.csv")[0][0], zone)
	if err != nil {
		t.Fatal(err)
	}
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 60}))
	dec, until := codec.New(s.dict, codec.Options{}), 0.0
	for i, row := range rowsOf(t, "munich-all-sensors-100hz-20s.csv")[:5] {
		wrote, err := time.ParseInLocation("2006-01-02 15:04:05.000", row[0], zone)
		if err != nil {
			t.Fatal(err)
		}
		swapped, err := time.ParseInLocation("2006-02-01 15:04:05.000", row[0], zone)
		if err != nil || swapped.Sub(first).Abs() > time.Minute || wrote.Sub(first).Abs() < 20*24*time.Hour {
			t.Fatalf("%s against %s: not the records that this test is about (%v)", row[0], first, err)
		}
		// what it says is of its own time, and comes at that of the thermometer
		at := first.Add(time.Duration(i) * 10 * time.Millisecond)
		until = float64(60 * (i + 1))
		u := devices.Uplink{Device: "BR-1", Topic: "f/1/BR-1/telemetry", Received: start + int64(until*1000),
			Payload: fmt.Appendf(nil, `{"ts":%d,"clk":"sync","inclination_deg":%s}`, start+int64(until*1000)+wrote.Sub(at).Milliseconds(), row[len(row)-1])}
		m := &devices.Message{}
		if ref := dec.Decode(&u, m); ref != nil {
			t.Fatal(ref)
		}
		s.step(until, devices.Item{Type: devices.ItemUplink, Uplink: u, Message: m})
	}
	for sec := until; sec < until+400; sec += 10 {
		s.step(sec)
	}
	if len(s.log) == 0 || !strings.HasSuffix(s.log[0], "opened BR-1 sensor_fault") {
		t.Fatalf("got %q, want a ticket for the clock", s.log)
	}
	if x := s.e.faultySensors(s.e.facilities["BR-1"]); len(x) != 1 || x[0].What != wrong || math.Abs(x[0].Value) < 20*86400 {
		t.Errorf("found %+v, want a clock that is off", x)
	}
}

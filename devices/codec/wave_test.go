package codec

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"lamplighter/devices"
)

// part is a part of a block as a logger would send it, in i16le.
func part(change func(m map[string]any), raw ...int16) string {
	var b []byte
	for _, x := range raw {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	m := map[string]any{"id": "b7", "k": 1, "n": 1, "t0": now - 1000, "fs": 64, "ch": []map[string]any{{"n": "acceleration_z_ms2", "scale": 0.001, "off": 9.81}},
		"cnt": len(raw), "enc": "i16le", "d": base64.StdEncoding.EncodeToString(b), "crc": crc32.ChecksumIEEE(b)}
	if change != nil {
		change(m)
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // nothing here that JSON cannot say
	}
	return string(text)
}

// sine is so many samples at 64 a second.
func sine(hz float64, n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(math.Round(1000 * math.Sin(2*math.Pi*hz*float64(i)/64)))
	}
	return out
}

func TestAWaveformBecomesFeatures(t *testing.T) {
	two := func(m map[string]any) { // vertical and along
		m["ch"] = []map[string]any{{"n": "acceleration_z_ms2", "scale": 0.001}, {"n": "acceleration_x_ms2", "scale": 0.002}}
		m["cnt"] = 64
	}
	for _, c := range []struct{ name, in, want string }{
		{"one channel", part(nil, sine(8, 64)...), `MH-1 wave | +0 device acceleration_rms_ms2=0.707 acceleration_peak_ms2=1 frequency_hz=8 | sent +0`},
		{"without t0 and crc", part(func(m map[string]any) { delete(m, "t0"); delete(m, "crc") }, sine(8, 64)...), `MH-1 wave | +0 received acceleration_rms_ms2=0.707 acceleration_peak_ms2=1 frequency_hz=8`},
		{"crc in hexadecimal", part(func(m map[string]any) { m["crc"] = fmt.Sprintf("%08X", m["crc"]) }, sine(8, 64)...), `MH-1 wave | +0 device acceleration_rms_ms2=0.707 acceleration_peak_ms2=1 frequency_hz=8 | sent +0`},
		{"two channels", part(two, sine(8, 128)...), `MH-1 wave | +0 device acceleration_rms_ms2=0.707 acceleration_peak_ms2=1 frequency_hz=16 acceleration_x_rms_ms2=1.414 acceleration_x_peak_ms2=1.414 acceleration_x_frequency_hz=16 | sent +0`},
		{"still", part(nil, make([]int16, 64)...), `MH-1 wave | +0 device acceleration_rms_ms2=0 acceleration_peak_ms2=0 | sent +0`},
		{"clock of 1970", part(func(m map[string]any) { m["t0"] = 12000 }, sine(8, 64)...), `MH-1 wave | +0 received acceleration_rms_ms2=0.707 acceleration_peak_ms2=1 frequency_hz=8 ! E_TIME`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoder(t)
			var m devices.Message
			if ref := d.Decode(uplink("wave", c.in), &m); ref != nil {
				t.Fatalf("refused: %v", ref)
			}
			for i := range m.Readings[0].Values {
				v := &m.Readings[0].Values[i]
				v.Num = math.Round(v.Num*1000) / 1000
			}
			if got := story(&m); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// A part that comes twice is the same message; another part is another.
func TestPartsAreTheSameByIDAndNumber(t *testing.T) {
	d := newDecoder(t)
	hash := func(in string) uint64 {
		var m devices.Message
		if ref := d.Decode(uplink("wave", in), &m); ref != nil {
			t.Fatal(ref)
		}
		return m.Hash
	}
	one := hash(part(nil, sine(8, 64)...))
	if again := hash(" " + part(nil, sine(8, 64)...)); again != one {
		t.Error("the same part is another message")
	}
	for _, change := range []func(m map[string]any){func(m map[string]any) { m["id"] = "b8" }, func(m map[string]any) { m["k"], m["n"] = 2, 2 }} {
		if hash(part(change, sine(8, 64)...)) == one {
			t.Error("another part is the same message")
		}
	}
}

func TestAWaveformIsRefusedWithAReason(t *testing.T) {
	set := func(key string, x any) func(map[string]any) { return func(m map[string]any) { m[key] = x } }
	for _, c := range []struct{ name, in, want string }{
		{"damaged", part(set("crc", 7), sine(8, 64)...), `E_FIELD at /crc: found 00000007; the CRC-32 (IEEE) of the 128 bytes of d is `},
		{"crc of another world", part(set("crc", "xyz"), sine(8, 64)...), `E_FIELD at /crc: found "xyz"; want the CRC-32`},
		{"samples missing", part(set("cnt", 65), sine(8, 64)...), `E_FIELD at /d: found 128 bytes; 65 samples of 1 channels in i16le are 130`},
		{"too few samples", part(nil, 1, 2, 3), `E_FIELD at /cnt: found 3; want a whole number from 16`},
		{"encoding", part(set("enc", "i24le"), sine(8, 64)...), `E_FIELD at /enc: found "i24le"; want one of ["i16le" "i32le" "f32le"]`},
		{"base64", part(set("d", "%%"), sine(8, 64)...), `E_FIELD at /d: it is no base64`},
		{"no rate", part(set("fs", 0), sine(8, 64)...), `E_FIELD at /fs: found 0 samples a second`},
		{"part 9 of 8", part(func(m map[string]any) { m["k"], m["n"] = 9, 8 }, sine(8, 64)...), `E_FIELD at /k: part 9 of 8`},
		{"no channels", part(set("ch", []int{}), sine(8, 64)...), `E_JSON at /ch/0: at byte`},
		{"channel without a name", part(set("ch", []map[string]any{{"scale": 1}}), sine(8, 64)...), `E_FIELD at /ch/0/n: found ""`},
		{"channel twice", part(func(m map[string]any) {
			m["ch"], m["cnt"] = []map[string]any{{"n": "acceleration_z_ms2"}, {"n": "acceleration_ms2"}}, 32
		}, sine(8, 64)...), `E_JSON at /ch/1/n: the channel acceleration_rms_ms2 stands twice`},
		{"key of a channel", part(set("ch", []map[string]any{{"n": "a_g", "gain": 1}}), sine(8, 64)...), `E_FIELD at /ch/0/gain: a channel of a waveform has n, scale and off`},
		{"unknown key", part(set("fss", 1), sine(8, 64)...), `E_FIELD at /fss: a waveform has no such key`},
		{"missing", part(func(m map[string]any) { delete(m, "fs") }, sine(8, 64)...), `E_FIELD at /fs: is missing`},
		{"naive time", part(set("t0", "2022-04-11 08:36:25.984"), sine(8, 64)...), `E_TIME at /t0: t0 "2022-04-11 08:36:25.984": want Unix milliseconds, or RFC 3339 with a zone`},
		{"huge", part(set("ch", []map[string]any{{"n": "a_g", "scale": 1e300}}), sine(8, 64)...), `E_FIELD at /d: sample 1 of a_g is`},
		{"no number", part(func(m map[string]any) {
			m["enc"], m["cnt"], m["d"] = "f32le", 16, base64.StdEncoding.EncodeToString(make([]byte, 60))+""
			b := make([]byte, 64)
			binary.LittleEndian.PutUint32(b[8:], math.Float32bits(float32(math.NaN())))
			m["d"] = base64.StdEncoding.EncodeToString(b)
			delete(m, "crc")
		}), `E_FIELD at /d: sample 2 of acceleration_z_ms2 is NaN`},
		{"telemetry", `{"tilt_deg":1}`, `E_FIELD at /tilt_deg: a waveform has no such key`},
		{"cut off", strings.TrimSuffix(part(nil, sine(8, 64)...), "}"), `expected , or } in an object`},
		{"300 KB", part(nil, make([]int16, 120_000)...), `E_SIZE: the part has 320`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoder(t)
			var m devices.Message
			ref := d.Decode(uplink("wave", c.in), &m)
			if ref == nil {
				t.Fatalf("taken as %s", story(&m))
			}
			if !strings.Contains(ref.Error(), c.want) {
				t.Errorf("\n got %s\nwant %s", ref, c.want)
			}
		})
	}
}

// recorded is the accelerations, in g, that a bridge's logger wrote 100 times a second.
func recorded(t *testing.T) []float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(vectors(), "bridge/munich-all-sensors-100hz-20s.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, row := range rows[1:] {
		x, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// The features of a real record, in parts, are those that the plain sums give, in
// m/s²: the logger sends what it has in g with the scale.
func TestFeaturesOfARecordedWaveform(t *testing.T) {
	const g = 9.80665 // m/s²
	const rate, length = 100, 256
	d, all, found := newDecoder(t), recorded(t), 0
	for k := 1; k*length <= len(all); k++ {
		x := all[(k-1)*length : k*length]
		var b []byte
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		}
		var m devices.Message
		in := fmt.Sprintf(`{"id":"r","k":%d,"n":%d,"t0":%d,"fs":%d,"ch":[{"n":"acceleration_z_ms2","scale":9.80665}],"cnt":%d,"enc":"f32le","d":"%s","crc":%d}`,
			k, len(all)/length, now-60_000+(k-1)*length*10, rate, length, base64.StdEncoding.EncodeToString(b), crc32.ChecksumIEEE(b))
		if ref := d.Decode(uplink("wave", in), &m); ref != nil {
			t.Fatal(ref)
		}
		if got, want := m.Readings[0].Time, int64(now-60_000+k*length*10); got != want {
			t.Errorf("part %d is of %d, want its end at %d", k, got, want)
		}
		mean, rms, peak := 0.0, 0.0, 0.0
		for _, v := range x {
			mean += v / length
		}
		for _, v := range x {
			rms, peak = rms+(v-mean)*(v-mean)/length, max(peak, math.Abs(v-mean))
		}
		for _, v := range m.Readings[0].Values {
			switch v.Channel.Name {
			case "acceleration_rms_ms2":
				near(t, k, "rms", v.Num, g*math.Sqrt(rms), 1e-6)
			case "acceleration_peak_ms2":
				near(t, k, "peak", v.Num, g*peak, 1e-6)
			case "frequency_hz":
				found++
				near(t, k, "frequency", v.Num, loudest(x, mean, rate), 0.02)
			}
		}
	}
	if found == 0 {
		t.Error("nothing stands out in any part: the record shows nothing")
	}
}

func near(t *testing.T, k int, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("part %d: %s %g, want %g", k, what, got, want)
	}
}

// loudest is the frequency with the most power under a Hann window, by the
// definition, on a fine grid.
func loudest(x []float64, mean, rate float64) (hz float64) {
	best := 0.0
	for f := 3 * rate / float64(len(x)); f < rate/2; f += 0.01 {
		sum := complex(0, 0)
		for i, v := range x {
			phase := 2 * math.Pi * float64(i)
			sum += complex((v-mean)*(0.5-0.5*math.Cos(phase/float64(len(x)))), 0) * cmplx.Exp(complex(0, -phase*f/rate))
		}
		if p := cmplx.Abs(sum); p > best {
			best, hz = p, f
		}
	}
	return hz
}

func BenchmarkWave(b *testing.B) {
	d := newDecoder(b)
	u := uplink("wave", part(func(m map[string]any) { m["fs"] = 500 }, sine(8, 2500)...))
	var m devices.Message
	b.ReportAllocs()
	for b.Loop() {
		d.Reset()
		if ref := d.Decode(u, &m); ref != nil {
			b.Fatal(ref)
		}
	}
}

func FuzzWave(f *testing.F) {
	f.Add([]byte(part(nil, sine(8, 64)...)))
	f.Add([]byte(`{"id":"b7","k":1,"n":8,"t0":"2026-01-01T08:00:00Z","fs":5e2,"ch":[{"n":"a_g","scale":2.4e-6,"off":0},{"n":"b"}],"cnt":16,"enc":"i16le","d":"AAAA","crc":"00"}`))
	d := newDecoder(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d.Reset()
		var m devices.Message
		if ref := d.Decode(uplink("wave", string(b)), &m); ref != nil {
			if ref.Code == "" || ref.Msg == "" {
				t.Fatalf("a refusal without a reason: %+v", ref)
			}
			return
		}
		if len(m.Readings) != 1 || len(m.Readings[0].Values) < 2 {
			t.Fatalf("taken as %s", story(&m))
		}
	})
}

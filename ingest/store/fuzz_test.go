package store

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/codec"
)

// FuzzLines turns any bytes into lines by way of the codec. Read back as line
// protocol they are the same points: nobody writes a point that was not said.
func FuzzLines(f *testing.F) {
	for _, s := range []string{
		`{"seq":3,"tilt_deg":1.5,"mode":"eco, or = not","a.b-c":1e-300}`,
		`{"mode":"\\","x":"é","r1":-0}`, `[{"n":"a","vs":"b c"},{"n":"d","v":1,"t":-5}]`, `{"v":{"a":1e15,"b":123456789012345678}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		dict, err := devices.NewDictionary(devices.CommonChannels())
		if err != nil {
			t.Fatal(err)
		}
		const now = 1767226200000
		var m devices.Message
		u := &devices.Uplink{Device: "MH-1", Topic: "f/1/MH-1/telemetry", Payload: payload, Received: now}
		if ref := codec.New(dict, codec.Options{}).Decode(u, &m); ref != nil {
			return
		}
		want := map[string]float64{}
		for i := range m.Readings {
			r := &m.Readings[i]
			at := strconv.FormatInt(r.Time, 10)
			numbers := false
			for _, v := range r.Values {
				switch {
				case v.Quality == devices.Fault:
				case v.Channel.Type == devices.Text:
					want["MH-1 "+v.Channel.Name+" "+tag(v.Text)+" "+at] = 1
				default:
					want["MH-1 "+v.Channel.Name+"  "+at], numbers = v.Num, true
				}
			}
			if _, said := want["MH-1 seq  "+at]; m.HasSeq && r.Index == 0 && (!said || !numbers) {
				want["MH-1 seq  "+at] = float64(m.Seq)
			}
		}
		var l lines
		l.message("MH-1", &m, math.MinInt64, math.MaxInt64)
		got := points(t, string(l.buf))
		for k, v := range want {
			if g, ok := got[k]; !ok || g != v {
				t.Errorf("%q: wrote %v (%t), said %v\n%s", k, g, ok, v, l.buf)
			}
		}
		if len(got) != len(want) {
			t.Errorf("wrote %d points, said %d: %q of %q", len(got), len(want), l.buf, payload)
		}
	})
}

// tag is what is left of a text in a tag.
func tag(s string) string {
	return strings.NewReplacer(`\ `, " ", `\,`, ",", `\=`, "=").Replace(string(appendTag(nil, s)))
}

// points reads line protocol: "id field value-tag time" → number.
func points(t *testing.T, text string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		parts := unescaped(strings.TrimSuffix(line, "\n"), ' ')
		if len(parts) != 3 {
			t.Fatalf("%q has %d parts", line, len(parts))
		}
		tags := map[string]string{}
		for _, kv := range unescaped(parts[0], ',')[1:] {
			p := unescaped(kv, '=')
			tags[p[0]] = plain(p[1])
		}
		for _, kv := range unescaped(parts[1], ',') {
			p := unescaped(kv, '=')
			n, err := strconv.ParseFloat(p[1], 64)
			if len(p) != 2 || err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
				t.Fatalf("%q: field %q", line, kv)
			}
			out[tags["id"]+" "+plain(p[0])+" "+tags["value"]+" "+parts[2]] = n
		}
	}
	return out
}

// unescaped splits s where sep stands without a backslash before it.
func unescaped(s string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out, start = append(out, s[start:i]), i+1
		}
	}
	return append(out, s[start:])
}

func plain(s string) string {
	return strings.NewReplacer(`\ `, " ", `\,`, ",", `\=`, "=").Replace(s)
}

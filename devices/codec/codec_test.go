package codec

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/manhole"
	"lamplighter/devices/streetlight"
)

// now is when every uplink of these tests was received: 2026-01-01T00:10:00Z.
const now = 1767226200000

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridge.Channels())
	if err != nil {
		t.Fatal(err)
	}
	return New(dict, Options{})
}

func uplink(leaf, payload string) *devices.Uplink {
	return &devices.Uplink{Device: "MH-1", Topic: "f/1/MH-1/" + leaf, Payload: []byte(payload), Received: now}
}

// story is a message as one line per reading: "time source channel=value…".
func story(m *devices.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", m.Device, m.Type)
	if m.HasSeq {
		fmt.Fprintf(&b, " seq=%d", m.Seq)
	}
	if m.Boot != "" {
		fmt.Fprintf(&b, " boot=%s", m.Boot)
	}
	switch m.Type {
	case devices.Event:
		fmt.Fprintf(&b, " event=%s@%d", m.Event.Name, m.Event.Time-now)
	case devices.State:
		fmt.Fprintf(&b, " %+v", m.State)
	}
	for _, r := range m.Readings {
		fmt.Fprintf(&b, " | %+d %s", r.Time-now, r.Source)
		for _, v := range r.Values {
			switch {
			case v.Channel.Type == devices.Text:
				fmt.Fprintf(&b, " %s=%q", v.Channel.Name, v.Text)
			default:
				fmt.Fprintf(&b, " %s=%g", v.Channel.Name, math.Round(v.Num*1e6)/1e6)
			}
			if v.Quality != devices.Good {
				fmt.Fprintf(&b, "(%s)", v.Quality)
			}
		}
	}
	if m.Sent != 0 {
		fmt.Fprintf(&b, " | sent %+d", m.Sent-now)
	}
	if m.Notice != nil {
		fmt.Fprintf(&b, " ! %s", m.Notice.Code)
	}
	return b.String()
}

func TestDecodeTellsTheStory(t *testing.T) {
	for _, c := range []struct{ name, leaf, in, want string }{
		{"smallest", "telemetry", `{"tilt_deg":12.3}`, `MH-1 telemetry | +0 received tilt_deg=12.3`},
		{"full", "telemetry", `{"seq":1842,"boot":"7f3a","up":86400123,"clk":"sync","ts":1767226199000,"v":{"tilt_deg":12.3,"cover_open":false,"battery_v":3.52,"rssi_dbm":-97}}`,
			`MH-1 telemetry seq=1842 boot=7f3a | -1000 device tilt_deg=12.3 cover_open=0 battery_v=3.52 rssi_dbm=-97 | sent -1000`},
		{"batch without a clock", "telemetry", `{"seq":1843,"boot":"7f3a","clk":"none","up":90000000,"r":[{"up":82800000,"v":{"tilt_deg":1.1}},{"up":86400000,"v":{"tilt_deg":1.2}},{"t":-60,"v":{"tilt_deg":1.2}}]}`,
			`MH-1 telemetry seq=1843 boot=7f3a | -7200000 uptime tilt_deg=1.1 | -3600000 uptime tilt_deg=1.2 | -60000 relative tilt_deg=1.2`},
		{"members of the message after r", "telemetry", `{"r":[{"up":1000,"v":{"tilt_deg":1}}],"up":3000,"ts":1767226190000}`, `MH-1 telemetry | -12000 uptime tilt_deg=1 | sent -10000`},
		{"flat", "telemetry", `{"ts":1767226199000,"seq":3,"tilt_deg":1.2}`, `MH-1 telemetry seq=3 | -1000 device tilt_deg=1.2 | sent -1000`},
		{"flat with t", "telemetry", `{"t":-5,"tilt_deg":1.2}`, `MH-1 telemetry | -5000 relative tilt_deg=1.2`},
		{"ThingsBoard", "telemetry", `{"ts":1767226199000,"values":{"tilt_deg":1.2}}`, `MH-1 telemetry | -1000 device tilt_deg=1.2 | sent -1000`},
		{"array of ThingsBoard", "telemetry", `[{"ts":1767226198000,"values":{"tilt_deg":1}},{"ts":1767226199000,"values":{"tilt_deg":2}}]`, `MH-1 telemetry | -2000 device tilt_deg=1 | -1000 device tilt_deg=2 | sent -1000`},
		{"SenML", "telemetry", `[{"bn":"urn:dev:mac:0024befffe804ff1:","bt":1767226199,"n":"tilt_deg","u":"rad","v":0.5},{"n":"cover_open","vb":true},{"n":"temperature","u":"Cel","v":20,"t":-10}]`,
			`MH-1 telemetry | -1000 device tilt_deg=28.64789 cover_open=1 | -11000 device temperature_c=20 | sent -1000`},
		{"SenML relative", "telemetry", `[{"n":"mode","vs":"eco"},{"v":1.5,"n":"tilt_deg","t":-3}]`, `MH-1 telemetry | +0 received mode="eco" | -3000 relative tilt_deg=1.5`},
		{"RFC 3339", "telemetry", `{"ts":"2026-01-01T08:09:59+08:00","tilt_deg":1}`, `MH-1 telemetry | -1000 device tilt_deg=1 | sent -1000`},
		{"alias", "telemetry", `{"supplyVoltage":221,"lampOn":true}`, `MH-1 telemetry | +0 received voltage_v=221 lamp_on=1`},
		{"sensor fault", "telemetry", `{"tilt_deg":null}`, `MH-1 telemetry | +0 received tilt_deg=NaN(fault)`},
		{"implausible", "telemetry", `{"tilt_deg":720}`, `MH-1 telemetry | +0 received tilt_deg=720(implausible)`},
		{"suspect", "telemetry", `{"q":"suspect","tilt_deg":2}`, `MH-1 telemetry | +0 received tilt_deg=2(suspect)`},
		{"suspect channel", "telemetry", `{"q":{"tilt_deg":"suspect"},"tilt_deg":2,"battery_v":3}`, `MH-1 telemetry | +0 received tilt_deg=2(suspect) battery_v=3`},
		{"unit before value", "telemetry", `{"u":{"tilt_deg":"rad","temperature_c":"F"},"v":{"tilt_deg":3.141592653589793,"temperature_c":212}}`, `MH-1 telemetry | +0 received tilt_deg=180 temperature_c=100`},
		{"vector", "telemetry", `{"acceleration_ms2":[0.1,-0.2,9.8]}`, `MH-1 telemetry | +0 received acceleration_x_ms2=0.1 acceleration_y_ms2=-0.2 acceleration_z_ms2=9.8`},
		{"escaped key", "telemetry", `{"tilt\u005fdeg":1e1}`, `MH-1 telemetry | +0 received tilt_deg=10`},
		{"1970", "telemetry", `{"ts":12000,"tilt_deg":1}`, `MH-1 telemetry | +0 received tilt_deg=1 ! E_TIME`},
		{"2036", "telemetry", `{"ts":2085978496000,"tilt_deg":1}`, `MH-1 telemetry | +0 received tilt_deg=1 ! E_TIME`},
		{"seconds", "telemetry", `{"ts":1767139800,"tilt_deg":1}`, `MH-1 telemetry | +0 received tilt_deg=1 ! E_TIME`},
		{"clk none", "telemetry", `{"clk":"none","ts":12000,"tilt_deg":1}`, `MH-1 telemetry | +0 received tilt_deg=1`},
		{"event", "event", `{"event":"cover_open","ts":1767226199000,"seq":4}`, `MH-1 event seq=4 event=cover_open@-1000 | sent -1000`},
		{"event with values", "event", `{"ev":"shock","v":{"vibration_mg":900}}`, `MH-1 event event=shock@0 | +0 received vibration_mg=900`},
		{"birth", "state", `{"st":"online","boot":"b","model":"X1","fw":"1.0","expect_s":3600}`, `MH-1 state boot=b {Status:online Model:X1 FW:1.0 ExpectS:3600 NextS:0}`},
		{"sleep", "state", `{"st":"sleep","next_s":3600}`, `MH-1 state {Status:sleep Model: FW: ExpectS:0 NextS:3600}`},
		{"sleep by a clock", "state", `{"st":"sleep","next_s":3600,"clk":"sync","ts":1767226140000}`, `MH-1 state {Status:sleep Model: FW: ExpectS:0 NextS:3600} | sent -60000`},
		{"will", "state", `{"st":"offline","boot":"b"}`, `MH-1 state boot=b {Status:offline Model: FW: ExpectS:0 NextS:0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoder(t)
			var m devices.Message
			if ref := d.Decode(uplink(c.leaf, c.in), &m); ref != nil {
				t.Fatalf("refused: %v", ref)
			}
			if got := story(&m); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestRefusalSaysWhereAndWhy(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"not JSON", `hello`, `E_JSON: at byte 0: found 'h', want { or [`},
		{"empty", ``, `E_JSON: the payload is empty`},
		{"cut off", `{"tilt_deg":1`, `E_JSON: at byte 13: expected , or }`},
		{"trailing", `{"tilt_deg":1}{}`, `E_JSON: at byte 14: more text after the end`},
		{"nested brackets", strings.Repeat("[", 10000), `E_JSON at /0: at byte 1: arrays nested too deep`},
		{"2 MB", `{"a":"` + strings.Repeat("x", 2<<20) + `"}`, `E_SIZE: the payload has 2097160 bytes`},
		{"NaN", `{"tilt_deg":NaN}`, `E_JSON at /tilt_deg: at byte 12: NaN is no JSON; send null`},
		{"minus Infinity", `{"tilt_deg":-Infinity}`, `E_JSON at /tilt_deg: at byte 12: -Infinity is no JSON`},
		{"1e400", `{"tilt_deg":1e400}`, `E_FIELD at /tilt_deg: the number is too large`},
		{"leading zero", `{"tilt_deg":012}`, `a number has a leading zero`},
		{"duplicate channel", `{"tilt_deg":1,"tilt_deg":2}`, `E_JSON at /tilt_deg: the channel tilt_deg stands twice`},
		{"duplicate by alias", `{"voltage_v":1,"supplyVoltage":2}`, `E_JSON at /voltage_v: the channel voltage_v stands twice`},
		{"duplicate member", `{"seq":1,"seq":2}`, `E_JSON at /seq: the key "seq" stands twice`},
		{"text for a number", `{"v":{"tilt_deg":"12"}}`, `E_FIELD at /tilt_deg: the value is text; channel tilt_deg is a number for ever`},
		{"number for a bool", `{"cover_open":2}`, `E_FIELD at /cover_open: the value is a number; channel cover_open is true or false`},
		{"invalid UTF-8 in a name", "{\"a\xff\":1}", `E_FIELD: channel name`},
		{"newline in a name", `{"a\nb 1=2":1}`, `E_FIELD: channel name "a\nb 1=2"`},
		{"comma in a name", `{"a,b":1}`, `E_FIELD: channel name "a,b"`},
		{"object as value", `{"tilt":{"x":1}}`, `E_FIELD at /tilt: the value is an object`},
		{"short vector", `{"acceleration_ms2":[1,2]}`, `a vector has three numbers`},
		{"unit of another world", `{"u":{"tilt_deg":"kg"},"tilt_deg":1}`, `E_UNIT at /u/tilt_deg: channel tilt_deg is in "deg"`},
		{"negative seq", `{"seq":-1,"tilt_deg":1}`, `E_FIELD at /seq: found -1; want a whole number`},
		{"naive local time", `{"ts":"2026-01-01 08:00:00","tilt_deg":1}`, `E_TIME at /ts: ts "2026-01-01 08:00:00": want Unix milliseconds, or RFC 3339 with a zone`},
		{"up after the message", `{"up":5,"r":[{"up":6,"v":{"tilt_deg":1}}]}`, `E_TIME at /r/0/up`},
		{"batch without times", `{"r":[{"v":{"tilt_deg":1}},{"v":{"tilt_deg":2}}]}`, `E_TIME at /r/1/ts: two readings`},
		{"batch in seconds", `[{"ts":1767139800,"tilt_deg":1},{"ts":1767139801,"tilt_deg":1}]`, `E_TIME at /0/ts: the readings' own times cannot be used (ts 1767139800 is in seconds`},
		{"path into r", `{"r":[{"t":-1,"v":{"tilt_deg":1}},{"t":-2,"v":{"tilt_deg":"x"}}]}`, `E_FIELD at /r/1/tilt_deg`},
		{"values beside r", `{"tilt_deg":1,"r":[{"t":-1,"v":{"tilt_deg":1}}]}`, `values stand beside r`},
		{"nothing in it", `{}`, `E_FIELD: no values`},
		{"too many readings", `[` + strings.TrimSuffix(strings.Repeat(`{"a":1},`, 501), ",") + `]`, `E_SIZE at /500: more than 500 readings`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoder(t)
			var m devices.Message
			ref := d.Decode(uplink("telemetry", c.in), &m)
			if ref == nil {
				t.Fatalf("taken as %s", story(&m))
			}
			if !strings.Contains(ref.Error(), c.want) {
				t.Errorf("\n got %s\nwant %s", ref, c.want)
			}
			if ref := d.Decode(uplink("telemetry", `{"tilt_deg":1}`), &m); ref != nil {
				t.Errorf("the good message after it was refused: %v", ref)
			}
		})
	}
}

func TestIdentityIsTheConnections(t *testing.T) {
	for _, c := range []struct {
		name string
		up   devices.Uplink
		want string // "" = taken
	}{
		{"its own", devices.Uplink{Device: "a", Topic: "f/1/a/telemetry"}, ""},
		{"another's", devices.Uplink{Device: "a", Topic: "f/1/b/telemetry"}, "E_IDENT"},
		{"a gateway's child", devices.Uplink{Device: "a", Topic: "f/1/gw/child/a/telemetry"}, ""},
		{"a child that is not the gateway's", devices.Uplink{Device: "gw", Topic: "f/1/gw/child/a/telemetry"}, "E_IDENT"},
		{"a child of another gateway", devices.Uplink{Device: "gw", Topic: "f/1/other/child/a/telemetry"}, "E_IDENT"},
		{"unknown", devices.Uplink{Device: "a", Topic: "f/1/a/telemetry", Flags: devices.FlagUnknown}, "E_IDENT"},
		{"ThingsBoard firmware", devices.Uplink{Device: "a", Topic: "v1/devices/me/telemetry"}, ""},
		{"no topic of ours", devices.Uplink{Device: "a", Topic: "foo"}, "E_CODEC"},
		{"raw without a codec", devices.Uplink{Device: "a", Topic: "f/1/a/raw"}, "E_CODEC"},
		{"retained without a time", devices.Uplink{Device: "a", Topic: "f/1/a/telemetry", Flags: devices.FlagRetained}, "E_TIME"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDecoder(t)
			c.up.Payload, c.up.Received = []byte(`{"tilt_deg":1}`), now
			var m devices.Message
			ref := d.Decode(&c.up, &m)
			if got := codeOf(ref); got != c.want {
				t.Errorf("got %q (%v), want %q", got, ref, c.want)
			}
		})
	}
}

func codeOf(r *devices.Refusal) string {
	if r == nil {
		return ""
	}
	return string(r.Code)
}

func TestUnknownChannelKeepsItsType(t *testing.T) {
	d := newDecoder(t)
	var m devices.Message
	if ref := d.Decode(uplink("telemetry", `{"ph_value":7.1}`), &m); ref != nil || !m.Readings[0].Values[0].Channel.Unknown {
		t.Fatalf("first meeting: %v, %s", ref, story(&m))
	}
	ref := d.Decode(uplink("telemetry", `{"ph_value":"high"}`), &m)
	if codeOf(ref) != "E_FIELD" || ref.Path != "/ph_value" {
		t.Errorf("got %v, want E_FIELD at /ph_value", ref)
	}
}

func TestMessagesOfABatchStayApart(t *testing.T) {
	d := newDecoder(t)
	ms := make([]devices.Message, 2000)
	for i := range ms {
		if ref := d.Decode(uplink("telemetry", fmt.Sprintf(`{"seq":%d,"tilt_deg":%d,"battery_v":3}`, i, i%180)), &ms[i]); ref != nil {
			t.Fatal(ref)
		}
	}
	for i := range ms {
		if got := ms[i].Readings[0].Values[0].Num; got != float64(i%180) || ms[i].Seq != uint64(i) {
			t.Fatalf("message %d says seq %d tilt %g", i, ms[i].Seq, got)
		}
	}
}

const lampMessage = `{"ts":1767226199000,"seq":12345,"lamp_on":true,"power_w":63,"voltage_v":221,"current_a":0.41,"energy_kwh":12345,"dim_pct":100,"temperature_c":31.5,"rssi_dbm":-97,"power_factor":0.95,"battery_v":3.6}`

func BenchmarkDecode(b *testing.B) {
	d := newDecoder(b)
	u := uplink("telemetry", lampMessage)
	var m devices.Message
	b.SetBytes(int64(len(u.Payload)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			d.Reset()
		}
		if ref := d.Decode(u, &m); ref != nil {
			b.Fatal(ref)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(lampMessage))
	f.Add([]byte(`[{"bn":"x:","bt":1767226199,"n":"tilt_deg","u":"rad","v":0.5},{"n":"a","vs":"b"}]`))
	f.Add([]byte(`{"up":9,"r":[{"up":8,"q":"suspect","v":{"a_ms2":[1,2,3]}}],"u":{"a_x_ms2":"g"}}`))
	d := newDecoder(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d.Reset()
		var m devices.Message
		if ref := d.Decode(uplink("telemetry", string(b)), &m); ref != nil {
			if ref.Code == "" || ref.Msg == "" {
				t.Fatalf("a refusal without a reason: %+v", ref)
			}
			return
		}
		if len(m.Readings) == 0 {
			t.Fatal("taken without a reading")
		}
		for _, r := range m.Readings {
			if r.Time < now-6*365*86400_000 || r.Time > now+5*60_000 || len(r.Values) == 0 {
				t.Fatalf("reading %+v", r)
			}
			for _, v := range r.Values {
				if v.Channel == nil || math.IsInf(v.Num, 0) || math.IsNaN(v.Num) && v.Quality != devices.Fault {
					t.Fatalf("value %+v of %q", v, b)
				}
			}
		}
	})
}

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices"
)

// badInput is what devices of the field send. Each is sent by a device of its
// own with a good message behind it.
var badInput = []struct {
	name, payload string
	code, path    string // on f/1/{d}/error
	taken         bool   // the message is taken all the same, the device only hears of it
}{
	{"not JSON", `hello`, "E_JSON", "", false},
	{"17 kB", `{"a":"` + strings.Repeat("x", 17<<10) + `"}`, "E_SIZE", "", false},
	{"10,000 nested brackets", strings.Repeat("[", 10_000), "E_JSON", "/0", false},
	{"NaN", `{"tilt_deg":NaN}`, "E_JSON", "/tilt_deg", false},
	{"Inf", `{"tilt_deg":-Inf}`, "E_JSON", "/tilt_deg", false},
	{"1e400", `{"tilt_deg":1e400}`, "E_FIELD", "/tilt_deg", false},
	{"duplicate keys", `{"tilt_deg":1,"tilt_deg":2}`, "E_JSON", "/tilt_deg", false},
	{"a string where a number was", `{"tilt_deg":"1"}`, "E_FIELD", "/tilt_deg", false},
	{"invalid UTF-8 in a name", "{\"a\xff\":1}", "E_FIELD", "", false},
	{"a newline in a name", `{"a\nlamplighter,id=MH-1 tilt_deg":99}`, "E_FIELD", "", false},
	{"a comma in a name", `{"a,id=MH-1 b":99}`, "E_FIELD", "", false},
	{"a newline in a value", `{"mode":"x\nlamplighter,id=MH-1 tilt_deg=99"}`, "E_FIELD", "/mode", false},
	{"1970", `{"ts":12000,"battery_v":3}`, "E_TIME", "/ts", true},
	{"2036", `{"ts":2085978496000,"battery_v":3}`, "E_TIME", "/ts", true},
	{"yesterday in seconds", fmt.Sprintf(`{"ts":%d,"battery_v":3}`, time.Now().Add(-24*time.Hour).Unix()), "E_TIME", "/ts", true},
}

// inCensus is a daemon whose census knows the devices, each with a password.
func inCensus(t *testing.T, ids ...string) *daemon {
	t.Helper()
	d := newDaemonWith(t, "{}\n")
	var b strings.Builder
	b.WriteString("id,kind,name,password\n")
	for _, id := range ids {
		fmt.Fprintf(&b, "%s,manhole,%s,%s\n", id, id, passwordOf(id))
	}
	file := filepath.Join(t.TempDir(), "census.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d.tool("devices", "import", file, "--data", d.data)
	return d
}

func passwordOf(id string) string { return "the-password-of-" + id }

// device is a connection that keeps what it hears on its error topic.
type device struct {
	paho.Client
	t      *testing.T
	id     string
	errors chan refusalHeard
}

type refusalHeard struct{ Code, Path, Msg string }

func (d *daemon) device(id string) *device {
	d.t.Helper()
	x := &device{t: d.t, id: id, errors: make(chan refusalHeard, 100)}
	d.eventually("the connection of "+id, func() bool { // the daemon takes an import over within a second
		x.Client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.mqtt).SetClientID(id).SetUsername(id).SetPassword(passwordOf(id)).SetAutoReconnect(false))
		tok := x.Connect()
		return tok.WaitTimeout(20*time.Second) && tok.Error() == nil
	})
	d.t.Cleanup(func() { x.Disconnect(0) })
	tok := x.Subscribe("f/1/"+id+"/error", 0, func(_ paho.Client, m paho.Message) {
		var r refusalHeard
		if err := json.Unmarshal(m.Payload(), &r); err != nil {
			d.t.Errorf("error topic of %s: %v: %s", id, err, m.Payload())
		}
		x.errors <- r
	})
	if !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		d.t.Fatalf("subscribe %s: %v", id, tok.Error())
	}
	return x
}

func (x *device) says(topic, payload string) {
	x.t.Helper()
	if tok := x.Publish(topic, 1, false, payload); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		x.t.Fatalf("%s publishes %.40q: %v", x.id, payload, tok.Error())
	}
}

// hears waits for an answer on the error topic.
func (x *device) hears() refusalHeard {
	x.t.Helper()
	select {
	case r := <-x.errors:
		return r
	case <-time.After(30 * time.Second):
		x.t.Fatalf("%s hears nothing", x.id)
		return refusalHeard{}
	}
}

type quarantineList struct {
	Items []struct{ Device, Topic, Code, Path, Msg string }
}

// points waits for the points of a channel.
func (d *daemon) points(id, channel string, n int) readingList {
	d.t.Helper()
	var rs readingList
	d.eventually(fmt.Sprintf("%d readings of %s", n, id), func() bool {
		return d.get("facilities/"+id+"/readings?channel="+channel, &rs) && len(rs.Points) == n
	})
	return rs
}

func TestBadInputGetsAReasonAndTheGoodBesideItGoesThrough(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range badInput {
		ids = append(ids, fmt.Sprint("BAD-", i))
	}
	d := inCensus(t, append(ids, "MH-1", "MH-2")...)
	for i, c := range badInput {
		x := d.device(ids[i])
		x.says("f/1/"+x.id+"/telemetry", c.payload)
		x.says("f/1/"+x.id+"/telemetry", fmt.Sprintf(`{"tilt_deg":%d}`, i))
		if r := x.hears(); r.Code != c.code || r.Path != c.path || r.Msg == "" {
			t.Errorf("%s: heard %+v, want %s at %q", c.name, r, c.code, c.path)
		}
	}
	for i, c := range badInput {
		if rs := d.points(ids[i], "tilt_deg", 1); rs.Points[0].V != float64(i) {
			t.Errorf("%s: the good message is %v", c.name, rs.Points)
		}
		if c.taken {
			d.points(ids[i], "battery_v", 1)
			continue
		}
		var q quarantineList
		d.eventually("quarantine of "+c.name, func() bool { return d.get("quarantine?device="+ids[i], &q) && len(q.Items) == 1 })
		if x := q.Items[0]; x.Code != c.code || x.Path != c.path || x.Msg == "" {
			t.Errorf("%s: quarantine has %+v", c.name, x)
		}
	}
	var rs readingList
	if !d.get("facilities/MH-1/readings?channel=tilt_deg", &rs) || len(rs.Points) != 0 {
		t.Errorf("something was written in the name of MH-1: %+v", rs)
	}
	d.identities()
	d.counters()
	d.twoMegabytes()
}

// identities: another's topic, an unknown device, a wrong password, an oversized
// client id.
func (d *daemon) identities() {
	x := d.device("MH-2")
	x.says("f/1/MH-1/telemetry", `{"tilt_deg":99}`)
	if r := x.hears(); r.Code != string(devices.CodeIdent) {
		d.t.Errorf("another's topic: heard %+v", r)
	}
	for user, why := range map[string]string{"X-1": "not in the census", "MH-1": "wrong password"} {
		c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.mqtt).SetClientID("c").SetUsername(user).SetPassword("wrong-wrong-wrong-wrong").SetAutoReconnect(false))
		if tok := c.Connect(); !tok.WaitTimeout(30*time.Second) || tok.Error() == nil {
			d.t.Errorf("%s was let in", user)
		}
		var seen struct {
			Items []struct{ Device, Reason string }
		}
		d.eventually(user+" is listed as seen", func() bool {
			if !d.get("seen", &seen) {
				return false
			}
			for _, s := range seen.Items {
				if s.Device == user && s.Reason == why {
					return true
				}
			}
			return false
		})
	}
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.mqtt).SetClientID(strings.Repeat("c", 20_000)).SetUsername("MH-1").SetPassword(passwordOf("MH-1")).SetAutoReconnect(false))
	if tok := c.Connect(); !tok.WaitTimeout(30*time.Second) || tok.Error() == nil {
		d.t.Error("a client id of 20,000 bytes was let in")
	}
}

// counters: the same message ten times, and numbers that run backwards.
func (d *daemon) counters() {
	x := d.device("MH-1")
	ms := time.Now().UnixMilli()
	for range 10 {
		x.says("f/1/MH-1/telemetry", fmt.Sprintf(`{"ts":%d,"seq":20,"boot":"b","battery_v":3}`, ms))
	}
	for seq := 19; seq > 16; seq-- {
		x.says("f/1/MH-1/telemetry", fmt.Sprintf(`{"ts":%d,"seq":%d,"boot":"b","battery_v":3}`, ms-int64(20-seq)*1000, seq))
	}
	var book struct{ Received, Duplicates, Late, Missing int }
	d.eventually("the ledger", func() bool { return d.get("ledger?device=MH-1", &book) && book.Received == 13 })
	if book.Duplicates != 9 || book.Late != 3 || book.Missing != 0 {
		d.t.Errorf("ledger %+v, want 9 duplicates, 3 late, none missing", book)
	}
	d.points("MH-1", "battery_v", 4)
}

// twoMegabytes writes a PUBLISH of 2 MB by hand. Whatever the listener does with
// the connection, it says why.
func (d *daemon) twoMegabytes() {
	d.t.Helper()
	c, err := net.Dial("tcp", d.mqtt)
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	text := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	packet := func(head byte, body []byte) []byte {
		return append(binary.AppendUvarint([]byte{head}, uint64(len(body))), body...)
	}
	body := append(text("MQTT"), 4, 0b11000010, 0, 60)
	for _, s := range []string{"big", "MH-2", passwordOf("MH-2")} {
		body = append(body, text(s)...)
	}
	if _, err := c.Write(packet(0x10, body)); err != nil {
		d.t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		d.t.Fatal(err)
	}
	publish := append(append(text("f/1/MH-2/telemetry"), 0, 1), make([]byte, 2<<20)...)
	_, _ = c.Write(packet(0x32, publish)) // the listener may hang up in the midst of it
	var q quarantineList
	d.eventually("2 MB in quarantine", func() bool { return d.get("quarantine?device=MH-2&code=E_SIZE", &q) && len(q.Items) == 1 })
	x := d.device("MH-2")
	x.says("f/1/MH-2/telemetry", `{"tilt_deg":2}`)
	d.points("MH-2", "tilt_deg", 1)
}

// post sends a change to the API and returns the status.
func (d *daemon) post(path string, into any) int {
	d.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+d.http+"/api/v1/"+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		d.t.Fatal(err)
	}
	return r.StatusCode
}

// TestRetakenMessagesAreHistory: a cover that was open before the census listed
// it under its gateway is stored at its own time, and opens no ticket.
func TestRetakenMessagesAreHistory(t *testing.T) {
	t.Parallel()
	d := inCensus(t, "GW-1", "MH-7")
	gw := d.device("GW-1")
	gw.says("f/1/GW-1/child/MH-7/telemetry", `{"tilt_deg":44.5}`)
	if r := gw.hears(); r.Code != string(devices.CodeIdent) || !strings.Contains(r.Msg, "not listed under gateway GW-1") {
		t.Errorf("heard %+v", r)
	}
	var q struct {
		Items []struct {
			ID         int64
			ReceivedAt string `json:"received_at"`
			ResolvedBy string `json:"resolved_by"`
		}
	}
	d.eventually("the refusal", func() bool { return d.get("quarantine", &q) && len(q.Items) == 1 })
	retake := fmt.Sprintf("quarantine/%d/retake", q.Items[0].ID)
	var problem struct{ Code string }
	if status := d.post(retake, &problem); status != http.StatusUnprocessableEntity || problem.Code != "refused" {
		t.Errorf("before the census lists it: %d %+v", status, problem)
	}
	file := filepath.Join(t.TempDir(), "census.csv")
	if err := os.WriteFile(file, []byte("id,kind,name,gateway\nMH-7,manhole,MH-7,GW-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.tool("devices", "import", file, "--data", d.data)
	d.eventually("taken back", func() bool { return d.post(retake, &problem) == http.StatusOK })
	var rs struct {
		Points []struct {
			T time.Time
			V float64
		}
	}
	d.eventually("its reading", func() bool {
		return d.get("facilities/MH-7/readings?channel=tilt_deg", &rs) && len(rs.Points) == 1
	})
	if received, err := time.Parse(time.RFC3339, q.Items[0].ReceivedAt); err != nil || !rs.Points[0].T.Equal(received) || rs.Points[0].V != 44.5 {
		t.Errorf("reading %+v, received at %s (%v)", rs.Points[0], q.Items[0].ReceivedAt, err)
	}
	var book struct{ Received, Late int }
	d.eventually("the ledger counts it late", func() bool { return d.get("ledger?device=MH-7", &book) && book.Late == 1 })
	gw.says("f/1/GW-1/child/MH-7/telemetry", `{"tilt_deg":1}`) // judged after it
	d.points("MH-7", "tilt_deg", 2)
	var ts ticketList
	if !d.get("tickets?facility=MH-7", &ts) || len(ts.Items) != 0 {
		t.Errorf("tickets %+v", ts.Items)
	}
}

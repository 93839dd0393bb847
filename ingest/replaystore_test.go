package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/config"
	"lamplighter/ingest/store"
	"lamplighter/rules/replay"
)

// tells publishes readings of a device five minutes apart from an instant on,
// 100 in a message; at says what it measured after so many minutes.
func (d *daemon) tells(device string, from time.Time, minutes int, at func(minute int) string) {
	d.t.Helper()
	c := d.connect(device)
	var batch []string
	for m := 0; m < minutes; m += 5 {
		batch = append(batch, fmt.Sprintf(`{"clk":"sync","ts":%d,%s}`, from.Add(time.Duration(m)*time.Minute).UnixMilli(), at(m)))
		if len(batch) < 100 && m+5 < minutes {
			continue
		}
		if tok := c.Publish("f/1/"+device+"/telemetry", 1, false, "["+strings.Join(batch, ",")+"]"); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
			d.t.Fatalf("readings of %s: %v", device, tok.Error())
		}
		batch = batch[:0]
	}
}

// TestANewRuleIsTriedOnTheStore tells three days of three covers and a lamp with
// known faults, and asks what the same and what stricter rules find in the store,
// while the daemon runs and after it has ended.
func TestANewRuleIsTriedOnTheStore(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	begin := time.Now().Add(-4 * 24 * time.Hour).Truncate(time.Second)
	const days, hour = 3 * 24 * 60, 60
	within := func(m, from, to int) bool { return m >= from && m < to }
	d.tells("MH-1", begin, days, func(m int) string { // opened twice
		return fmt.Sprintf(`"tilt_deg":1.5,"cover_open":%v`, within(m, 20*hour, 22*hour) || within(m, 50*hour, 51*hour))
	})
	d.tells("MH-2", begin, days, func(m int) string { // lies uneven for a while
		if within(m, 30*hour, 40*hour) {
			return `"tilt_deg":12.5,"cover_open":false`
		}
		return `"tilt_deg":2,"cover_open":false`
	})
	d.tells("MH-3", begin, days/2, func(int) string { return `"tilt_deg":2,"cover_open":false` }) // falls silent
	d.tells("SL-1", begin, days, func(m int) string {
		if within(m, 60*hour, 61*hour) {
			return `"lamp_on":true,"power_w":0.5`
		}
		return `"lamp_on":true,"power_w":80`
	})
	var ts ticketList
	historic := func() bool {
		ok := d.get("tickets?historic=true", &ts)
		n := 0
		for _, x := range ts.Items {
			if x.State == "closed" && (x.Defect == "cover_displaced" || x.Defect == "lamp_out") {
				n++
			}
		}
		return ok && n == 3
	}
	d.eventually("the tickets of the past", historic)
	var rs readingList
	last := fmt.Sprintf("facilities/SL-1/readings?channel=power_w&from=%s&to=%s&limit=5", begin.Add((days-6)*time.Minute).UTC().Format(time.RFC3339), begin.Add(days*time.Minute).UTC().Format(time.RFC3339))
	d.eventually("the last reading in the store", func() bool { return d.get(last, &rs) && len(rs.Points) == 1 })
	file := filepath.Join(t.TempDir(), "stricter.yml")
	if err := os.WriteFile(file, []byte(stricter), 0o600); err != nil {
		t.Fatal(err)
	}
	span := []string{"--store", "--from", begin.UTC().Format(time.RFC3339), "--to", begin.Add(days * time.Minute).UTC().Format(time.RFC3339)}
	asked := func(when string) {
		t.Helper()
		if same, was, would := compared(t, d, span...); same != 3 || was+would != "" {
			t.Errorf("%s, the same rules: %d the same, only was %q, only would be %q", when, same, was, would)
		}
		_, was, would := compared(t, d, append(span, "--rules", file)...)
		if was != "MH-1 cover_displaced, MH-1 cover_displaced" || would != "MH-2 cover_displaced" {
			t.Errorf("%s, stricter rules: only was %q, only would be %q", when, was, would)
		}
	}
	asked("beside the daemon")
	says := d.tool(append([]string{"rules", "replay", "--config", filepath.Join(d.data, "conf.yml"), "--data", d.data, "--rules", file}, span...)...)
	for _, want := range []string{"only would be  cover_displaced          MH-2 ", "not judged     lamp_out                 streetlight          it is not among the rules; 1 tickets were", "0 the same, 2 only was, 1 only would be, 0 at other times"} {
		if !strings.Contains(says, want) {
			t.Errorf("it says\n%s\nwithout %q", says, want)
		}
	}
	if same, was, would := compared(t, d, append(span, "--kind", "manhole")...); same != 2 || was+would != "" {
		t.Errorf("covers alone: %d the same, only was %q, only would be %q", same, was, would)
	}
	if same, was, would := compared(t, d, append(span, "--facility", "SL-1,MH-2")...); same != 1 || was+would != "" {
		t.Errorf("a lamp and a cover: %d the same, only was %q, only would be %q", same, was, would)
	}
	d.end(syscall.SIGTERM)
	asked("after the daemon")
	d.start() // for newDaemon to end it
}

// What is asked for is judged with whoever hangs on the same cabinet, and told
// alone.
func TestAPartOfTheCityIsJudgedWithItsCabinets(t *testing.T) {
	census := func() (out []registry.Fed) {
		for _, f := range []registry.Facility{
			{ID: "SL-1", Kind: devices.Streetlight, Area: "350102001", Cabinet: "C-1", Circuit: "1"}, {ID: "SL-2", Kind: devices.Streetlight, Area: "350103", Cabinet: "C-1", Circuit: "2"},
			{ID: "SL-3", Kind: devices.Streetlight, Area: "350103", Cabinet: "C-2"}, {ID: "MH-1", Kind: devices.Manhole, Area: "350102"},
		} {
			out = append(out, registry.Fed{Facility: f})
		}
		return out
	}
	for _, x := range []struct {
		choice      choice
		judge, tell string
	}{
		{choice{Kind: "all"}, "SL-1 SL-2 SL-3 MH-1", "SL-1 SL-2 SL-3 MH-1 C-1 C-1:1 C-1:2 C-2"},
		{choice{Kind: "all", Area: "350102"}, "SL-1 SL-2 MH-1", "SL-1 MH-1 C-1 C-1:1"},
		{choice{Kind: "streetlight", Area: "350102"}, "SL-1 SL-2", "SL-1 C-1 C-1:1"},
		{choice{Kind: "all", Facility: []devices.FacilityID{"SL-3", "MH-1"}}, "SL-3 MH-1", "SL-3 MH-1 C-2"},
	} {
		judged, err := x.choice.of(census())
		if err != nil {
			t.Errorf("%s: %v", x.choice.String(), err)
		}
		var judge, tell []string
		for i := range judged {
			judge = append(judge, string(judged[i].Facility.ID))
		}
		var all []*replay.Ticket
		for _, id := range []devices.FacilityID{"SL-1", "SL-2", "SL-3", "MH-1", "C-1", "C-1:1", "C-1:2", "C-2"} {
			kind := "streetlight"
			if id == "MH-1" {
				kind = "manhole"
			}
			all = append(all, &replay.Ticket{Facility: id, Kind: kind})
		}
		for _, y := range x.choice.only(all) {
			tell = append(tell, string(y.Facility))
		}
		if got := strings.Join(judge, " "); got != x.judge {
			t.Errorf("%s judges %q, want %q", x.choice.String(), got, x.judge)
		}
		if got := strings.Join(tell, " "); got != x.tell {
			t.Errorf("%s tells of %q, want %q", x.choice.String(), got, x.tell)
		}
	}
	if _, err := (&choice{Kind: "bridge"}).of(census()); err == nil || !strings.Contains(err.Error(), "--kind bridge") {
		t.Errorf("a kind that the city does not have: %v", err)
	}
}

// BenchmarkStoredMonth is a month of 2,000 facilities that report four channels
// every five minutes, one in a hundred with a fault of half an hour each day,
// written into a store and judged by the default rules. With -benchtime 1x.
func BenchmarkStoredMonth(b *testing.B) {
	const facilities, step = 2000, 5 * time.Minute
	data := b.TempDir()
	begin := time.Now().Add(-31 * 24 * time.Hour).Truncate(time.Minute)
	census := filepath.Join(data, "city.csv")
	rows := "id,kind\n"
	for i := range facilities {
		rows += fmt.Sprintf("%s,%s\n", monthly(i), []string{"manhole", "streetlight"}[i%2])
	}
	var out bytes.Buffer
	err := errors.Join(os.WriteFile(census, []byte(rows), 0o600), os.WriteFile(filepath.Join(data, "lock"), nil, 0o600),
		run(b.Context(), []string{"devices", "import", "--data", data, census}, nil, &out))
	if err != nil {
		b.Fatal(err)
	}
	lock, err := lockFolder(data) // the benchmark is the daemon
	if err != nil || lock == nil {
		b.Fatal(err)
	}
	defer lock.Close()
	conf, err := config.Load("", nil)
	if err != nil {
		b.Fatal(err)
	}
	o, err := childOptions(&conf, data)
	if err != nil {
		b.Fatal(err)
	}
	o.Env, o.Log = []string{beDaemon + "=1"}, zerolog.Nop()
	child, err := store.Supervise(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer child.Stop()
	n := fillMonth(b, child, begin, facilities, step)
	for b.Loop() {
		began := time.Now()
		cmd := exec.Command(os.Args[0], "rules", "replay", "--data", data, "--store", "--from", begin.UTC().Format(time.RFC3339), "--to", begin.Add(30*24*time.Hour).UTC().Format(time.RFC3339))
		cmd.Env = append(os.Environ(), beDaemon+"=1")
		var says bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &says
		if err := cmd.Run(); err != nil {
			b.Fatalf("%v: %s", err, says.String())
		}
		took := time.Since(began).Seconds()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		b.Log(lines[len(lines)-1])
		b.ReportMetric(took, "s/replay")
		b.ReportMetric(float64(n)/took, "readings/s")
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(u.Maxrss)/1024, "MB")
			b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
		}
	}
}

func monthly(i int) string { return fmt.Sprintf("%s-%05d", []string{"MH", "SL"}[i%2], i) }

// nobody is a census and a quarantine of nothing.
type nobody struct{ testing.TB }

func (nobody) Find(devices.DeviceID) (registry.Entry, bool) { return registry.Entry{}, false }

func (n nobody) Refused(_ context.Context, line, reason string) error {
	n.Errorf("%s: %s", line, reason)
	return nil
}

// fillMonth writes the readings and returns how many there are.
func fillMonth(b *testing.B, c *store.Child, begin time.Time, facilities int, step time.Duration) (n int) {
	b.Helper()
	dict, err := newDictionary()
	if err != nil {
		b.Fatal(err)
	}
	w := store.NewWriter(store.Options{Target: store.Target{URL: c.URL(), Org: "o", Bucket: "b", Authorization: c.Authorization()}, Census: nobody{b}, Quarantine: nobody{b},
		Cursor: store.FileCursor{Dir: b.TempDir()}, Log: zerolog.Nop(), Metrics: store.NewMetrics(prometheus.NewRegistry())})
	if _, err := w.Start(b.Context(), 0); err != nil {
		b.Fatal(err)
	}
	value := func(name string, v float64) devices.Value {
		return devices.Value{Channel: dict.Lookup([]byte(name)), Num: v}
	}
	for at := begin; at.Before(begin.Add(30 * 24 * time.Hour)); at = at.Add(step) {
		batch := &devices.Batch{Seq: uint64(n + 1), Wall: at.UnixMilli()}
		for i := range facilities {
			bad := 0.0
			if i%100 == at.Day() && at.Hour() == 20 && at.Minute() < 30 {
				bad = 1
			}
			vals := []devices.Value{value("tilt_deg", 2+float64(n%70)/100+40*bad), value("cover_open", bad), value("battery_v", 3.6-float64(n%13)/100), value("rssi_dbm", -80-float64(n%17))}
			if i%2 == 1 {
				vals = []devices.Value{value("lamp_on", 1), value("power_w", (80+float64(n%70)/10)*(1-bad)), value("temperature_c", 20+float64(n%13)/10), value("rssi_dbm", -80-float64(n%17))}
			}
			m := &devices.Message{Type: devices.Telemetry, Device: devices.DeviceID(monthly(i)), Readings: []devices.Reading{{Time: at.UnixMilli() + int64(i)*147, Values: vals}}}
			batch.Items = append(batch.Items, devices.Item{Type: devices.ItemUplink, Message: m})
			n++
		}
		if err := w.Consume(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

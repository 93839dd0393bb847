package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices/devicestest"
)

// duty is the receiver of all pages.
type duty struct {
	mu  sync.Mutex
	got []string  // guarded by mu: what, defect and facility of each page
	at  time.Time // guarded by mu: of the newest
}

func (d *duty) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var p struct{ What, Defect, Facility string }
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		p.What = err.Error()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got, d.at = append(d.got, p.What+" "+p.Defect+" of "+p.Facility), time.Now()
}

func (d *duty) pages() (got []string, last time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.got...), d.at
}

// manyLamps is a census of lamps of one street, behind so many cabinets.
func manyLamps(t *testing.T, n, cabinets int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,kind,area,cabinet,circuit\n")
	for i := range n {
		fmt.Fprintf(&b, "SL-%05d,streetlight,350102001,CAB-%d,C%d\n", i, 1+i%cabinets, i%40)
	}
	file := filepath.Join(t.TempDir(), "lamps.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const darkRules = `groups:
  - kind: streetlight
    rules:
      - {name: lamp_out, when: lamp_failure, for: 20s, severity: major, summary: {zh: 灯不亮, en: Lamp out}}
      - {name: cabinet_dark, collapse: {of: lamp_out, by: cabinet, share: 0.8, at_least: 3}, severity: critical, summary: {zh: 配电柜断电, en: Cabinet dark}}
`

const streetRule = `      - {name: street_dark, collapse: {of: lamp_out, by: area, level: street, share: 0.3, at_least: 200}, severity: critical, summary: {zh: 街道大面积灭灯, en: Street dark}}
`

// TestTenThousandLampsDarkAtOnce: the lamps behind one cabinet fail within a
// moment. It is one ticket with all of them attached, and one page; when power
// is back the ticket closes once, and nobody else has one. The log of the test
// tells the times, see performance.md.
func TestTenThousandLampsDarkAtOnce(t *testing.T) {
	t.Parallel()
	darkAtOnce(t, 1, "", darkRules, "cabinet_dark of CAB-1")
}

// TestAStreetDarkAtOnce: the same, with the lamps behind 300 cabinets, which are
// judged in four partitions. It is one ticket on the street.
func TestAStreetDarkAtOnce(t *testing.T) {
	t.Parallel()
	darkAtOnce(t, 300, "log: {partitions: 4}\n", darkRules+streetRule, "street_dark of area:350102001")
}

func darkAtOnce(t *testing.T, cabinets int, conf, ruleText, ticketOf string) {
	n := devicestest.Sized(10_000, 2_000)
	b := newOtherBroker(t)
	receiver := &duty{}
	hook := httptest.NewServer(receiver)
	t.Cleanup(hook.Close)
	data := t.TempDir()
	rules := filepath.Join(data, "dark.yml")
	if err := os.WriteFile(rules, []byte(ruleText), 0o600); err != nil {
		t.Fatal(err)
	}
	first := &daemon{t: t, data: data}
	first.tool("devices", "import", manyLamps(t, n, cabinets), "--data", data)
	d := newDaemonIn(t, data, fmt.Sprintf(conf+"rules: {files: [%s]}\npager: [{name: duty, url: '%s'}]\nmqtt: {brokers: ['tcp://%s']}\n", rules, hook.URL, b.addr))
	all := b.device("gateway")
	say := func(failed bool) time.Time {
		began := time.Now()
		var last paho.Token
		for i := range n {
			last = all.Publish(fmt.Sprintf("f/1/SL-%05d/telemetry", i), 1, false, fmt.Sprintf(`{"ts":%d,"lamp_failure":%v}`, time.Now().UnixMilli(), failed))
		}
		if !last.WaitTimeout(60*time.Second) || last.Error() != nil {
			t.Fatal(last.Error())
		}
		return began
	}
	standing := func(state string) func() bool {
		return func() bool {
			var s struct{ Items []struct{ ID string } }
			return d.get("facilities?limit=1&state="+state, &s) && len(s.Items) == 0
		}
	}
	d.eventually("the census to be known and every lamp to be heard", func() bool {
		if standing("unknown")() {
			return true
		}
		say(false)              // what is published before the daemon has subscribed goes nowhere
		time.Sleep(time.Second) // and the broker has no need of more than that
		return false
	})

	began := say(true)
	d.eventually("the page", func() bool { got, _ := receiver.pages(); return len(got) > 0 })
	_, at := receiver.pages()
	t.Logf("first of %d lamps failed → page: %v", n, at.Sub(began).Round(time.Millisecond))
	defect, _, _ := strings.Cut(ticketOf, " ")
	ticket := d.ticketOf(defect)
	d.eventually("all lamps to be attached", func() bool { return d.members(ticket) == n })
	t.Logf("all attached after %v", time.Since(began).Round(time.Millisecond))

	began = say(false)
	d.eventually("the page that says closed", func() bool { got, _ := receiver.pages(); return len(got) > 1 })
	_, at = receiver.pages()
	t.Logf("first of %d lamps good → page: %v", n, at.Sub(began).Round(time.Millisecond))
	d.eventually("all lamps to be good", standing("faulty"))
	if got, _ := receiver.pages(); strings.Join(got, ", ") != "opened "+ticketOf+", closed "+ticketOf {
		t.Errorf("pages %q, want one that opens and one that closes", got)
	}
	var ts ticketList
	if !d.get("tickets?limit=100", &ts) || len(ts.Items) != 1 || ts.Items[0].State != "closed" {
		t.Errorf("tickets %+v, want one, closed", ts.Items)
	}
}

func (d *daemon) ticketOf(defect string) (id int64) {
	d.t.Helper()
	var ts struct{ Items []struct{ ID int64 } }
	if !d.get("tickets?defect="+defect, &ts) || len(ts.Items) != 1 {
		d.t.Fatalf("tickets %s: %+v", defect, ts.Items)
	}
	return ts.Items[0].ID
}

// members counts who is attached to a ticket, page by page.
func (d *daemon) members(ticket int64) (n int) {
	next := ""
	for {
		var p struct {
			Items []struct{}
			Next  *string
		}
		if !d.get(fmt.Sprintf("tickets/%d/members?limit=500%s", ticket, next), &p) {
			return -1
		}
		n += len(p.Items)
		if p.Next == nil {
			return n
		}
		next = "&cursor=" + *p.Next
	}
}

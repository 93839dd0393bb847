package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices/devicestest"
)

// otherBroker is a mosquitto on a port of its own.
type otherBroker struct {
	t    *testing.T
	addr string
	conf string
	cmd  *exec.Cmd
}

func newOtherBroker(t *testing.T) *otherBroker {
	t.Helper()
	b := &otherBroker{t: t, addr: freeAddr(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := strings.Cut(b.addr, ":")
	if err := os.WriteFile(b.conf, []byte("user root\nlistener "+port+" 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nmax_inflight_messages 1000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	t.Cleanup(func() {
		if b.cmd != nil {
			b.kill()
		}
	})
	return b
}

func (b *otherBroker) start() {
	b.t.Helper()
	b.cmd = exec.Command(devicestest.NeedBinary(b.t, "mosquitto"), "-c", b.conf)
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *otherBroker) kill() {
	b.t.Helper()
	if err := b.cmd.Process.Kill(); err != nil {
		b.t.Error(err)
	}
	if err := b.cmd.Wait(); err == nil {
		b.t.Error("a killed mosquitto ended well")
	}
	b.cmd = nil
}

// device is a cover behind the broker that comes back as soon as it can.
func (b *otherBroker) device(id string) *cover {
	b.t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + b.addr).SetClientID(id).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).SetMaxReconnectInterval(time.Second))
	if tok := c.Connect(); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		b.t.Fatalf("connect %s: %v", id, tok.Error())
	}
	b.t.Cleanup(func() { c.Disconnect(0) })
	return &cover{Client: c, id: id}
}

// online says how often the device will be heard.
func (c *cover) online(t *testing.T, expect int) {
	t.Helper()
	tok := c.Publish("f/1/"+c.id+"/state", 1, false, fmt.Sprintf(`{"st":"online","boot":"b","expect_s":%d}`, expect))
	if !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		t.Fatalf("%s: %v", c.id, tok.Error())
	}
}

// TestOneOfTwoBrokersDies: whoever is behind the dead one is not called silent,
// one ticket says that we are blind there and since when, and silence behind the
// other one is found as ever.
func TestOneOfTwoBrokersDies(t *testing.T) {
	t.Parallel()
	a, b := newOtherBroker(t), newOtherBroker(t)
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.yml")
	if err := os.WriteFile(rules, []byte("groups:\n  - kind: manhole\n    rules:\n      - {name: comm_lost, silent: 3, for: 1s, severity: minor, summary: {zh: 失联, en: Lost}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemonWith(t, fmt.Sprintf("devices: {anonymous: true}\nrules: {files: [%s]}\nmqtt: {brokers: ['tcp://%s', 'tcp://%s']}\n", rules, a.addr, b.addr))
	alive, quiet, behind := a.device("MH-ALIVE"), a.device("MH-QUIET"), b.device("MH-BEHIND")
	d.eventually("all three to be heard", func() bool {
		for _, c := range []*cover{alive, quiet, behind} {
			c.online(t, 5)
			c.mustTilt(t, 1)
			if st, _ := d.standing(c.id); st != "ok" {
				return false
			}
		}
		return true
	})
	b.kill()
	died := time.Now()
	blind := "lamplighter ingest_blind " + b.addr
	d.eventually("silence behind the living broker, and one ticket about the dead one", func() bool {
		alive.mustTilt(t, 1)
		open := d.openDefects()
		if strings.Contains(open, "MH-ALIVE") || strings.Contains(open, "MH-BEHIND") {
			t.Fatalf("open: %s", open)
		}
		return strings.Contains(open, "MH-QUIET comm_lost") && strings.Contains(open, blind)
	})
	if n := strings.Count(d.openDefects(), "lamplighter "); n != 1 {
		t.Errorf("%d tickets about ourselves, want one: %s", n, d.openDefects())
	}
	var ts struct {
		Items []struct{ Summary struct{ EN string } }
	}
	if !d.get("tickets?state=live&defect=ingest_blind%20"+b.addr, &ts) || len(ts.Items) != 1 || !strings.Contains(ts.Items[0].Summary.EN, b.addr+" since ") {
		t.Errorf("the ticket does not name the broker: %+v", ts.Items)
	}
	d.eventually("nobody knows how the cover behind the dead broker is", func() bool {
		alive.mustTilt(t, 1)
		st, link := d.standing("MH-BEHIND")
		return st == "unknown" && link == b.addr
	})
	b.start()
	d.eventually("the end of the blindness", func() bool {
		alive.mustTilt(t, 1)
		behind.tilt(1)
		open := d.openDefects()
		if strings.Contains(open, "MH-BEHIND") {
			t.Fatalf("open: %s", open)
		}
		return !strings.Contains(open, blind)
	})
	d.eventually("real silence behind the broker that came back", func() bool { return strings.Contains(d.openDefects(), "MH-BEHIND comm_lost") })
	t.Logf("blind for %v", time.Since(died).Truncate(time.Second))
}

// standing is how the board shows a facility, and the link that is down.
func (d *daemon) standing(id string) (state, blind string) {
	d.t.Helper()
	var f struct {
		State, Blind string
		Since        *string
	}
	if !d.get("facilities/"+id, &f) {
		return "", ""
	}
	if f.Since == nil && f.State == "unknown" {
		return "", "" // enrolled, and the rules have not heard of it yet
	}
	if f.Since == nil {
		d.t.Errorf("%s is %s since nobody knows when", id, f.State)
	}
	return f.State, f.Blind
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// connect is a cover's connection, closed with the test.
func (d *daemon) connect(id string) *cover {
	d.t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.mqtt).SetClientID(id).SetAutoReconnect(false))
	if tok := c.Connect(); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		d.t.Fatalf("connect %s: %v", id, tok.Error())
	}
	d.t.Cleanup(func() { c.Disconnect(0) })
	return &cover{Client: c, id: id}
}

// cover is a device that publishes its tilt, never twice in one millisecond.
type cover struct {
	paho.Client
	id   string
	seq  int
	last int64
}

// tilt publishes; the token is done with the PUBACK.
func (c *cover) tilt(deg float64) paho.Token {
	c.seq++
	c.last = max(c.last+1, time.Now().UnixMilli())
	return c.Publish("f/1/"+c.id+"/telemetry", 1, false, fmt.Sprintf(`{"ts":%d,"seq":%d,"boot":"b","tilt_deg":%g}`, c.last, c.seq, deg))
}

// mustTilt publishes and waits for the PUBACK.
func (c *cover) mustTilt(t *testing.T, deg float64) {
	t.Helper()
	if tok := c.tilt(deg); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatalf("message %d is not acknowledged: %v", c.seq, tok.Error())
	}
}

// stored tells whether everything that c has published can be read, each once.
func (d *daemon) stored(c *cover) bool {
	d.t.Helper()
	var rs readingList
	if !d.get("facilities/"+c.id+"/readings?channel=seq&limit=100000", &rs) || len(rs.Points) < c.seq {
		return false
	}
	if len(rs.Points) > c.seq {
		d.t.Fatalf("%d points of %d messages", len(rs.Points), c.seq)
	}
	return true
}

func (d *daemon) healthy() (ok bool, body string) {
	r, err := http.Get("http://" + d.http + "/-/healthy")
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Body.Close()
	var parts struct {
		Parts []struct{ Name, Trouble string }
	}
	if err := json.NewDecoder(r.Body).Decode(&parts); err != nil {
		d.t.Fatal(err)
	}
	return r.StatusCode == http.StatusOK, fmt.Sprint(parts)
}

// open is the defects of tickets that are not closed.
func (d *daemon) openDefects() string {
	var ts ticketList
	if !d.get("tickets?state=live", &ts) {
		return "no answer"
	}
	var out []string
	for _, x := range ts.Items {
		out = append(out, x.Facility+" "+x.Defect)
	}
	return strings.Join(out, ", ")
}

// awayFor is how long the store is away: two minutes in deploy/test.sh.
func awayFor() time.Duration {
	if os.Getenv("LAMPLIGHTER_TEST_ALL") == "1" {
		return 2 * time.Minute
	}
	return 40 * time.Second
}

// TestTicketsGoOnWhileTheStoreIsAway stops the store child in the middle of its
// work, so that it neither answers nor refuses.
func TestTicketsGoOnWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	c := d.connect("MH-1")
	d.signalStore(syscall.SIGSTOP)
	away := time.Now()
	// 5 s: what waits before a rule's two seconds are over
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.mustTilt(t, 40)
	}
	d.eventually("the ticket of a cover, without the store", func() bool { return strings.Contains(d.openDefects(), "MH-1 cover_displaced") })
	d.eventually("the ticket about the store itself", func() bool { return strings.Contains(d.openDefects(), "lamplighter store-") })
	if ok, body := d.healthy(); ok || !strings.Contains(body, "the store takes nothing") {
		t.Errorf("healthy %v: %s", ok, body)
	}
	for ; time.Since(away) < awayFor(); time.Sleep(100 * time.Millisecond) {
		c.mustTilt(t, 1)
	}
	d.signalStore(syscall.SIGCONT)
	d.eventually("every message in the store", func() bool { return d.stored(c) })
	d.eventually("the end of both tickets", func() bool { return d.openDefects() == "" })
}

// TestAFullDiskStopsTheAcksAndNothingElse fills the disk of the data folder.
func TestAFullDiskStopsTheAcksAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 400)
	d := newDaemonIn(t, dir, "devices: {anonymous: true}\n")
	c := d.connect("MH-1")
	for range 50 {
		c.mustTilt(t, 1)
	}
	ballast := filepath.Join(dir, "ballast")
	fill(t, dir, ballast, 50<<20)
	d.eventually("health that tells of the disk", func() bool {
		ok, body := d.healthy()
		return !ok && strings.Contains(body, "kept in reserve")
	})
	waiting := c.tilt(40)
	if waiting.WaitTimeout(3 * time.Second) {
		t.Fatalf("a message was acknowledged without room on the disk: %v", waiting.Error())
	}
	if d.openDefects() == "no answer" {
		t.Error("the API does not answer while the disk is full")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !waiting.WaitTimeout(time.Minute) || waiting.Error() != nil {
		t.Fatalf("not acknowledged when there was room again: %v", waiting.Error())
	}
	d.eventually("every message in the store", func() bool { return d.stored(c) })
	d.eventually("health that is good again", func() bool { ok, _ := d.healthy(); return ok })
	d.eventually("the ticket", func() bool { return strings.Contains(d.openDefects(), "MH-1 cover_displaced") })
}

// smallDisk is a disk of so many MB.
func smallDisk(t *testing.T, mb int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mb)); err != nil {
		if os.Getenv("LAMPLIGHTER_TEST_ALL") == "1" {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("mount a small disk: %v (needs root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file that leaves so many bytes free.
func fill(t *testing.T, dir, file string, left int64) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, int64(st.Bavail)*st.Bsize-left), 0o600); err != nil {
		t.Fatal(err)
	}
}

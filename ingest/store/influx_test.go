package store

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

// influx is a real influxd 1.8 with Flux switched on: it takes v2 writes and
// answers Flux like InfluxDB 2.
type influx struct {
	t       testing.TB
	program string
	dir     string
	url     string
	config  string
	cmd     *exec.Cmd
}

func freeAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func startInflux(t testing.TB) *influx {
	t.Helper()
	i := &influx{t: t, program: devicestest.NeedBinary(t, "influxd"), dir: t.TempDir()}
	addr := freeAddr(t)
	i.url, i.config = "http://"+addr, filepath.Join(i.dir, "influxdb.conf")
	text := fmt.Sprintf("reporting-disabled = true\nbind-address = %q\n[meta]\ndir = %q\n[data]\ndir = %q\nwal-dir = %q\n[http]\nbind-address = %q\nflux-enabled = true\nlog-enabled = false\n[monitor]\nstore-enabled = false\n",
		freeAddr(t), i.dir+"/meta", i.dir+"/data", i.dir+"/wal", addr)
	if err := os.WriteFile(i.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i.start()
	t.Cleanup(i.kill)
	resp, err := http.PostForm(i.url+"/query", url.Values{"q": {"CREATE DATABASE city"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return i
}

func (i *influx) start() {
	i.t.Helper()
	i.cmd = exec.Command(i.program, "-config", i.config)
	i.cmd.Stderr = io.Discard
	if err := i.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(i.url + "/ping"); err == nil {
			resp.Body.Close()
			return
		}
	}
	i.t.Fatal("influxd does not answer")
}

func (i *influx) kill() {
	_ = i.cmd.Process.Kill()
	_ = i.cmd.Wait()
}

func (i *influx) target() Target { return Target{URL: i.url, Org: "", Bucket: "city/autogen"} }

// reader is what the two ways of reading have in common.
type reader interface {
	Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]Point, error)
	Latest(ctx context.Context, ids []string) (map[string]map[string]Point, error)
}

// stores runs a test against both real stores.
func stores(t *testing.T, fn func(t *testing.T, target Target, r reader)) {
	t.Run("VictoriaMetrics", func(t *testing.T) {
		c := supervise(t, t.TempDir())
		q, err := c.Reader()
		if err != nil {
			t.Fatal(err)
		}
		fn(t, Target{URL: c.URL(), Org: "o", Bucket: "b", Authorization: c.Authorization(), Generation: func() int { _, n := c.PID(); return n }}, q)
	})
	t.Run("InfluxDB", func(t *testing.T) {
		i := startInflux(t)
		f := NewFlux(i.target())
		t.Cleanup(f.Close)
		fn(t, i.target(), f)
	})
}

func writerTo(t testing.TB, target Target) (*Writer, *bin) {
	t.Helper()
	b := &bin{}
	w := NewWriter(Options{Target: target, Census: noCensus{}, Cursor: FileCursor{t.TempDir()}, Quarantine: b, Slow: 20 * time.Millisecond, Log: zerolog.Nop(), Metrics: NewMetrics(prometheus.NewRegistry())})
	if _, err := w.Start(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	return w, b
}

// said is a batch of one reading of a device.
func said(seq uint64, dev devices.DeviceID, at int64, vals ...devices.Value) *devices.Batch {
	m := &devices.Message{Type: devices.Telemetry, Device: dev, Seq: seq, HasSeq: true, Readings: []devices.Reading{{Time: at, Source: devices.TimeDevice, Values: vals}}}
	return &devices.Batch{Seq: seq, Wall: at, Items: []devices.Item{{Type: devices.ItemUplink, Message: m}}}
}

func TestBothStoresAnswerAlike(t *testing.T) {
	cover := &devices.Channel{Name: "cover_open", Type: devices.Bool, ID: 1}
	mode := &devices.Channel{Name: "mode", Type: devices.Text, ID: 2}
	stores(t, func(t *testing.T, target Target, r reader) {
		w, refused := writerTo(t, target)
		base := time.Now().Add(-time.Minute).UnixMilli()
		for i := range 10 {
			for _, dev := range []devices.DeviceID{"MH-1", "MH.2"} {
				b := said(uint64(i+1), dev, base+int64(i)*1000, devices.Value{Channel: tilt, Num: float64(i) + 0.5}, devices.Value{Channel: cover, Num: float64(i % 2)}, devices.Value{Channel: mode, Text: "auto, or \"not\""})
				for range 2 { // the same again changes nothing
					if err := w.Consume(t.Context(), b); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		var pts []Point
		var err error
		for deadline := time.Now().Add(30 * time.Second); len(pts) < 10 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if pts, err = r.Range(t.Context(), "MH-1", "tilt_deg", base, base+60_000, 100); err != nil {
				t.Fatal(err)
			}
		}
		if len(pts) != 10 || pts[0] != (Point{T: base, V: 0.5}) || pts[9] != (Point{T: base + 9000, V: 9.5}) {
			t.Errorf("points %v", pts)
		}
		if pts, err = r.Range(t.Context(), "MH-1", "tilt_deg", base+2000, base+7000, 3); err != nil || len(pts) != 3 || pts[0].V != 5.5 || pts[2].V != 7.5 {
			t.Errorf("the newest three from 2 s to 7 s: %v, %v", pts, err)
		}
		if pts, err = r.Range(t.Context(), "MH-9", "tilt_deg", base, base+60_000, 3); err != nil || len(pts) != 0 {
			t.Errorf("of a stranger: %v, %v", pts, err)
		}
		all, err := r.Latest(t.Context(), []string{"MH-1", "MH.2", "MHx2"})
		if err != nil || len(all) != 2 {
			t.Fatalf("latest of %d: %v, %v", len(all), all, err)
		}
		for id, chs := range all {
			if chs["tilt_deg"] != (Point{T: base + 9000, V: 9.5}) || chs["cover_open"] != (Point{T: base + 9000, V: 1}) || chs["seq"].V != 10 {
				t.Errorf("latest of %s: %v", id, chs)
			}
		}
		for _, id := range []string{`MH-1" or true or r.id == "`, "MH-1\n", `\`, "${r.id}", `MH-1"} or {id="MH-1`, "MH-1|.*", ".*"} {
			if pts, err := r.Range(t.Context(), id, "tilt_deg", base, base+60_000, 100); err == nil && len(pts) != 0 {
				t.Errorf("%q reads %d points of others", id, len(pts))
			}
			if all, err := r.Latest(t.Context(), []string{id}); err == nil && len(all) != 0 && id != "MH-1|.*" && id != ".*" {
				t.Errorf("%q reads the latest of %d others", id, len(all))
			}
		}
		if len(refused.lines) != 0 {
			t.Errorf("refused %q", refused.lines)
		}
	})
}

func TestOneBadLineDoesNotTakeTheGoodOnesWithIt(t *testing.T) {
	i := startInflux(t)
	w, refused := writerTo(t, i.target())
	now := time.Now().UnixMilli()
	var body []string
	for n := range 50 {
		body = append(body, fmt.Sprintf("lamplighter,id=MH-%d tilt_deg=%d %d", n, n, now))
	}
	body[17] = "lamplighter,id=MH-17 tilt_deg=notanumber " + fmt.Sprint(now)
	body[18] = "garbage"
	if err := w.send(t.Context(), []byte(strings.Join(body, "\n")+"\n")); err != nil {
		t.Fatal(err)
	}
	if len(refused.lines) != 2 || !strings.Contains(refused.lines[0], "notanumber") || !strings.Contains(refused.lines[1], "garbage") {
		t.Errorf("quarantine %q", refused.lines)
	}
	f := NewFlux(i.target())
	defer f.Close()
	ids := make([]string, 50)
	for n := range ids {
		ids[n] = fmt.Sprintf("MH-%d", n)
	}
	all, err := f.Latest(t.Context(), ids)
	if err != nil || len(all) != 48 {
		t.Errorf("%d of 48 good lines were stored (%v)", len(all), err)
	}
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	i := startInflux(t)
	w, _ := writerTo(t, i.target())
	base := time.Now().Add(-time.Minute).UnixMilli()
	if err := w.Consume(t.Context(), said(1, "MH-1", base, devices.Value{Channel: tilt, Num: 1})); err != nil {
		t.Fatal(err)
	}
	i.kill()
	done := make(chan error, 1)
	go func() {
		done <- w.Consume(t.Context(), said(2, "MH-1", base+1000, devices.Value{Channel: tilt, Num: 2}))
	}()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, trouble := w.Health(); strings.Contains(trouble, "the store takes nothing") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("health does not say that the store is away")
		}
	}
	select {
	case err := <-done:
		t.Fatalf("did not wait: %v", err)
	default:
	}
	i.start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, trouble := w.Health(); trouble != "" {
		t.Errorf("still says %q", trouble)
	}
	f := NewFlux(i.target())
	defer f.Close()
	if pts, err := f.Range(t.Context(), "MH-1", "tilt_deg", base, base+5000, 10); err != nil || len(pts) != 2 {
		t.Errorf("stored %v, %v; want both", pts, err)
	}
}

// moody answers each write with the next status, then with 204.
type moody struct {
	mu     sync.Mutex
	status []int    // guarded by mu
	bodies []string // guarded by mu
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = append(m.bodies, string(b))
	code := http.StatusNoContent
	if len(m.status) > 0 {
		code, m.status = m.status[0], m.status[1:]
	}
	w.WriteHeader(code)
}

func TestWhatTheStoreSaysDecidesWhatIsDone(t *testing.T) {
	for name, c := range map[string]struct {
		status   []int
		requests int
		trouble  string // said meanwhile
	}{
		"busy, down, then well":   {[]int{429, 503, 500}, 4, "the store takes nothing"},
		"no right, until granted": {[]int{401, 403}, 3, "token_file"},
		"no such bucket":          {[]int{404}, 2, "bucket"},
		"too large at once":       {[]int{413}, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := &moody{status: c.status}
			srv := httptest.NewServer(m)
			defer srv.Close()
			w, refused := writerTo(t, Target{URL: srv.URL, Org: "o", Bucket: "b"})
			said := ""
			w.heard = func(trouble string) { said += trouble }
			if err := w.send(t.Context(), []byte("a v=1 1\nb v=2 2\n")); err != nil {
				t.Fatal(err)
			}
			if len(m.bodies) != c.requests || len(refused.lines) != 0 {
				t.Errorf("%d requests %q, refused %q; want %d requests", len(m.bodies), m.bodies, refused.lines, c.requests)
			}
			if !strings.Contains(said, c.trouble) {
				t.Errorf("said %q meanwhile, want %q", said, c.trouble)
			}
		})
	}
}

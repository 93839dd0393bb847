package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/ingest/pipeline"
	"lamplighter/ingest/uplog"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/rules/tickets"
)

// The test binary is the daemon, its store child or a tool when this is set.
const beDaemon = "LAMPLIGHTER_TEST_DAEMON"

func TestMain(m *testing.M) {
	if os.Getenv(beDaemon) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], nil, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// daemon is a lamplighter process.
type daemon struct {
	t          *testing.T
	data       string
	mqtt, http string
	token      string
	cmd        *exec.Cmd
}

// freeAddr is an address that only those who ask for it by its number may listen
// on until the test ends: a socket is bound to it that never listens itself.
func freeAddr(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	})
	own := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.Bind(fd, own)); err != nil {
		t.Fatal(err)
	}
	is, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", is.(*unix.SockaddrInet4).Port)
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	return newDaemonWith(t, "devices: {anonymous: true}\n")
}

func newDaemonWith(t *testing.T, config string) *daemon {
	t.Helper()
	return newDaemonIn(t, t.TempDir(), config)
}

// newDaemonIn starts a daemon with this data folder.
func newDaemonIn(t *testing.T, data, config string) *daemon {
	t.Helper()
	d := &daemon{t: t, data: data, mqtt: freeAddr(t), http: freeAddr(t)}
	conf := filepath.Join(d.data, "conf.yml")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.token = strings.TrimSpace(d.tool("token", "--config", conf, "--data", d.data, "--role", "operator"))
	d.start()
	t.Cleanup(func() { d.end(syscall.SIGTERM) })
	return d
}

func (d *daemon) tool(args ...string) string {
	d.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), beDaemon+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

func (d *daemon) start() {
	d.t.Helper()
	log, err := os.OpenFile(filepath.Join(d.data, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command(os.Args[0], "--config", filepath.Join(d.data, "conf.yml"), "--data", d.data, "--mqtt", d.mqtt, "--http", d.http, "--log", "json")
	d.cmd.Env = append(os.Environ(), beDaemon+"=1")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.eventually("ready", func() bool {
		r, err := http.Get("http://" + d.http + "/-/ready")
		if err == nil {
			r.Body.Close()
		}
		c, derr := net.Dial("tcp", d.mqtt)
		if derr == nil {
			c.Close()
		}
		return err == nil && derr == nil
	})
}

func (d *daemon) end(s syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Error(err)
	}
	if err := d.cmd.Wait(); err != nil && s == syscall.SIGTERM {
		log, _ := os.ReadFile(filepath.Join(d.data, "daemon.log"))
		d.t.Errorf("the daemon ended with %v\n%s", err, log)
	}
}

// eventuallyIs is generous: the daemons of several tests run beside each other.
const eventuallyIs = 3 * time.Minute

func (d *daemon) eventually(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(eventuallyIs); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	log, _ := os.ReadFile(filepath.Join(d.data, "daemon.log"))
	d.t.Fatalf("not within %v: %s\n%s", eventuallyIs, what, log)
}

// get asks the API; false when it has no answer yet.
func (d *daemon) get(path string, into any) bool {
	req, err := http.NewRequest(http.MethodGet, "http://"+d.http+"/api/v1/"+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.StatusCode == http.StatusOK && json.NewDecoder(r.Body).Decode(into) == nil
}

type ticketList struct {
	Items []struct{ Facility, Defect, State string }
}

type readingList struct {
	Points []struct{ V float64 }
}

func TestFromMosquittoPubToTheTicket(t *testing.T) {
	t.Parallel()
	devicestest.NeedBinary(t, "mosquitto_pub")
	d := newDaemon(t)
	host, port, err := net.SplitHostPort(d.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ device, payload string }{
		{"MH-1", `{"seq":1,"tilt_deg":33.5,"battery_v":3.6}`}, {"MH-2", "garbage"}, {"MH-3", `{"tilt_deg":1.5}`},
	} {
		if out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-q", "1", "-t", "f/1/"+c.device+"/telemetry", "-m", c.payload).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	var ts ticketList
	d.eventually("one ticket", func() bool { return d.get("tickets", &ts) && len(ts.Items) == 1 })
	if x := ts.Items[0]; x.Facility != "MH-1" || x.Defect != "cover_displaced" || x.State != "open" {
		t.Errorf("ticket %+v", x)
	}
	var rs readingList
	d.eventually("the reading", func() bool {
		return d.get("facilities/MH-1/readings?channel=tilt_deg", &rs) && len(rs.Points) == 1 && rs.Points[0].V == 33.5
	})
	var q struct {
		Items []struct{ Device, Code string }
	}
	d.eventually("the quarantine", func() bool { return d.get("quarantine", &q) && len(q.Items) == 1 })
	if q.Items[0].Device != "MH-2" || q.Items[0].Code != "E_JSON" {
		t.Errorf("quarantine %+v", q.Items)
	}
}

func TestASecondDaemonIsToldWhy(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	cmd := exec.Command(os.Args[0], "--data", d.data, "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), beDaemon+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is in use by another daemon") {
		t.Errorf("got %v: %s", err, out)
	}
}

// killRounds is how often the daemon is killed: 50 times in deploy/test.sh.
func killRounds() int {
	if os.Getenv("LAMPLIGHTER_TEST_ALL") == "1" {
		return 50
	}
	return 5
}

// nervous rules open and close a ticket at every change.
const nervous = `groups:
- kind: manhole
  rules:
  - name: cover_displaced
    when: tilt_deg > 15.0
    severity: critical
    channel: tilt_deg
    summary: {zh: 井盖移位, en: Cover displaced}
- kind: streetlight
  rules:
  - name: lamp_out
    when: lamp_on && power_w < 2.0
    severity: minor
    summary: {zh: 灯不亮, en: Lamp out}
`

// TestKill9LosesNothingAndRepeatsNothing kills the daemon, and its store child,
// at random moments under load. Every acknowledged message can then be read
// from the store exactly once, and the tickets and the account of the lamps are
// those that an undisturbed judge makes of the same log.
func TestKill9LosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "nervous.yml")
	if err := os.WriteFile(file, []byte(nervous), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemonWith(t, "devices: {anonymous: true}\nrules: {files: ["+file+"]}\n")
	acked := &ledger{seqs: map[string]map[int]bool{}}
	for round := range killRounds() {
		stop, before := make(chan struct{}), acked.count()
		var wg sync.WaitGroup
		for _, dev := range []string{"MH-0", "MH-1", "MH-2", "SL-0", "SL-1"} {
			wg.Go(func() { d.load(dev, round, acked, stop) })
		}
		d.eventually("load", func() bool { return acked.count() >= before+320 })
		time.Sleep(time.Duration(rand.IntN(800)) * time.Millisecond) // the random moment
		if round%2 == 1 {
			d.killStore()
			time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		}
		d.end(syscall.SIGKILL)
		close(stop)
		wg.Wait()
		d.start()
	}
	total := 0
	for dev, seqs := range acked.seqs {
		var rs readingList
		d.eventually(fmt.Sprintf("every message of %s", dev), func() bool {
			return d.get("facilities/"+dev+"/readings?channel=seq&limit=100000", &rs) && covers(rs, seqs)
		})
		seen := map[int]int{}
		for _, p := range rs.Points {
			seen[int(p.V)]++
		}
		for s := range seqs {
			if seen[s] != 1 {
				t.Errorf("%s: message %d is stored %d times", dev, s, seen[s])
			}
		}
		total += len(seqs)
	}
	d.end(syscall.SIGTERM)
	undisturbed := judgeOnce(t, filepath.Join(d.data, "log"), []byte(nervous))
	for what, query := range map[string]string{
		"tickets":             `SELECT facility||' '||defect, opened_at, closed_at FROM ticket`,
		"exceptions of lamps": `SELECT facility||' '||standing||' '||reason, began, ended FROM lamp_exception`,
		"lamps heard":         `SELECT facility, since, 0 FROM lamp_watched`,
	} {
		got, want := factsOf(t, filepath.Join(d.data, "lamplighter.db"), query), factsOf(t, undisturbed, query)
		if len(want) < 2*killRounds() && what != "lamps heard" || len(want) < 2 {
			t.Errorf("only %d %s in the log: nothing to compare", len(want), what)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d %s, an undisturbed judge finds %d; the first that differ: %s", len(got), what, len(want), firstDifference(got, want))
		}
		t.Logf("%d rounds, %d acknowledged messages, %d %s", killRounds(), total, len(got), what)
	}
	d.start()
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + " | " + b[i]
		}
	}
	return fmt.Sprint(append(a, b...)[min(len(a), len(b)):])
}

// factsOf is what a query tells of the database at path:
// what, and from when to when.
func factsOf(t *testing.T, path, query string) []string {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out, err := database.All(t.Context(), db, func(row database.Row) (string, error) {
		var what string
		var from, to int64
		err := row.Scan(&what, &from, &to)
		return fmt.Sprintln(what, from, to), err
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// noPages is an outbox that nothing leaves.
type noPages struct{}

func (noPages) Enqueue(context.Context, *database.Tx, tickets.Page) error { return nil }

func (noPages) Wake() {}

// judgeOnce judges a whole log from its first frame to its last, and returns the
// path of the database with what follows from it.
func judgeOnce(t *testing.T, dir string, text []byte) (path string) {
	t.Helper()
	dict, err := newDictionary()
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse(text, dict)
	if err != nil {
		t.Fatal(err)
	}
	log, err := uplog.Open(t.Context(), uplog.Options{Dir: dir, Log: zerolog.Nop(), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	path = filepath.Join(t.TempDir(), "judge.db")
	db, err := database.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	desk := tickets.New(tickets.Options{DB: db, Outbox: noPages{}, Ledger: lighting.Ledger{}, Zone: time.UTC, Metrics: prometheus.NewRegistry()})
	m := rules.NewMetrics(prometheus.NewRegistry())
	for p := range log.Partitions() {
		_, last, err := log.Bounds(p)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		w := rules.NewWorker(rules.Options{Set: set, Dict: dict, Log: log, Desk: desk, Metrics: m, Logger: zerolog.Nop()})
		f := &pipeline.Follower{Name: "judge", Log: log, Partition: p, Decoder: codec.New(dict, codec.Options{}), Consumer: &until{w, last, cancel}, Logger: zerolog.Nop()}
		if err := f.Run(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	return path
}

// until is a worker that is done with a frame.
type until struct {
	*rules.Worker
	last uint64
	done func()
}

// Consume hands the batch on and says when it was the last.
func (u *until) Consume(ctx context.Context, b *devices.Batch) error {
	if b.Seq > u.last {
		return nil
	}
	err := u.Worker.Consume(ctx, b)
	if b.Seq == u.last {
		u.done()
	}
	return err
}

func covers(rs readingList, want map[int]bool) bool {
	have := map[int]bool{}
	for _, p := range rs.Points {
		have[int(p.V)] = true
	}
	for s := range want {
		if !have[s] {
			return false
		}
	}
	return true
}

// ledger is what was acknowledged.
type ledger struct {
	mu   sync.Mutex
	seqs map[string]map[int]bool // guarded by mu
}

func (l *ledger) add(dev string, seq int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seqs[dev] == nil {
		l.seqs[dev] = map[int]bool{}
	}
	l.seqs[dev][seq] = true
}

func (l *ledger) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, seqs := range l.seqs {
		n += len(seqs)
	}
	return n
}

// inFlight is how many messages a device of the load has under way at once.
const inFlight = 20

// load publishes until stop and notes what was acknowledged. The time of a
// message is its own and never comes twice; the cover tilts and falls back, the
// lamp goes out and on again, every 40 messages.
func (d *daemon) load(dev string, round int, acked *ledger, stop chan struct{}) {
	o := paho.NewClientOptions().AddBroker("tcp://" + d.mqtt).SetClientID(fmt.Sprintf("%s-%d", dev, round)).SetAutoReconnect(false)
	c := paho.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		return
	}
	defer c.Disconnect(0)
	last, values := int64(0), `"tilt_deg":%d`
	if strings.HasPrefix(dev, "SL") {
		values = `"lamp_on":true,"power_w":%d`
	}
	for i := 0; ; i += inFlight {
		var toks [inFlight]paho.Token
		for j := range toks {
			last = max(last+1, time.Now().UnixMilli())
			toks[j] = c.Publish("f/1/"+dev+"/telemetry", 1, false, fmt.Sprintf(`{"ts":%d,"seq":%d,"boot":"r%d",`+values+`}`, last, round*1_000_000+i+j, round, (i+j)/40%2*40))
		}
		for j, tok := range toks {
			if !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
				return
			}
			acked.add(dev, round*1_000_000+i+j)
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Until(time.UnixMilli(last + 1))): // never ahead of the clock: the next round begins with it
		}
	}
}

// killStore kills the daemon's store child.
func (d *daemon) killStore() { d.signalStore(syscall.SIGKILL) }

func (d *daemon) signalStore(sig syscall.Signal) {
	d.t.Helper()
	pid, err := d.storePID()
	if err == nil {
		err = syscall.Kill(pid, sig)
	}
	if err != nil {
		d.t.Errorf("%v to the store child: %v", sig, err)
	}
}

// storePID is the store child's process id.
func (d *daemon) storePID() (pid int, err error) {
	out, err := exec.Command("pgrep", "-P", fmt.Sprint(d.cmd.Process.Pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("find the store child: %w", err)
	}
	_, err = fmt.Sscan(string(out), &pid)
	return pid, err
}

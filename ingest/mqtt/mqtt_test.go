package mqtt

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

type sink chan devices.Uplink

func (s sink) Deliver(_ context.Context, u *devices.Uplink, a devices.Acker) error {
	kept := *u
	kept.Payload = slices.Clone(u.Payload)
	s <- kept
	a.Acked(u.PacketID, nil)
	return nil
}

// run reads from a broker until the returned function is called or the test ends.
func run(t *testing.T, o Options) (*Client, func()) {
	t.Helper()
	if o.ClientID == "" {
		o.ClientID = "lamplighter"
	}
	if o.Filters == nil {
		o.Filters = []string{"f/1/+/#"}
	}
	o.Log = zerolog.Nop()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	stop := func() { cancel(); <-done }
	t.Cleanup(stop)
	return c, stop
}

// quick is a timing for tests.
var quick = timing{probeEvery: 50 * time.Millisecond, probeLost: 500 * time.Millisecond, retry: 50 * time.Millisecond, retryMax: 200 * time.Millisecond, silence: 4 * time.Second, suback: time.Second, owing: 100 * time.Millisecond, dropMemory: time.Minute}

// next is the next uplink that is not a probe.
func next(t *testing.T, got sink) devices.Uplink {
	t.Helper()
	for {
		select {
		case u := <-got:
			if u.Device != "probe" {
				return u
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nothing arrives")
		}
	}
}

func TestReadsAnotherBrokerThroughItsDeath(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	run(t, Options{URL: m.url(), Sink: got})
	for round := range 2 {
		m.probe(got)
		var lines []string
		for i := range 100 {
			lines = append(lines, fmt.Sprintf(`{"seq":%d}`, i))
		}
		m.mustPublish("f/1/MH-1/telemetry", lines...)
		last := int64(0)
		for i := range 100 {
			u := next(t, got)
			if string(u.Payload) != lines[i] || u.Device != "MH-1" || u.Received <= last {
				t.Fatalf("round %d message %d is %+v", round, i, u)
			}
			last = u.Received
		}
		if round == 0 {
			m.stop()
			m.start()
		}
	}
}

func TestDownlinksAndStrangeTopicsAreNotTakenAndBlockNothing(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 10)
	run(t, Options{URL: m.url(), Filters: []string{"#"}, Sink: got})
	m.probe(got)
	for _, topic := range []string{"f/1/MH-1/cmd", "f/1/MH-1/error", "elsewhere", "f/1/a b/telemetry", "f/1/MH-1/telemetry"} {
		m.mustPublish(topic, "{}")
	}
	if u := next(t, got); u.Topic != "f/1/MH-1/telemetry" {
		t.Errorf("took %s", u.Topic)
	}
}

func TestWhatCameWhileWeWereAwayComes(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	_, stop := run(t, Options{URL: m.url(), Sink: got})
	m.probe(got)
	stop()
	m.mustPublish("f/1/MH-1/telemetry", "1", "2", "3")
	run(t, Options{URL: m.url(), Sink: got})
	for _, want := range []string{"1", "2", "3"} {
		if u := next(t, got); string(u.Payload) != want {
			t.Errorf("got %s, want %s", u.Payload, want)
		}
	}
}

func TestABrokerWithADatabaseIsRestarted(t *testing.T) {
	m := newMosquitto(t, "persistence true", "persistence_location DIR/")
	h := &held{}
	_, stop := run(t, Options{URL: m.url(), Sink: h})
	m.eventually("a message", func() bool { return m.publish("f/1/MH-1/telemetry", "a") == nil && len(h.payloads()) > 0 })
	m.mustPublish("f/1/MH-1/telemetry", "unacknowledged")
	m.eventually("it came", func() bool { return slices.Contains(h.payloads(), "unacknowledged") })
	stop() // we go without having acknowledged
	m.end()
	m.start()
	got := make(sink, 1000)
	run(t, Options{URL: m.url(), Sink: got})
	for string(next(t, got).Payload) != "unacknowledged" {
	}
}

// held takes messages and never acknowledges one.
type held struct {
	mu  sync.Mutex
	got []string // guarded by mu
}

func (h *held) Deliver(_ context.Context, u *devices.Uplink, _ devices.Acker) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, string(u.Payload))
	return nil
}

func (h *held) payloads() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

func TestNothingIsAcknowledgedBeforeItIsDurable(t *testing.T) {
	m := newMosquitto(t, "persistence false", "max_inflight_messages 5")
	h := &held{}
	patient := quick
	patient.probeLost = 3 * time.Second // no machine is so slow that a canary is out that long before the window is full
	c, _ := run(t, Options{URL: m.url(), Sink: h, timing: patient})
	m.eventually("it is up", func() bool { up, _, _ := c.Link(); return up && c.Health() == "" })
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprint(i))
	}
	m.eventually("the window is full", func() bool {
		return m.publish("f/1/MH-1/telemetry", lines...) == nil && c.inflight.Load() >= 5 // Mosquitto 2.0.11 goes beyond it when a canary is acknowledged
	})
	m.eventually("health says so", func() bool { return strings.Contains(c.Health(), " messages wait for the log") })
	m.eventually("a canary is out for too long", func() bool { out, _ := c.missing(time.Now()); return out > 2*patient.probeLost })
	if n := rebuilds(c); n != 0 {
		t.Errorf("the session was made anew %v times for a log that is slow", n)
	}
}

func TestShardsAreSessionsOfTheirOwn(t *testing.T) {
	m := newMosquitto(t)
	a, b := make(sink, 100), make(sink, 100)
	run(t, Options{URL: m.url(), ClientID: "l-1", Filters: []string{"f/1/A/#", "f/1/probe/#"}, Sink: a})
	run(t, Options{URL: m.url(), ClientID: "l-2", Filters: []string{"f/1/B/#", "f/1/probe/#"}, Sink: b})
	m.probe(a)
	m.probe(b)
	m.mustPublish("f/1/A/telemetry", "{}")
	m.mustPublish("f/1/B/telemetry", "{}")
	if u := next(t, a); u.Device != "A" {
		t.Errorf("the first shard got %s", u.Device)
	}
	if u := next(t, b); u.Device != "B" {
		t.Errorf("the second shard got %s", u.Device)
	}
}

func TestALostCanaryMakesTheSessionAnew(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	c, _ := run(t, Options{URL: m.url(), Sink: got, timing: quick})
	m.eventually("a canary came back", func() bool { _, came := c.missing(time.Now()); return came })
	m.signal(syscall.SIGSTOP) // the connection stands, nothing comes
	m.eventually("the session is made anew", func() bool { return rebuilds(c) > 0 })
	m.eventually("health says so", func() bool { return c.Health() != "" })
	m.signal(syscall.SIGCONT)
	m.probe(got)
	m.eventually("health is good again", func() bool { return c.Health() == "" })
}

func TestRulesThatForbidReadingAreSeen(t *testing.T) {
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte("topic write f/1/#\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMosquitto(t, "persistence false", "acl_file "+acl)
	c, _ := run(t, Options{URL: m.url(), Sink: make(sink, 10), timing: quick})
	m.eventually("health says so", func() bool { return strings.Contains(c.Health(), "canary") })
}

func TestARefusedSubscriptionIsTriedAgain(t *testing.T) {
	plugins, err := filepath.Glob("/usr/lib/*/mosquitto_dynamic_security.so")
	if err != nil || len(plugins) == 0 {
		t.Fatalf("Debian's mosquitto brings mosquitto_dynamic_security.so: %v", err)
	}
	m := newMosquitto(t, "persistence false", "plugin "+plugins[0], "plugin_opt_config_file DIR/dynsec.json")
	rules := func(subscribe bool) {
		m.t.Helper()
		text := fmt.Sprintf(`{"defaultACLAccess":{"publishClientSend":true,"publishClientReceive":true,"subscribe":%t,"unsubscribe":true},"clients":[],"groups":[{"groupname":"anyone","roles":[]}],"roles":[],"anonymousGroup":"anyone"}`, subscribe)
		if err := os.WriteFile(filepath.Join(filepath.Dir(m.conf), "dynsec.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules(false)
	m.stop()
	m.start()
	got := make(sink, 1000)
	c, _ := run(t, Options{URL: m.url(), Sink: got, timing: quick})
	m.eventually("health says so", func() bool {
		return strings.Contains(c.Health(), "no messages of f/1/+/#: the broker refuses it with 0x80")
	})
	rules(true)
	m.stop()
	m.start()
	m.probe(got)
	m.eventually("health is good", func() bool { return c.Health() == "" })
}

func TestDroppedMessagesAreSeen(t *testing.T) {
	m := newMosquitto(t, "persistence false", "sys_interval 1", "max_queued_messages 1", "max_inflight_messages 1")
	h := &held{}
	c, _ := run(t, Options{URL: m.url(), Sink: h, WatchDropped: true, timing: quick})
	m.eventually("the count is known", func() bool { c.drops.mu.Lock(); defer c.drops.mu.Unlock(); return c.drops.known })
	lost := exec.Command("mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-q", "1", "-c", "-i", "absent", "-t", "elsewhere", "-E")
	if out, err := lost.CombinedOutput(); err != nil { // somebody who is away
		t.Fatalf("%v: %s", err, out)
	}
	m.mustPublish("elsewhere", "1", "2", "3", "4", "5", "6")
	m.eventually("the metric", func() bool { return testutil.ToFloat64(c.opt.Metrics.dropped.WithLabelValues(c.broker)) > 0 })
	m.eventually("health says so", func() bool { return strings.Contains(c.Health(), "raise its max_queued_messages") })
}

func TestACountOfDropsThatStartsAnew(t *testing.T) {
	var d drops
	now := time.Now()
	for i, c := range []struct{ count, more int64 }{{100, 0}, {100, 0}, {103, 3}, {2, 2}, {2, 0}} {
		if more := d.note(c.count, now, time.Minute); more != c.more {
			t.Errorf("note %d: %d more, want %d", i, more, c.more)
		}
	}
	if why := d.trouble(now, time.Minute); !strings.Contains(why, "dropped 5 messages") {
		t.Errorf("trouble %q", why)
	}
	if why := d.trouble(now.Add(2*time.Minute), time.Minute); why != "" {
		t.Errorf("still %q", why)
	}
}

func TestAReplyGoesToADeviceBehindTheBroker(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 10)
	c, _ := run(t, Options{URL: m.url(), Sink: got})
	m.probe(got)
	sub := exec.Command("mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-t", "f/1/MH-1/error", "-C", "1", "-W", "60")
	out, err := sub.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 1)
	go func() { b, _ := io.ReadAll(out); heard <- string(b) }()
	m.eventually("the device hears it", func() bool {
		if err := c.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/error", Payload: []byte("why")}); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-heard:
			return s == "why\n"
		default:
			return false
		}
	})
	if err := sub.Wait(); err != nil {
		t.Error(err)
	}
}

func TestWhatTheBrokerRefusesIsSaid(t *testing.T) {
	nobody := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(nobody, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMosquitto(t, "persistence false", "allow_anonymous false", "password_file "+nobody)
	c, _ := run(t, Options{URL: m.url(), User: "x", Sink: make(sink, 1), timing: quick})
	m.eventually("health says why", func() bool { w := strings.ToLower(c.Health()); return strings.Contains(w, "not auth") })
}

func TestCanaryTopics(t *testing.T) {
	for _, c := range []struct {
		filters []string
		want    string
		covered bool
	}{
		{[]string{"f/1/+/#"}, "f/1/lamplighter-canary-l/canary", true},
		{[]string{"city/#"}, "city/canary", true},
		{[]string{"f/1/+/telemetry"}, "lamplighter/canary/l", false},
		{[]string{"f/1/A/telemetry", "#"}, "lamplighter/canary/l", true},
	} {
		got := canaryTopic(c.filters, "l")
		if got != c.want || covered(c.filters, got) != c.covered {
			t.Errorf("%v: canary %s, covered %t", c.filters, got, covered(c.filters, got))
		}
	}
}

func TestWhatComesByAnotherFilterDoesNotVouchForTheCanary(t *testing.T) {
	for _, c := range []struct {
		filters []string
		topic   string
		vouches bool
	}{
		{[]string{"f/1/+/#"}, "f/1/MH-1/telemetry", true},
		{[]string{"f/1/+/#", "city/#"}, "f/1/MH-1/telemetry", true},
		{[]string{"f/1/+/#", "city/#"}, "city/1", false},
		{[]string{"f/1/+/#", "f/1/MH-1/#"}, "f/1/MH-1/telemetry", false}, // it may have come by either
		{[]string{"f/1/+/telemetry", "city/1"}, "city/1", true},          // the canary has a subscription of its own
	} {
		got := !covered(strangers(c.filters, canaryTopic(c.filters, "l")), c.topic)
		if got != c.vouches {
			t.Errorf("%v: %s vouches: %t", c.filters, c.topic, got)
		}
	}
}

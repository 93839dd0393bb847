package mqtt

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"lamplighter/devices"
)

// connects and rebuilds are how often a session of these tests came up, and was
// made anew.
func connects(c *Client) int {
	return int(testutil.ToFloat64(c.opt.Metrics.reconnects.WithLabelValues(c.broker, c.opt.ClientID)))
}

func rebuilds(c *Client) int {
	return int(testutil.ToFloat64(c.opt.Metrics.rebuilds.WithLabelValues(c.broker, c.opt.ClientID)))
}

// ledger counts messages by their text, and acknowledges them when it is open.
type ledger struct {
	mu   sync.Mutex
	open bool           // guarded by mu
	owed []func()       // guarded by mu: acknowledgements
	got  map[string]int // guarded by mu
	all  int            // guarded by mu
}

func (l *ledger) Deliver(_ context.Context, u *devices.Uplink, a devices.Acker) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[string(u.Payload)]++
	l.all++
	id := u.PacketID
	l.owed = append(l.owed, func() { a.Acked(id, nil) })
	if l.open {
		l.pay()
	}
	return nil
}

func (l *ledger) pay() {
	for _, acknowledge := range l.owed {
		acknowledge()
	}
	l.owed = nil
}

func (l *ledger) count() (different, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.got), l.all
}

// TestABrokerThatIsBehindKeepsItsSession gives a session two backlogs that take
// far longer than a canary, a ping and a SUBSCRIBE are waited for, all of which
// are answered behind them: one that it finds, and one that grows before it.
func TestABrokerThatIsBehindKeepsItsSession(t *testing.T) {
	m := newMosquitto(t, "persistence false", "max_queued_messages 0", "max_inflight_messages 1000")
	got := make(sink, 10000)
	_, stop := run(t, Options{URL: m.url(), Sink: got, timing: quick})
	m.probe(got)
	stop()
	for len(got) > 0 {
		<-got
	}
	lines := make([]string, 4000)
	for i := range lines {
		lines[i] = fmt.Sprintf("%d %s", i, strings.Repeat("x", 1000))
	}
	m.mustPublish("f/1/MH-1/telemetry", lines...)
	impatient := quick
	impatient.probeEvery, impatient.probeLost = time.Second, 3*time.Second
	c, _ := run(t, Options{URL: newValve(t, m, 500<<10).url(), Sink: got, timing: impatient})
	for round, behind := range []string{"yet, while messages come: the broker is behind", "s, while messages come: the broker is behind"} {
		if round > 0 {
			m.mustPublish("f/1/MH-1/telemetry", lines...)
		}
		said := false
		for i, want := range lines {
			if u := next(t, got); string(u.Payload) != want {
				t.Fatalf("got %.10q, want %.10q", u.Payload, want)
			}
			why := c.Health()
			if strings.Contains(why, "SUBSCRIBE") {
				t.Fatalf("after %d messages health says %q", i, why)
			}
			said = said || strings.Contains(why, behind)
		}
		if !said {
			t.Errorf("health never said %q", behind)
		}
		m.eventually("health is good", func() bool { return c.Health() == "" })
	}
	if connects(c) != 1 || rebuilds(c) != 0 {
		t.Errorf("connected %d times, made anew %d times", connects(c), rebuilds(c))
	}
}

// TestABrokerThatStoodStillSendsOneWindowAgain stops a broker for longer than it
// is waited for, while messages wait to be acknowledged and others to be published.
func TestABrokerThatStoodStillSendsOneWindowAgain(t *testing.T) {
	const window, more = 500, 20000
	m := newMosquitto(t, "persistence false", "max_queued_messages 0", "max_inflight_messages 1000")
	l := &ledger{got: make(map[string]int)}
	patient := quick
	patient.probeLost = time.Minute // it is the silence that tells
	c, _ := run(t, Options{URL: m.url(), Sink: l, timing: patient, CanaryTopic: "lamplighter/canary"})
	m.eventually("a canary came back", func() bool { _, came := c.missing(time.Now()); return came })
	lines := make([]string, window+more)
	for i := range lines {
		lines[i] = fmt.Sprint(i)
	}
	m.mustPublish("f/1/MH-1/telemetry", lines[:window]...)
	m.eventually("the first messages", func() bool { n, _ := l.count(); return n == window })
	m.signal(syscall.SIGSTOP)
	published := make(chan error, 1)
	go func() { published <- m.publish("f/1/MH-1/telemetry", lines[window:]...) }()
	m.eventually("the silence is heard", func() bool { up, _, why := c.Link(); return !up && strings.Contains(why, "nothing came") })
	l.mu.Lock()
	l.open = true
	l.pay() // to a connection that is gone
	l.mu.Unlock()
	m.signal(syscall.SIGCONT)
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	m.eventually("everything", func() bool { n, _ := l.count(); return n == len(lines) })
	m.eventually("health is good", func() bool { return c.Health() == "" && c.inflight.Load() == 0 })
	different, all := l.count()
	t.Logf("%d messages, %d duplicates, %d connections", different, all-different, connects(c))
	if n := connects(c) - 1; n < 1 || all-different > n*window {
		t.Errorf("%d duplicates after %d reconnects with %d messages in flight", all-different, n, window)
	}
	if rebuilds(c) != 0 {
		t.Errorf("the session was made anew %d times", rebuilds(c))
	}
}

func TestALinkThatHasDiedSilentlyIsFound(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	v := newValve(t, m, 0)
	c, _ := run(t, Options{URL: v.url(), Sink: got, CanaryTopic: "off", timing: quick})
	m.probe(got)
	if n := connects(c); n != 1 {
		t.Fatalf("connected %d times", n)
	}
	v.silence()
	m.eventually("it is found", func() bool { return connects(c) == 2 })
	m.mustPublish("f/1/MH-1/telemetry", "after")
	if u := next(t, got); string(u.Payload) != "after" {
		t.Errorf("got %q", u.Payload)
	}
}

// TestALostSubscriptionIsFoundWhileOthersDeliver lets the broker forget the
// filter of the canary, while messages come by another one, some of which the
// forgotten one would have let through, too.
func TestALostSubscriptionIsFoundWhileOthersDeliver(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	c, _ := run(t, Options{URL: m.url(), Filters: []string{"f/1/+/#", "f/1/probe/#"}, Sink: got, timing: quick})
	m.eventually("a canary came back", func() bool { _, came := c.missing(time.Now()); return came })
	c.mu.Lock()
	pc := c.paho
	c.mu.Unlock()
	if u := pc.Unsubscribe("f/1/+/#"); !u.WaitTimeout(30*time.Second) || u.Error() != nil {
		t.Fatal("unsubscribe: ", u.Error())
	}
	m.eventually("the session is made anew while messages come", func() bool {
		m.probe(got)
		return rebuilds(c) > 0
	})
	m.eventually("its messages come again", func() bool {
		m.mustPublish("f/1/MH-1/telemetry", "after")
		for len(got) > 0 {
			if u := <-got; u.Device == "MH-1" {
				return true
			}
		}
		return false
	})
}

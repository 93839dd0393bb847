package mqtt

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// canary is what is known of the probes that we publish to ourselves.
type canary struct {
	mu    sync.Mutex
	came  bool      // guarded by mu: one has come back, ever
	sent  time.Time // guarded by mu: when the first was sent that nothing has come back for; zero if none
	since time.Time // guarded by mu: when one came back last, or waiting began
}

// rest forgets what is under way: without a connection nothing comes back.
func (k *canary) rest(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sent, k.since = time.Time{}, now
}

func (c *Client) canaryWanted() bool { return c.opt.CanaryTopic != "off" }

// canaryTopic is a topic that the first filter covers and that means nothing to
// other readers. Where there is none it is a topic of its own, subscribed besides.
func canaryTopic(filters []string, clientID string) string {
	if len(filters) > 0 && strings.HasSuffix(filters[0], "/#") && !strings.HasPrefix(filters[0], "$") {
		t := strings.ReplaceAll(filters[0], "+", "lamplighter-canary-"+clientID)
		return strings.TrimSuffix(t, "#") + "canary"
	}
	return "lamplighter/canary/" + clientID
}

// covered tells whether one of the filters matches the topic [MQTT-4.7].
func covered(filters []string, topic string) bool {
	for _, f := range filters {
		if matches(strings.Split(f, "/"), strings.Split(topic, "/")) {
			return true
		}
	}
	return false
}

func matches(filter, topic []string) bool {
	for i, f := range filter {
		if f == "#" {
			return true
		}
		if i >= len(topic) || f != "+" && f != topic[i] {
			return false
		}
	}
	return len(filter) == len(topic)
}

// strangers are the filters that do not let the canary through where another one
// does. What comes by them says nothing about the canary's subscription.
func strangers(filters []string, canary string) []string {
	if !covered(filters, canary) {
		return nil // it has a subscription of its own, and stands for all
	}
	return slices.DeleteFunc(slices.Clone(filters), func(f string) bool { return covered([]string{f}, canary) })
}

// vouch takes note of messages that came by the canary's subscription: it lives,
// however late the canary is behind them.
func (c *Client) vouch(b *batch, now time.Time) {
	if c.vouchedAgo(now) < c.opt.timing.probeEvery/2 {
		return
	}
	for i := range b.list {
		if !covered(c.strangers, b.list[i].topic) {
			c.vouched.Store(now.UnixMilli())
			return
		}
	}
}

func (c *Client) vouchedAgo(now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(c.vouched.Load()))
}

// probe sends the next canary.
func (c *Client) probe(pc paho.Client, now time.Time) {
	if !c.canaryWanted() {
		return
	}
	c.canary.mu.Lock()
	if c.canary.sent.IsZero() {
		c.canary.sent = now
	}
	c.canary.mu.Unlock()
	go pc.Publish(c.opt.CanaryTopic, qos, false, strconv.FormatInt(now.UnixNano(), 10)) // it waits for the socket
}

// heard takes a canary that came back.
func (c *Client) heard(payload []byte) {
	now := time.Now()
	if n, err := strconv.ParseInt(string(payload), 10, 64); err == nil {
		c.opt.Metrics.canary.WithLabelValues(c.broker, c.opt.ClientID).Set(now.Sub(time.Unix(0, n)).Seconds())
	}
	c.canary.mu.Lock()
	defer c.canary.mu.Unlock()
	c.canary.came, c.canary.sent, c.canary.since = true, time.Time{}, now
}

// missing is how long canaries have been out, and whether one ever came back.
func (c *Client) missing(now time.Time) (time.Duration, bool) {
	c.canary.mu.Lock()
	defer c.canary.mu.Unlock()
	if c.canary.sent.IsZero() {
		return 0, c.canary.came
	}
	return now.Sub(c.canary.sent), c.canary.came
}

// lost tells whether the session must be made anew. One where no canary ever
// came back would not be better for it: the broker's rules forbid it. While we
// owe the broker acknowledgements it is we who keep it from sending. And while
// messages come the broker is behind: made anew, it would send again what waits
// to be acknowledged, and be further behind.
func (c *Client) lost(now time.Time) bool {
	out, came := c.missing(now)
	return came && out >= c.opt.timing.probeLost && !c.owing(now) && c.vouchedAgo(now) >= c.opt.timing.probeLost
}

// late says that canaries have been out for so long.
func (c *Client) late(out time.Duration, now time.Time) string {
	s := fmt.Sprintf("the canary on %s has been out for %s", c.opt.CanaryTopic, out.Truncate(time.Second))
	if c.vouchedAgo(now) < c.opt.timing.probeEvery {
		s += ", while messages come: the broker is behind"
	}
	return s
}

// owing tells whether messages wait for the log.
func (c *Client) owing(now time.Time) bool {
	if c.inflight.Load() == 0 {
		return false
	}
	return now.Sub(time.Unix(0, c.acked.Load())) > c.opt.timing.owing
}

// Health tells what is wrong with the session, "" if nothing is.
func (c *Client) Health() string {
	now := time.Now()
	c.mu.Lock()
	up, why, since := c.up, c.why, c.since
	if no := slices.Sorted(maps.Keys(c.refused)); up && len(no) > 0 {
		why = fmt.Sprintf("no messages of %s: %s", no[0], c.refused[no[0]])
	}
	c.mu.Unlock()
	if !up && now.Sub(since) < c.opt.timing.retryMax {
		return "" // a broker that is restarted is no trouble
	}
	if why != "" {
		return why
	}
	out, came := c.missing(now)
	switch {
	case c.owing(now):
		return fmt.Sprintf("%d messages wait for the log", c.inflight.Load())
	case out >= c.opt.timing.probeLost && !came && c.vouchedAgo(now) < c.opt.timing.probeEvery:
		return fmt.Sprintf("no canary has come back on %s yet, while messages come: the broker is behind, or does not let us publish to it and read it (canary_topic)", c.opt.CanaryTopic)
	case out >= c.opt.timing.probeLost && !came:
		return fmt.Sprintf("no canary ever came back on %s; let us publish to it and read it, or set canary_topic", c.opt.CanaryTopic)
	case out >= c.opt.timing.probeLost:
		return c.late(out, now)
	}
	return c.drops.trouble(now, c.opt.timing.dropMemory)
}

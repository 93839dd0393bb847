package mqtt

import (
	"context"
	"fmt"
	"slices"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// qos is of all our subscriptions. A message of QoS 2 comes with QoS 1 then: it
// may come twice, which everything behind can bear, for half the round trips.
const qos = 1

// connected is called after every connect, in a goroutine of its own. It asks
// for what is refused again until it is granted or ctx, the session's, ends.
func (c *Client) connected(ctx context.Context, pc paho.Client) {
	c.came.Store(time.Now().UnixMilli())
	c.mu.Lock()
	c.up, c.why, c.since = true, "", time.Now()
	clear(c.refused)
	c.mu.Unlock()
	c.opt.Metrics.connected.WithLabelValues(c.broker, c.opt.ClientID).Set(1)
	c.opt.Metrics.reconnects.WithLabelValues(c.broker, c.opt.ClientID).Inc()
	want := slices.Clone(c.opt.Filters)
	if c.canaryWanted() && !covered(c.opt.Filters, c.opt.CanaryTopic) {
		want = append(want, c.opt.CanaryTopic)
	}
	for pause := c.opt.timing.retry; len(want) > 0; pause = min(2*pause, 30*time.Second) {
		want = c.subscribe(pc, want)
		if len(want) == 0 {
			break
		}
		sleep(ctx, pause)
		if ctx.Err() != nil || !c.current(pc) {
			return
		}
	}
	c.opt.Log.Info().Str("broker", c.Name()).Strs("filters", c.opt.Filters).Msg("reading")
	if c.opt.WatchDropped {
		c.subscribe(pc, []string{droppedTopic}) // not every broker has it: no matter if it says no
		c.forget(droppedTopic)
	}
}

// current tells whether pc is our client and connected.
func (c *Client) current(pc paho.Client) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paho == pc && c.up && pc.IsConnectionOpen()
}

// subscribe asks for filters and returns those that were not granted.
func (c *Client) subscribe(pc paho.Client, filters []string) []string {
	ask := make(map[string]byte)
	for _, f := range filters {
		ask[f] = qos
	}
	t := pc.SubscribeMultiple(ask, nil)
	if !c.answered(pc, t) || t.Error() != nil {
		why := "no answer to SUBSCRIBE"
		if t.Error() != nil {
			why = t.Error().Error()
		}
		for _, f := range filters {
			c.refuse(f, why)
		}
		return filters
	}
	var codes map[string]byte
	if st, ok := t.(*paho.SubscribeToken); ok {
		codes = st.Result()
	}
	var no []string
	for _, f := range filters {
		code, answered := codes[f]
		if !answered || code > 2 { // [MQTT-3.9.3-2]
			no = append(no, f)
			c.refuse(f, fmt.Sprintf("the broker refuses it with 0x%02x; check its access rules", code))
			continue
		}
		c.forget(f)
	}
	return no
}

// answered waits for the answer to SUBSCRIBE. It may stand behind a backlog: while
// messages come, or wait for the log, it is not late.
func (c *Client) answered(pc paho.Client, t paho.Token) bool {
	for !t.WaitTimeout(c.opt.timing.suback) {
		now := time.Now()
		if quiet := now.Sub(time.UnixMilli(c.came.Load())); !c.current(pc) || quiet >= c.opt.timing.suback && !c.owing(now) {
			return false
		}
	}
	return true
}

func (c *Client) refuse(filter, why string) {
	c.mu.Lock()
	old := c.refused[filter]
	c.refused[filter] = why
	c.mu.Unlock()
	if old != why && filter != droppedTopic {
		c.opt.Log.Error().Str("broker", c.Name()).Str("filter", filter).Str("reason", why).Msg("subscription refused")
	}
}

func (c *Client) forget(filter string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.refused, filter)
}

package mqtt

import (
	"context"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices"
)

// take is paho's handler: it only queues. A message of QoS 0 is dropped when
// the log cannot keep up, because the broker would not stop sending them.
func (c *Client) take(_ paho.Client, m paho.Message) {
	c.came.Store(time.Now().UnixMilli())
	switch m.Topic() {
	case c.opt.CanaryTopic:
		c.heard(m)
		return
	case droppedTopic:
		c.countDrops(m)
		return
	}
	c.opt.Metrics.taken.WithLabelValues(c.broker, c.opt.ClientID).Inc()
	if m.Qos() == 0 && len(c.queue) > queueLen*3/4 {
		c.opt.Metrics.overflow.WithLabelValues(c.broker, c.opt.ClientID).Inc()
		return
	}
	c.queue <- m
}

// acker acknowledges one message to the broker.
type acker struct {
	c *Client
	m paho.Message
}

// Acked acknowledges what is durable; what is not comes again after the next
// reconnect.
func (a acker) Acked(_ uint16, err error) {
	a.c.landed()
	if err == nil {
		a.c.acks.add(a.m)
	}
}

// landed counts a message out.
func (c *Client) landed() {
	c.opt.Metrics.inFlight.WithLabelValues(c.broker, c.opt.ClientID).Set(float64(c.inflight.Add(-1)))
	c.mu.Lock()
	c.acked = time.Now()
	c.mu.Unlock()
}

// deliver hands one message on. One that is not ours, and one that the sink
// cannot take, never stands in the way of the next.
func (c *Client) deliver(ctx context.Context, m paho.Message) {
	t, ok := devices.ParseTopic(m.Topic())
	if !ok || !devices.UpLeaf(t.Leaf) {
		c.acks.add(m) // a downlink, or somebody else's topic
		return
	}
	c.last = max(c.last+1, time.Now().UnixMilli())
	u := devices.Uplink{Device: t.Device, Topic: m.Topic(), Payload: m.Payload(), Received: c.last, Source: c.broker, PacketID: m.MessageID()}
	if m.Retained() {
		u.Flags |= devices.FlagRetained
	}
	if m.Duplicate() {
		u.Flags |= devices.FlagDup
	}
	if m.Qos() > 0 {
		u.Flags |= devices.FlagQoS1
	}
	n := c.inflight.Add(1)
	if n == 1 {
		c.mu.Lock()
		c.acked = time.Now() // the log has had nothing to do until now
		c.mu.Unlock()
	}
	c.opt.Metrics.inFlight.WithLabelValues(c.broker, c.opt.ClientID).Set(float64(n))
	if err := c.opt.Sink.Deliver(ctx, &u, acker{c, m}); err != nil {
		c.landed()
		if ctx.Err() == nil {
			c.opt.Log.Error().Err(err).Str("broker", c.Name()).Msg("a message was not taken and not acknowledged")
		}
	}
}

// acks are messages to acknowledge. Whoever made a message durable only adds
// it: paho waits for the socket.
type acks struct {
	mu   sync.Mutex
	list []paho.Message // guarded by mu
	work chan struct{}  // one token when list is not empty
}

func (a *acks) add(m paho.Message) {
	a.mu.Lock()
	a.list = append(a.list, m)
	a.mu.Unlock()
	select {
	case a.work <- struct{}{}:
	default:
	}
}

func (a *acks) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.work:
		}
		a.mu.Lock()
		list := a.list
		a.list = nil
		a.mu.Unlock()
		for _, m := range list {
			m.Ack()
		}
	}
}

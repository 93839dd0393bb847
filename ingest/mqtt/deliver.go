package mqtt

import (
	"context"
	"time"

	"lamplighter/devices"
)

// listen takes what is for the client itself: canaries, and the count of dropped
// messages.
func (c *Client) listen(m *message) bool {
	switch {
	case string(m.topic) == c.opt.CanaryTopic:
		c.came.Store(time.Now().UnixMilli())
		c.heard(m.payload)
	case string(m.topic) == droppedTopic:
		c.countDrops(m.payload)
	default:
		return false
	}
	return true
}

// acker acknowledges messages of one connection and QoS to the broker.
type acker struct {
	w    *wire
	kind byte // of packet
}

// Acked acknowledges what is durable; what is not comes again after the next
// reconnect.
func (a *acker) Acked(id uint16, err error) {
	a.w.c.landed()
	if err == nil {
		a.w.acknowledge(a.kind, id)
	}
}

// landed counts a message out.
func (c *Client) landed() {
	c.inflight.Add(-1)
	c.acked.Store(time.Now().UnixNano())
}

// count shows how much is under way.
func (c *Client) count() { c.flying.Set(float64(c.queued.Load() + c.inflight.Load())) }

// drain hands what came to the sink.
func (c *Client) drain(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-c.queue:
			now := time.Now()
			if c.inflight.Load() == 0 {
				c.acked.Store(now.UnixNano()) // the log has had nothing to do until now
			}
			for i := range b.list {
				c.deliver(ctx, &b.list[i], now.UnixMilli())
			}
			c.done(b)
			c.count()
		}
	}
}

// deliver hands one message on. One that is not ours, and one that the sink
// cannot take, never stands in the way of the next.
func (c *Client) deliver(ctx context.Context, m *queued, now int64) {
	c.inflight.Add(1)
	t, ok := devices.ParseTopic(m.topic)
	if !ok || !devices.UpLeaf(t.Leaf) {
		m.acker.Acked(m.id, nil) // a downlink, or somebody else's topic
		return
	}
	c.last = max(c.last+1, now)
	u := devices.Uplink{Device: t.Device, Topic: m.topic, Payload: m.payload, Received: c.last, Source: c.broker, PacketID: m.id, Flags: m.flags}
	if err := c.opt.Sink.Deliver(ctx, &u, m.acker); err != nil {
		c.landed()
		if ctx.Err() == nil {
			c.opt.Log.Error().Err(err).Str("broker", c.Name()).Msg("a message was not taken and not acknowledged")
		}
	}
}

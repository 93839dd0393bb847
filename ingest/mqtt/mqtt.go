// Package mqtt reads uplinks from another broker through paho. A message is
// acknowledged only after the sink has made it durable; acknowledgements that
// come too late after a reconnect are dropped by the library, so messages may
// come twice: everything behind is idempotent.
//
// Throughput is at most the broker's in-flight window divided by the time to
// durability: raise max_inflight_messages in Mosquitto.
package mqtt

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// Sink takes uplinks; see broker.Sink.
type Sink interface {
	Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error
}

// Options of a Client.
type Options struct {
	URL          string // tcp://host:1883, ssl://host:8883
	Filters      []string
	ClientID     string
	User         string
	PasswordFile string
	Sink         Sink
	Seen         func(d devices.DeviceID, source, reason string)
	Log          zerolog.Logger
	Metrics      prometheus.Registerer
}

// Client reads from one broker.
type Client struct {
	opt      Options
	client   paho.Client
	queue    chan paho.Message
	last     int64 // newest Received; Run's goroutine only
	inflight atomic.Int64
}

// queueLen bounds what waits between paho and the log; it is more than any
// sensible in-flight window, so that paho's reader never blocks.
const queueLen = 65536

// New prepares a client; Run connects.
func New(o Options) (*Client, error) {
	c := &Client{opt: o, queue: make(chan paho.Message, queueLen)}
	po := paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).SetUsername(o.User).
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).SetStore(paho.NewMemoryStore()).
		SetConnectRetry(true).SetConnectRetryInterval(time.Second).SetMaxReconnectInterval(5 * time.Second).SetAutoReconnect(true).
		SetKeepAlive(20 * time.Second).SetDefaultPublishHandler(c.take).SetOnConnectHandler(c.subscribe)
	if o.PasswordFile != "" {
		b, err := os.ReadFile(o.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password for %s: %w", o.URL, err)
		}
		po.SetPassword(strings.TrimSpace(string(b)))
	}
	po.SetConnectionLostHandler(func(_ paho.Client, err error) {
		o.Log.Warn().Err(err).Str("broker", o.URL).Msg("connection lost")
	})
	c.client = paho.NewClient(po)
	o.Metrics.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lamplighter_broker_connected", Help: "1 while the connection to the broker is up.", ConstLabels: prometheus.Labels{"broker": o.URL}}, func() float64 {
			if c.client.IsConnectionOpen() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lamplighter_broker_in_flight", Help: "Messages taken from the broker and not yet acknowledged to it.", ConstLabels: prometheus.Labels{"broker": o.URL}}, func() float64 { return float64(c.inflight.Load()) }))
	return c, nil
}

// take is paho's handler: it only queues.
func (c *Client) take(_ paho.Client, m paho.Message) { c.queue <- m }

// subscribe is called after every connect: a broker may have forgotten us.
func (c *Client) subscribe(pc paho.Client) {
	filters := make(map[string]byte)
	for _, f := range c.opt.Filters {
		filters[f] = 1
	}
	t := pc.SubscribeMultiple(filters, nil)
	if !t.WaitTimeout(10*time.Second) || t.Error() != nil {
		c.opt.Log.Error().Err(t.Error()).Str("broker", c.opt.URL).Msg("subscribe")
		return
	}
	if st, ok := t.(*paho.SubscribeToken); ok {
		for filter, code := range st.Result() {
			if code == 0x80 {
				c.opt.Log.Error().Str("broker", c.opt.URL).Str("filter", filter).Msg("the broker refuses the subscription; check its access rules")
			}
		}
	}
	c.opt.Log.Info().Str("broker", c.opt.URL).Msg("reading")
}

// Run reads until ctx ends.
func (c *Client) Run(ctx context.Context) {
	c.client.Connect()
	defer c.client.Disconnect(500)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.queue:
			c.deliver(ctx, m)
		}
	}
}

// acker acknowledges one message to the broker.
type acker struct {
	c *Client
	m paho.Message
}

// Acked acknowledges what is durable; what is not comes again.
func (a acker) Acked(_ uint16, err error) {
	a.c.inflight.Add(-1)
	if err == nil {
		a.m.Ack()
	}
}

func (c *Client) deliver(ctx context.Context, m paho.Message) {
	t, ok := devices.ParseTopic(m.Topic())
	if !ok || !devices.UpLeaf(t.Leaf) {
		m.Ack() // not ours: a downlink, or somebody else's topic
		return
	}
	c.last = max(c.last+1, time.Now().UnixMilli())
	u := devices.Uplink{Device: t.Device, Topic: m.Topic(), Payload: m.Payload(), Received: c.last, Source: c.opt.URL, PacketID: m.MessageID()}
	if m.Retained() {
		u.Flags |= devices.FlagRetained
	}
	if m.Duplicate() {
		u.Flags |= devices.FlagDup
	}
	if m.Qos() > 0 {
		u.Flags |= devices.FlagQoS1
	}
	c.inflight.Add(1)
	if err := c.opt.Sink.Deliver(ctx, &u, acker{c, m}); err != nil {
		c.inflight.Add(-1)
		if ctx.Err() == nil {
			c.opt.Log.Error().Err(err).Str("broker", c.opt.URL).Msg("a message was not taken and not acknowledged")
		}
	}
}

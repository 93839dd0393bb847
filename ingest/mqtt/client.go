package mqtt

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
)

// Client is one session with one broker.
type Client struct {
	opt    Options
	broker string // host and port, for metrics and people
	queue  chan *batch
	spare  chan *batch   // to be used again
	room   chan struct{} // one token when queued has fallen
	canary canary
	drops  drops

	strangers []string // filters whose messages do not vouch for the canary's subscription

	taken, overflow prometheus.Counter
	flying          prometheus.Gauge

	queued   atomic.Int64 // messages between the connection and the log
	inflight atomic.Int64 // messages that the log has and that are not durable
	acked    atomic.Int64 // Unix ns: when a message last became durable
	came     atomic.Int64 // Unix ms when anything last came from the broker
	vouched  atomic.Int64 // Unix ms when a message last came by the canary's subscription
	last     int64        // newest Received; drain's only

	mu      sync.Mutex
	paho    paho.Client       // guarded by mu: nil before Run
	up      bool              // guarded by mu
	since   time.Time         // guarded by mu: when up last changed
	why     string            // guarded by mu: why it is not up
	refused map[string]string // guarded by mu: filter → why the broker does not send it
}

// queueLen bounds what waits between the connection and the log. No in-flight
// window is larger, so that only a broker that keeps to none is read no faster
// than the log takes its messages.
const queueLen = 65536

// New checks the options and their files; Run connects.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	c := &Client{opt: o, broker: host(o.URL), queue: make(chan *batch, queueLen), spare: make(chan *batch, 16), room: make(chan struct{}, 1), since: time.Now(), why: "not connected yet", refused: make(map[string]string)}
	c.strangers = strangers(o.Filters, o.CanaryTopic)
	c.flying = o.Metrics.inFlight.WithLabelValues(c.broker, o.ClientID)
	c.taken, c.overflow = o.Metrics.taken.WithLabelValues(c.broker, o.ClientID), o.Metrics.overflow.WithLabelValues(c.broker, o.ClientID)
	if _, err := c.options(); err != nil {
		return nil, err
	}
	o.Metrics.connected.WithLabelValues(c.broker, o.ClientID).Set(0)
	return c, nil
}

func host(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Host
	}
	return raw
}

// Name is the session as people know it.
func (c *Client) Name() string { return c.broker + "/" + c.opt.ClientID }

func (c *Client) options() (*paho.ClientOptions, error) {
	conf, err := c.opt.tlsConfig()
	if err != nil {
		return nil, err
	}
	if _, err := c.opt.password(); err != nil {
		return nil, err
	}
	t := c.opt.timing
	o := paho.NewClientOptions().AddBroker(c.opt.URL).SetClientID(c.opt.ClientID).
		SetProtocolVersion(4). // and no silent second attempt with 3.1
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).SetStore(paho.NewMemoryStore()).
		SetConnectRetry(true).SetConnectRetryInterval(t.retry).SetMaxReconnectInterval(t.retryMax).SetAutoReconnect(true).
		SetConnectTimeout(t.silence).SetWriteTimeout(10 * time.Second).
		SetKeepAlive(t.silence / 2).SetPingTimeout(math.MaxInt64). // idleConn says when the broker is dead
		SetCustomOpenConnectionFn(c.dial).                         // takes what is published before paho sees it
		SetConnectionNotificationHandler(c.notified)
	o.SetCredentialsProvider(func() (string, string) {
		p, err := c.opt.password()
		if err != nil {
			c.opt.Log.Error().Err(err).Msg("connect to a broker")
		}
		return c.opt.User, p
	})
	if conf != nil {
		o.SetTLSConfig(conf)
	}
	return o, nil
}

// Run reads until ctx ends. What was not acknowledged then comes again.
func (c *Client) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { c.drain(ctx) })
	for ctx.Err() == nil {
		c.session(ctx)
	}
}

// session runs one paho client, until ctx ends or the canary is lost.
func (c *Client) session(ctx context.Context) {
	ours, cancel := context.WithCancel(ctx)
	defer cancel()
	o, err := c.options() // files may have been renewed
	if err != nil {
		c.opt.Log.Error().Err(err).Msg("connect to a broker")
		c.setDown(err.Error())
		sleep(ctx, c.opt.timing.retryMax)
		return
	}
	o.SetOnConnectHandler(func(pc paho.Client) { c.connected(ours, pc) })
	pc := paho.NewClient(o)
	c.mu.Lock()
	c.paho = pc
	c.mu.Unlock()
	pc.Connect()
	c.watch(ctx, pc)
	c.setDown("the session is being rebuilt")
	cancel()
	pc.Disconnect(500)
}

// watch sends canaries until one is lost or ctx ends.
func (c *Client) watch(ctx context.Context, pc paho.Client) {
	t := time.NewTicker(c.opt.timing.probeEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if !pc.IsConnectionOpen() {
				c.canary.rest(now)
				continue
			}
			if c.lost(now) {
				c.opt.Metrics.rebuilds.WithLabelValues(c.broker, c.opt.ClientID).Inc()
				c.opt.Log.Error().Str("broker", c.Name()).Msg("the canary is lost: the session is made anew")
				c.canary.rest(now)
				return
			}
			c.probe(pc, now)
		}
	}
}

// Publish sends a message to a device behind the broker, if we are connected.
// It does not wait for the broker.
func (c *Client) Publish(d devices.Downlink) error {
	c.mu.Lock()
	pc, up := c.paho, c.up
	c.mu.Unlock()
	if !up {
		return fmt.Errorf("publish %s: no connection to %s: %w", d.Topic, c.broker, devices.ErrTemporary)
	}
	go pc.Publish(d.Topic, d.QoS, d.Retain, d.Payload)
	return nil
}

func (c *Client) notified(_ paho.Client, n paho.ConnectionNotification) {
	switch n := n.(type) {
	case paho.ConnectionNotificationLost:
		c.opt.Log.Warn().Err(n.Reason).Str("broker", c.Name()).Msg("connection lost")
		c.setDown(fmt.Sprint("connection lost: ", n.Reason))
	case paho.ConnectionNotificationFailed:
		c.opt.Log.Debug().Err(n.Reason).Str("broker", c.Name()).Msg("connect to a broker")
		c.setDown(n.Reason.Error())
	}
}

func (c *Client) setDown(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up {
		c.since = time.Now()
	}
	c.up, c.why = false, why
	c.opt.Metrics.connected.WithLabelValues(c.broker, c.opt.ClientID).Set(0)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

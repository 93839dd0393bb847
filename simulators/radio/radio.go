// Package radio carries what a simulated city sends to an MQTT broker, with
// QoS 1 over real clients: the devices of a city over a few connections, over
// one that is their gateway's, or each over its own with its own password.
package radio

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices"
	"lamplighter/simulators/fleet"
)

// Options of a Radio.
type Options struct {
	Broker      string // tcp://host:port
	Name        string // client ids begin with it; default simulators
	Connections int    // that the devices share; default 8
	User        string // of the connections; the gateway's name where there is one
	Password    string
	Gateway     string            // speaks for every device on f/1/{gateway}/child/{device}/…
	Credentials map[string]string // passwords by device: each has a connection of its own
	Window      int               // messages that a connection has under way; default 100
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "simulators"
	}
	if o.Connections == 0 {
		o.Connections = 8
	}
	if o.Window == 0 {
		o.Window = 100
	}
	if o.Gateway != "" {
		o.Connections = 1
		if o.User == "" {
			o.User = o.Gateway
		}
	}
	return o
}

// Radio is the open connections. Publish belongs to one goroutine.
type Radio struct {
	opt   Options
	lines []*line
	of    map[string]*line // by device, where each has its own

	acked     atomic.Int64
	connected atomic.Int64
}

// line is one connection.
type line struct {
	client paho.Client
	window []paho.Token // what is under way, the oldest at next
	next   int
}

// connectTimeout is how long a connection may take to be accepted.
const connectTimeout = 30 * time.Second

// Open connects. It fails if any connection is refused; later, a connection that
// breaks comes back by itself and sends again what was not acknowledged.
func Open(ctx context.Context, o Options) (*Radio, error) {
	o = o.withDefaults()
	r := &Radio{opt: o}
	for i := range max(o.Connections, 1) {
		if o.Credentials == nil {
			r.lines = append(r.lines, r.line(fmt.Sprintf("%s-%d", o.Name, i), o.User, o.Password, o.Gateway))
		}
	}
	if o.Credentials != nil {
		r.of = make(map[string]*line, len(o.Credentials))
		for id, p := range o.Credentials {
			r.of[id] = r.line(id, id, p, id)
			r.lines = append(r.lines, r.of[id])
		}
	}
	if err := r.connect(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// line is a connection; self is the device that it is, "" if it is nobody's. A
// gateway says that it is there; its children do so for themselves.
func (r *Radio) line(id, user, password, self string) *line {
	state := devices.Topic{Device: devices.DeviceID(self), Leaf: devices.TopicState}.String()
	po := paho.NewClientOptions().AddBroker(r.opt.Broker).SetClientID(id).SetUsername(user).SetPassword(password).
		SetMaxReconnectInterval(2 * time.Second).SetConnectTimeout(connectTimeout).
		SetConnectionLostHandler(func(paho.Client, error) { r.connected.Add(-1) }).
		SetOnConnectHandler(func(c paho.Client) {
			r.connected.Add(1)
			if self != "" && self == r.opt.Gateway {
				c.Publish(state, 1, true, `{"st":"online"}`)
			}
		})
	if self != "" {
		po.SetWill(state, `{"st":"offline"}`, 1, false)
	}
	return &line{client: paho.NewClient(po), window: make([]paho.Token, r.opt.Window)}
}

// connect opens all lines, some at a time: a city that starts is no attack.
func (r *Radio) connect(ctx context.Context) error {
	const atOnce = 32
	var wg sync.WaitGroup
	failed := make(chan error, len(r.lines))
	for some := range slices.Chunk(r.lines, atOnce) {
		for _, l := range some {
			wg.Go(func() {
				if err := wait(ctx, l.client.Connect()); err != nil {
					opt := l.client.OptionsReader()
					failed <- fmt.Errorf("connect to %s as %q: %w", r.opt.Broker, opt.Username(), err)
				}
			})
		}
		wg.Wait()
		select {
		case err := <-failed:
			return err
		default:
		}
	}
	return nil
}

func wait(ctx context.Context, t paho.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Publish hands one message to its connection. It blocks while the connection
// has too many under way, until ctx ends.
func (r *Radio) Publish(ctx context.Context, p fleet.Publish) error {
	l := r.lineOf(p.Device)
	if l == nil {
		return fmt.Errorf("publish for %s: it has no line in the file of credentials", p.Device)
	}
	if old := l.window[l.next]; old != nil {
		if err := wait(ctx, old); err != nil {
			return fmt.Errorf("publish for %s: %w", p.Device, err)
		}
		r.acked.Add(1)
	}
	topic := p.Topic
	if r.opt.Gateway != "" {
		topic = devices.Topic{Gateway: devices.DeviceID(r.opt.Gateway), Device: devices.DeviceID(p.Device), Leaf: p.Leaf}.String()
	}
	l.window[l.next] = l.client.Publish(topic, 1, p.Retain, slices.Clone(p.Payload))
	l.next = (l.next + 1) % len(l.window)
	return nil
}

func (r *Radio) lineOf(device string) *line {
	if r.of != nil {
		return r.of[device]
	}
	h := uint32(2166136261) // FNV-1a: the same device, the same line, so that its messages stay in order
	for i := range len(device) {
		h = (h ^ uint32(device[i])) * 16777619
	}
	return r.lines[h%uint32(len(r.lines))]
}

// Connected is how many connections are open.
func (r *Radio) Connected() int { return int(r.connected.Load()) }

// Close waits a little for what is under way and disconnects.
func (r *Radio) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, l := range r.lines {
		for _, t := range l.window {
			if t != nil && wait(ctx, t) == nil {
				r.acked.Add(1)
			}
		}
	}
	var wg sync.WaitGroup
	for _, l := range r.lines {
		wg.Go(func() { l.client.Disconnect(100) })
	}
	wg.Wait()
}

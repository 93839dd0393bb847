package broker

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

// census is a small authority: "MH-1" with a password, gateway "gw" of "MH-2".
type census struct {
	mu   sync.Mutex
	seen map[devices.DeviceID]string // guarded by mu
}

func (c *census) Known(d devices.DeviceID) bool   { return d == "MH-1" || d == "gw" || d == "MH-2" }
func (c *census) Adopted(d devices.DeviceID) bool { return c.Known(d) }
func (c *census) IsGateway(gw, child devices.DeviceID) bool {
	return gw == "gw" && child == "MH-2"
}
func (c *census) Verify(d devices.DeviceID, p []byte) bool {
	return c.Known(d) && string(p) == "secret-of-"+string(d)
}
func (c *census) Seen(d devices.DeviceID, _, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[devices.DeviceID]string{}
	}
	c.seen[d] = reason
}

// sink keeps uplinks and acknowledges them when told.
type sink struct {
	got   chan devices.Uplink
	delay atomic.Int64 // time.Duration until a message counts as durable
}

func (s *sink) Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error {
	copied := *u
	copied.Payload = bytes.Clone(u.Payload) // it is the reader's buffer
	select {
	case s.got <- copied:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch wait := time.Duration(s.delay.Load()); {
	case a == nil:
	case wait == 0:
		a.Acked(u.PacketID, nil) // in order, as the log does
	default:
		id := u.PacketID
		time.AfterFunc(wait, func() { a.Acked(id, nil) })
	}
	return nil
}

// sinkFunc takes every message with a function.
type sinkFunc func(u *devices.Uplink, a devices.Acker)

func (f sinkFunc) Deliver(_ context.Context, u *devices.Uplink, a devices.Acker) error {
	f(u, a)
	return nil
}

func serve(t *testing.T, o Options) (*Server, *sink, *census) {
	t.Helper()
	k, c := &sink{got: make(chan devices.Uplink, 100)}, &census{}
	if o.TLS+o.WS+o.WSS == "" {
		o.TCP = "127.0.0.1:0"
	}
	if o.Sink == nil {
		o.Sink = k
	}
	o.Authority, o.Log = c, zerolog.Nop()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s, k, c
}

func pub(t *testing.T, s *Server, args ...string) (string, error) {
	t.Helper()
	devicestest.NeedBinary(t, "mosquitto_pub")
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "mosquitto_pub", append([]string{"-h", "127.0.0.1", "-p", port}, args...)...).CombinedOutput()
	return string(out), err
}

func (s *sink) next(t *testing.T) devices.Uplink {
	t.Helper()
	select {
	case u := <-s.got:
		return u
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came in")
		return devices.Uplink{}
	}
}

func TestMosquittoPublishesInEveryQoSAndVersion(t *testing.T) {
	s, k, _ := serve(t, Options{})
	for _, v := range []string{"mqttv311", "mqttv5"} {
		for q := range 3 {
			t.Run(fmt.Sprintf("%s QoS %d", v, q), func(t *testing.T) {
				if out, err := pub(t, s, "-V", v, "-q", fmt.Sprint(q), "-u", "MH-1", "-P", "secret-of-MH-1", "-t", "f/1/MH-1/telemetry", "-m", `{"tilt_deg":1}`); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if u := k.next(t); u.Device != "MH-1" || string(u.Payload) != `{"tilt_deg":1}` || u.Received == 0 {
					t.Errorf("got %+v", u)
				}
			})
		}
	}
}

func TestWhoMayConnectAndSpeakForWhom(t *testing.T) {
	for _, c := range []struct {
		name, user, pass, topic string
		anonymous               bool
		want                    devices.DeviceID // "" = refused
		reason                  string
	}{
		{"its own password", "MH-1", "secret-of-MH-1", "f/1/MH-1/telemetry", false, "MH-1", ""},
		{"wrong password", "MH-1", "guess", "f/1/MH-1/telemetry", false, "", "wrong password"},
		{"wrong password where strangers may come", "MH-1", "guess", "f/1/MH-1/telemetry", true, "", "wrong password"},
		{"unknown device", "X-9", "x", "f/1/X-9/telemetry", false, "", "not in the census"},
		{"unknown device where strangers may come", "X-9", "x", "f/1/X-9/telemetry", true, "X-9", ""},
		{"nobody", "", "", "f/1/MH-1/telemetry", false, "", "no user name"},
		{"a stranger for a stranger", "", "", "f/1/X-9/telemetry", true, "X-9", ""},
		{"a stranger for a known device", "", "", "f/1/MH-1/telemetry", true, "anonymous", ""},
		{"another's topic", "MH-1", "secret-of-MH-1", "f/1/MH-2/telemetry", false, "MH-1", ""},
		{"a gateway for its child", "gw", "secret-of-gw", "f/1/gw/child/MH-2/telemetry", false, "MH-2", ""},
		{"a gateway for another's child", "gw", "secret-of-gw", "f/1/gw/child/MH-1/telemetry", false, "gw", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, k, a := serve(t, Options{Anonymous: c.anonymous})
			args := []string{"-q", "1", "-t", c.topic, "-m", "{}"}
			if c.user != "" {
				args = append(args, "-u", c.user, "-P", c.pass)
			}
			_, err := pub(t, s, args...)
			if c.want == "" {
				if err == nil {
					t.Fatal("was let in")
				}
				a.mu.Lock()
				defer a.mu.Unlock()
				if got := a.seen[devices.DeviceID(c.user)]; got != c.reason {
					t.Errorf("seen with reason %q, want %q", got, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if u := k.next(t); u.Device != c.want {
				t.Errorf("taken as %s, want %s", u.Device, c.want)
			}
		})
	}
}

func TestNoAckBeforeTheSinkSaysSo(t *testing.T) {
	s, k, _ := serve(t, Options{})
	const delay = 300 * time.Millisecond
	k.delay.Store(int64(delay))
	began := time.Now()
	if out, err := pub(t, s, "-q", "1", "-u", "MH-1", "-P", "secret-of-MH-1", "-t", "f/1/MH-1/telemetry", "-m", "{}"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("mosquitto_pub -q 1 was done after %v, the message was durable after %v", took, delay)
	}
}

package mqtt

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

type sink chan devices.Uplink

func (s sink) Deliver(_ context.Context, u *devices.Uplink, a devices.Acker) error {
	s <- *u
	a.Acked(u.PacketID, nil)
	return nil
}

// mosquitto is a real broker on a port of its own.
type mosquitto struct {
	t    *testing.T
	port string
	conf string
	cmd  *exec.Cmd
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	devicestest.NeedBinary(t, "mosquitto_pub")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	m := &mosquitto{t: t, port: port, conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(m.conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\npersistence false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) start() {
	m.cmd = exec.Command(devicestest.NeedBinary(m.t, "mosquitto"), "-c", m.conf)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mosquitto) stop() {
	if err := m.cmd.Process.Kill(); err != nil {
		m.t.Error(err)
	}
	if err := m.cmd.Wait(); err == nil {
		m.t.Error("a killed mosquitto ended well")
	}
}

func (m *mosquitto) publish(topic string, lines ...string) error {
	cmd := exec.Command("mosquitto_pub", "-h", "127.0.0.1", "-p", m.port, "-q", "1", "-t", topic, "-l")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	return cmd.Run()
}

// probe publishes until something arrives: the subscription is then known to stand.
func (m *mosquitto) probe(got sink) {
	m.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if m.publish("f/1/probe/telemetry", "{}") != nil {
			continue
		}
		select {
		case <-got:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	m.t.Fatal("nothing arrives from the broker")
}

// next is the next uplink that is not a probe.
func next(t *testing.T, got sink) devices.Uplink {
	t.Helper()
	for {
		select {
		case u := <-got:
			if u.Device != "probe" {
				return u
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nothing arrives")
		}
	}
}

func TestReadsAnotherBrokerThroughItsRestart(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 1000)
	c, err := New(Options{URL: "tcp://127.0.0.1:" + m.port, Filters: []string{"f/1/+/#"}, ClientID: "lamplighter", Sink: got, Log: zerolog.Nop(), Metrics: NewMetrics(prometheus.NewRegistry())})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for round := range 2 {
		m.probe(got)
		var lines []string
		for i := range 100 {
			lines = append(lines, fmt.Sprintf(`{"seq":%d}`, i))
		}
		if err := m.publish("f/1/MH-1/telemetry", lines...); err != nil {
			t.Fatal(err)
		}
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

func TestDownlinksAreNotTakenForUplinks(t *testing.T) {
	m := newMosquitto(t)
	got := make(sink, 10)
	c, err := New(Options{URL: "tcp://127.0.0.1:" + m.port, Filters: []string{"f/1/+/#"}, ClientID: "lamplighter", Sink: got, Log: zerolog.Nop(), Metrics: NewMetrics(prometheus.NewRegistry())})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	defer func() { cancel(); <-done }()
	m.probe(got)
	for _, topic := range []string{"f/1/MH-1/cmd", "f/1/MH-1/error", "f/1/MH-1/telemetry"} {
		if err := m.publish(topic, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if u := next(t, got); u.Topic != "f/1/MH-1/telemetry" {
		t.Errorf("took %s", u.Topic)
	}
}

package radio

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/simulators/fleet"
)

// mosquitto starts a real broker with more lines of configuration and returns
// its address.
func mosquitto(t *testing.T, lines ...string) string {
	t.Helper()
	bin := devicestest.NeedBinary(t, "mosquitto")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := "user root\nlistener " + addr[strings.LastIndexByte(addr, ':')+1:] + " 127.0.0.1\nmax_queued_messages 0\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // ended by our own signal
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return "tcp://" + addr
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// witness hears everything that the broker is given.
type witness struct {
	mu    sync.Mutex
	heard map[string][]string // guarded by mu: payloads by topic
}

func listen(t *testing.T, broker, user, password string) *witness {
	t.Helper()
	w := &witness{heard: map[string][]string{}}
	c := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("witness").SetUsername(user).SetPassword(password))
	if tok := c.Connect(); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	tok := c.Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard[m.Topic()] = append(w.heard[m.Topic()], string(m.Payload()))
	})
	if !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	return w
}

func (w *witness) of(topic string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard[topic])
}

// says publishes n numbered messages of each device and returns what each said.
func says(t *testing.T, r *Radio, n int, ids ...string) []string {
	t.Helper()
	var said []string
	for i := range n {
		said = append(said, fmt.Sprintf(`{"seq":%d}`, i))
		for _, id := range ids {
			topic := devices.Topic{Device: devices.DeviceID(id), Leaf: devices.TopicTelemetry}.String()
			if err := r.Publish(t.Context(), fleet.Publish{Device: id, Topic: topic, Leaf: devices.TopicTelemetry, Payload: []byte(said[i])}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return said
}

func (w *witness) wants(t *testing.T, topic string, said []string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(w.of(topic)) < len(said) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
	}
	if got := w.of(topic); !slices.Equal(got, said) {
		t.Errorf("%s: %d messages came, want %d in their order: %.200q", topic, len(got), len(said), got)
	}
}

func TestDevicesShareConnectionsAndKeepTheirOrder(t *testing.T) {
	broker := mosquitto(t, "allow_anonymous true")
	w := listen(t, broker, "", "")
	r, err := Open(t.Context(), Options{Broker: broker, Connections: 3, Window: 7})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); r.Connected() != 3; time.Sleep(10 * time.Millisecond) { // counted a moment later
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, want 3", r.Connected())
		}
	}
	ids := []string{"MH-1", "MH-2", "SL-1", "BR-1"}
	said := says(t, r, 200, ids...)
	r.Close()
	for _, id := range ids {
		w.wants(t, "f/1/"+id+"/telemetry", said)
	}
}

func TestAGatewaySpeaksForItsDevices(t *testing.T) {
	broker := mosquitto(t, "allow_anonymous true")
	w := listen(t, broker, "", "")
	r, err := Open(t.Context(), Options{Broker: broker, Gateway: "GW-1"})
	if err != nil {
		t.Fatal(err)
	}
	w.wants(t, "f/1/GW-1/state", []string{`{"st":"online"}`})
	said := says(t, r, 50, "MH-1", "MH-2")
	r.Close()
	w.wants(t, "f/1/GW-1/child/MH-1/telemetry", said)
	w.wants(t, "f/1/GW-1/child/MH-2/telemetry", said)
}

func TestEachDeviceHasItsOwnPassword(t *testing.T) {
	passwords := filepath.Join(t.TempDir(), "passwords")
	for i, user := range []string{"witness", "MH-1", "MH-2"} {
		args := []string{"-b", passwords, user, "password-of-" + user}
		if i == 0 {
			args = append([]string{"-c"}, args...)
		}
		if out, err := exec.Command(devicestest.NeedBinary(t, "mosquitto_passwd"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	broker := mosquitto(t, "allow_anonymous false", "password_file "+passwords)
	w := listen(t, broker, "witness", "password-of-witness")
	r, err := Open(t.Context(), Options{Broker: broker, Credentials: map[string]string{"MH-1": "password-of-MH-1", "MH-2": "password-of-MH-2"}})
	if err != nil {
		t.Fatal(err)
	}
	said := says(t, r, 20, "MH-1", "MH-2")
	if err := r.Publish(t.Context(), fleet.Publish{Device: "MH-3", Topic: "f/1/MH-3/telemetry"}); err == nil || !strings.Contains(err.Error(), "no line in the file of credentials") {
		t.Errorf("a device without a password: %v", err)
	}
	r.Close()
	w.wants(t, "f/1/MH-1/telemetry", said)
	w.wants(t, "f/1/MH-2/telemetry", said)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := Open(ctx, Options{Broker: broker, Credentials: map[string]string{"MH-1": "guess"}}); err == nil || !strings.Contains(err.Error(), `as "MH-1"`) {
		t.Errorf("with a wrong password: %v", err)
	}
}

package mqtt

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lamplighter/devices/devicestest"
)

// mosquitto is a real broker on a port of its own.
type mosquitto struct {
	t    *testing.T
	port string
	conf string
	cmd  *exec.Cmd
}

// newMosquitto starts a broker with more lines of configuration; in them, DIR
// is a folder of its own.
func newMosquitto(t *testing.T, lines ...string) *mosquitto {
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
	dir := t.TempDir()
	m := &mosquitto{t: t, port: port, conf: filepath.Join(dir, "mosquitto.conf")}
	if len(lines) == 0 {
		lines = []string{"persistence false"}
	}
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\n%s\n", port, strings.ReplaceAll(strings.Join(lines, "\n"), "DIR", dir))
	if !strings.Contains(text, "allow_anonymous") {
		text += "allow_anonymous true\n"
	}
	if err := os.WriteFile(m.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) url() string { return "tcp://127.0.0.1:" + m.port }

func (m *mosquitto) start() {
	m.cmd = exec.Command(devicestest.NeedBinary(m.t, "mosquitto"), "-c", m.conf)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.eventually("the broker answers", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+m.port)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// stop is kill -9.
func (m *mosquitto) stop() {
	if err := m.cmd.Process.Kill(); err != nil {
		m.t.Error(err)
	}
	if err := m.cmd.Wait(); err == nil {
		m.t.Error("a killed mosquitto ended well")
	}
}

// end lets it write its database.
func (m *mosquitto) end() {
	m.signal(syscall.SIGTERM)
	if err := m.cmd.Wait(); err != nil {
		m.t.Error(err)
	}
}

func (m *mosquitto) signal(s syscall.Signal) {
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Error(err)
	}
}

func (m *mosquitto) publish(topic string, lines ...string) error {
	cmd := exec.Command("mosquitto_pub", "-h", "127.0.0.1", "-p", m.port, "-q", "1", "-t", topic, "-l")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	return cmd.Run()
}

func (m *mosquitto) mustPublish(topic string, lines ...string) {
	m.t.Helper()
	if err := m.publish(topic, lines...); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mosquitto) eventually(what string, ok func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	m.t.Fatal("never came: " + what)
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

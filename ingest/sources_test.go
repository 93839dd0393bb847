package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lamplighter/devices/devicestest"
)

// TestADeviceHearsWhyWithinASecond: the reason of a refusal comes on the
// device's own topic; the same one again is counted, not repeated.
func TestADeviceHearsWhyWithinASecond(t *testing.T) {
	t.Parallel()
	d := newDaemonWith(t, "devices: {anonymous: true}\nlistener: {messages_per_second: 5}\n")
	host, port, _ := strings.Cut(d.mqtt, ":")
	sub := exec.Command(devicestest.NeedBinary(t, "mosquitto_sub"), "-h", host, "-p", port, "-u", "MH-1", "-t", "f/1/MH-1/#")
	out, err := sub.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sub.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := sub.Wait(); err == nil {
			t.Error("a killed mosquitto_sub ended well")
		}
	})
	type reason struct {
		Code, Msg string
		N         int
	}
	heard, answered := make(chan reason, 100), make(chan struct{}, 100)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			var r reason
			if json.Unmarshal(s.Bytes(), &r) != nil {
				continue
			}
			if r.Code == "" { // the time
				answered <- struct{}{}
				continue
			}
			heard <- r
		}
	}()
	publish := func(args ...string) {
		t.Helper()
		cmd := exec.Command(devicestest.NeedBinary(t, "mosquitto_pub"), append([]string{"-h", host, "-p", port, "-u", "MH-1", "-q", "1"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	d.eventually("the subscription stands", func() bool {
		publish("-t", "f/1/MH-1/time", "-m", `{"t0":1}`)
		select {
		case <-answered:
			return true
		case <-time.After(time.Second):
			return false
		}
	})
	for _, c := range []struct{ topic, payload, code string }{
		{"f/1/MH-1/telemetry", "not JSON", "E_JSON"},
		{"f/1/MH-1/telemetry", `{"tilt_deg":[]}`, "E_FIELD"},
		{"f/1/MH-2/telemetry", `{"tilt_deg":1}`, "E_IDENT"},
		{"$SYS/broker/uptime", `{"tilt_deg":1}`, "E_CODEC"},
		{"f/1/MH-1/telemetry", `{"tilt_deg":1,"x":"` + strings.Repeat("x", 2<<20) + `"}`, "E_SIZE"},
	} {
		began := time.Now()
		publishFile(t, publish, c.topic, c.payload)
		select {
		case r := <-heard:
			if r.Code != c.code || r.N != 1 || r.Msg == "" {
				t.Errorf("%s: heard %+v, want %s", c.topic, r, c.code)
			}
			t.Logf("%s after %v: %s", c.code, time.Since(began), r.Msg)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: no reason came", c.code)
		}
	}
	lines := strings.Repeat(`{"tilt_deg":1}`+"\n", 250) // 50 at once, then 5 a second
	cmd := exec.Command(devicestest.NeedBinary(t, "mosquitto_pub"), "-h", host, "-p", port, "-u", "MH-1", "-q", "1", "-t", "f/1/MH-1/telemetry", "-l")
	cmd.Stdin = strings.NewReader(lines)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cmd.Process.Kill(); err != nil { // it would go on for 40 s
			t.Error(err)
		}
		_ = cmd.Wait() // ended by our own signal
	}()
	select {
	case r := <-heard:
		if r.Code != "E_RATE" {
			t.Errorf("heard %+v, want E_RATE", r)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no E_RATE came")
	}
	select {
	case r := <-heard:
		t.Errorf("the same minute: heard %+v again", r)
	case <-time.After(300 * time.Millisecond):
	}
}

// publishFile publishes a payload that is too long for an argument.
func publishFile(t *testing.T, publish func(...string), topic, payload string) {
	t.Helper()
	if len(payload) < 1000 {
		publish("-t", topic, "-m", payload)
		return
	}
	publish("-t", topic, "-f", tempFile(t, payload))
}

func tempFile(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	"pgregory.net/rapid"

	"lamplighter/devices/devicestest"
)

// mosquitto starts a real broker and returns its address.
func mosquitto(t *testing.T) string {
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
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "listener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n", port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil { // a SIGTERM while it starts is lost on it
			t.Error(err)
		}
		_ = cmd.Wait() // ended by our own signal
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return addr
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// witness hears everything that the broker was given.
type witness struct {
	mu    sync.Mutex
	heard map[string]int // guarded by mu: by device, boot and seq
}

func listen(t *testing.T, addr string) *witness {
	t.Helper()
	w := &witness{heard: map[string]int{}}
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("witness"))
	if tok := c.Connect(); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	tok := c.Subscribe("f/1/+/telemetry", 1, func(_ paho.Client, m paho.Message) {
		var x struct {
			Boot string
			Seq  uint64
			V    map[string]any
		}
		if err := json.Unmarshal(m.Payload(), &x); err != nil || len(x.V) != 12 {
			t.Errorf("%s: %d channels, %v", m.Payload(), len(x.V), err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard[fmt.Sprint(strings.Split(m.Topic(), "/")[2], " ", x.Boot, " ", x.Seq)]++
	})
	if !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	return w
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.heard)
}

// readLedger reads either form.
func readLedger(t *testing.T, path string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".csv") {
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || !slices.Equal(rows[0], []string{"device", "boot", "seq"}) {
			t.Fatalf("%v, header %v", err, rows[0])
		}
		for _, r := range rows[1:] {
			out = append(out, strings.Join(r, " "))
		}
		return out
	}
	for line := range strings.Lines(string(text)) {
		var x struct {
			Device, Boot string
			Seq          uint64
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, fmt.Sprint(x.Device, " ", x.Boot, " ", x.Seq))
	}
	return out
}

func TestTheLedgerIsWhatTheBrokerHas(t *testing.T) {
	addr := mosquitto(t)
	w := listen(t, addr)
	for i, name := range []string{"ledger.csv", "ledger.jsonl"} {
		path := filepath.Join(t.TempDir(), name)
		led, err := CreateLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		const count = 5003
		r, err := New(Options{Address: addr, Connections: 7, Devices: 20, Count: count, Ledger: led, Channels: 12, Boot: name})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := r.Do(t.Context())
		if err != nil || rep.Acked != count || rep.Sent != count || len(rep.Errors) > 0 || rep.P50 <= 0 || rep.P99 < rep.P50 || rep.Max < rep.P99 {
			t.Errorf("%v: %+v", err, rep)
		}
		if err := led.Close(); err != nil {
			t.Fatal(err)
		}
		lines := readLedger(t, path)
		seen := map[string]bool{}
		for _, x := range lines {
			seen[x] = true
		}
		if len(lines) != count || len(seen) != count {
			t.Errorf("%s has %d lines, %d different", name, len(lines), len(seen))
		}
		for deadline := time.Now().Add(time.Minute); w.count() < (i+1)*count && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		}
		for x := range seen {
			if w.heard[x] != 1 {
				t.Fatalf("the broker had %q %d times", x, w.heard[x])
			}
		}
	}
}

// A broker that goes away is an error that is counted, and the load goes on when
// it is back; the ledger has what was acknowledged, and nothing twice.
func TestALoadOutlivesItsConnections(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	acked := make(chan int, 1000)
	go rude(ln, acked)
	path := filepath.Join(t.TempDir(), "ledger.csv")
	led, err := CreateLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Address: ln.Addr().String(), Connections: 1, Ledger: led, InFlight: 8})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for range 3 {
			<-acked
		}
	}()
	rep, err := r.Do(ctx)
	if err != nil || len(rep.Errors) == 0 {
		t.Errorf("%v: %+v", err, rep)
	}
	if err := led.Close(); err != nil {
		t.Fatal(err)
	}
	lines := readLedger(t, path)
	slices.Sort(lines)
	if int64(len(lines)) != rep.Acked || len(slices.Compact(lines)) != int(rep.Acked) || rep.Acked < 15 {
		t.Errorf("%d lines, %d acknowledged", len(lines), rep.Acked)
	}
}

// rude is a broker that acknowledges five messages and hangs up.
func rude(ln net.Listener, acked chan<- int) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		var buf [4096]byte
		r := bufio.NewReader(c)
		for n := 0; n < 5; {
			kind, body, err := readPacket(r, &buf)
			if err != nil {
				break
			}
			answer := []byte{connAck, 2, 0, 0}
			if kind == publishQ1&0xf0 {
				topic := int(body[0])<<8 | int(body[1])
				answer = []byte{pubAck, 2, body[2+topic], body[3+topic]}
				n++
			}
			if _, err := c.Write(answer); err != nil {
				break
			}
		}
		acked <- 5
		c.Close()
	}
}

func TestAnImpossibleDeviceIsTold(t *testing.T) {
	_, err := New(Options{Connections: 2, Credentials: map[string]string{"": "x"}})
	if err == nil || !strings.Contains(err.Error(), "device id") {
		t.Errorf("got %v", err)
	}
}

func TestIdleConnectionsAreHeld(t *testing.T) {
	rep, err := Idle(t.Context(), IdleOptions{Address: mosquitto(t), Connections: 50, Hold: 100 * time.Millisecond, PID: os.Getpid()})
	if err != nil || rep.Connections != 50 || rep.Broken != 0 || rep.Before == 0 || rep.After == 0 {
		t.Errorf("%v: %+v", err, rep)
	}
}

func TestQuantilesAreWithinAThirtySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "n")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var h histogram
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(rnd.Int64N(1 << (10 + rnd.IntN(30))))
			h.add(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.95, 0.99} {
			want := all[min(n-1, int(q*float64(n)))]
			got := h.quantile(q)
			if d := (got - want).Abs(); d > want/31+2*time.Microsecond {
				t.Fatalf("the %g quantile of %d is %v, want %v", q, n, got, want)
			}
		}
	})
}

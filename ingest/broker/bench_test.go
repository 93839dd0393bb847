package broker

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// beClient makes the test binary the client of a benchmark, so that the
// client's memory and goroutines are not counted as the listener's. Its value
// is the address.
const beClient = "LAMPLIGHTER_TEST_IDLE_CLIENT"

func TestMain(m *testing.M) {
	if addr := os.Getenv(beClient); addr != "" {
		n, err := strconv.Atoi(os.Args[len(os.Args)-1])
		if err == nil {
			err = idle(addr, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// idle opens n connections, says so on standard output and holds them until
// standard input ends. Each device subscribes to what it may hear, like real
// firmware, and goes quiet.
func idle(addr string, n int) error {
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := dialMQTT(addr, fmt.Sprintf("lamp-%05d", i), "", 600)
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		conns[i] = c
		if err := subscribe(c, fmt.Sprintf("f/1/lamp-%05d/#", i)); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	_, err := io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		c.Close()
	}
	return err
}

// dialMQTT connects by hand: one CONNECT of MQTT 3.1.1, the CONNACK checked.
func dialMQTT(addr, user, password string, keepalive uint16) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(connectPacket(4, user, user, password, keepalive)); err != nil {
		return nil, err
	}
	var ack [4]byte
	if _, err := io.ReadFull(c, ack[:]); err != nil {
		return nil, err
	}
	if ack != [4]byte{0x20, 2, 0, 0} {
		return nil, fmt.Errorf("CONNACK %x", ack)
	}
	return c, nil
}

// subscribe asks for one filter with QoS 1 and checks the SUBACK.
func subscribe(c net.Conn, filter string) error {
	if _, err := c.Write(packet(0x82, append(text([]byte{0, 1}, filter), 1))); err != nil {
		return err
	}
	var ack [5]byte
	if _, err := io.ReadFull(c, ack[:]); err != nil {
		return err
	}
	if ack != [5]byte{0x90, 3, 0, 1, 1} {
		return fmt.Errorf("SUBACK %x", ack)
	}
	return nil
}

// connectPacket is a clean CONNECT of version 4 (3.1.1) or 5.
func connectPacket(version byte, client, user, password string, keepalive uint16) []byte {
	flags := byte(2)
	b := []byte{0, 4, 'M', 'Q', 'T', 'T', version, 0}
	b = binary.BigEndian.AppendUint16(b, keepalive)
	if version == 5 {
		b = append(b, 0)
	}
	b = text(b, client)
	if user != "" {
		flags |= 0x80
		b = text(b, user)
	}
	if password != "" {
		flags |= 0x40
		b = text(b, password)
	}
	b[7] = flags
	return packet(0x10, b)
}

// publishPacket is a PUBLISH of version 3.1.1.
func publishPacket(qos byte, id uint16, topic string, payload []byte) []byte {
	b := text(nil, topic)
	if qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return packet(0x30|qos<<1, append(b, payload...))
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func packet(first byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

// instant acknowledges at once from another goroutine, as the log does.
type instant struct{ acks chan ack }

type ack struct {
	a  devices.Acker
	id uint16
}

func (k instant) Deliver(_ context.Context, u *devices.Uplink, a devices.Acker) error {
	if a != nil {
		k.acks <- ack{a, u.PacketID}
	}
	return nil
}

func (k instant) run() {
	for a := range k.acks {
		a.a.Acked(a.id, nil)
	}
}

func benchServer(b *testing.B) *Server {
	b.Helper()
	k := instant{make(chan ack, 1024)}
	go k.run()
	s, err := New(Options{TCP: "127.0.0.1:0", Anonymous: true, Sink: k, Authority: &census{}, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(); err != nil {
			b.Error(err)
		}
		close(k.acks)
	})
	return s
}

// rss is the resident memory of this process in bytes.
func rss(b *testing.B) float64 {
	b.Helper()
	t, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skipf("resident memory: %v", err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(t))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize())
}

// BenchmarkIdle reports the resident memory of one connected, quiet device: as
// the system sees it when all are connected, and after garbage was given back,
// which is what a quiet daemon comes down to. The client is another process.
func BenchmarkIdle(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		s := benchServer(b)
		debug.FreeOSMemory()
		before := rss(b)
		cmd := exec.Command(os.Args[0], strconv.Itoa(n))
		cmd.Env = append(os.Environ(), beClient+"="+s.Addr().String())
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "connected\n" {
			b.Fatalf("the client says %q: %v", line, err)
		}
		b.ReportMetric((rss(b)-before)/n/1024, "KB/conn")
		debug.FreeOSMemory()
		b.ReportMetric((rss(b)-before)/n/1024, "KB/conn-settled")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.StackInuse)/n/1024, "KB-stack/conn")
		b.ReportMetric(float64(m.HeapInuse)/n/1024, "KB-heap/conn")
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkListener is the way of a message from the wire to its PUBACK on 20
// connections, each with 100 messages in flight; the sink acknowledges at once.
func BenchmarkListener(b *testing.B) {
	s := benchServer(b)
	const conns, window = 20, 100
	payload := []byte(`{"ts":1767225600123,"seq":12345,"lamp_on":true,"power_w":98.5,"voltage_v":229.1,"current_a":0.41,"energy_kwh":1203.4,"dim_pct":100,"temperature_c":31.5,"rssi_dbm":-97}`)
	cs := make([]net.Conn, conns)
	for i := range cs {
		c, err := dialMQTT(s.Addr().String(), fmt.Sprintf("lamp-%05d", i), "", 0)
		if err != nil {
			b.Fatal(err)
		}
		cs[i] = c
		defer c.Close()
	}
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range cs {
		wg.Go(func() {
			topic := fmt.Sprintf("f/1/lamp-%05d/telemetry", i)
			left := b.N/conns + 1
			var burst []byte
			acks := make([]byte, 4*window)
			for left > 0 {
				k := min(window, left)
				left -= k
				burst = burst[:0]
				for id := range k {
					burst = append(burst, publishPacket(1, uint16(id+1), topic, payload)...)
				}
				if _, err := c.Write(burst); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, acks[:4*k]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
}

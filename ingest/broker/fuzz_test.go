package broker

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// FuzzListener writes arbitrary bytes to a connection, once before and once
// after a good CONNECT, for both versions. The daemon must live, serve a good
// device after it, and take nothing from a connection that was not let in, nor
// in the name of another device.
func FuzzListener(f *testing.F) {
	var strangers, impostors atomic.Int64
	var authenticated atomic.Bool
	s, err := New(Options{TCP: "127.0.0.1:0", PerAddress: 1_000_000, Authority: &census{}, Log: zerolog.Nop(), Sink: sinkFunc(func(u *devices.Uplink, a devices.Acker) {
		switch {
		case u.Device != "MH-1" && u.Device != "MH-2":
			impostors.Add(1)
		case u.Device == "MH-1" && !authenticated.Load():
			strangers.Add(1)
		}
		if a != nil {
			a.Acked(u.PacketID, nil)
		}
	})})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Stop(); err != nil {
			f.Error(err)
		}
	})
	for _, p := range seeds() {
		f.Add(p)
	}
	f.Add(bytes.Join(seeds(), nil))
	n := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("secret-of-")) {
			return // it may log itself in
		}
		authenticated.Store(false)
		feed(t, s, nil, data)
		authenticated.Store(true)
		for _, version := range []byte{4, 5} {
			feed(t, s, connectPacket(version, "fuzz", "MH-1", "secret-of-MH-1", 60), data)
		}
		n++
		good := login(t, s, 4, "MH-2", fmt.Sprint("good-", n))
		good.send(good.message(2, 1, "f/1/MH-2/telemetry", "{}"))
		good.want(0x40, 2, 0, 1)
		good.Close()
		if strangers.Load()+impostors.Load() > 0 {
			t.Fatalf("%d messages of strangers, %d in another's name", strangers.Load(), impostors.Load())
		}
	})
}

// feed writes to a connection of its own and waits until the listener has read
// all of it: it closes our half and reads to the end.
func feed(t *testing.T, s *Server, before, data []byte) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append(bytes.Clone(before), data...)); err != nil {
		return // it was cut off while we wrote
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, c); timedOut(err) {
		t.Fatalf("the connection stands after % x", data)
	}
}

// seeds are real packets of every type a device sends, in both versions.
func seeds() [][]byte {
	var all [][]byte
	for _, v := range []byte{4, 5} {
		r := &raw{version: v}
		var p []byte
		if v == 5 {
			p = []byte{0}
		}
		sub := append(append([]byte{0, 1}, p...), text(nil, "f/1/MH-1/#")...)
		all = append(all,
			connectPacket(v, "c", "MH-1", "guess", 60),
			r.message(0, 0, "f/1/MH-1/telemetry", `{"tilt_deg":1}`), r.message(2, 1, "f/1/MH-1/event", "{}"), r.message(4, 2, "f/1/MH-2/cmd", "x"), r.message(2, 3, "$SYS/a", "x"),
			packet(0x40, []byte{0, 1}), packet(0x50, []byte{0, 1}), packet(0x62, []byte{0, 2}), packet(0x70, []byte{0, 1}),
			packet(0x82, append(bytes.Clone(sub), 1)), packet(0xa2, sub), packet(0xc0, nil), packet(0xe0, p))
	}
	return append(all, packet(0xf0, []byte{0x18, 0}), packet(0x10, connectPacket(5, "w", "MH-1", "x", 9)), []byte{0x30, 0xff, 0xff, 0xff, 0x7f})
}

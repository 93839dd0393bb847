package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// raw is a device that speaks MQTT byte by byte: it can break every rule.
type raw struct {
	t *testing.T
	net.Conn
	version byte
}

// dial opens a connection to the listener's first address and says nothing.
func dial(t *testing.T, s *Server) *raw {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &raw{t, c, 4}
}

// login connects a device with its password, a clean session and a client id.
func login(t *testing.T, s *Server, version byte, device, client string) *raw {
	t.Helper()
	r := dial(t, s)
	r.version = version
	r.send(connectPacket(version, client, device, "secret-of-"+device, 60))
	r.wantAck(0)
	return r
}

func (r *raw) send(packets ...[]byte) {
	r.t.Helper()
	if _, err := r.Write(bytes.Join(packets, nil)); err != nil {
		r.t.Fatal(err)
	}
}

// next reads one packet: its first byte and its body.
func (r *raw) next() (byte, []byte, error) {
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, nil, err
	}
	var head [1]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(oneByte{r})
	if err != nil {
		return 0, nil, err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

type oneByte struct{ io.Reader }

func (o oneByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(o, b[:])
	return b[0], err
}

// want reads one packet and compares it.
func (r *raw) want(packet ...byte) {
	r.t.Helper()
	first, body, err := r.next()
	if err != nil {
		r.t.Fatalf("got %v, want % x", err, packet)
	}
	got := append([]byte{first, byte(len(body))}, body...)
	if !bytes.Equal(got, packet) {
		r.t.Fatalf("got % x, want % x", got, packet)
	}
}

// wantAck reads a CONNACK and returns its properties.
func (r *raw) wantAck(code byte) []byte {
	r.t.Helper()
	first, body, err := r.next()
	if err != nil || first != 0x20 || len(body) < 2 || body[1] != code {
		r.t.Fatalf("got %x % x %v, want a CONNACK with 0x%02x", first, body, err, code)
	}
	return body[2:]
}

// wantEnd reads up to the end of the connection. A device of MQTT 5 must hear
// the code, one of 3.1.1 nothing. It returns the reason.
func (r *raw) wantEnd(code byte) string {
	r.t.Helper()
	for {
		first, body, err := r.next()
		switch {
		case err == nil && first>>4 != typeDisconnect:
			continue
		case r.version < 5 && err == nil:
			r.t.Fatalf("a DISCONNECT to a device of MQTT 3.1.1")
		case r.version < 5 && !timedOut(err):
			return ""
		case err != nil:
			r.t.Fatalf("got %v, want a DISCONNECT with 0x%02x", err, code)
		case body[0] != code:
			r.t.Fatalf("got DISCONNECT % x, want 0x%02x", body, code)
		}
		if _, _, err := r.next(); err == nil || timedOut(err) {
			r.t.Fatalf("after the DISCONNECT the connection stands: %v", err)
		}
		return string(body[5:])
	}
}

func timedOut(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// wantSilence checks that nothing comes for a moment.
func (r *raw) wantSilence() {
	r.t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		r.t.Fatal(err)
	}
	var b [16]byte
	if n, err := r.Read(b[:]); n > 0 || !timedOut(err) {
		r.t.Fatalf("got % x %v, want nothing", b[:n], err)
	}
}

// message is a PUBLISH of the device's version.
func (r *raw) message(first byte, id uint16, topic string, payload string) []byte {
	b := text(nil, topic)
	if first>>1&3 > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	if r.version == 5 {
		b = append(b, 0)
	}
	return packet(0x30|first, append(b, payload...))
}

// subscribe asks for a filter and checks the SUBACK's code.
func (r *raw) subscribe(filter string, qos, want byte) {
	r.t.Helper()
	b := []byte{0, 77}
	if r.version == 5 {
		b = append(b, 0)
	}
	r.send(packet(0x82, append(text(b, filter), qos)))
	first, body, err := r.next()
	if err != nil || first != 0x90 || body[len(body)-1] != want {
		r.t.Fatalf("SUBACK for %s: %x % x %v, want 0x%02x", filter, first, body, err, want)
	}
}

// eventually polls until ok, for at most half a minute.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

func both(t *testing.T, test func(t *testing.T, version byte)) {
	t.Helper()
	for _, v := range []byte{4, 5} {
		t.Run(map[byte]string{4: "3.1.1", 5: "5"}[v], func(t *testing.T) { test(t, v) })
	}
}

package broker

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"lamplighter/devices"
)

func TestAMessageTooLargeIsAnswered(t *testing.T) {
	big := strings.Repeat("x", 2<<20)
	t.Run("3.1.1: thrown away, acknowledged, the next one taken", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		r := login(t, s, 4, "MH-1", "c")
		r.send(r.message(2, 7, "f/1/MH-1/telemetry", big), r.message(2, 8, "f/1/MH-1/telemetry", "{}"), r.message(0, 0, "f/1/MH-1/event", big), r.message(4, 9, "f/1/MH-1/telemetry", "{}"))
		r.want(0x40, 2, 0, 7)
		r.want(0x40, 2, 0, 8)
		r.want(0x50, 2, 0, 9)
		for i, cut := range []bool{true, false, true, false} {
			u := k.next(t)
			if u.Flags.Has(devices.FlagCut) != cut || u.Device != "MH-1" || len(u.Payload) > headKept {
				t.Errorf("message %d: %d bytes, flags %b", i, len(u.Payload), u.Flags)
			}
		}
	})
	t.Run("5: kept in quarantine, cut off with 0x95", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		r := login(t, s, 5, "MH-1", "c")
		r.send(r.message(2, 7, "f/1/MH-1/telemetry", big))
		if why := r.wantEnd(codeTooLarge); !strings.Contains(why, "at most 262144 are allowed; send smaller batches") {
			t.Errorf("the reason is %q", why)
		}
		if u := k.next(t); !u.Flags.Has(devices.FlagCut) || u.Topic != "f/1/MH-1/telemetry" {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("as large as may be", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		r := login(t, s, 4, "MH-1", "c")
		body := strings.Repeat("y", 256<<10-24-4)
		r.send(r.message(2, 7, "f/1/MH-1/telemetry", body))
		r.want(0x40, 2, 0, 7)
		if u := k.next(t); string(u.Payload) != body || u.Flags.Has(devices.FlagCut) {
			t.Errorf("got %d bytes", len(u.Payload))
		}
	})
}

func TestEveryTopicReachesTheCodec(t *testing.T) {
	both(t, func(t *testing.T, version byte) {
		s, k, _ := serve(t, Options{})
		r := login(t, s, version, "MH-1", "c")
		for i, topic := range []string{"$SYS/broker/uptime", "$sys/p/MH-1/thing/property/post", "$share/g/f/1/MH-1/telemetry", "$oc/devices/MH-1/sys/messages/up", "/", "f/1/MH-2/telemetry", "井盖/1", "a/b/c,d=e f\n"} {
			r.send(r.message(2, uint16(i+1), topic, "{}"))
			r.want(0x40, 2, 0, byte(i+1))
			if u := k.next(t); u.Topic != topic || u.Device != "MH-1" {
				t.Errorf("topic %q became %+v", topic, u)
			}
		}
	})
}

func TestWhatBreaksTheProtocolEndsTheConnection(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet func(r *raw) []byte
		code   byte
		reason string
		kept   string // the topic that quarantine shows, "" = nothing
	}{
		{"a topic not of UTF-8", func(r *raw) []byte { return r.message(2, 1, "f/1/\xff\xfe/telemetry", "{}") }, 0x81, "is not UTF-8", "f/1/\uFFFD/telemetry"},
		{"a NUL in the topic", func(r *raw) []byte { return r.message(2, 1, "f/1/a\x00b", "{}") }, 0x81, "has a NUL", "f/1/a\uFFFDb"},
		{"a wildcard in the topic", func(r *raw) []byte { return r.message(2, 1, "f/1/+/telemetry", "{}") }, 0x81, "has a wildcard", "f/1/+/telemetry"},
		{"a topic of 2,000 bytes", func(r *raw) []byte { return r.message(2, 1, strings.Repeat("t", 2000), "{}") }, 0x81, "a topic of 2000 bytes", ""},
		{"no topic", func(r *raw) []byte { return r.message(2, 1, "", "{}") }, 0x81, "no topic", ""},
		{"QoS 3", func(r *raw) []byte { return r.message(6, 1, "f/1/MH-1/telemetry", "{}") }, 0x81, "QoS 3", ""},
		{"packet identifier 0", func(r *raw) []byte { return r.message(2, 0, "f/1/MH-1/telemetry", "{}") }, 0x81, "packet identifier 0", ""},
		{"an empty PUBLISH", func(*raw) []byte { return packet(0x32, nil) }, 0x81, "it ends within a length", ""},
		{"a second CONNECT", func(r *raw) []byte { return connectPacket(r.version, "c", "MH-1", "secret-of-MH-1", 9) }, 0x82, "second connect packet", ""},
		{"a packet that only servers send", func(*raw) []byte { return packet(0x20, []byte{0, 0}) }, 0x82, "may not send", ""},
		{"PUBREL with wrong flags", func(*raw) []byte { return packet(0x60, []byte{0, 1}) }, 0x81, "PUBREL", ""},
		{"SUBSCRIBE with wrong flags", func(*raw) []byte { return packet(0x80, []byte{0, 1, 0, 1, 'a', 0}) }, 0x81, "malformed", ""},
		{"SUBSCRIBE that ends", func(*raw) []byte { return packet(0x82, []byte{0, 1, 0}) }, 0x82, "at least one filter", ""},
		{"a SUBSCRIBE of 100 KB", func(*raw) []byte { return packet(0x82, make([]byte, 100<<10)) }, 0x81, "at most 65536 are allowed", ""},
		{"a type that is none", func(*raw) []byte { return packet(0x00, nil) }, 0x82, "may not send", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, version byte) {
				s, k, _ := serve(t, Options{})
				good, r := login(t, s, 4, "MH-2", "good"), login(t, s, version, "MH-1", "c")
				r.send(c.packet(r))
				if why := r.wantEnd(c.code); version == 5 && !strings.Contains(why, c.reason) {
					t.Errorf("the reason is %q, want %q", why, c.reason)
				}
				if c.kept != "" {
					if u := k.next(t); u.Topic != c.kept || u.Device != "MH-1" {
						t.Errorf("quarantine gets %+v, want topic %q", u, c.kept)
					}
				}
				good.send(good.message(2, 1, "f/1/MH-2/telemetry", "{}"))
				good.want(0x40, 2, 0, 1)
				if u := k.next(t); u.Device != "MH-2" {
					t.Errorf("took %+v", u)
				}
			})
		})
	}
}

func TestTopicAliases(t *testing.T) {
	s, k, _ := serve(t, Options{})
	r := login(t, s, 5, "MH-1", "c")
	alias := func(id byte, topic string, alias byte) []byte {
		b := append(text(nil, topic), 0, id, 3, 0x23, 0, alias)
		return packet(0x32, append(b, "{}"...))
	}
	for i, c := range []struct {
		topic string
		alias byte
		want  string
	}{{"f/1/MH-1/telemetry", 1, "f/1/MH-1/telemetry"}, {"$SYS/x", 2, "$SYS/x"}, {"", 1, "f/1/MH-1/telemetry"}, {"", 2, "$SYS/x"}, {"f/1/MH-1/event", 1, "f/1/MH-1/event"}, {"", 1, "f/1/MH-1/event"}} {
		r.send(alias(byte(i+1), c.topic, c.alias))
		r.want(0x40, 2, 0, byte(i+1))
		if u := k.next(t); u.Topic != c.want {
			t.Errorf("message %d has topic %q, want %q", i, u.Topic, c.want)
		}
	}
	r.send(alias(9, "f/1/MH-1/event", 17))
	r.wantEnd(codeBadAlias)
	r = login(t, s, 5, "MH-1", "c")
	r.send(alias(9, "", 1)) // it was another connection's
	r.wantEnd(codeProtocol)
}

func TestPropertiesOfMQTT5AreReadOver(t *testing.T) {
	s, k, _ := serve(t, Options{})
	r := login(t, s, 5, "MH-1", "c")
	props := "\x01\x01\x02\x00\x00\x00\x3c\x03\x00\x01j\x08\x00\x01r\x09\x00\x02\xff\xfe\x26\x00\x01k\x00\x01v"
	b := append(text(nil, "f/1/MH-1/telemetry"), 0, 1, byte(len(props)))
	r.send(packet(0x32, append(append(b, props...), "{}"...)))
	r.want(0x40, 2, 0, 1)
	if u := k.next(t); string(u.Payload) != "{}" {
		t.Errorf("payload %q", u.Payload)
	}
	for name, props := range map[string]string{"unknown": "\x7f", "a subscription id": "\x0b\x01", "cut off": "\x02\x00", "alias 0": "\x23\x00\x00"} {
		r := login(t, s, 5, "MH-1", "c")
		b := append(text(nil, "f/1/MH-1/telemetry"), 0, 1, byte(len(props)))
		r.send(packet(0x32, append(append(b, props...), "{}"...)))
		if first, body, err := r.next(); err != nil || first != 0xe0 {
			t.Errorf("%s: got %x % x %v", name, first, body, err)
		}
	}
}

func TestTheSameMessageTenTimes(t *testing.T) {
	s, k, _ := serve(t, Options{})
	r := login(t, s, 4, "MH-1", "c")
	for i := range 10 {
		first := byte(2)
		if i > 0 {
			first |= 8 // DUP
		}
		r.send(r.message(first, 5, "f/1/MH-1/telemetry", `{"seq":1}`))
		r.want(0x40, 2, 0, 5)
		if u := k.next(t); u.Flags.Has(devices.FlagDup) != (i > 0) {
			t.Errorf("message %d has flags %b", i, u.Flags)
		}
	}
}

func TestQoS2IsTakenOnce(t *testing.T) {
	both(t, func(t *testing.T, version byte) {
		h := &holder{}
		s, _, _ := serve(t, Options{Sink: sinkFunc(h.deliver)})
		r := login(t, s, version, "MH-1", "c")
		m, dup := r.message(4, 5, "f/1/MH-1/telemetry", "{}"), r.message(12, 5, "f/1/MH-1/telemetry", "{}")
		r.send(m, dup, dup, packet(0xc0, nil)) // before it is durable
		r.want(0xd0, 0)                        // all are read
		taken := h.release(nil)
		r.want(0x50, 2, 0, 5)
		r.send(dup) // and after
		r.want(0x50, 2, 0, 5)
		r.send(packet(0x62, []byte{0, 5}))
		r.want(0x70, 2, 0, 5)
		if taken += h.release(nil); taken != 1 {
			t.Errorf("taken %d times", taken)
		}
		r.send(packet(0x62, []byte{0, 5})) // once more: released already
		if version == 5 {
			r.want(0x70, 3, 0, 5, 0x92)
		} else {
			r.want(0x70, 2, 0, 5)
		}
		r.send(m) // the id is free again
		eventually(t, "a new message", func() bool { return h.release(nil) == 1 })
		r.want(0x50, 2, 0, 5)
	})
}

func TestTenThousandQoS2MessagesLeaveNothingBehind(t *testing.T) {
	s, k, _ := serve(t, Options{})
	r := login(t, s, 4, "MH-1", "c")
	go func() {
		for range k.got {
		}
	}()
	for i := range 10_000 {
		id := uint16(i%100 + 1)
		r.send(r.message(4, id, "f/1/MH-1/telemetry", "{}"))
		r.want(0x50, 2, 0, byte(id))
		r.send(packet(0x62, []byte{0, byte(id)}))
		r.want(0x70, 2, 0, byte(id))
	}
	close(k.got)
	h := s.hook
	h.crowd.mu.Lock()
	one := h.crowd.byID["MH-1/c"]
	h.crowd.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	if len(one.exact) != 0 || one.flying != 0 || one.cl.State.Inflight.Len() != 0 {
		t.Errorf("left: %d ids, %d in flight, %d in the library", len(one.exact), one.flying, one.cl.State.Inflight.Len())
	}
}

// holder takes messages and acknowledges them when told.
type holder struct {
	mu   sync.Mutex
	acks []func(error) // guarded by mu
}

func (h *holder) deliver(u *devices.Uplink, a devices.Acker) {
	id := u.PacketID
	h.mu.Lock()
	h.acks = append(h.acks, func(err error) { a.Acked(id, err) })
	h.mu.Unlock()
}

func (h *holder) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.acks)
}

// release acknowledges all that is held, and says how many that were.
func (h *holder) release(err error) int {
	h.mu.Lock()
	acks := h.acks
	h.acks = nil
	h.mu.Unlock()
	for _, a := range acks {
		a(err)
	}
	return len(acks)
}

func TestMessagesInFlightAreLimited(t *testing.T) {
	t.Run("3.1.1: the listener stops reading", func(t *testing.T) {
		h := &holder{}
		s, _, _ := serve(t, Options{InFlight: 3, Sink: sinkFunc(h.deliver)})
		r := login(t, s, 4, "MH-1", "c")
		for i := range 10 {
			r.send(r.message(2, uint16(i+1), "f/1/MH-1/telemetry", "{}"))
		}
		eventually(t, "three messages", func() bool { return h.count() == 3 })
		r.wantSilence()
		got := 0
		for got < 10 { // three at most at a time, in their order
			eventually(t, "more", func() bool { return h.count() > 0 })
			n := h.release(nil)
			if n > 3 {
				t.Errorf("%d in flight", n)
			}
			for range n {
				got++
				r.want(0x40, 2, 0, byte(got))
			}
		}
	})
	t.Run("5: cut off with 0x93", func(t *testing.T) {
		h := &holder{}
		s, _, _ := serve(t, Options{InFlight: 3, Sink: sinkFunc(h.deliver)})
		r := login(t, s, 5, "MH-1", "c")
		for i := range 4 {
			r.send(r.message(2, uint16(i+1), "f/1/MH-1/telemetry", "{}"))
		}
		r.wantEnd(codeTooMuchFlying)
		h.release(nil) // nobody is there any more
	})
}

func TestWhatIsNotDurableIsNotAcknowledged(t *testing.T) {
	h := &holder{}
	s, _, _ := serve(t, Options{Sink: sinkFunc(h.deliver)})
	r := login(t, s, 4, "MH-1", "c")
	r.send(r.message(2, 1, "f/1/MH-1/telemetry", "{}"), r.message(4, 2, "f/1/MH-1/telemetry", "{}"))
	eventually(t, "both", func() bool { return h.count() == 2 })
	h.release(devices.ErrFull)
	r.wantSilence()
	r.send(r.message(10, 1, "f/1/MH-1/telemetry", "{}"), r.message(12, 2, "f/1/MH-1/telemetry", "{}")) // the device tries again
	eventually(t, "both again", func() bool { return h.count() == 2 })
	h.release(nil)
	r.want(0x40, 2, 0, 1)
	r.want(0x50, 2, 0, 2)
}

func TestWhoSendsTooFastIsReadSlowlyAndTold(t *testing.T) {
	var mu sync.Mutex
	var told []devices.Code
	s, k, _ := serve(t, Options{Rate: 2, Notice: func(d devices.DeviceID, r *devices.Refusal) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, r.Code)
	}})
	r := login(t, s, 4, "MH-1", "c")
	began := time.Now()
	var all bytes.Buffer
	for i := range 24 { // 20 at once, then 2 a second
		all.Write(r.message(2, uint16(i+1), "f/1/MH-1/telemetry", "{}"))
	}
	go func() {
		for range 24 {
			<-k.got
		}
	}()
	r.send(all.Bytes())
	for i := range 24 {
		r.want(0x40, 2, byte((i+1)>>8), byte(i+1))
	}
	if took := time.Since(began); took < 1900*time.Millisecond {
		t.Errorf("4 messages over the burst took %v at 2 a second", took)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) == 0 || told[0] != devices.CodeRate {
		t.Errorf("the device was told %v", told)
	}
}

// FuzzPublish compares our reading of a PUBLISH with the library's.
func FuzzPublish(f *testing.F) {
	r := &raw{version: 4}
	for _, p := range [][]byte{r.message(2, 1, "f/1/MH-1/telemetry", `{"tilt_deg":1}`), r.message(0, 0, "a", ""), r.message(12, 9, "井盖", "x")} {
		f.Add(p[0], p[2:], byte(4))
	}
	r.version = 5
	for _, p := range [][]byte{r.message(2, 1, "f/1/MH-1/telemetry", `{}`), append([]byte{0x32, 0}, "\x00\x01a\x00\x01\x03\x23\x00\x05{}"...)} {
		f.Add(p[0], p[2:], byte(5))
	}
	f.Fuzz(func(t *testing.T, first byte, body []byte, version byte) {
		if version != 5 {
			version = 4
		}
		m, err := parsePublish(first, body, version)
		if err != nil {
			return
		}
		pk := packets.Packet{ProtocolVersion: version}
		if err := pk.FixedHeader.Decode(0x30 | first&0xf); err != nil {
			t.Fatalf("we take % x, the library says %v", first, err)
		}
		if err := pk.PublishDecode(bytes.Clone(body)); err != nil {
			t.Fatalf("we take % x, the library says %v", body, err)
		}
		got := fmt.Sprintf("%s %d %q %d", m.topic, m.id, m.payload, m.alias)
		if want := fmt.Sprintf("%s %d %q %d", pk.TopicName, pk.PacketID, pk.Payload, pk.Properties.TopicAlias); got != want {
			t.Fatalf("we read %s, the library %s", got, want)
		}
	})
}

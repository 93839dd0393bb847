package mqtt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// newPeer is a wire and the broker's end of it.
func newPeer(t testing.TB) (*Client, *wire, net.Conn) {
	t.Helper()
	c, err := New(Options{URL: "tcp://127.0.0.1:1", Filters: []string{"f/1/+/#"}, ClientID: "l", Sink: make(sink, 1), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	w := newWire(ours, c)
	t.Cleanup(func() { w.Close(); theirs.Close() })
	return c, w, theirs
}

// stream is what a broker sends: publishes of all kinds between other packets.
func stream(t testing.TB, payload []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	write := func(p packets.ControlPacket) {
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	write(packets.NewControlPacket(packets.Connack))
	for i := range 3 {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Payload, p.Qos, p.MessageID = fmt.Sprint("f/1/MH-", i, "/telemetry"), payload, byte(i), uint16(700+i)
		p.Retain, p.Dup = i == 1, i == 2
		write(p)
		write(packets.NewControlPacket(packets.Pingresp))
	}
	s := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	s.MessageID, s.ReturnCodes = 9, []byte{1, 0x80}
	write(s)
	return b.Bytes()
}

// pahoReads cuts a stream with the library: the publishes, and all else as
// bytes, up to the first packet that it cannot read.
func pahoReads(data []byte) (publishes []string, rest []byte) {
	r := bytes.NewReader(data)
	for {
		from := len(data) - r.Len()
		p, err := packets.ReadPacket(r)
		if err != nil {
			return publishes, rest
		}
		m, ok := p.(*packets.PublishPacket)
		if ok && m.Qos == 3 {
			return publishes, rest // there is no such thing [MQTT-3.3.1-4], which paho lets pass
		}
		if ok {
			publishes = append(publishes, fmt.Sprintf("%s %d %d %t %t %x", m.TopicName, m.MessageID, m.Qos, m.Retain, m.Dup, m.Payload))
			continue
		}
		rest = append(rest, data[from:len(data)-r.Len()]...)
	}
}

// wireReads does the same with a wire, to the end of the stream.
func wireReads(t testing.TB, data []byte) (publishes []string, rest []byte) {
	t.Helper()
	c, w, theirs := newPeer(t)
	go func() {
		_, _ = theirs.Write(data) // fails when the wire has enough
		theirs.Close()
	}()
	rest, _ = io.ReadAll(w)
	for {
		select {
		case b := <-c.queue:
			for _, m := range b.list {
				qos := message{flags: m.flags}
				publishes = append(publishes, fmt.Sprintf("%s %d %d %t %t %x", m.topic, m.id, qos.qos(), m.flags.Has(devices.FlagRetained), m.flags.Has(devices.FlagDup), m.payload))
			}
		default:
			return publishes, rest
		}
	}
}

// FuzzWire holds the wire against paho's own reading of the same bytes.
func FuzzWire(f *testing.F) {
	f.Add(stream(f, []byte(`{"seq":1}`)))
	f.Add(stream(f, bytes.Repeat([]byte("x"), readSize)))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		want, rest := pahoReads(data)
		got, passed := wireReads(t, data)
		if len(got) < len(want) || fmt.Sprint(got[:len(want)]) != fmt.Sprint(want) {
			t.Errorf("took %q, paho reads %q", got, want)
		}
		if !bytes.HasPrefix(passed, rest) {
			t.Errorf("passed %x, want %x", passed, rest)
		}
	})
}

func TestAMessageThatIsTooLargeIsCutAndTheNextOnesCome(t *testing.T) {
	data := stream(t, bytes.Repeat([]byte("x"), maxPacket))
	publishes, rest := wireReads(t, append(data, stream(t, []byte("small"))...))
	if len(publishes) != 6 {
		t.Fatalf("took %d messages, want 6", len(publishes))
	}
	for i, p := range publishes {
		if large := i < 3; large != (len(p) > headKept) || len(p) > 3*headKept {
			t.Errorf("message %d was kept with %d characters", i, len(p))
		}
	}
	if bytes.Contains(rest, []byte("x")) {
		t.Error("a payload was passed on")
	}
}

func TestAcknowledgementsShareAWriteAndKeepOutOfOtherPackets(t *testing.T) {
	_, w, theirs := newPeer(t)
	const n = 500
	go func() {
		for i := range n {
			w.acks[1+i%2].Acked(uint16(i), nil)
			if i%100 == 50 {
				if err := packets.NewControlPacket(packets.Pingreq).Write(w); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	pings, last := 0, -1
	for last < n-1 {
		p, err := packets.ReadPacket(theirs)
		if err != nil {
			t.Fatal(err)
		}
		switch p := p.(type) {
		case *packets.PingreqPacket:
			pings++
			continue
		case *packets.PubackPacket:
			if p.MessageID%2 != 0 {
				t.Fatalf("a PUBACK for message %d, which has QoS 2", p.MessageID)
			}
		case *packets.PubrecPacket:
			if p.MessageID%2 != 1 {
				t.Fatalf("a PUBREC for message %d, which has QoS 1", p.MessageID)
			}
		}
		if id := int(p.Details().MessageID); id != last+1 {
			t.Fatalf("%d is acknowledged after %d", id, last)
		}
		last++
	}
	if pings != n/100 {
		t.Errorf("%d pings, want %d", pings, n/100)
	}
}

func TestAPingWaitsForFewAcknowledgements(t *testing.T) {
	_, w, theirs := newPeer(t)
	const n, before = 3*maxAcks/4 + 1, maxAcks / 4
	w.mu.Lock() // and nobody is told yet
	for i := range n - 1 {
		w.pending = append(w.pending, puback, 2, byte(i>>8), byte(i))
	}
	w.mu.Unlock()
	go func() {
		if err := packets.NewControlPacket(packets.Pingreq).Write(w); err != nil {
			t.Error(err)
		}
		w.acks[1].Acked(n-1, nil)
	}()
	for acks := 0; acks < n; {
		p, err := packets.ReadPacket(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if _, ping := p.(*packets.PingreqPacket); ping {
			if acks != before {
				t.Errorf("a ping after %d acknowledgements, want %d", acks, before)
			}
			continue
		}
		if id := int(p.Details().MessageID); id != acks {
			t.Fatalf("%d is acknowledged after %d others", id, acks)
		}
		acks++
	}
}

func TestAConnectionLivesWhileBytesComeAndIsDeadWithoutThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w, theirs := newPeer(t)
		read := make(chan error, 1)
		go func() { _, err := w.Read(make([]byte, 1)); read <- err }()
		for i := range 20 { // of one PUBLISH, in ten minutes
			if _, err := theirs.Write([]byte{[]byte{0x30, 0x7f}[min(i, 1)]}); err != nil {
				t.Fatalf("byte %d: %v", i, err)
			}
			time.Sleep(30 * time.Second)
		}
		last := time.Now().Add(-30 * time.Second)
		err := <-read
		if after := time.Since(last); err == nil || !strings.Contains(err.Error(), "nothing came") || after != c.opt.timing.silence {
			t.Errorf("%v after the last byte reading says %v", after, err)
		}
	})
}

func TestABrokerThatReadsNothingIsWaitedForWhileItSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w, theirs := newPeer(t)
		go func() { _, _ = io.Copy(io.Discard, w) }()
		w.acks[1].Acked(7, nil)
		for range 20 {
			if err := packets.NewControlPacket(packets.Pingresp).Write(theirs); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
		}
		p, err := packets.ReadPacket(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := p.(*packets.PubackPacket); !ok || a.MessageID != 7 {
			t.Errorf("it reads %v", p)
		}
	})
}

func TestABrokerThatKeepsToNoWindowIsReadAsFastAsTheLogTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 2 * queueLen
		c, w, theirs := newPeer(t)
		go func() { _, _ = io.Copy(io.Discard, w) }()
		go func() {
			many := bytes.Repeat([]byte("\x32\x06\x00\x01t\x00\x07x"), 512) // QoS 1
			for range all / 512 {
				if _, err := theirs.Write(many); err != nil {
					t.Error(err)
				}
			}
		}()
		synctest.Wait()
		if n := c.queued.Load(); n <= queueLen || n > queueLen+maxBatch {
			t.Errorf("%d messages wait, want %d and a batch", n, queueLen)
		}
		for got := 0; got < all; {
			b := <-c.queue
			got += len(b.list)
			c.done(b)
		}
	})
}

func TestAnAcknowledgementGoesToNoOtherConnection(t *testing.T) {
	c, w, _ := newPeer(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c.inflight.Add(1)
	w.acks[1].Acked(7, nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) != 0 || c.inflight.Load() != 0 {
		t.Errorf("pending %x, %d in flight", w.pending, c.inflight.Load())
	}
}

func TestAFailedAcknowledgementIsWhatReadingSays(t *testing.T) {
	_, w, _ := newPeer(t)
	read := make(chan error, 1)
	w.Conn = broken{w.Conn}
	go func() { _, err := w.Read(make([]byte, 1)); read <- err }()
	w.acks[1].Acked(7, nil)
	if err := <-read; !errors.Is(err, errBroken) {
		t.Errorf("reading says %v: paho would take that for its own doing", err)
	}
}

var errBroken = errors.New("connection reset by peer")

// broken is a connection that cannot be written to any more.
type broken struct{ net.Conn }

func (broken) Write([]byte) (int, error) { return 0, errBroken }

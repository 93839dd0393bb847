package broker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

func TestANewConnectionTakesTheSessionOver(t *testing.T) {
	both(t, func(t *testing.T, version byte) {
		h := &holder{}
		s, _, _ := serve(t, Options{Sink: sinkFunc(h.deliver)})
		old := login(t, s, version, "MH-1", "c")
		old.send(old.message(2, 1, "f/1/MH-1/telemetry", "{}"))
		eventually(t, "a message", func() bool { return h.count() == 1 })
		fresh := login(t, s, version, "MH-1", "c")
		old.wantEnd(codeTakenOver)
		h.release(nil) // of the old connection
		fresh.wantSilence()
		if n := s.hook.crowd.count(); n != 1 {
			t.Errorf("%d sessions", n)
		}
		fresh.send(fresh.message(2, 2, "f/1/MH-1/telemetry", "{}"))
		eventually(t, "a message", func() bool { return h.count() == 1 })
		h.release(nil)
		fresh.want(0x40, 2, 0, 2)
	})
}

func TestAnotherDeviceCannotTakeASessionOver(t *testing.T) {
	s, _, _ := serve(t, Options{})
	mine := login(t, s, 4, "MH-1", "c")
	mine.subscribe("f/1/MH-1/cmd", 1, 1)
	other := login(t, s, 4, "MH-2", "c")
	other.send([]byte{0xc0, 0})
	other.want(0xd0, 0)
	if err := s.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/cmd", Payload: []byte("go"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	first, body, err := mine.next()
	if err != nil || first != 0x32 || !strings.HasSuffix(string(body), "go") {
		t.Fatalf("got %x %q %v", first, body, err)
	}
	other.wantSilence()
}

func TestOneHundredTakeOversAtOnceLeaveOne(t *testing.T) {
	s, k, _ := serve(t, Options{PerDevice: 1000})
	var ended atomic.Int64
	for range 100 {
		r := dial(t, s)
		go func() {
			if _, err := r.Write(connectPacket(4, "c", "MH-1", "secret-of-MH-1", 60)); err == nil {
				io.Copy(io.Discard, r)
			}
			ended.Add(1)
		}()
	}
	eventually(t, "the end of all but one", func() bool { return ended.Load() == 99 })
	eventually(t, "one session, also in the library", func() bool {
		return s.hook.crowd.count() == 1 && s.srv.Clients.Len() == 2 // and the library's own
	})
	r := login(t, s, 4, "MH-1", "c")
	r.send(r.message(2, 1, "f/1/MH-1/telemetry", "{}"))
	r.want(0x40, 2, 0, 1)
	k.next(t)
}

func TestATakeOverWaitsForAllBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mqtt.New(nil)
		member := func() *session {
			near, far := net.Pipe()
			t.Cleanup(func() { far.Close() })
			l := &link{Conn: near, done: make(chan struct{})}
			l.ctx, l.cancel = context.WithCancel(t.Context())
			return &session{link: l, cl: srv.NewClient(l, "test", "c", false), id: "MH-1/c", device: "MH-1", version: 4}
		}
		c := newCrowd(10)
		first, second, third := member(), member(), member()
		if err := c.enter(first); err != nil {
			t.Fatal(err)
		}
		let := make(chan string, 2)
		go func() {
			if err := c.enter(second); !errors.Is(err, context.Canceled) {
				t.Errorf("the second was let in: %v", err)
			}
			let <- "second"
			close(second.link.done)
		}()
		synctest.Wait()
		go func() {
			if err := c.enter(third); err != nil {
				t.Errorf("the third was not let in: %v", err)
			}
			let <- "third"
		}()
		synctest.Wait()
		if second.link.ctx.Err() == nil {
			t.Error("the third has not ended the second")
		}
		select {
		case who := <-let:
			t.Errorf("the %s passed by the first, of which something was left", who)
		default:
		}
		close(first.link.done)
		if a, b := <-let, <-let; a != "second" || b != "third" {
			t.Errorf("let in: %s, then %s", a, b)
		}
	})
}

func TestADeviceWithTooManyConnectionsLosesItsOldest(t *testing.T) {
	s, _, _ := serve(t, Options{PerDevice: 2})
	a, b := login(t, s, 5, "MH-1", "a"), login(t, s, 5, "MH-1", "b")
	other := login(t, s, 5, "MH-2", "a")
	c := login(t, s, 5, "MH-1", "c")
	a.wantEnd(codeQuota)
	for _, r := range []*raw{b, c, other} {
		r.send([]byte{0xc0, 0})
		r.want(0xd0, 0)
	}
}

func TestTheDoorsAreNarrow(t *testing.T) {
	s, _, _ := serve(t, Options{PerAddress: 1}) // after a burst of ten
	for range 10 {
		login(t, s, 4, "MH-1", "c")
	}
	r := dial(t, s)
	r.send(connectPacket(4, "c", "MH-1", "secret-of-MH-1", 60))
	if _, _, err := r.next(); err == nil || timedOut(err) {
		t.Errorf("the eleventh was let in: %v", err)
	}
}

func TestTooManyConnectionsInAll(t *testing.T) {
	s, _, _ := serve(t, Options{MaxClients: 1})
	login(t, s, 4, "MH-1", "a")
	r := dial(t, s)
	r.send(connectPacket(5, "b", "MH-2", "secret-of-MH-2", 60))
	r.wantAck(0x89)
}

func TestALastingSessionGetsWhatCameMeanwhile(t *testing.T) {
	s, _, _ := serve(t, Options{})
	connect := func(present byte) *raw {
		r := dial(t, s)
		p := connectPacket(4, "c", "MH-1", "secret-of-MH-1", 60)
		p[9] &^= 2 // not clean
		r.send(p)
		r.want(0x20, 2, present, 0)
		return r
	}
	r := connect(0)
	r.subscribe("f/1/MH-1/cmd", 1, 1)
	r.Close()
	eventually(t, "nobody", func() bool { return s.hook.crowd.count() == 0 })
	if err := s.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/cmd", Payload: []byte("go"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	r = connect(1)
	first, body, err := r.next()
	if err != nil || first&^8 != 0x32 || !strings.HasSuffix(string(body), "go") {
		t.Fatalf("got %x %q %v", first, body, err)
	}
}

func TestAWillIsTakenWhenTheConnectionBreaks(t *testing.T) {
	withWill := func(s *Server, topic, client string) *raw {
		r := dial(t, s)
		b := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0xee, 0, 60} // user, password, retained will of QoS 1, clean
		for _, f := range []string{client, topic, `{"st":"offline"}`, "MH-1", "secret-of-MH-1"} {
			b = text(b, f)
		}
		r.send(packet(0x10, b))
		r.wantAck(0)
		return r
	}
	t.Run("it breaks", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		withWill(s, "f/1/MH-1/state", "c").Close()
		if u := k.next(t); !u.Flags.Has(devices.FlagWill) || u.Topic != "f/1/MH-1/state" || u.Device != "MH-1" {
			t.Errorf("got %+v", u)
		}
	})
	t.Run("the device says goodbye", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		withWill(s, "f/1/MH-1/state", "c").send([]byte{0xe0, 0})
		eventually(t, "nobody", func() bool { return s.hook.crowd.count() == 0 })
		if len(k.got) > 0 {
			t.Errorf("got %+v", <-k.got)
		}
	})
	t.Run("the device is here again", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		old := withWill(s, "f/1/MH-1/state", "c")
		login(t, s, 4, "MH-1", "c") // waits for the end of the old one
		old.wantEnd(0)
		if len(k.got) > 0 {
			t.Errorf("an offline for a device that is here: %+v", <-k.got)
		}
	})
	t.Run("it never reaches another device", func(t *testing.T) {
		s, k, _ := serve(t, Options{})
		other := login(t, s, 4, "MH-2", "c")
		other.subscribe("f/1/MH-2/cmd", 1, 1)
		withWill(s, "f/1/MH-2/cmd", "c").Close()
		if u := k.next(t); u.Device != "MH-1" { // the codec refuses it: not its topic
			t.Errorf("got %+v", u)
		}
		other.wantSilence()
	})
}

func TestWhatADeviceMayHear(t *testing.T) {
	for filter, may := range map[string]bool{
		"f/1/MH-1/cmd": true, "f/1/MH-1/config": true, "f/1/MH-1/ack": true, "f/1/MH-1/error": true, "f/1/MH-1/time/reply": true, "f/1/MH-1/#": true,
		"f/1/MH-1/telemetry": false, "f/1/MH-2/cmd": false, "f/1/MH-2/#": false, "f/1/+/cmd": false, "f/1/#": false, "#": false, "+/+/+/cmd": false,
		"$SYS/#": false, "$share/g/f/1/MH-1/cmd": false, "f/1/MH-1": false, "f/1/MH-1/+": false, "f/1/MH-11/cmd": false,
	} {
		t.Run(strings.ReplaceAll(filter, "/", "_"), func(t *testing.T) {
			both(t, func(t *testing.T, version byte) {
				told := make(chan string, 1)
				s, _, _ := serve(t, Options{Notice: func(_ devices.DeviceID, r *devices.Refusal) { told <- r.Error() }})
				r := login(t, s, version, "MH-1", "c")
				switch {
				case may:
					r.subscribe(filter, 1, 1)
				case version == 5:
					r.subscribe(filter, 1, codeNotAuthorized)
				default:
					r.subscribe(filter, 1, 0x80)
				}
				if !may {
					if why := <-told; !strings.Contains(why, "a device may hear f/1/MH-1/#") {
						t.Errorf("told %q", why)
					}
				}
			})
		})
	}
}

func TestARetainedConfigurationIsHeardLater(t *testing.T) {
	s, _, _ := serve(t, Options{})
	if err := s.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/config", Payload: []byte(`{"v":1}`), QoS: 1, Retain: true}); err != nil {
		t.Fatal(err)
	}
	r := login(t, s, 4, "MH-1", "c")
	r.subscribe("f/1/MH-1/#", 1, 1)
	if first, body, err := r.next(); err != nil || first != 0x33 || !strings.HasSuffix(string(body), `{"v":1}`) {
		t.Fatalf("got %x %q %v", first, body, err)
	}
}

func TestTheTimeIsTold(t *testing.T) {
	s, _, _ := serve(t, Options{})
	r := login(t, s, 4, "MH-1", "c")
	r.subscribe("f/1/MH-1/time/reply", 0, 0)
	r.send(r.message(0, 0, "f/1/MH-1/time", `{"t0":123}`))
	_, body, err := r.next()
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ T0, T1, T2 int64 }
	if err := json.Unmarshal(body[2+len("f/1/MH-1/time/reply"):], &a); err != nil || a.T0 != 123 || a.T1 > a.T2 || time.Since(time.UnixMilli(a.T2)).Abs() > time.Minute {
		t.Errorf("got %q %v", body, err)
	}
}

func TestASlowReaderBlocksNobody(t *testing.T) {
	s, k, _ := serve(t, Options{})
	go func() {
		for range k.got {
		}
	}()
	defer close(k.got)
	var slow []*raw
	for _, client := range []string{"a", "b", "c", "d", "e", "f"} { // more than there are flushers
		r := login(t, s, 4, "MH-1", client)
		r.subscribe("f/1/MH-1/cmd", 0, 0)
		slow = append(slow, r)
	}
	good := login(t, s, 4, "MH-2", "c")
	body := make([]byte, 60<<10)
	ended := func() bool { return s.hook.crowd.count() == 1 }
	for i := 0; i < 2000 && !ended(); i++ {
		for _, r := range slow { // they publish and read no answer
			if _, err := r.Write(r.message(2, 1, "f/1/MH-1/telemetry", "{}")); err != nil {
				continue // cut off already
			}
		}
		if err := s.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/cmd", Payload: body}); err != nil {
			t.Fatal(err)
		}
		good.send(good.message(2, uint16(i+1), "f/1/MH-2/telemetry", "{}"))
		good.want(0x40, 2, byte((i+1)>>8), byte(i+1))
	}
	eventually(t, "the end of the slow ones", ended)
}

func TestDownlinksAndAnswersAtTheSameTime(t *testing.T) {
	s, _, _ := serve(t, Options{})
	r := login(t, s, 4, "MH-1", "c")
	r.subscribe("f/1/MH-1/cmd", 1, 1)
	var enough atomic.Bool
	defer enough.Store(true)
	go func() {
		for i := 0; !enough.Load(); i++ {
			if err := s.Publish(devices.Downlink{Device: "MH-1", Topic: "f/1/MH-1/cmd", Payload: []byte("go"), QoS: 1}); err != nil {
				t.Error(err)
				return
			}
			if i%20 == 0 {
				time.Sleep(time.Millisecond) // 32 may wait for a device
			}
		}
	}()
	for range 1500 { // some are dropped when the device is slow; the listener must not hang
		first, body, err := r.next()
		if err != nil || first != 0x32 {
			t.Fatalf("got %x % x %v", first, body, err)
		}
		at := 2 + len("f/1/MH-1/cmd")
		r.send(packet(0x40, body[at:at+2]))
	}
}

func TestTheListenerSaysGoodbye(t *testing.T) {
	s, err := New(Options{TCP: "127.0.0.1:0", Sink: sinkFunc(func(*devices.Uplink, devices.Acker) {}), Authority: &census{}, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	a, b := login(t, s, 5, "MH-1", "c"), login(t, s, 4, "MH-2", "c")
	half := dial(t, s)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	a.wantEnd(codeShuttingDown)
	b.wantEnd(0)
	if _, _, err := half.next(); err == nil || timedOut(err) {
		t.Errorf("a connection without CONNECT stands: %v", err)
	}
}

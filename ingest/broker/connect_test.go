package broker

import (
	"strings"
	"testing"
	"time"
)

func TestWhyADeviceIsNotLetIn(t *testing.T) {
	for _, c := range []struct {
		name                   string
		device, password, id   string
		code3, code5           byte
		reason, seen, seenAs   string
		anonymous, persistent3 bool
	}{
		{name: "wrong password", device: "MH-1", password: "guess", id: "c", code3: 4, code5: 0x86, reason: "wrong password; ask the city for a new one", seen: "wrong password"},
		{name: "no password", device: "MH-1", id: "c", code3: 4, code5: 0x86, reason: "wrong password", seen: "wrong password"},
		{name: "unknown device", device: "X-9", password: "x", id: "c", code3: 5, code5: 0x87, reason: "not in the census; ask the city to add X-9", seen: "not in the census"},
		{name: "nobody", id: "c", code3: 5, code5: 0x87, reason: "no user name", seen: "no user name"},
		{name: "no device id", device: "a b", password: "x", id: "c", code3: 4, code5: 0x86, reason: "the user name is no device id", seen: "the user name is no device id"},
		{name: "user name of 60 KB", device: strings.Repeat("x", 20000), password: "x", id: "c", code3: 4, code5: 0x86, reason: "has 20000 characters", seen: "the user name is no device id"},
		{name: "oversized client id", device: "MH-1", password: "secret-of-MH-1", id: strings.Repeat("i", 129), code3: 2, code5: 0x85, reason: "it has 129 bytes, at most 128 are allowed", seen: "client id too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, version byte) {
				s, _, a := serve(t, Options{Anonymous: c.anonymous})
				r := dial(t, s)
				r.version = version
				r.send(connectPacket(version, c.id, c.device, c.password, 60))
				code := c.code3
				if version == 5 {
					code = c.code5
				}
				props := r.wantAck(code)
				if version == 5 && !strings.Contains(string(props), c.reason) {
					t.Errorf("the device hears %q, want %q", props, c.reason)
				}
				if _, _, err := r.next(); err == nil || timedOut(err) {
					t.Errorf("the connection stands: %v", err)
				}
				a.mu.Lock()
				defer a.mu.Unlock()
				for _, why := range a.seen {
					if why != c.seen {
						t.Errorf("seen with reason %q, want %q", why, c.seen)
					}
				}
				if len(a.seen) != 1 {
					t.Errorf("seen %v", a.seen)
				}
			})
		})
	}
}

func TestTheConnackTellsTheLimits(t *testing.T) {
	s, _, _ := serve(t, Options{MaxPacket: 70000, InFlight: 9})
	r := dial(t, s)
	r.send(connectPacket(5, "c", "MH-1", "secret-of-MH-1", 60))
	props := string(r.wantAck(0))
	for what, want := range map[string]string{"maximum packet size": "\x27\x00\x01\x11\x70", "receive maximum": "\x21\x00\x09", "topic alias maximum": "\x22\x00\x10", "no shared subscriptions": "\x2a\x00"} {
		if !strings.Contains(props, want) {
			t.Errorf("%s is not in % x", what, props)
		}
	}
}

func TestAnEmptyClientIDIsAssigned(t *testing.T) {
	s, _, _ := serve(t, Options{})
	r := dial(t, s)
	r.send(connectPacket(5, "", "MH-1", "secret-of-MH-1", 60))
	if props := r.wantAck(0); !strings.Contains(string(props), "\x12\x00\x14") { // a text of 20 characters
		t.Errorf("no assigned client id in % x", props)
	}
}

func TestALastingSessionNeedsAClientID(t *testing.T) {
	s, _, _ := serve(t, Options{})
	r := dial(t, s)
	p := connectPacket(4, "", "MH-1", "secret-of-MH-1", 60)
	p[9] &^= 2 // not clean
	r.send(p)
	r.wantAck(connackBadClientID)
}

func TestWhatIsNoConnect(t *testing.T) {
	for name, bytes := range map[string]string{
		"HTTP":                     "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a PUBLISH first":          string(publishPacket(0, 0, "f/1/MH-1/telemetry", []byte("{}"))),
		"a length of five bytes":   "\x10\xff\xff\xff\xff\x01",
		"a CONNECT of 200 MB":      "\x10\xff\xff\xff\x7f",
		"a CONNECT that ends":      "\x10\x05\x00\x04MQT",
		"another protocol":         "\x10\x0e\x00\x04MQXX\x04\x02\x00\x3c\x00\x02ab",
		"an unknown version":       "\x10\x0e\x00\x04MQTT\x09\x02\x00\x3c\x00\x02ab",
		"a client id not of UTF-8": "\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			s, k, _ := serve(t, Options{})
			r := dial(t, s)
			r.send([]byte(bytes))
			for {
				first, _, err := r.next()
				if err != nil {
					if timedOut(err) {
						t.Fatal("the connection stands")
					}
					break
				}
				if first != 0x20 {
					t.Fatalf("got a packet of type %x", first)
				}
			}
			login(t, s, 4, "MH-1", "good") // the next one is served
			if len(k.got) > 0 {
				t.Errorf("took %+v", <-k.got)
			}
		})
	}
}

func TestWhoSaysNothingIsCutOff(t *testing.T) {
	s, _, _ := serve(t, Options{connectWait: 200 * time.Millisecond})
	for _, begin := range []string{"", "\x10", "\x10\x20\x00\x04MQ"} {
		r := dial(t, s)
		r.send([]byte(begin))
		if _, _, err := r.next(); err == nil || timedOut(err) {
			t.Errorf("after %q the connection stands: %v", begin, err)
		}
	}
}

func TestTheKeepaliveIsEnforced(t *testing.T) {
	t.Parallel() // it only waits
	s, _, _ := serve(t, Options{})
	r := dial(t, s)
	r.send(connectPacket(4, "c", "MH-1", "secret-of-MH-1", 4))
	r.wantAck(0)
	began := time.Now()
	for range 7 { // a device that speaks stays
		time.Sleep(time.Second)
		r.send([]byte{0xc0, 0})
		r.want(0xd0, 0)
	}
	if _, _, err := r.next(); err == nil || timedOut(err) {
		t.Fatalf("the connection stands: %v", err)
	}
	if lived := time.Since(began); lived < 12900*time.Millisecond { // 7 s and one and a half keepalives
		t.Errorf("cut off after %v", lived)
	}
}

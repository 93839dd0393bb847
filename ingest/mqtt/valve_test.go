package mqtt

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// valve is a way to a broker that can be narrowed, and whose connections can be
// made to say nothing any more.
type valve struct {
	ln     net.Listener
	broker string
	narrow int // bytes a second from the broker; 0 = all that come
	silent atomic.Pointer[chan struct{}]
	wg     sync.WaitGroup
}

func newValve(t *testing.T, m *mosquitto, narrow int) *valve {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{ln: ln, broker: "127.0.0.1:" + m.port, narrow: narrow}
	v.silence()
	v.wg.Go(v.serve)
	t.Cleanup(func() { ln.Close(); v.wg.Wait() })
	return v
}

func (v *valve) url() string { return "tcp://" + v.ln.Addr().String() }

// silence leaves the connections that stand open and carries nothing for them
// any more, as a firewall does that has forgotten them.
func (v *valve) silence() {
	next := make(chan struct{})
	if last := v.silent.Swap(&next); last != nil {
		close(*last)
	}
}

func (v *valve) serve() {
	for {
		client, err := v.ln.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", v.broker)
		if err != nil {
			client.Close()
			continue
		}
		silent := *v.silent.Load()
		v.wg.Go(func() {
			v.carry(broker, client, silent, 0)
			broker.Close()
			client.Close()
		})
		v.wg.Go(func() {
			if heard := v.carry(client, broker, silent, v.narrow); heard {
				client.Close()
			}
		})
	}
}

// carry copies until an end is closed, and tells whether that may be noticed at
// the other one.
func (v *valve) carry(to, from net.Conn, silent chan struct{}, narrow int) bool {
	b := make([]byte, 4<<10)
	for {
		n, err := from.Read(b)
		select {
		case <-silent:
			_, _ = io.Copy(io.Discard, from)
			return false
		default:
		}
		if err != nil {
			return true
		}
		if _, err := to.Write(b[:n]); err != nil {
			return true
		}
		if narrow > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(narrow))
		}
	}
}

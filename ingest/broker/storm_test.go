package broker

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lamplighter/devices"
)

// TestAStormOfStrangersLosesNoMessage opens 1,000 connections a second with a
// wrong password, 3,000 in all, beside devices that publish and others that
// connect.
func TestAStormOfStrangersLosesNoMessage(t *testing.T) {
	var taken atomic.Int64
	s, _, _ := serve(t, Options{PerDevice: 1000, Sink: sinkFunc(func(u *devices.Uplink, a devices.Acker) {
		taken.Add(1)
		a.Acked(u.PacketID, nil)
	})})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var storm, good sync.WaitGroup
	var sent, acked, opened, refused atomic.Int64
	for i := range 5 {
		r := login(t, s, 4, "MH-1", fmt.Sprint("good-", i))
		good.Go(func() {
			for id := uint16(1); ctx.Err() == nil; id = id%60000 + 1 {
				sent.Add(1)
				if _, err := r.Write(r.message(2, id, "f/1/MH-1/telemetry", "{}")); err != nil {
					t.Error(err)
					return
				}
				var ack [4]byte
				if _, err := io.ReadFull(r, ack[:]); err != nil {
					t.Error(err)
					return
				}
				acked.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := range 300 {
		<-tick.C
		for range 10 {
			storm.Go(func() {
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				opened.Add(1)
				if _, err := c.Write(connectPacket(4, "x", "MH-2", "guess", 60)); err != nil {
					t.Error(err)
					return
				}
				var ack [4]byte
				if _, err := io.ReadFull(c, ack[:]); err != nil || ack != [4]byte{0x20, 2, 0, connackBadPassword} {
					t.Errorf("a stranger got % x %v", ack, err)
					return
				}
				refused.Add(1)
			})
		}
		if n%50 == 0 {
			login(t, s, 4, "MH-2", fmt.Sprint("late-", n)).Close() // and who knows its password comes in
		}
	}
	storm.Wait()
	cancel()
	good.Wait()
	t.Logf("%d strangers, %d messages", opened.Load(), sent.Load())
	if opened.Load() != 3000 || refused.Load() != opened.Load() {
		t.Errorf("%d of %d strangers were refused", refused.Load(), opened.Load())
	}
	if sent.Load() == 0 || acked.Load() != sent.Load() || taken.Load() != sent.Load() {
		t.Errorf("sent %d, acknowledged %d, taken %d", sent.Load(), acked.Load(), taken.Load())
	}
}

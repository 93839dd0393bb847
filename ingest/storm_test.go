package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connectOf is the CONNECT of MQTT 3.1.1 with a user name and a password.
func connectOf(client, user, password string) []byte {
	text := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	body := append(text("MQTT"), 4, 0b11000010, 0, 60)
	for _, s := range []string{client, user, password} {
		body = append(body, text(s)...)
	}
	return append(binary.AppendUvarint([]byte{0x10}, uint64(len(body))), body...)
}

// TestStrangersAtTheDoorDisturbNobody leaves 300 connections half open and then
// knocks 1,000 times in a second with a wrong password, while a device of the
// census publishes: all it sends is acknowledged and stored, the API answers and
// the strangers hear why.
func TestStrangersAtTheDoorDisturbNobody(t *testing.T) {
	d := inCensus(t, "MH-1", "MH-2")
	x := d.device("MH-1")
	knock := connectOf("stranger", "MH-2", "wrong-wrong-wrong-wrong")
	for i := range 300 {
		c, err := net.Dial("tcp", d.mqtt)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(knock[:i%len(knock)]); err != nil { // nothing, or a part of a CONNECT
			t.Fatal(err)
		}
	}
	var storm sync.WaitGroup
	var refused atomic.Int64
	storm.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 100 {
			<-tick.C
			for range 10 {
				storm.Go(func() {
					if why := d.knocks(knock); why != "" {
						t.Error(why)
						return
					}
					refused.Add(1)
				})
			}
		}
	})
	const n = 200
	began := time.Now().UnixMilli() - n
	for i := range n {
		x.says("f/1/MH-1/telemetry", fmt.Sprintf(`{"ts":%d,"seq":%d,"boot":"b","tilt_deg":1}`, began+int64(i), i+1))
	}
	storm.Wait()
	if refused.Load() != 1000 {
		t.Errorf("%d of 1000 strangers heard that they are refused", refused.Load())
	}
	d.points("MH-1", "tilt_deg", n)
	d.device("MH-2").says("f/1/MH-2/telemetry", `{"tilt_deg":2}`) // who knows the password comes in
	d.points("MH-2", "tilt_deg", 1)
	if open := d.openDefects(); open != "" {
		t.Errorf("open: %s", open)
	}
}

// knocks sends a CONNECT with a wrong password and says what else than the
// refusal came.
func (d *daemon) knocks(connect []byte) string {
	c, err := net.Dial("tcp", d.mqtt)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err.Error()
	}
	if _, err := c.Write(connect); err != nil {
		return err.Error()
	}
	var ack [4]byte
	if _, err := io.ReadFull(c, ack[:]); err != nil || ack != [4]byte{0x20, 2, 0, 4} {
		return fmt.Sprintf("a stranger got % x %v", ack, err)
	}
	return ""
}

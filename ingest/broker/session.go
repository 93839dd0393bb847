package broker

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lamplighter/devices"
)

// session is one connection: who it is, and what waits to be acknowledged.
type session struct {
	cl     *mqtt.Client
	device devices.DeviceID // "" for an anonymous connection: the topic says who
	flush  *flusher
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	last   int64 // newest Received; the reading goroutine's own

	mu     sync.Mutex
	acks   []byte              // guarded by mu: encoded acknowledgements to write
	queued bool                // guarded by mu: the flusher has it
	exact  map[uint16]struct{} // guarded by mu: QoS 2 ids that are not durable yet
}

// received is the receive time: the clock's, or one more than the last, so
// that no two messages of a connection share a millisecond.
func (s *session) received(now time.Time) int64 {
	s.last = max(s.last+1, now.UnixMilli())
	return s.last
}

// begin notes a QoS 2 id; false when it is under way already.
func (s *session) begin(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.exact[id]; ok {
		return false
	}
	if s.exact == nil {
		s.exact = make(map[uint16]struct{})
	}
	s.exact[id] = struct{}{}
	return true
}

// Acked queues the PUBACK or PUBREC of a message that is durable. A message
// that is not is never acknowledged: the device sends it again.
func (s *session) Acked(id uint16, err error) {
	s.mu.Lock()
	kind := byte(packets.Puback)
	if _, ok := s.exact[id]; ok {
		kind = packets.Pubrec
		delete(s.exact, id)
		if err == nil {
			// before the PUBREC is written, or the PUBREL finds nothing
			s.cl.State.Inflight.Set(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: id, Created: time.Now().Unix(), ProtocolVersion: s.cl.Properties.ProtocolVersion,
			})
		}
	}
	if err != nil {
		s.mu.Unlock()
		return
	}
	// the short form without a reason is good for 3.1.1 and 5 [MQTT-3.4.2-1]
	s.acks = append(s.acks, kind<<4, 2)
	s.acks = binary.BigEndian.AppendUint16(s.acks, id)
	was := s.queued
	s.queued = true
	s.mu.Unlock()
	if !was {
		s.flush.add(s)
	}
}

const writeWait = 10 * time.Second

// write sends what is queued, in one write.
func (s *session) write(buf []byte) []byte {
	s.mu.Lock()
	buf = append(buf[:0], s.acks...)
	s.acks = s.acks[:0]
	if cap(s.acks) > 1024 {
		s.acks = nil
	}
	s.queued = false
	s.mu.Unlock()
	s.cl.Lock()
	defer s.cl.Unlock()
	c := s.cl.Net.Conn
	err := c.SetWriteDeadline(time.Now().Add(writeWait))
	if err == nil {
		_, err = c.Write(buf)
	}
	if err == nil {
		err = c.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		go s.cl.Stop(err) // it takes the client's lock
	}
	return buf
}

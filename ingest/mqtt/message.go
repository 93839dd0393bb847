package mqtt

import (
	"encoding/binary"
	"errors"

	"lamplighter/devices"
)

// message is one PUBLISH. What parse returns is valid until the next read.
type message struct {
	topic   []byte
	payload []byte
	id      uint16
	flags   devices.UplinkFlags
}

// parse reads a PUBLISH of MQTT 3.1.1: its first byte, and what follows the fixed
// header.
func parse(first byte, b []byte) (message, error) {
	var m message
	if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
		return m, errors.New("a PUBLISH that ends in its topic")
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	m.topic, m.payload = b[2:n], b[n:]
	switch first >> 1 & 3 {
	case 0:
	case 1:
		m.flags = devices.FlagQoS1
	case 2:
		m.flags = devices.FlagQoS2
	default:
		return m, errors.New("a PUBLISH of QoS 3") // [MQTT-3.3.1-4]
	}
	if m.qos() > 0 {
		if len(m.payload) < 2 {
			return m, errors.New("a PUBLISH that ends in its packet id")
		}
		m.id, m.payload = binary.BigEndian.Uint16(m.payload), m.payload[2:]
	}
	if first&1 != 0 {
		m.flags |= devices.FlagRetained
	}
	if first&8 != 0 {
		m.flags |= devices.FlagDup
	}
	return m, nil
}

func (m *message) qos() int {
	switch {
	case m.flags.Has(devices.FlagQoS2):
		return 2
	case m.flags.Has(devices.FlagQoS1):
		return 1
	}
	return 0
}

// acknowledgement is the first byte of the packet that answers m, 0 if none does.
func (m *message) acknowledgement() byte { return [3]byte{0, puback, pubrec}[m.qos()] }

// queued is a message on its way to the sink.
type queued struct {
	topic   string
	payload []byte
	id      uint16
	flags   devices.UplinkFlags
	acker   devices.Acker
}

// batch is messages that came together, and the bytes of their payloads.
type batch struct {
	list []queued
	text []byte
}

// add copies m.
func (b *batch) add(w *wire, m message) {
	at := len(b.text)
	b.text = append(b.text, m.payload...) // a payload stays where it is when text moves on
	b.list = append(b.list, queued{string(m.topic), b.text[at:len(b.text):len(b.text)], m.id, m.flags, w.acks[m.qos()]})
}

// maxSpare is how large the text of a batch may be to be used again.
const maxSpare = 256 << 10

// batch is an empty one.
func (c *Client) batch() *batch {
	select {
	case b := <-c.spare:
		return b
	default:
		return new(batch)
	}
}

// done gives a batch back that the sink has taken.
func (c *Client) done(b *batch) {
	c.queued.Add(-int64(len(b.list)))
	select {
	case c.room <- struct{}{}:
	default:
	}
	if cap(b.text) > maxSpare {
		return
	}
	clear(b.list)
	b.list, b.text = b.list[:0], b.text[:0]
	select {
	case c.spare <- b:
	default:
	}
}

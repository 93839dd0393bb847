package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The control packets of MQTT 3.1.1 that we send or hear (section 2.2.1).
const (
	connect    = 0x10
	connAck    = 0x20
	publishQ1  = 0x32
	pubAck     = 0x40
	pingReq    = 0xc0
	pingResp   = 0xd0
	disconnect = 0xe0
)

// login is who connects.
type login struct {
	ClientID  string
	User      string // "" = nobody
	Password  string
	KeepAlive uint16 // s
}

// appendConnect writes a CONNECT with a clean session [MQTT-3.1].
func appendConnect(b []byte, l login) []byte {
	flags, n := byte(0x02), 10+2+len(l.ClientID)
	if l.User != "" {
		flags, n = flags|0xc0, n+4+len(l.User)+len(l.Password)
	}
	b = appendLength(append(b, connect), n)
	b = appendText(b, "MQTT")
	b = append(b, 4, flags)
	b = binary.BigEndian.AppendUint16(b, l.KeepAlive)
	b = appendText(b, l.ClientID)
	if l.User != "" {
		b = appendText(appendText(b, l.User), l.Password)
	}
	return b
}

// appendPublish writes a PUBLISH with QoS 1 [MQTT-3.3].
func appendPublish(b []byte, topic string, id uint16, payload []byte) []byte {
	b = appendLength(append(b, publishQ1), 4+len(topic)+len(payload))
	b = appendText(b, topic)
	b = binary.BigEndian.AppendUint16(b, id)
	return append(b, payload...)
}

func appendText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// appendLength writes the remaining length [MQTT-2.2.3].
func appendLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b, n = append(b, byte(n)|0x80), n>>7
	}
	return append(b, byte(n))
}

// readPacket reads one packet; body is valid until the next call, and at most
// 4096 bytes are kept of it.
func readPacket(r *bufio.Reader, buf *[4096]byte) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r) // the remaining length is a varint of at most 4 bytes
	if err != nil {
		return 0, nil, err
	}
	if n > 1<<28 {
		return 0, nil, errors.New("a packet is longer than MQTT allows")
	}
	kept := min(int(n), len(buf))
	if _, err = io.ReadFull(r, buf[:kept]); err != nil {
		return 0, nil, err
	}
	_, err = r.Discard(int(n) - kept)
	return kind & 0xf0, buf[:kept], err
}

// readConnAck waits for the broker's answer to a CONNECT.
func readConnAck(r *bufio.Reader, buf *[4096]byte) error {
	kind, body, err := readPacket(r, buf)
	switch {
	case err != nil:
		return err
	case kind != connAck || len(body) < 2:
		return fmt.Errorf("the broker answered CONNECT with a packet of type %#x", kind)
	case body[1] != 0:
		return fmt.Errorf("the broker refused the connection with code %d (%s)", body[1], refusals[min(int(body[1]), len(refusals)-1)])
	}
	return nil
}

// refusals are the return codes of CONNACK [MQTT-3.2.2.3].
var refusals = [...]string{"accepted", "wrong protocol version", "client id refused", "server unavailable", "wrong user name or password", "not authorized", "unknown"}

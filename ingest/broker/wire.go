package broker

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// fault is a reason to end a connection: a reason code of MQTT 5 [MQTT5-2.4]
// and words for people.
type fault struct {
	code   byte
	reason string
}

// Error is the reason.
func (f fault) Error() string { return f.reason }

// The reason codes that we use, with the return codes of MQTT 3.1.1 where a
// CONNACK has one.
const (
	codeMalformed      = 0x81
	codeProtocol       = 0x82
	codeBadClientID    = 0x85
	codeBadPassword    = 0x86
	codeNotAuthorized  = 0x87
	codeShuttingDown   = 0x8b
	codeTakenOver      = 0x8e
	codeIDNotFound     = 0x92
	codeTooMuchFlying  = 0x93
	codeBadAlias       = 0x94
	codeTooLarge       = 0x95
	codeQuota          = 0x97
	connackBadVersion  = 1
	connackBadClientID = 2
	connackUnavailable = 3
	connackBadPassword = 4
	connackNotAllowed  = 5
)

func malformed(format string, args ...any) fault {
	return fault{codeMalformed, "malformed packet: " + fmt.Sprintf(format, args...)}
}

// message is a PUBLISH taken apart. Topic and payload lie in the read buffer.
type message struct {
	qos     byte
	dup     bool
	retain  bool
	id      uint16
	topic   []byte
	alias   uint16 // 0 = none
	payload []byte
}

const maxTopic = 1024 // bytes; the longest of ours has 150

// parsePublish reads a PUBLISH of MQTT 3.1.1 [MQTT-3.3] or 5. What it returns
// with a fault is as far as it came: enough to say which topic was meant.
func parsePublish(first byte, body []byte, version byte) (m message, err error) {
	m.qos, m.dup, m.retain = first>>1&3, first&8 != 0, first&1 != 0
	switch {
	case m.qos == 3:
		return m, malformed("QoS 3") // [MQTT-3.3.1-4]
	case m.qos == 0 && m.dup:
		return m, malformed("DUP with QoS 0") // [MQTT-3.3.1-2]
	}
	if m.topic, body, err = cutText(body); err != nil {
		return m, err
	}
	if len(m.topic) > maxTopic {
		return m, malformed("a topic of %d bytes; at most %d are allowed", len(m.topic), maxTopic)
	}
	if m.qos > 0 {
		if len(body) < 2 {
			return m, malformed("no packet identifier")
		}
		m.id, body = binary.BigEndian.Uint16(body), body[2:]
		if m.id == 0 {
			return m, malformed("packet identifier 0") // [MQTT-2.3.1-1]
		}
	}
	if version == 5 {
		if m.alias, body, err = cutProperties(body); err != nil {
			return m, err
		}
	}
	m.payload = body
	return m, checkTopic(m.topic, m.alias)
}

func checkTopic(t []byte, alias uint16) error {
	switch {
	case len(t) == 0 && alias == 0:
		return malformed("no topic") // [MQTT-4.7.3-1]
	case !utf8.Valid(t):
		return malformed("topic %q is not UTF-8", clip(t)) // [MQTT-1.5.3-1]
	}
	for _, b := range t {
		switch b {
		case 0:
			return malformed("topic %q has a NUL", clip(t)) // [MQTT-1.5.3-2]
		case '+', '#':
			return malformed("topic %q has a wildcard", clip(t)) // [MQTT-3.3.2-2]
		}
	}
	return nil
}

// cutText takes a string with its length off the front of b.
func cutText(b []byte) (text, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, malformed("it ends within a length")
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n {
		return nil, nil, malformed("a string of %d bytes in %d bytes", n, len(b)-2)
	}
	return b[2 : 2+n], b[2+n:], nil
}

// cutProperties takes the properties of a PUBLISH off the front of b
// [MQTT5-3.3.2.3]; all but the topic alias mean nothing here.
func cutProperties(b []byte) (alias uint16, rest []byte, err error) {
	n, w := binary.Uvarint(b[:min(len(b), 4)])
	if w <= 0 || n > uint64(len(b)-w) {
		return 0, nil, malformed("property length")
	}
	props, rest := b[w:w+int(n)], b[w+int(n):]
	for len(props) > 0 {
		id := props[0]
		props = props[1:]
		size := 0
		switch id {
		case 0x01: // payload format
			size = 1
		case 0x02: // message expiry
			size = 4
		case 0x23: // topic alias
			if size = 2; len(props) >= 2 {
				if alias = binary.BigEndian.Uint16(props); alias == 0 {
					return 0, nil, fault{codeBadAlias, "topic alias 0"}
				}
			}
		case 0x26: // user property: a name and a value
			if _, props, err = cutText(props); err != nil {
				return 0, nil, err
			}
			fallthrough
		case 0x03, 0x08, 0x09: // content type, response topic, correlation data
			if _, props, err = cutText(props); err != nil {
				return 0, nil, err
			}
		default:
			return 0, nil, malformed("property 0x%02x in a PUBLISH", id)
		}
		if size > len(props) {
			return 0, nil, malformed("property 0x%02x ends early", id)
		}
		props = props[size:]
	}
	return alias, rest, nil
}

// disconnectPacket is a DISCONNECT of MQTT 5 with its reason [MQTT5-3.14].
func disconnectPacket(f fault, withReason bool) []byte {
	if !withReason {
		return []byte{typeDisconnect << 4, 1, f.code}
	}
	reason := f.reason[:min(len(f.reason), 100)]
	reason = strings.ToValidUTF8(reason, "")
	n := len(reason)
	b := []byte{typeDisconnect << 4, byte(n + 5), f.code, byte(n + 3), 0x1f, 0, byte(n)}
	return append(b, reason...)
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }

package devices

import "strings"

// TopicRoot opens every topic of protocol version 1.
const TopicRoot = "f/1/"

// The last parts of the topics of protocol version 1.
const (
	TopicTelemetry   = "telemetry"
	TopicEvent       = "event"
	TopicState       = "state"
	TopicWave        = "wave"
	TopicRaw         = "raw"
	TopicCmd         = "cmd"
	TopicCmdReply    = "cmd/reply"
	TopicConfig      = "config"
	TopicConfigReply = "config/reply"
	TopicAck         = "ack"
	TopicError       = "error"
	TopicTime        = "time"
	TopicTimeReply   = "time/reply"
)

// Topic is a topic of protocol version 1 in its parts:
// f/1/{Device}/{Leaf} or f/1/{Gateway}/child/{Device}/{Leaf}.
type Topic struct {
	Gateway DeviceID // "" when the device publishes for itself
	Device  DeviceID
	Leaf    string
}

// String is the topic as it stands on the wire.
func (t Topic) String() string {
	if t.Gateway == "" {
		return TopicRoot + string(t.Device) + "/" + t.Leaf
	}
	return TopicRoot + string(t.Gateway) + "/child/" + string(t.Device) + "/" + t.Leaf
}

// Publisher is the device that may publish on the topic.
func (t Topic) Publisher() DeviceID {
	if t.Gateway != "" {
		return t.Gateway
	}
	return t.Device
}

// ParseTopic takes a topic apart; ok is false for anything that is not a topic
// of protocol version 1. It does not allocate.
func ParseTopic(s string) (t Topic, ok bool) {
	rest, ok := strings.CutPrefix(s, TopicRoot)
	if !ok {
		return Topic{}, false
	}
	first, leaf, ok := strings.Cut(rest, "/")
	if !ok || notID(first) {
		return Topic{}, false
	}
	if child, found := strings.CutPrefix(leaf, "child/"); found {
		id, l, ok := strings.Cut(child, "/")
		if !ok || notID(id) || !knownLeaf(l) {
			return Topic{}, false
		}
		return Topic{Gateway: DeviceID(first), Device: DeviceID(id), Leaf: l}, true
	}
	if !knownLeaf(leaf) {
		return Topic{}, false
	}
	return Topic{Device: DeviceID(first), Leaf: leaf}, true
}

// notID tells whether s is not an id, without building an error.
func notID(s string) bool {
	if s == "" || len(s) > MaxIDLen {
		return true
	}
	for i := range len(s) {
		if !idByte(s[i]) {
			return true
		}
	}
	return false
}

func knownLeaf(s string) bool {
	switch s {
	case TopicTelemetry, TopicEvent, TopicState, TopicWave, TopicRaw, TopicCmd, TopicCmdReply,
		TopicConfig, TopicConfigReply, TopicAck, TopicError, TopicTime, TopicTimeReply:
		return true
	}
	return false
}

// UpLeaf tells whether a device may publish on a topic with this leaf.
func UpLeaf(leaf string) bool {
	switch leaf {
	case TopicTelemetry, TopicEvent, TopicState, TopicWave, TopicRaw, TopicCmdReply, TopicConfigReply, TopicTime:
		return true
	}
	return false
}

// DownLeaf tells whether a device may subscribe to a topic with this leaf.
func DownLeaf(leaf string) bool {
	switch leaf {
	case TopicCmd, TopicConfig, TopicAck, TopicError, TopicTimeReply:
		return true
	}
	return false
}

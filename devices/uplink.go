package devices

// Uplink is one MQTT publish on its way in, as received: nothing is interpreted
// yet but who sent it. The log keeps exactly these fields.
type Uplink struct {
	Device   DeviceID // the authenticated client; behind another broker the device that the topic names
	Topic    string
	Payload  []byte
	Received int64  // Unix ms at the source; strictly increasing per connection, so that no two unclocked readings share a millisecond
	Source   string // "listener", or the name of the broker it was read from
	PacketID uint16 // of the publish; the source's own business
	Flags    UplinkFlags
}

// UplinkFlags say how an uplink arrived.
type UplinkFlags uint8

// The flags of an uplink. They are part of the log's format: never renumber.
const (
	FlagQoS1     UplinkFlags = 1 << iota // published with QoS 1
	FlagQoS2                             // published with QoS 2
	FlagRetained                         // the broker replayed a retained message
	FlagDup                              // the sender marked it as possibly sent before
	FlagUnknown                          // the device is not in the census
	FlagWill                             // a last will, published by the listener in the device's name
	FlagCut                              // over the listener's limit of bytes: only the beginning of the payload is here
	FlagRetaken                          // was refused once and taken back in by hand: history, never the state of now
)

// Has tells whether all flags of f are set.
func (u UplinkFlags) Has(f UplinkFlags) bool { return u&f == f }

// Acker is told what became of an uplink that was handed on. Acked is called
// exactly once, from the log's goroutine, and must not block: err is nil when
// the uplink is durable, and says why not otherwise.
type Acker interface {
	Acked(packetID uint16, err error)
}

// Downlink is one MQTT publish to a device.
type Downlink struct {
	Device  DeviceID
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
}

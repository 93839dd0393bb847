package devices

// TimeSource says how a reading's time was resolved.
type TimeSource uint8

// The ways to a time, best first.
const (
	TimeDevice   TimeSource = iota + 1 // the device's clock, synchronised and plausible
	TimeUptime                         // receive time minus the difference of uptimes
	TimeRelative                       // receive time plus the reading's own offset
	TimeReceived                       // receive time
)

var timeSourceNames = [...]string{"", "device", "uptime", "relative", "received"}

// String is the name in the API.
func (t TimeSource) String() string { return timeSourceNames[min(int(t), len(timeSourceNames)-1)] }

// Quality says how far a value can be believed.
type Quality uint8

// The qualities. Only Good values are judged by rules; all are kept.
const (
	Good        Quality = iota
	Suspect             // the device says so
	Implausible         // outside the channel's plausible range
	Fault               // null: the sensor failed; Num is NaN and nothing is stored as a value
)

var qualityNames = [...]string{"good", "suspect", "implausible", "fault"}

// String is the name in the API.
func (q Quality) String() string { return qualityNames[min(int(q), len(qualityNames)-1)] }

// Value is one channel's value at one instant.
type Value struct {
	Channel *Channel
	Num     float64 // Number, and Bool as 1 or 0
	Text    string  // Text
	Quality Quality
}

// Reading is what one device measured at one instant.
type Reading struct {
	Time     int64      // resolved, Unix ms: the time to judge and store by
	Device   int64      // what the device claims, Unix ms, 0 if nothing
	Received int64      // when we got it, Unix ms
	Source   TimeSource // how Time was resolved
	Index    int        // position in the message
	Values   []Value
}

// MessageType is what a message is about.
type MessageType uint8

// The types of message that a codec makes.
const (
	Telemetry MessageType = iota + 1
	Event
	State
	Raw          // a vendor's own frame that no codec has read yet
	Wave         // a block of waveform
	TimeRequest  // a device asks what time it is
	CommandReply // an answer to a command or configuration
)

var messageTypeNames = [...]string{"", "telemetry", "event", "state", "raw", "wave", "time", "reply"}

// String is the name used as a metric label.
func (t MessageType) String() string { return messageTypeNames[min(int(t), len(messageTypeNames)-1)] }

// Message is an uplink after decoding. It and all its slices belong to the
// decoder's arena: valid until the Batch that holds it is released.
type Message struct {
	Type     MessageType
	Device   DeviceID
	Boot     string // the boot that Seq counts in, "" if not given
	Seq      uint64
	HasSeq   bool
	Hash     uint64 // of the payload: the idempotence key where HasSeq is false
	Received int64  // Unix ms
	Sent     int64  // when the device sent it, by its own clock where that is believed, Unix ms; 0 = it does not say
	Readings []Reading
	State    StateReport // when Type is State
	Event    EventReport // when Type is Event
	Notice   *Refusal    // taken, but the device should hear of something; nil for most
}

// StateReport is a birth, a good-night or a last will.
type StateReport struct {
	Status  string // online, sleep or offline
	Model   string
	FW      string
	ExpectS int64 // seconds between messages that the device promises, 0 = not said
	NextS   int64 // seconds that it will sleep, 0 = not said
}

// EventReport is something that the device itself found. Its values, if any,
// stand in Message.Readings.
type EventReport struct {
	Name string // cover_open, lamp_failure …
	Time int64  // resolved, Unix ms
}

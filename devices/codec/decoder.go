package codec

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
)

// thingsBoardTelemetry is where firmware made for ThingsBoard publishes.
const thingsBoardTelemetry = "v1/devices/me/telemetry"

// Decoder turns uplinks into messages. It belongs to one goroutine; the
// messages of a batch live in its arena until Reset.
type Decoder struct {
	dict *devices.Dictionary
	opt  Options

	values   []devices.Value
	readings []devices.Reading
	spans    []span // of the message at hand: one per reading
	texts    map[string]string
	seen     []uint32 // by channel id: the object in which it was last met
	object   uint32
	scan     scanner
	head     header
	at       cursor

	waveChannels []waveChannel // of the waveform at hand, like all that follows
	waveBytes    []byte
	waveSamples  []float64
	spectrum     bridge.Spectrum
}

// span is a reading before its time is resolved.
type span struct {
	first, end int // its values in Decoder.values
	clock      clock
}

// cursor is where in the message the decoder is, for the path of a refusal.
type cursor struct {
	reading int // -1 outside a list
	list    string
	key     string
}

// New returns a decoder that knows the channels of dict and teaches it the
// names it meets.
func New(dict *devices.Dictionary, o Options) *Decoder {
	return &Decoder{dict: dict, opt: o.withDefaults(), texts: make(map[string]string)}
}

// Reset gives the arena back: no message that was decoded before may be used
// any more.
func (d *Decoder) Reset() {
	clear(d.values)
	d.values, d.readings = d.values[:0], d.readings[:0]
}

// Decode reads u into m. It returns nil when m holds what the device said, or
// the reason why not; m is then undefined but for Device, Received, Seq.
func (d *Decoder) Decode(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	*m = devices.Message{Device: u.Device, Received: u.Received}
	d.head, d.spans, d.at = header{}, d.spans[:0], cursor{reading: -1}
	leaf, ref := d.route(u, m)
	if ref == nil {
		ref = d.decode(u, m, leaf)
	}
	if ref != nil {
		m.Readings, m.Seq = nil, d.head.seq
		ref.Seq = d.head.seq
	}
	return ref
}

// route settles whose message it is and what it is about.
func (d *Decoder) route(u *devices.Uplink, m *devices.Message) (string, *devices.Refusal) {
	if u.Topic == thingsBoardTelemetry {
		if u.Flags.Has(devices.FlagUnknown) {
			return "", notInCensus(u.Device)
		}
		return devices.TopicTelemetry, nil
	}
	t, ok := devices.ParseTopic(u.Topic)
	if !ok {
		return "", &devices.Refusal{Code: devices.CodeCodec, Msg: fmt.Sprintf("no codec for topic %q; want f/1/%s/telemetry, event, state or wave", clip(u.Topic), u.Device)}
	}
	if t.Device != u.Device && t.Gateway == u.Device {
		return "", &devices.Refusal{Code: devices.CodeIdent, Msg: fmt.Sprintf("device %s is not listed under gateway %s in the census; ask the city to add it", t.Device, u.Device)}
	}
	if t.Device != u.Device {
		return "", &devices.Refusal{Code: devices.CodeIdent, Msg: fmt.Sprintf("topic %q belongs to %s, the connection to %s; publish under f/1/%s/", clip(u.Topic), t.Publisher(), u.Device, u.Device)}
	}
	m.Device = t.Device
	if u.Flags.Has(devices.FlagUnknown) {
		return "", notInCensus(t.Device)
	}
	return t.Leaf, nil
}

func notInCensus(id devices.DeviceID) *devices.Refusal {
	return &devices.Refusal{Code: devices.CodeIdent, Msg: fmt.Sprintf("device %s is not in the census; ask the city to add it", id)}
}

func (d *Decoder) decode(u *devices.Uplink, m *devices.Message, leaf string) *devices.Refusal {
	if u.Flags.Has(devices.FlagCut) {
		return &devices.Refusal{Code: devices.CodeSize, Msg: fmt.Sprintf("the message is larger than the listener takes, at most %d bytes of telemetry are allowed; send smaller batches", MaxPayload)}
	}
	if len(u.Payload) > MaxPayload && leaf != devices.TopicWave && leaf != devices.TopicRaw {
		return &devices.Refusal{Code: devices.CodeSize, Msg: fmt.Sprintf("the payload has %d bytes, at most %d are allowed; send smaller batches", len(u.Payload), MaxPayload)}
	}
	switch leaf {
	case devices.TopicTelemetry:
		m.Type = devices.Telemetry
	case devices.TopicEvent:
		m.Type = devices.Event
	case devices.TopicState:
		m.Type = devices.State
	case devices.TopicWave:
		m.Type = devices.Wave
		return d.wave(u, m)
	case devices.TopicCmdReply, devices.TopicConfigReply:
		m.Type = devices.CommandReply
		return nil
	case devices.TopicTime:
		m.Type = devices.TimeRequest
		return nil
	default:
		return &devices.Refusal{Code: devices.CodeCodec, Msg: fmt.Sprintf("no codec for %s; the payload is kept", leaf)}
	}
	if ref := d.parse(u.Payload, m.Type); ref != nil {
		return ref
	}
	return d.finish(u, m)
}

// finish fills m from what was parsed.
func (d *Decoder) finish(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	h := &d.head
	m.Boot, m.Seq, m.HasSeq = h.boot, h.seq, h.hasSeq
	if !h.hasSeq {
		m.Hash = xxhash.Sum64(u.Payload)
	}
	if ref := d.resolve(u, m); ref != nil {
		return ref
	}
	switch m.Type {
	case devices.Telemetry:
		if len(m.Readings) == 0 {
			return &devices.Refusal{Code: devices.CodeField, Msg: `no values; want at least one, as in {"tilt_deg":12.3}`}
		}
	case devices.Event:
		if h.event == "" {
			return &devices.Refusal{Code: devices.CodeField, Path: "/event", Msg: `no event name; want {"event":"cover_open"}`}
		}
		m.Event = devices.EventReport{Name: h.event, Time: d.eventTime(u, m)}
	case devices.State:
		return d.state(m)
	}
	return nil
}

func (d *Decoder) state(m *devices.Message) *devices.Refusal {
	h := &d.head
	switch h.status {
	case "online", "sleep", "offline":
	default:
		return &devices.Refusal{Code: devices.CodeField, Path: "/st", Msg: fmt.Sprintf("status %q; want online, sleep or offline", clip(h.status))}
	}
	m.State = devices.StateReport{Status: h.status, Model: h.model, FW: h.fw, ExpectS: h.expectS, NextS: h.nextS}
	return nil
}

// refuse is a refusal at the decoder's position.
func (d *Decoder) refuse(code devices.Code, format string, args ...any) *devices.Refusal {
	return &devices.Refusal{Code: code, Path: d.path(), Msg: fmt.Sprintf(format, args...)}
}

// broken is the refusal for JSON that the scanner could not read.
func (d *Decoder) broken() *devices.Refusal {
	return d.refuse(devices.CodeJSON, "at byte %d: %s", d.scan.pos, d.scan.fault)
}

func (d *Decoder) path() string {
	p := ""
	if d.at.reading >= 0 {
		p = fmt.Sprintf("%s/%d", d.at.list, d.at.reading)
	}
	if d.at.key != "" {
		p += "/" + d.at.key
	}
	return p
}

// text keeps one copy of each short string that comes again and again.
func (d *Decoder) text(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	if len(d.texts) >= 4096 {
		clear(d.texts)
	}
	s := string(b)
	d.texts[s] = s
	return s
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

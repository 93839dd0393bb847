package fleet

import (
	"math"
	"strconv"

	"lamplighter/devices"
)

// dialect is the shape in which a model sends its telemetry.
type dialect uint8

// The dialects of PROTOCOL version 1.
const (
	canonical dialect = iota // {"seq","boot","up","clk","ts","v":{…}}, and batches
	flat                     // {"ts","seq","boot","tilt_deg":…}
	boxed                    // {"ts","values":{…}}, as for ThingsBoard
	senml                    // [{"bt","n","v"},{"n","vb"}], RFC 8428
	bare                     // {"tilt_deg":…}: no time, no number
)

// model is what a maker has built into a device.
type model struct {
	vendor, name string
	dialect      dialect
	sleepy       bool // measures often, sends batches seldom
	liar         bool // takes 1970 for the time until it is set
	tells        bool // reports what it finds as an event of its own
}

// values is one measurement.
type values struct{ list []value }

type value struct {
	name string
	num  float64
	dec  int // decimals; -1 = bool
}

func (v *values) num(name string, x float64, dec int) {
	v.list = append(v.list, value{name, x, dec})
}

func (v *values) flag(name string, x bool) {
	n := 0.0
	if x {
		n = 1
	}
	v.list = append(v.list, value{name, n, -1})
}

// append writes the values as JSON members.
func (v *values) append(b []byte) []byte {
	for i := range v.list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, v.list[i].name...)
		b = append(b, '"', ':')
		b = v.list[i].append(b)
	}
	return b
}

func (v *value) append(b []byte) []byte {
	if v.dec < 0 {
		return strconv.AppendBool(b, v.num == 1)
	}
	return appendFixed(b, v.num, v.dec)
}

var scales = [...]float64{1, 10, 100, 1000, 10000}

// appendFixed writes x with at most dec decimals; x must be below 1e14.
func appendFixed(b []byte, x float64, dec int) []byte {
	n := int64(math.Round(x * scales[dec]))
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	scale := int64(scales[dec])
	b = strconv.AppendInt(b, n/scale, 10)
	if n %= scale; n == 0 {
		return b
	}
	b = append(b, '.')
	for scale /= 10; n > 0; scale /= 10 {
		b = append(b, byte('0'+n/scale))
		n %= scale
	}
	return b
}

// encode writes a measurement in the device's dialect into the arena and
// returns where it starts.
func (d *device) encode(at int64, v *values) (start int) {
	start = d.city.open()
	b := d.city.arena
	switch d.model.dialect {
	case canonical:
		b = d.appendHead(b, at)
		b = append(b, `,"up":`...)
		b = strconv.AppendInt(b, at-d.booted, 10)
		b = append(b, `,"v":{`...)
		b = append(v.append(b), '}', '}')
	case flat:
		b = append(d.appendHead(b, at), ',')
		b = append(v.append(b), '}')
	case boxed:
		b = append(b, '{')
		if !d.clock.none {
			b = append(d.appendTime(b, at), ',')
		}
		b = append(b, `"values":{`...)
		b = append(v.append(b), '}', '}')
	case senml:
		b = d.appendSenML(b, at, v)
	case bare:
		b = append(b, '{')
		b = append(v.append(b), '}')
	}
	d.city.arena = b
	return start
}

// appendHead opens a message: number, boot, clock and, in the canonical
// dialect, the event.
func (d *device) appendHead(b []byte, at int64) []byte {
	d.seq++
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, d.seq, 10)
	b = append(b, `,"boot":"`...)
	b = append(b, d.boot...)
	if d.clock.none {
		return append(b, `","clk":"none"`...)
	}
	b = append(b, `","clk":"sync","ts":`...)
	return strconv.AppendInt(b, d.clock.read(at, at-d.booted), 10)
}

// appendTime writes when a reading was taken: by the clock, or by the uptime
// where there is none.
func (d *device) appendTime(b []byte, at int64) []byte {
	if d.clock.none {
		b = append(b, `"up":`...)
		return strconv.AppendInt(b, at-d.booted, 10)
	}
	b = append(b, `"ts":`...)
	return strconv.AppendInt(b, d.clock.read(at, at-d.booted), 10)
}

// appendSenML writes records of RFC 8428; bt is in seconds.
func (d *device) appendSenML(b []byte, at int64, v *values) []byte {
	b = append(b, '[')
	for i := range v.list {
		x := &v.list[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if i == 0 && !d.clock.none {
			b = append(b, `"bt":`...)
			b = appendFixed(b, float64(d.clock.read(at, at-d.booted))/1000, 3)
			b = append(b, ',')
		}
		b = append(b, `"n":"`...)
		b = append(b, x.name...)
		if x.dec < 0 {
			b = append(b, `","vb":`...)
		} else {
			b = append(b, `","v":`...)
		}
		b = append(x.append(b), '}')
	}
	return append(b, ']')
}

// appendEvent writes an event with its measurement.
func (d *device) appendEvent(at int64, v *values) (start int) {
	start = d.city.open()
	b := d.appendHead(d.city.arena, at)
	b = append(b, `,"event":"`...)
	b = append(b, d.event...)
	b = append(b, `","v":{`...)
	d.city.arena = append(v.append(b), '}', '}')
	d.event = ""
	return start
}

// Publish is one message that a device sends. Payload is valid until the next
// [City.Step].
type Publish struct {
	Device  string
	Leaf    string // last part of the topic, as in devices.Topic
	Topic   string // under which the device publishes for itself
	Payload []byte
	At      int64 // Unix ms
	Retain  bool
}

func topicOf(device, leaf string) string {
	return devices.Topic{Device: devices.DeviceID(device), Leaf: leaf}.String()
}

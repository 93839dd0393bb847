package fleet

import (
	"slices"

	"lamplighter/devices"
)

// radio is how a device's messages fare.
type radio struct {
	level float64 // dB above or below the usual signal
	sound int     // messages that fare well before one may fare badly again
}

// How often a message fares badly. After one that did, the next ones fare well:
// a device is never silent for as long as a fault would be.
const (
	pLost    = 0.0005
	pTwice   = 0.001
	pLate    = 0.0005
	pGarbled = 0.0002

	soundAfter = 3
)

// send lets the message that stands in the arena from start on meet its fate. An
// urgent one, which its device sends until somebody has it, always fares well.
func (d *device) send(at int64, leaf string, start int, urgent bool) {
	c := d.city
	p := Publish{Device: d.ID, Leaf: leaf, Topic: d.topic, Payload: c.arena[start:len(c.arena):len(c.arena)], At: at, Retain: leaf == devices.TopicState}
	if leaf != devices.TopicTelemetry {
		p.Topic = topicOf(d.ID, leaf)
	}
	if urgent || d.radio.sound > 0 || c.opt.Clean {
		d.radio.sound = max(0, d.radio.sound-1)
		c.emit(p)
		return
	}
	d.fate(at, p)
}

func (d *device) fate(at int64, p Publish) {
	x := d.Float64()
	switch {
	case x < pLost:
		d.fares("lost", at)
	case x < pLost+pGarbled:
		d.fares("garbled", at)
		p.Payload = garble(d.dice, p.Payload)
		d.city.emit(p)
	case x < pLost+pGarbled+pTwice:
		d.fares("twice", at)
		d.city.emit(p)
		d.city.emit(p)
	case x < pLost+pGarbled+pTwice+pLate && d.dated():
		d.fares("late", at)
		d.later(at, p)
	default:
		d.city.emit(p)
	}
}

// dated tells whether a reader can see how old a message is. What a sleeping
// device sends late would come after its good-night and be taken for a waking.
func (d *device) dated() bool {
	return d.clock.good() && d.model.dialect != bare && !d.model.sleepy
}

// later sends a message after others that were written after it.
func (d *device) later(at int64, p Publish) {
	p.Payload = slices.Clone(p.Payload)
	d.city.queue.add(at+d.span(d.every, 3*d.every), func(at int64) int64 {
		p.At = at
		d.city.emit(p)
		return done
	})
}

func (d *device) fares(how string, at int64) {
	d.radio.sound = soundAfter
	seq := d.seq
	if d.model.dialect > flat {
		seq = 0
	}
	d.city.truth.note(at, d.ID, how, d.boot, seq)
}

// garble is what comes instead of a message: every shape of it is to be refused.
func garble(d dice, b []byte) []byte {
	switch d.IntN(10) {
	case 0:
		return b[:1+d.IntN(len(b)-1)] // cut off
	case 1:
		return slices.Replace(slices.Clone(b), 1, 2, 0xff, 0xfe) // not UTF-8
	case 2:
		return []byte{}
	case 3:
		return []byte(`{"tilt_deg":NaN}`)
	case 4:
		return []byte(`{"power_w":1e400}`)
	case 5:
		return []byte(`{"seq":1,"seq":2,"v":{"tilt_deg":1}}`)
	case 6:
		return slices.Repeat([]byte{'['}, 200)
	case 7:
		return []byte("AT+CMQTTPUB=0,1,60\r\n\r\nOK\r\n")
	case 8:
		return []byte("<html><body>502 Bad Gateway</body></html>")
	}
	return []byte{0x68, 0x0e, 0x0e, 0x68, 0x53, 0x01, 0x72, 0x16} // a meter's own frame
}

package load

import (
	"fmt"
	"strconv"
	"strings"
)

// payload makes the messages of a device. In a text of one's own $SEQ, $TS and
// $DEVICE are replaced; else it is what a lamp sends that nothing is wrong with.
type payload struct {
	parts    []part
	channels int
}

type part struct {
	text string
	mark byte // what follows the text: 's' number, 't' time, 'd' device, 0 nothing
}

var marks = map[string]byte{"$SEQ": 's', "$TS": 't', "$DEVICE": 'd'}

// newPayload takes a text apart, or makes one of channels channels.
func newPayload(text, boot string, channels int) *payload {
	if text == "" {
		text = lampText(boot, channels)
	}
	p := &payload{channels: channels}
	for text != "" {
		at, mark := len(text), ""
		for m := range marks {
			if i := strings.Index(text, m); i >= 0 && i < at {
				at, mark = i, m
			}
		}
		p.parts = append(p.parts, part{text[:at], marks[mark]})
		text = text[at+len(mark):]
	}
	return p
}

var lampChannels = [...]string{`"power_w":61.4`, `"lamp_on":true`, `"voltage_v":225.3`, `"current_a":0.283`, `"energy_kwh":1893.215`, `"dim_pct":100`, `"temperature_c":31.5`, `"rssi_dbm":-97`, `"power_factor":0.963`, `"operating_hours_h":8123.5`}

func lampText(boot string, channels int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"seq":$SEQ,"boot":"%s","clk":"sync","ts":$TS,"v":{`, boot)
	for i := range max(1, channels) {
		if i > 0 {
			b.WriteByte(',')
		}
		if i < len(lampChannels) {
			b.WriteString(lampChannels[i])
		} else {
			fmt.Fprintf(&b, `"load_%d":%d.5`, i, i)
		}
	}
	b.WriteString("}}")
	return b.String()
}

// append writes one message; ts is Unix ms.
func (p *payload) append(b []byte, device string, seq uint64, ts int64) []byte {
	for _, x := range p.parts {
		b = append(b, x.text...)
		switch x.mark {
		case 's':
			b = strconv.AppendUint(b, seq, 10)
		case 't':
			b = strconv.AppendInt(b, ts, 10)
		case 'd':
			b = append(b, device...)
		}
	}
	return b
}

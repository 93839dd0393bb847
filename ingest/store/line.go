package store

import (
	"math"
	"strconv"

	"lamplighter/devices"
)

const measurement = "lamplighter"

// lines builds line protocol. Its buffer is used again and again.
type lines struct {
	buf  []byte
	keys [][]byte // by Channel.ID: the escaped field key with its "="
}

// message appends the lines of m; it says how many points it left out because
// their time lies outside [oldest, newest].
func (l *lines) message(facility devices.FacilityID, m *devices.Message, oldest, newest int64) (dropped int) {
	for i := range m.Readings {
		r := &m.Readings[i]
		if r.Time < oldest || r.Time > newest {
			dropped++
			continue
		}
		l.numbers(facility, m, r)
		for j := range r.Values {
			if v := &r.Values[j]; v.Channel.Type == devices.Text && v.Quality != devices.Fault {
				l.text(facility, m, r, v)
			}
		}
	}
	return dropped
}

func (l *lines) head(facility devices.FacilityID, m *devices.Message) {
	l.buf = append(l.buf, measurement+",id="...)
	l.buf = append(l.buf, facility...) // the alphabet of ids needs no escape
	if string(facility) != string(m.Device) {
		l.buf = append(l.buf, ",device="...)
		l.buf = append(l.buf, m.Device...)
	}
}

func (l *lines) numbers(facility devices.FacilityID, m *devices.Message, r *devices.Reading) {
	start := len(l.buf)
	l.head(facility, m)
	sep := byte(' ')
	for i := range r.Values {
		v := &r.Values[i]
		if v.Channel.Type == devices.Text || v.Quality == devices.Fault || math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			continue
		}
		l.buf = append(l.buf, sep)
		l.buf = append(l.buf, l.key(v.Channel)...)
		l.buf = appendNumber(l.buf, v.Num)
		sep = ','
	}
	if m.HasSeq && r.Index == 0 {
		l.buf = append(append(l.buf, sep), "seq="...)
		l.buf = appendNumber(l.buf, float64(m.Seq))
		sep = ','
	}
	if sep == ' ' {
		l.buf = l.buf[:start]
		return
	}
	l.end(r.Time)
}

func (l *lines) text(facility devices.FacilityID, m *devices.Message, r *devices.Reading, v *devices.Value) {
	l.head(facility, m)
	l.buf = append(l.buf, ",value="...)
	l.buf = appendTag(l.buf, v.Text)
	l.buf = append(l.buf, ' ')
	l.buf = append(l.buf, l.key(v.Channel)...)
	l.buf = append(l.buf, '1')
	l.end(r.Time)
}

func (l *lines) end(ms int64) {
	l.buf = append(l.buf, ' ')
	l.buf = strconv.AppendInt(l.buf, ms, 10)
	l.buf = append(l.buf, '\n')
}

func (l *lines) key(c *devices.Channel) []byte {
	if c.ID >= len(l.keys) {
		l.keys = append(l.keys, make([][]byte, c.ID+64-len(l.keys))...)
	}
	if l.keys[c.ID] == nil {
		l.keys[c.ID] = append(appendTag(nil, c.Name), '=')
	}
	return l.keys[c.ID]
}

func appendNumber(b []byte, f float64) []byte {
	if n := int64(f); float64(n) == f && n > -1e15 && n < 1e15 {
		return strconv.AppendInt(b, n, 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendTag escapes a tag value or field key. A line protocol tag can hold no
// newline and must not end in a backslash: control characters and backslashes
// become _.
func appendTag(b []byte, s string) []byte {
	if s == "" {
		return append(b, '_')
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20 || c == 0x7f || c == '\\':
			b = append(b, '_')
		case c == ',' || c == ' ' || c == '=':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return b
}

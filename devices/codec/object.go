package codec

import (
	"math"
	"unicode/utf8"

	"lamplighter/devices"
)

// header is what stands beside the values of a message.
type header struct {
	boot, clk, event, status, model, fw string
	seq                                 uint64
	hasSeq, hasList                     bool
	listEnd                             int // len(Decoder.values) after r
	expectS, nextS                      int64
	clock                               clock
}

// member is a key with a meaning of its own.
type member uint32

const (
	mSeq member = 1 << iota
	mBoot
	mClk
	mTS
	mUp
	mT
	mV
	mValues
	mR
	mQ
	mU
	mEvent
	mSt
	mModel
	mFW
	mExpect
	mNext
	mName // from here on: SenML
	mBaseName
	mBaseTime
	mBaseUnit
	mBool
	mString
)

// meaning tells which member a key is, 0 for the name of a channel. Keys of
// events and states are theirs alone, so that a channel may bear the name.
func meaning(k []byte, t devices.MessageType, inArray bool) member {
	switch string(k) {
	case "seq":
		return mSeq
	case "boot":
		return mBoot
	case "clk":
		return mClk
	case "ts":
		return mTS
	case "up":
		return mUp
	case "t":
		return mT
	case "v":
		return mV
	case "values":
		return mValues
	case "r":
		return mR
	case "q":
		return mQ
	case "u":
		return mU
	}
	switch t {
	case devices.Event:
		if string(k) == "event" || string(k) == "ev" {
			return mEvent
		}
	case devices.State:
		switch string(k) {
		case "st":
			return mSt
		case "model":
			return mModel
		case "fw":
			return mFW
		case "expect_s":
			return mExpect
		case "next_s":
			return mNext
		}
	}
	if inArray {
		return senMLMeaning(k)
	}
	return 0
}

// parse reads the whole payload into head and spans.
func (d *Decoder) parse(b []byte, t devices.MessageType) *devices.Refusal {
	s := &d.scan
	s.reset(b)
	var ref *devices.Refusal
	switch s.peek() {
	case '{':
		ref = d.parseObject(t, scopeTop)
	case '[':
		ref = d.parseList(t, "", scopeItem)
	case 0:
		ref = d.refuse(devices.CodeJSON, "the payload is empty; want a JSON object or array")
	default:
		ref = d.refuse(devices.CodeJSON, "at byte %d: found %q, want { or [", s.pos, s.b[s.pos])
	}
	if ref != nil {
		return ref
	}
	d.at = cursor{reading: -1}
	if s.peek() != 0 || s.pos < len(s.b) {
		return d.refuse(devices.CodeJSON, "at byte %d: more text after the end of the message", s.pos)
	}
	return nil
}

type scope uint8

const (
	scopeTop  scope = iota // the object that is the message
	scopeR                 // an element of r
	scopeItem              // an element of a top-level array: flat, ThingsBoard or SenML
)

// parseList reads an array of objects, each a reading.
func (d *Decoder) parseList(t devices.MessageType, list string, sc scope) *devices.Refusal {
	s := &d.scan
	s.take('[')
	d.at.list = list
	var base senMLBase
	for i := 0; ; i++ {
		d.at.reading, d.at.key = i, ""
		if i == 0 && s.take(']') {
			break
		}
		if i >= MaxReadings {
			return d.refuse(devices.CodeSize, "more than %d readings in a message; send smaller batches", MaxReadings)
		}
		if s.peek() != '{' {
			if s.peek() == '[' {
				return d.refuse(devices.CodeJSON, "at byte %d: arrays nested too deep; a list holds objects", s.pos)
			}
			s.fail("a list holds objects")
			return d.broken()
		}
		var ref *devices.Refusal
		if sc == scopeItem {
			ref = d.parseItem(t, &base)
		} else {
			ref = d.parseObject(t, sc)
		}
		if ref != nil {
			return ref
		}
		if s.take(',') {
			continue
		}
		if s.take(']') {
			break
		}
		s.fail("expected , or ] in a list")
		return d.broken()
	}
	d.at = cursor{reading: -1}
	return nil
}

// fields is what an object said about itself, before it becomes a reading.
type fields struct {
	seen    member
	first   int // its first value
	clock   clock
	quality devices.Quality
	units   int // scanner position of its u object, -1 if none
	marks   int // scanner position of its q object, -1 if none
	sen     senML
}

// parseObject reads one object of any shape and makes a reading of its values.
func (d *Decoder) parseObject(t devices.MessageType, sc scope) *devices.Refusal {
	f := fields{first: len(d.values), units: -1, marks: -1}
	d.object++
	if ref := d.parseMembers(t, sc, &f); ref != nil {
		return ref
	}
	if sc == scopeTop && d.head.hasList && len(d.values) > d.head.listEnd {
		return d.refuse(devices.CodeField, "values stand beside r; put them into a reading of their own")
	}
	return d.closeReading(sc, &f)
}

// closeReading makes a reading of the values that f has gathered.
func (d *Decoder) closeReading(sc scope, f *fields) *devices.Refusal {
	if ref := d.override(f); ref != nil {
		return ref
	}
	if sc == scopeTop {
		d.head.clock = f.clock
	}
	if len(d.values) > f.first && !(sc == scopeTop && d.head.hasList) {
		d.spans = append(d.spans, span{first: f.first, end: len(d.values), clock: f.clock})
	}
	return nil
}

func (d *Decoder) parseMembers(t devices.MessageType, sc scope, f *fields) *devices.Refusal {
	s := &d.scan
	s.take('{')
	if s.take('}') {
		return nil
	}
	for {
		k, ok := s.str()
		if !ok {
			return d.broken()
		}
		if m := meaning(k, t, sc == scopeItem); m != 0 {
			d.at.key = view(k)
			if f.seen&m != 0 {
				return d.refuse(devices.CodeJSON, "the key %q stands twice in one object", k)
			}
			f.seen |= m
			if !s.take(':') {
				s.fail("expected : after a key")
				return d.broken()
			}
			if ref := d.member(m, t, sc, f); ref != nil {
				return ref
			}
		} else if ref := d.channelValue(k); ref != nil {
			return ref
		}
		d.at.key = ""
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return nil
		}
		s.fail("expected , or } in an object")
		return d.broken()
	}
}

// parseValues reads the object behind v or values.
func (d *Decoder) parseValues() *devices.Refusal {
	s := &d.scan
	if !s.take('{') {
		s.fail(`expected an object of channels, as in {"tilt_deg":12.3}`)
		return d.broken()
	}
	d.at.key = ""
	if s.take('}') {
		return nil
	}
	for {
		k, ok := s.str()
		if !ok {
			return d.broken()
		}
		if ref := d.channelValue(k); ref != nil {
			return ref
		}
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return nil
		}
		s.fail("expected , or } in an object")
		return d.broken()
	}
}

// channelValue reads `: value` of the channel named k.
func (d *Decoder) channelValue(k []byte) *devices.Refusal {
	s := &d.scan
	ch := d.dict.Lookup(k)
	var name string
	if ch == nil {
		if ref := d.checkName(k); ref != nil {
			return ref
		}
		name = d.text(k)
		d.at.key = name
	} else {
		d.at.key = ch.Name
	}
	if !s.take(':') {
		s.fail("expected : after a key")
		return d.broken()
	}
	switch c := s.peek(); c {
	case '"':
		b, ok := s.str()
		if !ok {
			return d.broken()
		}
		if len(b) > MaxText || !utf8.Valid(b) || hasControl(b) {
			return d.refuse(devices.CodeField, "a text value is an enumeration: at most %d bytes of UTF-8 without control characters", MaxText)
		}
		return d.put(ch, name, devices.Value{Text: d.text(b)}, devices.Text)
	case 't', 'f':
		v := devices.Value{}
		w := "false"
		if c == 't' {
			w, v.Num = "true", 1
		}
		if !s.word(w) {
			return d.broken()
		}
		return d.put(ch, name, v, devices.Bool)
	case 'n':
		if !s.word("null") {
			return d.broken()
		}
		return d.put(ch, name, devices.Value{Num: math.NaN(), Quality: devices.Fault}, 0)
	case '[':
		return d.vector(ch, k)
	case '{':
		return d.refuse(devices.CodeField, "the value is an object; want a number, true, false, null, a short string or [x,y,z]")
	}
	n, ok := s.number()
	if !ok {
		return d.broken()
	}
	if math.IsInf(n, 0) {
		return d.refuse(devices.CodeField, "the number is too large to be kept")
	}
	return d.put(ch, name, devices.Value{Num: n}, devices.Number)
}

// put appends v for ch, learning the channel if it is new. Type 0 fits any.
func (d *Decoder) put(ch *devices.Channel, name string, v devices.Value, t devices.ValueType) *devices.Refusal {
	if ch == nil {
		if t == 0 {
			t = devices.Number
		}
		if ch = d.dict.Learn(name, t); ch == nil {
			return d.refuse(devices.CodeField, "the daemon has met %d different channels and takes no further one", devices.MaxChannels)
		}
	}
	if ch.ID >= len(d.seen) {
		d.seen = append(d.seen, make([]uint32, ch.ID+64-len(d.seen))...)
	}
	if d.seen[ch.ID] == d.object {
		return d.refuse(devices.CodeJSON, "the channel %s stands twice in one object", ch.Name)
	}
	d.seen[ch.ID] = d.object
	if t != 0 && t != ch.Type {
		if ch.Type != devices.Bool || t != devices.Number || v.Num != 0 && v.Num != 1 {
			return d.refuse(devices.CodeField, "the value is %s; channel %s is %s for ever", article(t), ch.Name, article(ch.Type))
		}
	}
	if ch.Type == devices.Number && v.Quality == devices.Good && !ch.Plausible(v.Num) {
		v.Quality = devices.Implausible
	}
	v.Channel = ch
	d.values = append(d.values, v)
	return nil
}

func article(t devices.ValueType) string {
	return [...]string{"nothing", "a number", "true or false", "text"}[t]
}

// vector reads [x,y,z] into three channels, the axis before the unit:
// acceleration_ms2 becomes acceleration_x_ms2, acceleration_y_ms2 and so on.
func (d *Decoder) vector(ch *devices.Channel, key []byte) *devices.Refusal {
	name := string(key)
	if ch != nil {
		name = ch.Name
	}
	s := &d.scan
	s.take('[')
	for i, axis := range [...]string{"x", "y", "z"} {
		if i > 0 && !s.take(',') {
			return d.refuse(devices.CodeField, "a vector has three numbers: [x,y,z]")
		}
		c := s.peek()
		if c != '-' && !isDigit(c) {
			return d.refuse(devices.CodeField, "a vector has three numbers: [x,y,z]")
		}
		n, ok := s.number()
		if !ok {
			return d.broken()
		}
		if math.IsInf(n, 0) {
			return d.refuse(devices.CodeField, "the number is too large to be kept")
		}
		an := axisName(name, axis)
		if ref := d.put(d.dict.Lookup([]byte(an)), an, devices.Value{Num: n}, devices.Number); ref != nil {
			return ref
		}
	}
	if !s.take(']') {
		return d.refuse(devices.CodeField, "a vector has three numbers: [x,y,z]")
	}
	return nil
}

func axisName(name, axis string) string {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '_' {
			return name[:i] + "_" + axis + name[i:]
		}
	}
	return name + "_" + axis
}

// checkName lets only names through that every store can hold.
func (d *Decoder) checkName(k []byte) *devices.Refusal {
	ok := len(k) > 0 && len(k) <= MaxName && !isDigit(k[0])
	for i := 0; ok && i < len(k); i++ {
		c := k[i]
		ok = c == '_' || c == '.' || c == '-' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if ok {
		return nil
	}
	return d.refuse(devices.CodeField, "channel name %q: want a letter or _ and then letters, digits, _ . or -, at most %d bytes", clip(string(k)), MaxName)
}

func hasControl(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c == 0x7f {
			return true
		}
	}
	return false
}

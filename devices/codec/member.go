package codec

import (
	"fmt"
	"math"
	"unicode/utf8"

	"lamplighter/devices"
)

// member reads the value of a key that has a meaning of its own.
func (d *Decoder) member(m member, t devices.MessageType, sc scope, f *fields) *devices.Refusal {
	switch m {
	case mSeq:
		n, ref := d.integer(0, 1<<63-1)
		d.head.seq, d.head.hasSeq = uint64(n), ref == nil
		if sc == scopeR && ref == nil {
			return d.refuse(devices.CodeField, "seq counts messages: it stands beside r, not in it")
		}
		return ref
	case mBoot:
		return d.bootID()
	case mClk:
		return d.short(&d.head.clk, "sync", "none")
	case mTS:
		return d.timestamp(&f.clock)
	case mUp:
		n, ref := d.integer(0, 1<<53)
		f.clock.up, f.clock.hasUp = n, true
		return ref
	case mT:
		n, ref := d.float()
		f.clock.rel, f.clock.hasRel = n, true
		return ref
	case mV, mValues:
		if sc == scopeItem && m == mV && d.scan.peek() != '{' {
			return d.senMLNumber(f)
		}
		return d.parseValues()
	case mR:
		if sc != scopeTop {
			return d.refuse(devices.CodeJSON, "r stands in the message, not in a reading")
		}
		if len(d.values) > f.first {
			return d.refuse(devices.CodeField, "values stand beside r; put them into a reading of their own")
		}
		return d.parseReadings(t)
	case mQ:
		return d.quality(f)
	case mU:
		if sc == scopeItem && d.scan.peek() == '"' {
			return d.short(&f.sen.unit)
		}
		return d.skipTexts(&f.units)
	case mEvent:
		return d.short(&d.head.event)
	case mSt:
		return d.short(&d.head.status)
	case mModel:
		return d.short(&d.head.model)
	case mFW:
		return d.short(&d.head.fw)
	case mExpect:
		n, ref := d.integer(1, 366*86400)
		d.head.expectS = n
		return ref
	case mNext:
		n, ref := d.integer(1, 366*86400)
		d.head.nextS = n
		return ref
	}
	return d.senMLMember(m, f)
}

// parseReadings reads the list behind r; each element is an object scope of its
// own.
func (d *Decoder) parseReadings(t devices.MessageType) *devices.Refusal {
	if d.scan.peek() != '[' {
		d.scan.fail("expected a list of readings")
		return d.broken()
	}
	d.head.hasList = true
	ref := d.parseList(t, "/r", scopeR)
	d.head.listEnd = len(d.values)
	d.object++
	return ref
}

func (d *Decoder) float() (float64, *devices.Refusal) {
	if c := d.scan.peek(); c != '-' && !isDigit(c) {
		return 0, d.refuse(devices.CodeField, "found %s; want a number", d.found())
	}
	n, ok := d.scan.number()
	if !ok {
		return 0, d.broken()
	}
	return n, nil
}

func (d *Decoder) integer(lo, hi int64) (int64, *devices.Refusal) {
	start := d.scan.pos
	n, ref := d.float()
	if ref != nil {
		return 0, ref
	}
	if n != math.Trunc(n) || n < float64(lo) || n > float64(hi) {
		return 0, d.refuse(devices.CodeField, "found %s; want a whole number from %d to %d", clip(string(d.scan.b[start:d.scan.pos])), lo, hi)
	}
	return int64(n), nil
}

// found names what stands at the scanner, for a refusal.
func (d *Decoder) found() string {
	s := &d.scan
	switch c := s.peek(); c {
	case 0:
		return "the end"
	case '"':
		if b, ok := s.str(); ok {
			return fmt.Sprintf("the text %q", clip(string(b)))
		}
		return "a string that is not closed"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	default:
		return fmt.Sprintf("%q", c)
	}
}

func (d *Decoder) bootID() *devices.Refusal {
	s := &d.scan
	if s.peek() == '"' {
		return d.short(&d.head.boot)
	}
	start := s.pos
	if _, ref := d.integer(0, 1<<53); ref != nil {
		return ref
	}
	d.head.boot = d.text(s.b[start:s.pos])
	return nil
}

// short reads a short string, one of want if any are given.
func (d *Decoder) short(into *string, want ...string) *devices.Refusal {
	if d.scan.peek() != '"' {
		return d.refuse(devices.CodeField, "found %s; want text", d.found())
	}
	b, ok := d.scan.str()
	if !ok {
		return d.broken()
	}
	if len(b) > MaxText || !utf8.Valid(b) || hasControl(b) {
		return d.refuse(devices.CodeField, "want at most %d bytes of UTF-8 without control characters", MaxText)
	}
	*into = d.text(b)
	for _, w := range want {
		if *into == w {
			return nil
		}
	}
	if len(want) > 0 {
		return d.refuse(devices.CodeField, "found %q; want one of %q", b, want)
	}
	return nil
}

// quality reads q: one word for the reading, or an object of words by channel.
func (d *Decoder) quality(f *fields) *devices.Refusal {
	if d.scan.peek() == '{' {
		return d.skipTexts(&f.marks)
	}
	var w string
	if ref := d.short(&w, "good", "suspect"); ref != nil {
		return ref
	}
	if w == "suspect" {
		f.quality = devices.Suspect
	}
	return nil
}

// skipTexts remembers where an object of texts begins and passes over it: it
// can only be applied when the values are known.
func (d *Decoder) skipTexts(at *int) *devices.Refusal {
	d.scan.peek()
	*at = d.scan.pos
	return d.eachText(func([]byte, []byte) *devices.Refusal { return nil })
}

// eachText reads an object whose values are all strings.
func (d *Decoder) eachText(fn func(key, val []byte) *devices.Refusal) *devices.Refusal {
	return d.eachMember("expected an object of texts by channel", func(key []byte) *devices.Refusal {
		v, ok := d.scan.str()
		if !ok {
			return d.broken()
		}
		return fn(key, v)
	})
}

// eachMember reads an object, calling member for the value of each key; want says
// what is wanted where there is none.
func (d *Decoder) eachMember(want string, member func(key []byte) *devices.Refusal) *devices.Refusal {
	s := &d.scan
	if !s.take('{') {
		s.fail(want)
		return d.broken()
	}
	for first := true; ; first = false {
		if first && s.take('}') {
			return nil
		}
		k, ok := s.str()
		if !ok {
			return d.broken()
		}
		key := d.text(k)
		if !s.take(':') {
			s.fail("expected : after a key")
			return d.broken()
		}
		if ref := member([]byte(key)); ref != nil {
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

// override applies u and q to the values of the reading at hand.
func (d *Decoder) override(f *fields) *devices.Refusal {
	vals := d.values[f.first:]
	if f.quality != devices.Good {
		for i := range vals {
			if vals[i].Quality == devices.Good {
				vals[i].Quality = f.quality
			}
		}
	}
	end := d.scan.pos
	defer func() { d.scan.pos = end }()
	if f.marks >= 0 {
		d.scan.pos = f.marks
		if ref := d.eachText(func(k, w []byte) *devices.Refusal { return d.mark(vals, k, w) }); ref != nil {
			return ref
		}
	}
	if f.units >= 0 {
		d.scan.pos = f.units
		return d.eachText(func(k, u []byte) *devices.Refusal { return d.unit(vals, k, u) })
	}
	return nil
}

func (d *Decoder) mark(vals []devices.Value, key, word []byte) *devices.Refusal {
	d.at.key = "q/" + string(key)
	if w := string(word); w != "good" && w != "suspect" {
		return d.refuse(devices.CodeField, "found %q; want good or suspect", word)
	}
	return d.each(vals, key, func(v *devices.Value) *devices.Refusal {
		if string(word) == "suspect" {
			v.Quality = max(v.Quality, devices.Suspect)
		}
		return nil
	})
}

func (d *Decoder) unit(vals []devices.Value, key, unit []byte) *devices.Refusal {
	d.at.key = "u/" + string(key)
	return d.each(vals, key, func(v *devices.Value) *devices.Refusal { return d.convert(v, string(unit)) })
}

// each calls fn for the values of the channel named key; there must be one.
func (d *Decoder) each(vals []devices.Value, key []byte, fn func(*devices.Value) *devices.Refusal) *devices.Refusal {
	ch, met := d.dict.Lookup(key), false
	for i := range vals {
		if vals[i].Channel == ch {
			met = true
			if ref := fn(&vals[i]); ref != nil {
				return ref
			}
		}
	}
	if !met {
		return d.refuse(devices.CodeField, "names a channel that the reading does not have")
	}
	return nil
}

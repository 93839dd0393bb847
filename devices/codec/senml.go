package codec

import (
	"strings"

	"lamplighter/devices"
)

// senML is what one SenML record (RFC 8428) says, before the base is applied.
type senML struct {
	name, unit         string
	baseName, baseUnit string
	baseTime           float64 // s
	value              devices.Value
	typ                devices.ValueType // 0 = the record has no value
}

// senMLBase is what holds for the records that follow, and the reading that
// the next record may join.
type senMLBase struct {
	name, unit string
	time       float64 // s
	last       float64 // s, of the open reading
	object     uint32  // of the open reading
	open       bool
}

// absoluteSenML is the time in seconds from which a SenML time is absolute
// (RFC 8428, section 4.5.3).
const absoluteSenML = 1 << 28

const senMLMembers = mName | mBaseName | mBaseTime | mBaseUnit | mBool | mString

func senMLMeaning(k []byte) member {
	switch string(k) {
	case "n":
		return mName
	case "bn":
		return mBaseName
	case "bt":
		return mBaseTime
	case "bu":
		return mBaseUnit
	case "vb":
		return mBool
	case "vs":
		return mString
	}
	return 0
}

// parseItem reads an element of a top-level array: a reading, or a SenML record.
func (d *Decoder) parseItem(t devices.MessageType, base *senMLBase) *devices.Refusal {
	f := fields{first: len(d.values), units: -1, marks: -1}
	d.object++
	if ref := d.parseMembers(t, scopeItem, &f); ref != nil {
		return ref
	}
	if f.seen&senMLMembers == 0 && f.sen.typ == 0 {
		base.open = false
		return d.closeReading(scopeItem, &f)
	}
	return d.closeRecord(&f, base)
}

// senMLMember reads a member that only SenML has.
func (d *Decoder) senMLMember(m member, f *fields) *devices.Refusal {
	var ref *devices.Refusal
	switch m {
	case mName:
		return d.short(&f.sen.name)
	case mBaseName:
		return d.short(&f.sen.baseName)
	case mBaseUnit:
		return d.short(&f.sen.baseUnit)
	case mBaseTime:
		f.sen.baseTime, ref = d.float()
		return ref
	case mString:
		f.sen.typ = devices.Text
		return d.short(&f.sen.value.Text)
	case mBool:
		return d.senMLBool(f)
	}
	return d.refuse(devices.CodeField, "this key has no place here")
}

func (d *Decoder) senMLNumber(f *fields) *devices.Refusal {
	n, ref := d.float()
	f.sen.value, f.sen.typ = devices.Value{Num: n}, devices.Number
	return ref
}

func (d *Decoder) senMLBool(f *fields) *devices.Refusal {
	w := "false"
	f.sen.value, f.sen.typ = devices.Value{}, devices.Bool
	if d.scan.peek() == 't' {
		w, f.sen.value.Num = "true", 1
	}
	if !d.scan.word(w) {
		return d.broken()
	}
	return nil
}

// closeRecord adds a record's value to the reading of its time.
func (d *Decoder) closeRecord(f *fields, base *senMLBase) *devices.Refusal {
	if f.seen&mBaseName != 0 {
		base.name = f.sen.baseName
	}
	if f.seen&mBaseUnit != 0 {
		base.unit = f.sen.baseUnit
	}
	if f.seen&mBaseTime != 0 {
		base.time = f.sen.baseTime
	}
	if f.sen.typ == 0 {
		return nil // a record that only sets the base
	}
	at := base.time + f.clock.rel
	if !base.open || at != base.last {
		d.spans = append(d.spans, span{first: len(d.values), end: len(d.values), clock: senMLClock(at, &f.clock)})
	} else {
		d.object = base.object // values of one instant are one reading
	}
	base.open, base.last, base.object = true, at, d.object
	unit := base.unit
	if f.seen&mU != 0 {
		unit = f.sen.unit
	}
	if ref := d.putRecord(senMLName(base.name, f.sen.name), unit, &f.sen); ref != nil {
		return ref
	}
	d.spans[len(d.spans)-1].end = len(d.values)
	return nil
}

func (d *Decoder) putRecord(name, unit string, r *senML) *devices.Refusal {
	d.at.key = "n"
	ch := d.dict.Lookup([]byte(name))
	if ch == nil {
		if ref := d.checkName([]byte(name)); ref != nil {
			return ref
		}
	}
	if ref := d.put(ch, name, r.value, r.typ); ref != nil {
		return ref
	}
	d.at.key = "u"
	if unit == "" {
		return nil
	}
	return d.convert(&d.values[len(d.values)-1], unit)
}

// senMLName is the channel: the name, or the last part of the base name.
func senMLName(base, name string) string {
	if name != "" {
		return name
	}
	return base[strings.LastIndexAny(base, ":/")+1:]
}

func senMLClock(at float64, c *clock) clock {
	if at >= absoluteSenML {
		return clock{ts: int64(at * 1000), hasTS: true}
	}
	return clock{rel: at, hasRel: at != 0 || c.hasRel}
}

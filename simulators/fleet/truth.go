package fleet

import (
	"io"
	"strconv"
	"time"
)

// Truth is the format of the truth file: JSON lines in the order of time, two
// for every defect and trouble, when it begins and when it ends.
//
//	{"at":"2026-07-01T03:12:09.120Z","what":"begin","n":17,"facility":"MH-00042","defect":"cover_displaced","cause":"opened","ticket":true}
//	{"at":"2026-07-01T05:40:00.500Z","what":"end","n":17,"facility":"MH-00042","defect":"cover_displaced","cause":"opened","ticket":true}
//
// n numbers them; ticket says whether the built-in rules are to find it, and
// "shipped":true that those of deploy/rules are; where a rule has to watch for long,
// "due":"2026-07-01T00:00:00.000Z" says when it has to know at the latest. What has
// no end was still so when the file ended. The defects are called as their rules are: cover_displaced
// (causes opened, hit, missing, flood), cover_sunk, shaft_flooded, explosive_gas,
// toxic_gas*, cover_rattles*, battery_low, lamp_out (age, driver), lamp_cycling,
// lamp_dim*, gear_failure, day_burner, circuit_voltage, leakage, door_open,
// relay_failure, circuit_silent (overload, leakage; facility is CABINET:CIRCUIT),
// cabinet_silent (main_switch; facility is CABINET), bridge_limit (overload,
// settlement), bridge_drift* (subsidence, bearing), sensor_fault (stuck, spikes, and of a bridge's clock what
// clock_wrong has), comm_lost (battery, radio); those with * are for deploy/rules. No
// rule has to look for water_rising, and none looks for clock_wrong (behind, ahead, 1970, 2036, seconds).
//
// With [Options.Notes], what is no defect stands there too:
//
//	{"at":"…","what":"note","facility":"MH-00042","note":"lost","boot":"5f0c21aa","seq":118}
//
// Notes: lost, garbled, twice, late (by how the message fared; boot and seq
// where it had them), shock (traffic on a cover, under 2 s), boot.
type Truth struct {
	w     io.Writer
	notes bool
	buf   []byte
	n     int64
	err   error
}

// defect is what is wrong with a facility, from its beginning to its end.
type defect struct {
	n        int64
	facility string
	name     string
	cause    string
	ticket   bool  // for the built-in rules
	shipped  bool  // for those of deploy/rules
	due      int64 // when a rule has to know at the latest; 0 = by its own wait
}

// begin writes that d has begun.
func (t *Truth) begin(at int64, d *defect) {
	t.n++
	d.n = t.n
	t.line(at, "begin", d)
}

// end writes that d is over.
func (t *Truth) end(at int64, d *defect) { t.line(at, "end", d) }

func (t *Truth) line(at int64, what string, d *defect) {
	if t.w == nil {
		return
	}
	t.open(at, what)
	t.buf = append(t.buf, `,"n":`...)
	t.buf = strconv.AppendInt(t.buf, d.n, 10)
	t.text("facility", d.facility)
	t.text("defect", d.name)
	t.text("cause", d.cause)
	t.buf = append(t.buf, `,"ticket":`...)
	t.buf = strconv.AppendBool(t.buf, d.ticket)
	if d.shipped {
		t.buf = append(t.buf, `,"shipped":true`...)
	}
	if d.due > 0 {
		t.buf = append(t.buf, `,"due":"`...)
		t.instant(d.due)
		t.buf = append(t.buf, '"')
	}
	t.close()
}

// note writes what is no defect; seq is left out where it is 0.
func (t *Truth) note(at int64, facility, note, boot string, seq uint64) {
	if t.w == nil || !t.notes {
		return
	}
	t.open(at, "note")
	t.text("facility", facility)
	t.text("note", note)
	if seq > 0 {
		t.text("boot", boot)
		t.buf = append(t.buf, `,"seq":`...)
		t.buf = strconv.AppendUint(t.buf, seq, 10)
	}
	t.close()
}

func (t *Truth) open(at int64, what string) {
	t.buf = append(t.buf[:0], `{"at":"`...)
	t.instant(at)
	t.buf = append(t.buf, `","what":"`...)
	t.buf = append(t.buf, what...)
	t.buf = append(t.buf, '"')
}

func (t *Truth) instant(at int64) {
	t.buf = time.UnixMilli(at).UTC().AppendFormat(t.buf, "2006-01-02T15:04:05.000Z07:00")
}

// text appends a field; names and ids of the city need no escaping.
func (t *Truth) text(key, val string) {
	t.buf = append(t.buf, `,"`...)
	t.buf = append(t.buf, key...)
	t.buf = append(t.buf, `":"`...)
	t.buf = append(t.buf, val...)
	t.buf = append(t.buf, '"')
}

func (t *Truth) close() {
	t.buf = append(t.buf, '}', '\n')
	if t.err == nil {
		_, t.err = t.w.Write(t.buf)
	}
}

package registry

import (
	"fmt"
	"math"
	"strings"

	"lamplighter/devices"
)

// row is one line of a census file as far as it has been read.
type row struct {
	line     int
	f        Facility
	password string
}

// rows is the reading of one file: it knows which column is which, and notes
// every mistake.
type rows struct {
	columns []column
	check   LimitCheck // nil = none
	bad     *ImportError

	byName map[string]int // columns by lower-case name and alias
	limits []string       // the channels of the columns from passwordAt+1 on
	used   map[int]bool   // columns that the file has
	row
}

func newRows(reg *Registry, bad *ImportError) *rows {
	r := &rows{columns: reg.columns, check: reg.check, bad: bad, byName: make(map[string]int), used: make(map[int]bool)}
	for i, c := range r.columns {
		r.byName[c.name] = i
		for _, a := range c.aliases {
			r.byName[a] = i
		}
	}
	r.byName[passwordColumn], r.byName["密码"] = len(r.columns), len(r.columns)
	return r
}

// ignored is a column that is not known; that was noted once.
const ignored = -1

// column is the number of a column by its name in the file.
func (r *rows) column(line int, name string) int {
	name = strings.TrimSpace(name)
	if i, ok := r.byName[name]; ok {
		return i
	}
	n := strings.ToLower(name)
	i, ok := r.byName[n]
	if !ok {
		i = r.newColumn(line, name, n)
	}
	r.byName[name] = i
	return i
}

func (r *rows) newColumn(line int, name, lower string) int {
	ch, ok := strings.CutPrefix(lower, limitPrefix)
	if !ok {
		ch, ok = strings.CutPrefix(lower, "限值:")
	}
	if !ok {
		r.bad.add(line, name, name, "there is no such column; remove it or write limit:CHANNEL")
		return ignored
	}
	if cure := channelCure(ch); cure != "" {
		r.bad.add(line, name, name, cure)
		return ignored
	}
	r.limits = append(r.limits, ch)
	i := len(r.columns) + len(r.limits)
	r.byName[limitPrefix+ch] = i
	return i
}

// begin begins a line.
func (r *rows) begin(line int) {
	r.row = row{line: line}
	r.f.Lon, r.f.Lat = math.NaN(), math.NaN()
}

// set takes the value of a column.
func (r *rows) set(i int, v string) {
	v = strings.TrimSpace(v)
	if len(v) > 1 && v[0] == '\'' && isFormula(v[1]) {
		v = v[1:]
	}
	cure, name := "", passwordColumn
	switch n := len(r.columns); {
	case i == ignored:
		return
	case i < n:
		name = r.columns[i].name
		cure = r.columns[i].set(&r.f, v)
	case i > n:
		name = limitPrefix + r.limits[i-n-1]
		cure = setLimit(&r.f, r.limits[i-n-1], v)
	default:
		if r.password = v; v != "" && len(v) < minSecret {
			cure, v = fmt.Sprintf("want at least %d random characters, or leave it empty", minSecret), "…"
		}
	}
	if cure != "" {
		r.bad.add(r.line, name, v, cure)
	}
}

// has tells whether the file has the column.
func (r *rows) has(name string) bool { return r.used[r.byName[name]] }

// end completes a line that has been read.
func (r *rows) end() {
	f := &r.f
	lon, lat := !math.IsNaN(f.Lon), !math.IsNaN(f.Lat)
	if f.HasPlace = lon && lat; !f.HasPlace {
		f.Lon, f.Lat = 0, 0
	}
	if lon != lat && !r.bad.about(r.line, "lon", "lat") {
		r.bad.add(r.line, "lon, lat", "", "want both or neither")
	}
	if f.Condition == "" {
		f.Condition = "intact"
	}
	if f.Circuit != "" && f.Cabinet == "" {
		r.bad.add(r.line, "circuit", f.Circuit, "a circuit belongs to a cabinet; fill in cabinet")
	}
	if f.Gateway != "" && f.Gateway == f.Device {
		r.bad.add(r.line, "gateway", string(f.Gateway), "a device is not its own gateway; leave it empty")
	}
	r.goodLimits()
}

// about tells whether the last mistakes are about this line and those columns.
func (e *ImportError) about(line int, columns ...string) bool {
	for i := len(e.Lines) - 1; i >= 0 && e.Lines[i].Line == line; i-- {
		for _, c := range columns {
			if e.Lines[i].Column == c {
				return true
			}
		}
	}
	return e.More > 0
}

// isFormula tells whether a spreadsheet takes a cell that begins so for a
// formula, or for what an export put before one.
func isFormula(c byte) bool { return strings.IndexByte("=+-@'\t", c) >= 0 }

// Spreadsheet makes a text safe to open in a spreadsheet: what begins like a
// formula gets an apostrophe in front, which set takes away again.
func Spreadsheet(s string) string {
	if s != "" && isFormula(s[0]) {
		return "'" + s
	}
	return s
}

// clean is f as if it had been read from a file.
func clean(reg *Registry, f *Facility) (Facility, error) {
	bad := &ImportError{}
	r := newRows(reg, bad)
	r.begin(1)
	for _, c := range reg.columns {
		v := strings.TrimSpace(c.get(f))
		if cure := c.set(&r.f, v); cure != "" {
			bad.add(1, c.name, v, cure)
		}
	}
	for _, col := range limitColumns(f) {
		ch := strings.TrimPrefix(col, limitPrefix)
		if cure := channelCure(ch); cure != "" {
			bad.add(1, col, ch, cure)
		} else if cure := setLimit(&r.f, ch, limitText(f, col)); cure != "" {
			bad.add(1, col, limitText(f, col), cure)
		}
	}
	if r.f.Device == "" {
		r.f.Device = devices.DeviceID(r.f.ID)
	}
	r.end()
	if err := bad.err(); err != nil {
		l := bad.Lines[0]
		return r.f, fmt.Errorf("facility %s: %s: found %q; %s: %w", shown(string(f.ID)), l.Column, l.Value, l.Cure, devices.ErrInvalid)
	}
	return r.f, nil
}

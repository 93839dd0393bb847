package registry

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"lamplighter/devices"
)

// LineError is what is wrong with one line of an import, and how to mend it.
type LineError struct {
	Line   int    `json:"line"`
	Column string `json:"column"`
	Value  string `json:"value"`
	Cure   string `json:"cure"`
}

// ImportError lists what is wrong with a file; nothing of it was taken.
type ImportError struct {
	Lines []LineError // at most 100
	More  int         // how many more there are
}

// Error names the first mistakes.
func (e *ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d mistakes; nothing was imported", len(e.Lines)+e.More)
	for _, l := range e.Lines {
		fmt.Fprintf(&b, "\n  line %d, %s: found %q; %s", l.Line, l.Column, l.Value, l.Cure)
	}
	return b.String()
}

func (e *ImportError) add(line int, col, val, cure string) {
	if len(e.Lines) >= 100 {
		e.More++
		return
	}
	e.Lines = append(e.Lines, LineError{line, col, val, cure})
}

// ImportCSV takes a census file with a header line, all or nothing. Columns:
// id, kind and any of the others of [Facility], password (at least 16
// characters), limit:CHANNEL. It returns how many facilities were imported.
func (r *Registry) ImportCSV(ctx context.Context, by string, in io.Reader) (int, error) {
	cr := csv.NewReader(in)
	cr.ReuseRecord = true
	head, err := cr.Read()
	if err != nil {
		return 0, fmt.Errorf("read the header line: %w", err)
	}
	head = append([]string(nil), head...)
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	bad := &ImportError{}
	var fs []Facility
	passwords := map[devices.DeviceID]string{}
	ids, devs := map[devices.FacilityID]int{}, map[devices.DeviceID]int{}
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := cr.FieldPos(0)
		if err != nil {
			return 0, fmt.Errorf("read CSV: %w", err)
		}
		row := rowReader{line: line, bad: bad}
		for i, col := range head {
			row.field(col, strings.TrimSpace(rec[i]))
		}
		row.finish()
		if first, ok := ids[row.f.ID]; ok {
			bad.add(line, "id", string(row.f.ID), fmt.Sprintf("the same id stands in line %d; give each facility its own", first))
		}
		if first, ok := devs[row.f.Device]; ok {
			bad.add(line, "device", string(row.f.Device), fmt.Sprintf("the same device stands in line %d", first))
		}
		ids[row.f.ID], devs[row.f.Device] = line, line
		if row.password != "" {
			passwords[row.f.Device] = row.password
		}
		fs = append(fs, row.f)
	}
	if len(bad.Lines) > 0 {
		return 0, bad
	}
	if err := r.Put(ctx, by, fs...); err != nil {
		return 0, err
	}
	for d, p := range passwords {
		if err := r.SetPassword(ctx, d, p); err != nil {
			return 0, err
		}
	}
	return len(fs), nil
}

// rowReader turns one line into a facility and notes every mistake.
type rowReader struct {
	line     int
	bad      *ImportError
	f        Facility
	password string
	lon, lat bool
}

func (w *rowReader) field(col, v string) {
	f := &w.f
	var err error
	switch col {
	case "id":
		if f.ID, err = devices.ParseFacilityID(v); err != nil {
			w.bad.add(w.line, col, v, err.Error())
		}
	case "device":
		if v != "" {
			if f.Device, err = devices.ParseDeviceID(v); err != nil {
				w.bad.add(w.line, col, v, err.Error())
			}
		}
	case "kind":
		if f.Kind, err = devices.ParseKind(v); err != nil || f.Kind == devices.KindUnknown {
			w.bad.add(w.line, col, v, "want manhole, streetlight or bridge")
		}
	case "lon":
		f.Lon, w.lon = w.degrees(col, v, 180)
	case "lat":
		f.Lat, w.lat = w.degrees(col, v, 90)
	case "area":
		if v != "" {
			if f.Area, err = devices.ParseAreaCode(v); err != nil {
				w.bad.add(w.line, col, v, err.Error())
			}
		}
	case "expect_s":
		if v != "" {
			if f.ExpectS, err = strconv.ParseInt(v, 10, 64); err != nil || f.ExpectS < 1 {
				w.bad.add(w.line, col, v, "want seconds between two messages, a whole number from 1")
			}
		}
	case "gateway":
		f.Gateway = devices.DeviceID(v)
	case "password":
		if w.password = v; v != "" && len(v) < 16 {
			w.bad.add(w.line, col, "…", "want at least 16 random characters, or leave it empty")
		}
	case "condition":
		w.condition(v)
	default:
		w.text(col, v)
	}
}

func (w *rowReader) text(col, v string) {
	f := &w.f
	for name, into := range map[string]*string{"name": &f.Name, "component": &f.Component, "cabinet": &f.Cabinet, "circuit": &f.Circuit, "vendor": &f.Vendor, "model": &f.Model,
		"in_charge": &f.InCharge, "owner": &f.Owner, "maintainer": &f.Maintainer, "installed": &f.Installed} {
		if name == col {
			*into = v
			return
		}
	}
	if ch, ok := strings.CutPrefix(col, "limit:"); ok {
		if v == "" {
			return
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			w.bad.add(w.line, col, v, "want a number in the channel's unit")
			return
		}
		if f.Limits == nil {
			f.Limits = map[string]float64{}
		}
		f.Limits[ch] = n
		return
	}
	if w.line == 2 {
		w.bad.add(1, col, col, "no such column; remove it or write limit:CHANNEL")
	}
}

func (w *rowReader) condition(v string) {
	c, ok := map[string]string{"": "intact", "intact": "intact", "damaged": "damaged", "missing": "missing", "retired": "retired", "完好": "intact", "破损": "damaged", "丢失": "missing", "废弃": "retired"}[v]
	if !ok {
		w.bad.add(w.line, "condition", v, "want 完好, 破损, 丢失 or 废弃 (intact, damaged, missing, retired)")
	}
	w.f.Condition = c
}

func (w *rowReader) degrees(col, v string, bound float64) (float64, bool) {
	if v == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < -bound || n > bound {
		cure := fmt.Sprintf("want degrees (WGS84) from -%g to %g", bound, bound)
		if err == nil && col == "lat" && n <= 180 {
			cure += "; are lon and lat swapped?"
		}
		w.bad.add(w.line, col, v, cure)
		return 0, false
	}
	return n, true
}

func (w *rowReader) finish() {
	if w.f.Device == "" {
		w.f.Device = devices.DeviceID(w.f.ID)
	}
	if w.lon != w.lat {
		w.bad.add(w.line, "lon, lat", "", "want both or neither")
	}
	w.f.HasPlace = w.lon && w.lat
}

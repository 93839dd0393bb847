package fleet

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"lamplighter/devices"
)

// CensusWriter writes facilities as the census file that `devices import` takes.
type CensusWriter struct {
	Gateway  string                 // that speaks for all of them; "" = each speaks for itself
	Password func(id string) string // of a device; nil = the file has none

	csv    *csv.Writer
	limits []string // the channels that have a limit
}

var censusColumns = []string{"id", "kind", "component", "name", "lon", "lat", "area", "cabinet", "circuit", "vendor", "model", "expect_s", "in_charge", "owner", "maintainer", "installed", "supply"}

// Begin writes the header line; limits are the channels that facilities may
// have a limit for.
func (w *CensusWriter) Begin(out io.Writer, limits []string) error {
	w.csv, w.limits = csv.NewWriter(out), limits
	head := slices.Clone(censusColumns)
	if w.Gateway != "" {
		head = append(head, "gateway")
	}
	if w.Password != nil {
		head = append(head, "password")
	}
	for _, ch := range limits {
		head = append(head, "limit:"+ch)
	}
	return w.csv.Write(head)
}

// Write writes one facility.
func (w *CensusWriter) Write(f *Facility) error {
	place := func(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }
	row := []string{f.ID, f.Kind.String(), f.Component, f.Name, place(f.Lon), place(f.Lat), string(f.Area), f.Cabinet, f.Circuit, f.Vendor, f.Model, "", f.InCharge, f.Owner, f.Maintainer, f.Installed, f.Supply}
	if f.ExpectS > 0 {
		row[11] = strconv.FormatInt(f.ExpectS, 10)
	}
	if w.Gateway != "" {
		gw := w.Gateway
		if f.ID == gw {
			gw = ""
		}
		row = append(row, gw)
	}
	if w.Password != nil {
		row = append(row, w.Password(f.ID))
	}
	for _, ch := range w.limits {
		if l, ok := f.Limits[ch]; ok {
			row = append(row, strconv.FormatFloat(l, 'g', -1, 64))
		} else {
			row = append(row, "")
		}
	}
	return w.csv.Write(row)
}

// End writes what is still in memory.
func (w *CensusWriter) End() error {
	w.csv.Flush()
	return w.csv.Error()
}

// WriteAll writes a whole census; with a gateway, that comes first.
func (w *CensusWriter) WriteAll(out io.Writer, fs []Facility) error {
	limits := map[string]bool{}
	for i := range fs {
		for ch := range fs[i].Limits {
			limits[ch] = true
		}
	}
	if w.Gateway != "" {
		fs = slices.Insert(slices.Clone(fs), 0, Facility{ID: w.Gateway, Kind: devices.Streetlight, Name: w.Gateway, Lon: fs[0].Lon, Lat: fs[0].Lat, Area: fs[0].Area})
	}
	if err := w.Begin(out, slices.Sorted(maps.Keys(limits))); err != nil {
		return fmt.Errorf("write census: %w", err)
	}
	for i := range fs {
		if err := w.Write(&fs[i]); err != nil {
			return fmt.Errorf("write census: %w", err)
		}
	}
	if err := w.End(); err != nil {
		return fmt.Errorf("write census: %w", err)
	}
	return nil
}

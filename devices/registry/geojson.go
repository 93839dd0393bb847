package registry

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"lamplighter/devices"
)

// geoSource reads a GeoJSON FeatureCollection (RFC 7946), feature by feature.
type geoSource struct {
	dec *json.Decoder
	n   int  // features read
	in  bool // inside of the array
}

// geoFeature is one feature.
type geoFeature struct {
	Type       string          `json:"type"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties map[string]any  `json:"properties"`
}

func newGeo(in io.Reader) *geoSource {
	dec := json.NewDecoder(bufio.NewReaderSize(in, 256<<10))
	dec.UseNumber()
	return &geoSource{dec: dec}
}

// open finds the array of features.
func (s *geoSource) open() error {
	if t, err := s.dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("want a GeoJSON FeatureCollection, which begins with {"), err)
	}
	for s.dec.More() {
		key, err := s.dec.Token()
		if err != nil {
			return err
		}
		if key != "features" {
			var skip json.RawMessage
			if err := s.dec.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		if t, err := s.dec.Token(); err != nil || t != json.Delim('[') {
			return errors.Join(errors.New("features: want an array"), err)
		}
		s.in = true
		return nil
	}
	return errors.New("want a FeatureCollection with features; found none")
}

// feature is the next one; io.EOF after the last.
func (s *geoSource) feature() (*geoFeature, error) {
	if !s.in {
		if err := s.open(); err != nil {
			return nil, fmt.Errorf("%v: %w", err, devices.ErrInvalid) // not %w: an empty file is no end
		}
	}
	if !s.dec.More() {
		if t, err := s.dec.Token(); err != nil || t != json.Delim(']') {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, io.EOF
	}
	s.n++
	var f geoFeature
	err := s.dec.Decode(&f)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &f, err
}

// next implements source.
func (s *geoSource) next(r *rows) error {
	f, err := s.feature()
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		r.bad.add(max(s.n, 1), "", "", jsonCure(err))
		return io.EOF
	}
	r.begin(s.n)
	s.place(r, f.Geometry)
	names := make([]string, 0, len(f.Properties))
	for name := range f.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := r.column(s.n, name)
		if i == ignored {
			continue
		}
		r.used[i] = true
		v, ok := scalar(f.Properties[name])
		if !ok {
			r.bad.add(s.n, name, "", "want a text or a number")
			continue
		}
		r.set(i, v)
	}
	for _, need := range []string{"id", "kind"} {
		if _, ok := f.Properties[need]; !ok && !r.aliased(f, need) {
			r.bad.add(s.n, need, "", "the property is missing")
		}
	}
	return nil
}

// aliased tells whether a feature has the column under another name.
func (r *rows) aliased(f *geoFeature, need string) bool {
	for name := range f.Properties {
		if i, ok := r.byName[strings.TrimSpace(name)]; ok && i == r.byName[need] {
			return true
		}
	}
	return false
}

// place takes the geometry: a Point, or nothing.
func (s *geoSource) place(r *rows, text json.RawMessage) {
	r.used[r.byName["lon"]], r.used[r.byName["lat"]] = true, true
	if len(text) == 0 || string(text) == "null" {
		return
	}
	var g struct {
		Type        string        `json:"type"`
		Coordinates []json.Number `json:"coordinates"`
	}
	if err := json.Unmarshal(text, &g); err != nil || g.Type != "Point" || len(g.Coordinates) < 2 {
		r.bad.add(s.n, "geometry", g.Type, "want a Point with [lon, lat]")
		return
	}
	r.set(r.byName["lon"], string(g.Coordinates[0]))
	r.set(r.byName["lat"], string(g.Coordinates[1]))
}

// scalar is a property as it would stand in CSV.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

func jsonCure(err error) string {
	var se *json.SyntaxError
	switch {
	case errors.As(err, &se):
		return fmt.Sprintf("not JSON at byte %d: %v", se.Offset, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the file is cut short"
	}
	return err.Error()
}

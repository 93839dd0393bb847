package registry

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Export writes the census in the order of the ids and returns how many
// facilities it has. Import takes back what Export wrote: passwords, which
// nobody knows, and facilities that were enrolled provisionally are not in it.
// In CSV a text that a spreadsheet would take for a formula begins with an
// apostrophe, which Import takes away.
func (r *Registry) Export(ctx context.Context, out io.Writer, f Format) (n int64, err error) {
	limits, err := r.limitColumns(ctx)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	b := bufio.NewWriterSize(out, 256<<10)
	var w sink = newCSVSink(b, r.columns, limits)
	if f == GeoJSON {
		w = &geoSink{out: b, columns: r.columns}
	}
	err = w.begin()
	if err == nil {
		err = r.Each(ctx, func(f *Facility) error {
			if f.Provisional {
				return nil
			}
			n++
			return w.put(f)
		})
	}
	if err = errors.Join(err, w.end(), b.Flush()); err != nil {
		return n, fmt.Errorf("export: %w", err)
	}
	return n, nil
}

// limitColumns are the columns of all limits that are set anywhere.
func (r *Registry) limitColumns(ctx context.Context) ([]string, error) {
	rows, err := r.db.Query(ctx, `SELECT DISTINCT limits FROM facility WHERE limits<>'{}'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var f Facility
		if err := json.Unmarshal([]byte(text), &f.Limits); err != nil {
			return nil, err
		}
		out = append(out, limitColumns(&f)...)
	}
	slices.Sort(out)
	return slices.Compact(out), rows.Err()
}

// sink is a file that is being written.
type sink interface {
	begin() error
	put(f *Facility) error
	end() error
}

type csvSink struct {
	w       *csv.Writer
	columns []column
	limits  []string
	rec     []string
}

func newCSVSink(out io.Writer, columns []column, limits []string) *csvSink {
	return &csvSink{w: csv.NewWriter(out), columns: columns, limits: limits}
}

func (s *csvSink) begin() error {
	for _, c := range s.columns {
		s.rec = append(s.rec, c.name)
	}
	return s.w.Write(append(s.rec, s.limits...))
}

func (s *csvSink) put(f *Facility) error {
	s.rec = s.rec[:0]
	for i := range s.columns {
		v := s.columns[i].get(f)
		if name := s.columns[i].name; name != "lon" && name != "lat" {
			v = Spreadsheet(v)
		}
		s.rec = append(s.rec, v)
	}
	for _, col := range s.limits {
		s.rec = append(s.rec, limitText(f, col))
	}
	return s.w.Write(s.rec)
}

func (s *csvSink) end() error {
	s.w.Flush()
	return s.w.Error()
}

type geoSink struct {
	out     *bufio.Writer
	columns []column
	n       int
}

func (s *geoSink) begin() error {
	_, err := s.out.WriteString(`{"type":"FeatureCollection","features":[`)
	return err
}

func (s *geoSink) put(f *Facility) error {
	p := make(map[string]any, len(s.columns))
	for i := range s.columns {
		if v := s.columns[i].get(f); v != "" && s.columns[i].name != "lon" && s.columns[i].name != "lat" {
			p[s.columns[i].name] = Spreadsheet(v)
		}
	}
	for _, col := range limitColumns(f) {
		p[col] = f.Limits[col[len(limitPrefix):]]
	}
	feature := map[string]any{"type": "Feature", "geometry": nil, "properties": p}
	if f.HasPlace {
		feature["geometry"] = map[string]any{"type": "Point", "coordinates": []float64{f.Lon, f.Lat}}
	}
	b, err := json.Marshal(feature)
	if err != nil {
		return err
	}
	sep := ",\n"
	if s.n++; s.n == 1 {
		sep = "\n"
	}
	_, err = s.out.WriteString(sep + string(b))
	return err
}

func (s *geoSink) end() error {
	_, err := s.out.WriteString("\n]}\n")
	return err
}

// After is up to limit facilities by id, after one.
func (r *Registry) After(ctx context.Context, after devices.FacilityID, limit int) ([]Facility, error) {
	out, err := database.All(ctx, r.db, scan, `SELECT `+columns+` FROM facility WHERE id>? ORDER BY id LIMIT ?`, string(after), limit)
	if err != nil {
		return nil, fmt.Errorf("read census: %w", err)
	}
	return out, nil
}

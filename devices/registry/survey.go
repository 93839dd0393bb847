package registry

import (
	"context"
	"fmt"
	"strconv"

	"lamplighter/devices"
)

// survey checks the places and areas of facilities against the grid.
type survey struct {
	bounds Box
	known  map[devices.AreaCode]bool
	// outlines are those of the areas, and of those without one that of the
	// nearest area above that has one; nil where there is none.
	outlines map[devices.AreaCode]*outline
}

// survey reads the grid of areas.
func (r *Registry) survey(ctx context.Context) (*survey, error) {
	s := &survey{bounds: r.bounds, known: make(map[devices.AreaCode]bool), outlines: make(map[devices.AreaCode]*outline)}
	rows, err := r.db.Query(ctx, `SELECT code, outline FROM area ORDER BY level, code`)
	if err != nil {
		return nil, fmt.Errorf("read areas: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var code devices.AreaCode
		var text string
		if err := rows.Scan(&code, &text); err != nil {
			return nil, fmt.Errorf("read areas: %w", err)
		}
		s.known[code] = true
		s.outlines[code] = s.outlines[code.Parent()] // comes first: it has a higher level
		if text == "" {
			continue
		}
		if s.outlines[code], err = parseOutline([]byte(text)); err != nil {
			return nil, fmt.Errorf("area %s: %w", code, err)
		}
	}
	return s, rows.Err()
}

// look notes what is wrong with the area and the place of a facility.
func (s *survey) look(f *Facility, line int, bad *ImportError) {
	if f.Area != "" && len(s.known) > 0 && !s.known[f.Area] {
		bad.add(line, "area", string(f.Area), "there is no such area; correct the code, or import the area first: lamplighter areas import FILE")
		return
	}
	if !f.HasPlace {
		return
	}
	where := fmt.Sprint(degree(f.Lon), ", ", degree(f.Lat))
	if o := s.outlines[f.Area]; o != nil {
		if o.near(f.Lon, f.Lat) {
			return
		}
		if o.near(f.Lat, f.Lon) {
			bad.add(line, "lon, lat", where, fmt.Sprintf("the place lies outside of area %s and would lie in it the other way round: are lon and lat swapped?", f.Area))
			return
		}
		bad.add(line, "lon, lat", where, fmt.Sprintf("the place lies %.1f km outside of area %s; correct lon and lat (WGS84), or the area", o.distance(f.Lon, f.Lat)/1000, f.Area))
		return
	}
	if s.bounds.Contains(f.Lon, f.Lat) {
		return
	}
	cure := fmt.Sprintf("the place lies outside of %g, %g to %g, %g (west, south to east, north); correct it, or set census.bounds", s.bounds.West, s.bounds.South, s.bounds.East, s.bounds.North)
	if s.bounds.Contains(f.Lat, f.Lon) {
		cure = "are lon and lat swapped?"
	}
	bad.add(line, "lon, lat", where, cure)
}

func degree(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

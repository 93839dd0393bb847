package registry

import (
	"encoding/json"
	"fmt"
	"math"

	"lamplighter/devices"
)

// Box is a part of the earth, in degrees (WGS84).
type Box struct{ West, South, East, North float64 }

// china is where a facility lies unless the configuration says otherwise.
func china() Box { return Box{73.4, 3.8, 135.1, 53.6} }

// Contains tells whether a place lies in the box, its edge included.
func (b Box) Contains(lon, lat float64) bool {
	return lon >= b.West && lon <= b.East && lat >= b.South && lat <= b.North
}

// point is a lon and a lat.
type point [2]float64

// outline is the shape of an area: polygons of rings, of which the first is the
// outer one and the others are holes.
type outline struct {
	box      Box
	polygons [][][]point
}

// parseOutline reads a GeoJSON Polygon or MultiPolygon.
func parseOutline(text []byte) (*outline, error) {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(text, &g); err != nil {
		return nil, fmt.Errorf("outline: %w", err)
	}
	o := &outline{box: Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}}
	var err error
	switch g.Type {
	case "Polygon":
		o.polygons = make([][][]point, 1)
		err = json.Unmarshal(g.Coordinates, &o.polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &o.polygons)
	default:
		return nil, fmt.Errorf("outline: found %q, want a Polygon or a MultiPolygon: %w", shown(g.Type), devices.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("outline: %w", err)
	}
	return o, o.check()
}

func (o *outline) check() error {
	if len(o.polygons) == 0 || len(o.polygons[0]) == 0 {
		return fmt.Errorf("outline: it has no ring: %w", devices.ErrInvalid)
	}
	for _, rings := range o.polygons {
		for _, ring := range rings {
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return fmt.Errorf("outline: a ring has %d points; want at least 4, the last like the first: %w", len(ring), devices.ErrInvalid)
			}
			for _, p := range ring {
				if math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
					return fmt.Errorf("outline: found [%g, %g]; want [lon, lat] in degrees: are they swapped?: %w", p[0], p[1], devices.ErrInvalid)
				}
				o.box = Box{min(o.box.West, p[0]), min(o.box.South, p[1]), max(o.box.East, p[0]), max(o.box.North, p[1])}
			}
		}
	}
	return nil
}

// contains tells whether a place lies in the outline, by the even-odd rule.
func (o *outline) contains(lon, lat float64) bool {
	if !o.box.Contains(lon, lat) {
		return false
	}
	for _, rings := range o.polygons {
		in := false
		for _, ring := range rings {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if (a[1] > lat) != (b[1] > lat) && lon < a[0]+(lat-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
					in = !in
				}
			}
		}
		if in {
			return true
		}
	}
	return false
}

// distance is how many metres a place lies from the outline's edge, good to a
// percent for what is near.
func (o *outline) distance(lon, lat float64) float64 {
	const metres = 111_320 // a degree of latitude
	kx := metres * math.Cos(lat*math.Pi/180)
	best := math.Inf(1)
	for _, rings := range o.polygons {
		for _, ring := range rings {
			for i := 1; i < len(ring); i++ {
				ax, ay := (ring[i-1][0]-lon)*kx, (ring[i-1][1]-lat)*metres
				bx, by := (ring[i][0]-lon)*kx, (ring[i][1]-lat)*metres
				best = min(best, segment(ax, ay, bx, by))
			}
		}
	}
	return best
}

// segment is how far the origin is from the segment from a to b.
func segment(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, -(ax*dx+ay*dy)/l))
	}
	return math.Hypot(ax+t*dx, ay+t*dy)
}

// slack is how far outside of its area a facility may lie: outlines are drawn
// roughly, and covers lie in the middle of the street between two.
const slack = 300 // metres

// near tells whether a place lies in the outline or close to it.
func (o *outline) near(lon, lat float64) bool {
	const d = slack / 50_000.0 // degrees, generous
	b := o.box
	if !(Box{b.West - d, b.South - d, b.East + d, b.North + d}).Contains(lon, lat) {
		return false
	}
	return o.contains(lon, lat) || o.distance(lon, lat) <= slack
}

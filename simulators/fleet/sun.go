package fleet

import (
	"math"
	"time"

	"lamplighter/devices/sun"
)

// Place is a point of the earth, WGS84 degrees.
type Place struct{ Lon, Lat float64 }

// Altitude is how high the sun stands above the horizon at a place, in degrees,
// without refraction.
func Altitude(t time.Time, p Place) float64 { return sun.At(t).Altitude(p.Lon, p.Lat) }

// Night tells whether street lamps are on at a place.
func Night(t time.Time, p Place) bool { return Altitude(t, p) < sun.Dusk }

// photocell says by the sun whether it is night at a place. It looks at the sky
// only as often as it has to.
type photocell struct {
	place Place
	night bool
	look  int64 // Unix ms
}

// steepest is how fast the sun can climb or sink, degrees a minute.
const steepest = 0.26

func (p *photocell) dark(at int64) bool {
	if at < p.look {
		return p.night
	}
	alt := Altitude(time.UnixMilli(at), p.place)
	p.night = alt < sun.Dusk
	p.look = at + max(20_000, int64(math.Abs(alt-sun.Dusk)/steepest*60_000))
	return p.night
}

package fleet

import (
	"math"
	"time"
)

// Place is a point of the earth, WGS84 degrees.
type Place struct{ Lon, Lat float64 }

// dusk is how high the sun stands, in degrees, when street lamps are switched:
// the middle of civil twilight.
const dusk = -3.0

// Altitude is how high the sun stands above the horizon at a place, in degrees,
// without refraction: the low-precision formulas of the Astronomical Almanac
// (page C5), good to 0.1 degree from 1950 to 2050.
func Altitude(t time.Time, p Place) float64 {
	days := float64(t.UnixMilli()-946728000000) / 86400000 // since J2000.0
	g := rad(357.529 + 0.98560028*days)
	l := rad(280.459+0.98564736*days) + rad(1.915*math.Sin(g)+0.020*math.Sin(2*g))
	e := rad(23.439 - 0.00000036*days)
	dec := math.Asin(math.Sin(e) * math.Sin(l))
	ra := math.Atan2(math.Cos(e)*math.Sin(l), math.Cos(l))
	gmst := rad(math.Mod(280.46061837+360.98564736629*days, 360))
	h := gmst + rad(p.Lon) - ra
	return deg(math.Asin(math.Sin(rad(p.Lat))*math.Sin(dec) + math.Cos(rad(p.Lat))*math.Cos(dec)*math.Cos(h)))
}

// Night tells whether street lamps are on at a place.
func Night(t time.Time, p Place) bool { return Altitude(t, p) < dusk }

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
	p.night = alt < dusk
	p.look = at + max(20_000, int64(math.Abs(alt-dusk)/steepest*60_000))
	return p.night
}

func rad(d float64) float64 { return d * math.Pi / 180 }
func deg(r float64) float64 { return r * 180 / math.Pi }

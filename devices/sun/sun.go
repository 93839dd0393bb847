// Package sun tells where the sun stands, by the low-precision formula of the
// Astronomical Almanac (good to 0.01 degree from 1950 to 2050; refraction is
// left out). The rules and the simulated city both use it.
package sun

import (
	"math"
	"time"
)

// Dusk is the altitude of the sun, in degrees, at which streetlights go on and
// off where nothing else is said.
const Dusk = -3.0

// Sky is where the sun stands at one instant, for any place.
type Sky struct {
	sinDec, cosDec float64
	hour           float64 // Greenwich hour angle, radians
}

// At is the sky at an instant.
func At(t time.Time) Sky {
	days := float64(t.UnixMilli()-946728000_000) / 86400_000 // since J2000.0
	g := rad(math.Mod(357.528+0.9856003*days, 360))
	lambda := rad(math.Mod(280.460+0.9856474*days, 360)) + rad(1.915)*math.Sin(g) + rad(0.020)*math.Sin(2*g)
	eps := rad(23.439 - 0.0000004*days)
	sinDec := math.Sin(eps) * math.Sin(lambda)
	ra := math.Atan2(math.Cos(eps)*math.Sin(lambda), math.Cos(lambda))
	gmst := rad(math.Mod(280.46061837+360.98564736629*days, 360))
	return Sky{sinDec: sinDec, cosDec: math.Sqrt(1 - sinDec*sinDec), hour: gmst - ra}
}

// Altitude is degrees above the horizon at a place (WGS84 degrees).
func (s Sky) Altitude(lon, lat float64) float64 {
	sin, cos := math.Sincos(rad(lat))
	return math.Asin(sin*s.sinDec+cos*s.cosDec*math.Cos(s.hour+rad(lon))) * 180 / math.Pi
}

// Down tells whether the sun is below [Dusk] at a place.
func (s Sky) Down(lon, lat float64) bool { return s.Altitude(lon, lat) < Dusk }

func rad(d float64) float64 { return d * math.Pi / 180 }

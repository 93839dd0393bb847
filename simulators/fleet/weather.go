package fleet

import (
	"math"
	"time"
)

// weather is the same all over the city: dry spells and rain, the season and
// the hour.
type weather struct {
	dice
	rain  float64 // mm/h, 0 while it is dry
	wet   float64 // mm that lie in the drains, as of since
	since int64
	mild  float64 // degrees by which this spell is warmer than usual
}

const (
	hour = int64(time.Hour / time.Millisecond)
	day  = 24 * hour
	year = 365.25 * float64(day)
	// zone is the city's clock, for the hour of the day: UTC+8 all year round.
	zone = 8 * hour
)

// drains is the time, ms, in which the drains lose two thirds of their water.
const drains = 2.5 * float64(hour)

// turn begins the next spell of weather.
func (w *weather) turn(at int64) int64 {
	w.wet, w.since = w.level(at), at
	w.mild = w.noise(2.5)
	if w.rain > 0 {
		w.rain = 0
		return at + w.wait(60*float64(hour))
	}
	w.rain = 0.5 + 6*w.ExpFloat64()*w.season(at)
	return at + w.wait(4*float64(hour))
}

// season is 0.4 in the dry winter and 1.6 in the summer of typhoons.
func (w *weather) season(at int64) float64 { return 1 - 0.6*math.Cos(2*math.Pi*yearPart(at)) }

// level is how much water, mm, lies in the drains.
func (w *weather) level(at int64) float64 {
	full := w.rain * drains / float64(hour)
	return full + (w.wet-full)*math.Exp(-float64(at-w.since)/drains)
}

// temperature of the air, degrees Celsius: 11 in January, 29 in July, warmest
// at three in the afternoon.
func (w *weather) temperature(at int64) float64 {
	t := 20 - 9*math.Cos(2*math.Pi*(yearPart(at)-0.05)) + 4*math.Sin(2*math.Pi*(hourOf(at)-9)/24) + w.mild
	if w.rain > 0 {
		t -= 3
	}
	return t
}

// yearPart is how much of the year has passed, from 0 to 1.
func yearPart(at int64) float64 {
	_, part := math.Modf(float64(at) / year)
	return part
}

// hourOf is the hour of the city's day, from 0 to 24.
func hourOf(at int64) float64 {
	h := (at + zone) % day
	return float64((h+day)%day) / float64(hour)
}

// traffic is how busy the streets are, from 0.1 in the night to 1 in the rush
// hours.
func traffic(at int64) float64 {
	h := hourOf(at)
	peak := func(at, width float64) float64 { return math.Exp(-(h - at) * (h - at) / (2 * width * width)) }
	return min(1, 0.1+0.9*peak(8, 1.2)+0.9*peak(18, 1.5)+0.6*peak(13, 3.5))
}

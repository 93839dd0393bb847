package lighting

import (
	"fmt"
	"strings"
	"time"

	"lamplighter/devices/sun"
)

// Night is when lamps should be on. It belongs to the civil day of its dusk.
type Night struct {
	Day        string // YYYY-MM-DD in the city's zone
	Dusk, Dawn int64  // Unix ms; lamps should be on in [Dusk, Dawn)
}

// Place is where the sun is asked for, WGS84 degrees.
type Place struct{ Lon, Lat float64 }

const dayForm = "2006-01-02"

// clock is an instant of a night as a definition writes it.
type clock struct {
	from   string        // dusk, dawn, midnight or "" = a time of the day
	offset time.Duration // from it, or since midnight
}

// parseClock reads dusk+30m, midnight, dawn-30m or 21:30.
func parseClock(s string) (clock, error) {
	for _, from := range []string{"dusk", "dawn", "midnight"} {
		rest, ok := strings.CutPrefix(s, from)
		if !ok {
			continue
		}
		if rest == "" {
			return clock{from: from}, nil
		}
		d, err := time.ParseDuration(rest)
		if err != nil || rest[0] != '+' && rest[0] != '-' || d < -6*time.Hour || d > 6*time.Hour {
			break
		}
		return clock{from, d}, nil
	}
	if t, err := time.Parse("15:04", s); err == nil {
		return clock{offset: time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute}, nil
	}
	return clock{}, fmt.Errorf("found %q; want dusk, dawn or midnight with up to 6h before or after, such as dusk+30m, or a time of the day such as \"21:30\"", s)
}

// in is the instant in a night, Unix ms. A time of the day before noon is of the
// next morning.
func (c clock) in(n *Night, zone *time.Location) int64 {
	switch c.from {
	case "dusk":
		return n.Dusk + c.offset.Milliseconds()
	case "dawn":
		return n.Dawn + c.offset.Milliseconds()
	}
	day, err := time.ParseInLocation(dayForm, n.Day, zone)
	if err != nil {
		return 0 // the days of nights are ours
	}
	h, m := int(c.offset/time.Hour), int(c.offset%time.Hour/time.Minute)
	if c.from == "midnight" {
		return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone).Add(c.offset).UnixMilli()
	}
	if h < 12 {
		day = day.AddDate(0, 0, 1)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, zone).UnixMilli()
}

// noon is the middle of a day: the census of a night is that of its noon.
func noon(day string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(dayForm, day, zone)
	if err != nil {
		return t, fmt.Errorf("day %q: want YYYY-MM-DD: %w", day, err)
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, zone), nil
}

// bySun is the night after a noon, to the minute; ok is false where the sun does
// not set or not rise again within a day.
func bySun(at time.Time, p Place) (dusk, dawn int64, ok bool) {
	down := func(m int) bool { return sun.At(at.Add(time.Duration(m)*time.Minute)).Down(p.Lon, p.Lat) }
	const day = 24 * 60
	m := 0
	for m < day && !down(m) {
		m++
	}
	from := m
	for m < day && down(m) {
		m++
	}
	ms := func(m int) int64 { return at.Add(time.Duration(m) * time.Minute).UnixMilli() }
	return ms(from), ms(m), from > 0 && from < day && m < day
}

// next is the day after.
func next(day string) string {
	t, err := time.Parse(dayForm, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, 1).Format(dayForm)
}

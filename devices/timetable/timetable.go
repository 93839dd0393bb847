// Package timetable says when lamps should be on: by the sun at their place, or
// by the city's clock. The census has one for a lamp, a circuit or a cabinet; the
// rules, the lighting rates and the simulated city ask it. It knows nothing of
// whether a lamp is on.
package timetable

import (
	"fmt"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/sun"
)

// Timetable is when lamps should be on, once a day: from ON to OFF.
//
//	dusk/dawn          by the sun
//	dusk+10m/dawn-15m  later than dusk, earlier than dawn
//	18:30/06:00        by the clock, in the city's zone
//	dusk/23:30         for half of the night
//	00:00/24:00        always, as in a tunnel
//
// The nil Timetable is that of the sun.
type Timetable struct{ on, off edge }

// edge is an instant of the day.
type edge struct {
	sun     bool // from dusk or dawn on, else from midnight on
	minutes int
}

// maxShift is how far from dusk or dawn an edge can be, minutes.
const maxShift = 6 * 60

const want = `want ON/OFF, such as 18:30/06:00, dusk/dawn, dusk+10m/dawn-15m, dusk/23:30, or 00:00/24:00 for always`

// Parse reads a timetable. An error is a devices.ErrInvalid and says what is
// wanted.
func Parse(s string) (*Timetable, error) {
	on, off, ok := strings.Cut(s, "/")
	if ok {
		t := &Timetable{}
		if t.on, ok = parseEdge(strings.TrimSpace(on), "dusk"); ok {
			if t.off, ok = parseEdge(strings.TrimSpace(off), "dawn"); ok {
				return t, nil
			}
		}
	}
	return nil, fmt.Errorf("timetable %q: %s: %w", s, want, devices.ErrInvalid)
}

func parseEdge(s, by string) (edge, bool) {
	if rest, ok := strings.CutPrefix(s, by); ok {
		if rest == "" {
			return edge{sun: true}, true
		}
		d, err := time.ParseDuration(rest)
		m := int(d / time.Minute)
		return edge{true, m}, err == nil && (rest[0] == '+' || rest[0] == '-') && d == time.Duration(m)*time.Minute && m >= -maxShift && m <= maxShift
	}
	if s == "24:00" {
		return edge{minutes: 24 * 60}, true
	}
	t, err := time.Parse("15:04", s)
	return edge{minutes: t.Hour()*60 + t.Minute()}, err == nil
}

// String is what Parse reads.
func (t *Timetable) String() string {
	if t == nil {
		return "dusk/dawn"
	}
	return t.on.text("dusk") + "/" + t.off.text("dawn")
}

func (e edge) text(by string) string {
	switch {
	case !e.sun:
		return fmt.Sprintf("%02d:%02d", e.minutes/60, e.minutes%60)
	case e.minutes == 0:
		return by
	}
	return fmt.Sprintf("%s%+dm", by, e.minutes)
}

// plain is what the nil Timetable means.
func plain() Timetable { return Timetable{edge{sun: true}, edge{sun: true}} }

// BySun tells whether the place of the lamp has to be known.
func (t *Timetable) BySun() bool { return t == nil || t.on.sun || t.off.sun }

// Skies tells where the sun stands at a minute since 1970.
type Skies interface{ Sky(minute int64) sun.Sky }

// On tells whether lamps at a place (WGS84 degrees; of no matter unless
// [Timetable.BySun]) should be on at an instant, which is in the city's zone.
func (t *Timetable) On(at time.Time, skies Skies, lon, lat float64) bool {
	minute := at.Unix() / 60
	if t == nil || *t == plain() {
		return skies.Sky(minute).Down(lon, lat)
	}
	clock := at.Hour()*60 + at.Minute()
	if !t.on.sun && !t.off.sun {
		from, to := t.on.minutes, t.off.minutes
		if from < to {
			return clock >= from && clock < to
		}
		return clock >= from || clock < to
	}
	// A night goes from noon to noon: before midnight only its dusk can come,
	// after midnight only its dawn.
	evening := clock >= 12*60
	passed := func(e edge, dusk bool) bool {
		switch {
		case !e.sun:
			return sinceNoon(clock) >= sinceNoon(e.minutes)
		case dusk:
			return !evening || skies.Sky(minute-int64(e.minutes)).Down(lon, lat)
		}
		return !evening && !skies.Sky(minute-int64(e.minutes)).Down(lon, lat)
	}
	return passed(t.on, true) && !passed(t.off, false)
}

func sinceNoon(minutes int) int { return (minutes + 12*60) % (24 * 60) }

// In is when lamps go on and off in the night after a noon of the city's zone,
// whose dusk and dawn are given; all in Unix ms. Of a timetable that is not
// about the night, off is the first one after on.
func (t *Timetable) In(noon time.Time, dusk, dawn int64) (on, off int64) {
	if t == nil {
		return dusk, dawn
	}
	on, off = t.on.in(noon, dusk), t.off.in(noon, dawn)
	if off <= on && !t.on.sun && !t.off.sun {
		off += 24 * 3600_000
	}
	return on, max(on, off)
}

func (e edge) in(noon time.Time, from int64) int64 {
	if e.sun {
		return from + int64(e.minutes)*60_000
	}
	m := e.minutes
	if m%(24*60) < 12*60 { // of the next morning
		m = m%(24*60) + 24*60
	}
	return time.Date(noon.Year(), noon.Month(), noon.Day(), 0, m, 0, 0, noon.Location()).UnixMilli()
}

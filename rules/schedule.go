package rules

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/rules/strict"
)

// Schedule is when a rule is judged: by the sun at the facility's place, by when
// it should be on, by its power, or by the hours of the rule. Outside of it
// nothing begins, and what has begun stays.
type Schedule struct {
	Word string // one of scheduleWords; "" = hours
	From int    // minutes of the day, included
	To   int    // excluded; at or before From = the next day
	Days [7]bool
	zone *time.Location
}

// The schedules that have a word.
const (
	atNight     = "night"
	byDay       = "day"
	onWord      = "should_be_on" // of expressions too
	offWord     = "should_be_off"
	poweredWord = "powered"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// schedule reads a word, or {from, to, days}.
func (r *reader) schedule(n *yaml.Node) *Schedule {
	s := &Schedule{}
	if n.Kind == yaml.ScalarNode {
		r.Choice("schedule", []string{byDay, atNight, poweredWord, offWord, onWord}, func(w string) { s.Word = w })(n)
		return s
	}
	var from, to string
	days, before := 0, len(r.Wrong)
	r.Mapping(n, "schedule", strict.Fields{
		"from": r.Text("schedule.from", &from),
		"to":   r.Text("schedule.to", &to),
		"days": func(n *yaml.Node) {
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 && !r.taken {
				r.Fail(n, "schedule.days: found no day, and so the rule would be judged on all; write those that are meant, or leave days out")
			}
			r.List(n, "schedule.days", func(n *yaml.Node) {
				r.Choice("schedule.days", weekdays, func(w string) { s.Days[slices.Index(weekdays, w)] = true; days++ })(n)
			})
		},
	})
	for _, x := range []struct {
		what, text string
		to         *int
	}{{"from", from, &s.From}, {"to", to, &s.To}} {
		t, err := time.Parse("15:04", x.text)
		if err != nil && x.text != "24:00" {
			r.Fail(n, "schedule.%s: found %q; want a time of the day in quotes, such as \"18:30\"", x.what, x.text)
			continue
		}
		*x.to = t.Hour()*60 + t.Minute()
	}
	if s.From == s.To && to != "24:00" && len(r.Wrong) == before && !r.taken {
		r.Fail(n, "schedule: found %s to %s, which is all day; write another time, or from: \"00:00\", to: \"24:00\" where all day is meant", from, to)
	}
	if days == 0 {
		s.Days = [7]bool{true, true, true, true, true, true, true}
	}
	return s
}

// active tells whether the rule is judged at an instant; known is false where
// the sun is asked for and the facility has no place.
func (s *Schedule) active(e *Engine, f *facility, at int64) (active, known bool) {
	switch s.Word {
	case atNight, byDay:
		down, ok := e.night(f, at)
		return down == (s.Word == atNight), ok
	case onWord, offWord:
		on, ok := e.shouldBeOn(f, at)
		return on == (s.Word == onWord), ok
	case poweredWord:
		return e.powered(f, at), true
	}
	t := time.UnixMilli(at).In(s.zone)
	m, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	if s.From < s.To {
		return m >= s.From && m < s.To && s.Days[day], true
	}
	return m >= s.From && s.Days[day] || m < s.To && s.Days[(day+6)%7], true
}

// active tells whether a rule is judged at an instant, see [Schedule].
func (r *Rule) active(e *Engine, f *facility, at int64) (active, known bool) {
	if r.Schedule == nil {
		return true, true
	}
	return r.Schedule.active(e, f, at)
}

// String is the schedule in words.
func (s *Schedule) String() string {
	if s.Word != "" {
		return s.Word
	}
	clock := func(m int) string { return time.Date(0, 1, 1, 0, m, 0, 0, time.UTC).Format("15:04") }
	out := clock(s.From) + "–" + clock(s.To)
	var days []string
	for i, on := range s.Days {
		if on {
			days = append(days, weekdays[i])
		}
	}
	if len(days) < 7 {
		out += " " + strings.Join(days, " ")
	}
	return out
}

// night tells whether the sun is down at f's place; ok is false where f has none.
func (e *Engine) night(f *facility, at int64) (down, ok bool) {
	lon, lat, ok := f.place()
	if !ok {
		return false, false
	}
	return e.Sky(at/60_000).Down(lon, lat), true
}

// place is where f is: the sun is close to the same at its circuit and cabinet.
func (f *facility) place() (lon, lat float64, ok bool) {
	at := f
	for p := f.parent; !at.hasPlace; p = p.up {
		if p == nil {
			return 0, 0, false
		}
		if p.own != nil {
			at = p.own
		}
	}
	return float64(at.lon), float64(at.lat), true
}

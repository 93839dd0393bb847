package timetable

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/sun"
)

var zone = time.FixedZone("+8", 8*3600)

type skies struct{}

func (skies) Sky(minute int64) sun.Sky { return sun.At(time.Unix(minute*60, 0)) }

// spells says when lamps of Fuzhou are on from one noon to the next.
func spells(t *Timetable) string {
	var out []string
	noon, was := time.Date(2026, 1, 10, 12, 0, 0, 0, zone), false
	for m := range 24*60 + 1 {
		at := noon.Add(time.Duration(m) * time.Minute)
		on := m < 24*60 && t.On(at, skies{}, 119.3, 26.08)
		if on != was {
			out = append(out, at.Format("15:04"))
		}
		was = on
	}
	return strings.Join(out, " ")
}

func TestWhenLampsShouldBeOn(t *testing.T) {
	for text, want := range map[string]string{
		"dusk/dawn":         "17:40 06:42",
		"dusk+10m/dawn-15m": "17:50 06:27",
		"dusk-20m/dawn+5m":  "17:20 06:47",
		"18:30/06:00":       "18:30 06:00",
		"dusk/23:30":        "17:40 23:30",
		"dusk/01:00":        "17:40 01:00",
		"dusk/24:00":        "17:40 00:00",
		"05:00/dawn":        "05:00 06:42",
		"19:00/dawn":        "19:00 06:42",
		"00:00/24:00":       "12:00 12:00",
		"18:30/23:00":       "18:30 23:00",
	} {
		x, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := spells(x); got != want {
			t.Errorf("%s: on and off at %s, want %s", text, got, want)
		}
		if x.String() != text {
			t.Errorf("%s is written as %s", text, x)
		}
		if text == "00:00/24:00" {
			continue
		}
		clock := strings.Fields(want)
		on, off := x.In(time.Date(2026, 1, 10, 12, 0, 0, 0, zone), time.Date(2026, 1, 10, 17, 40, 0, 0, zone).UnixMilli(), time.Date(2026, 1, 11, 6, 42, 0, 0, zone).UnixMilli())
		if got := time.UnixMilli(on).In(zone).Format("15:04") + " " + time.UnixMilli(off).In(zone).Format("15:04"); got != clock[0]+" "+clock[1] || off <= on || off-on > 24*3600_000 {
			t.Errorf("%s: the night is %s, want %s", text, got, want)
		}
	}
	if got := spells(nil); got != "17:40 06:42" {
		t.Errorf("without a timetable: %s", got)
	}
}

func TestWhatIsNoTimetable(t *testing.T) {
	for _, text := range []string{"", "sun", "18:30", "18:30-06:00", "dawn/dusk", "dusk+10/dawn", "dusk+7h/dawn", "dusk+90s/dawn", "25:00/06:00", "dusk/24:30"} {
		if x, err := Parse(text); !errors.Is(err, devices.ErrInvalid) || !strings.Contains(err.Error(), "want ON/OFF") {
			t.Errorf("%q: %v, %v", text, x, err)
		}
	}
}

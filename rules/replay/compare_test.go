package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
)

var day = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// kept is a ticket from one minute of the day to another; 0 = still open.
func kept(facility string, opened, closed int) *Ticket {
	t := &Ticket{Facility: devices.FacilityID(facility), Defect: "lamp_out", Severity: "major", OpenedAt: day.Add(time.Duration(opened) * time.Minute)}
	if closed > 0 {
		at := day.Add(time.Duration(closed) * time.Minute)
		t.ClosedAt = &at
	}
	return t
}

// graver is such a ticket that was critical.
func graver(facility string, opened, closed int) *Ticket {
	t := kept(facility, opened, closed)
	t.Severity = "critical"
	return t
}

func TestWhatWouldHaveBeenAgainstWhatWas(t *testing.T) {
	span := Span{From: day.Add(time.Hour), To: day.Add(5 * time.Hour), Known: day.Add(10 * time.Minute)}
	for name, x := range map[string]struct {
		was, would []*Ticket
		want       string // same, other times, only was, only would, other severity if any
	}{
		"the same":                         {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("A", 70, 80)}, "1 0 0 0"},
		"both open":                        {[]*Ticket{kept("A", 70, 0)}, []*Ticket{kept("A", 70, 0)}, "1 0 0 0"},
		"opened later":                     {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("A", 75, 80)}, "0 1 0 0"},
		"not closed":                       {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("A", 70, 0)}, "0 1 0 0"},
		"of another severity":              {[]*Ticket{kept("A", 70, 80)}, []*Ticket{graver("A", 70, 80)}, "0 0 0 0 1"},
		"graver before the log":            {[]*Ticket{graver("A", 5, 80)}, []*Ticket{kept("A", 61, 80)}, "1 0 0 0"},
		"at another time":                  {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("A", 90, 100)}, "0 0 1 1"},
		"of another facility":              {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("B", 70, 80)}, "0 0 1 1"},
		"two instead of one":               {[]*Ticket{kept("A", 70, 80)}, []*Ticket{kept("A", 70, 75), kept("A", 76, 80)}, "0 1 0 1"},
		"outside of the span":              {[]*Ticket{kept("A", 20, 30), kept("B", 400, 0)}, []*Ticket{kept("C", 20, 30), kept("D", 400, 0)}, "0 0 0 0"},
		"moved into the span":              {[]*Ticket{kept("A", 50, 80)}, []*Ticket{kept("A", 65, 80)}, "0 1 0 0"},
		"older than the log":               {[]*Ticket{kept("A", 5, 80)}, []*Ticket{kept("A", 61, 80)}, "1 0 0 0"},
		"older than the log and not found": {[]*Ticket{kept("A", 5, 80)}, nil, "0 0 0 0"},
	} {
		d := Compare(x.was, x.would, span)
		if got := fmt.Sprint(d.Same, len(d.Times), len(d.OnlyWas), len(d.OnlyNew), len(d.Grades)); got != x.want && got != x.want+" 0" {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

func TestTheDifferenceInWords(t *testing.T) {
	span := Span{From: day, To: day.Add(5 * time.Hour), Known: day.Add(10 * time.Minute)}
	d := Compare([]*Ticket{kept("SL-1", 70, 80), kept("SL-2", 70, 0)}, []*Ticket{kept("SL-2", 71, 0), kept("SL-3", 90, 95)}, span)
	var b strings.Builder
	if err := d.Write(&b, time.FixedZone("", 8*3600)); err != nil {
		t.Fatal(err)
	}
	want := `from 2026-06-01 08:00:00 to 2026-06-01 13:00:00
the log begins at 2026-06-01 08:10:00: nothing before can be judged; log.max_age and log.max_bytes keep more
only was       lamp_out                 SL-1                 major     2026-06-01 09:10:00 – 2026-06-01 09:20:00
only would be  lamp_out                 SL-3                 major     2026-06-01 09:30:00 – 2026-06-01 09:35:00
was            lamp_out                 SL-2                 major     2026-06-01 09:10:00 – open
  would be     lamp_out                 SL-2                 major     2026-06-01 09:11:00 – open
0 the same, 1 only was, 1 only would be, 1 at other times, 0 of another severity
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

package tickets

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

// pageList notes who would be paged.
type pageList struct {
	mu  sync.Mutex
	got []string // guarded by mu
}

func (l *pageList) Enqueue(_ context.Context, _ *database.Tx, p Page) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, p.What)
	return nil
}

func (l *pageList) Wake() {}

// commit writes transitions down as those of one frame.
func (d *desk) commit(ts ...rules.Transition) {
	d.t.Helper()
	p, err := d.Resume(d.t.Context(), 0, d.seq)
	if err != nil {
		d.t.Fatal(err)
	}
	d.seq++
	for i := range ts {
		ts[i].Facility, ts[i].Kind, ts[i].Defect, ts[i].Severity, ts[i].Wall = "MH-1", devices.Manhole, "cover_displaced", cmp.Or(ts[i].Severity, rules.Critical), d.now.UnixMilli()
	}
	if err := d.Commit(d.t.Context(), &rules.Outcome{Epoch: p.Epoch, OldSeq: p.Seq, NewSeq: d.seq, Wall: d.now.UnixMilli(), Findings: rules.Findings{Transitions: ts}}); err != nil {
		d.t.Fatal(err)
	}
}

func TestHistoryIsOneClosedTicketAndNoPage(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		hours := func(h float64) int64 { return d.now.UnixMilli() + int64(h*3_600_000) }
		past := func(from, to float64) rules.Transition {
			return rules.Transition{Type: rules.Historic, At: hours(from), Until: hours(to)}
		}
		d.commit(past(-3, -2.5))
		d.commit(past(-3, -2.5), past(-2.9, -2)) // the same again, and one that overlaps it
		d.commit(rules.Transition{Type: rules.Opened, At: hours(-0.01)})
		d.commit(past(-0.005, -0.001), past(-1, -0.9)) // what the open ticket covers, and what it does not
		var got []string
		ts, err := d.List(t.Context(), Filter{Historic: "yes"})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range ts {
			got = append(got, fmt.Sprintf("%s %g–%g %v", x.State, float64(x.OpenedAt-d.now.UnixMilli())/3_600_000, float64(x.ClosedAt-d.now.UnixMilli())/3_600_000, x.Historic && x.EventAt == x.OpenedAt))
		}
		if want := "closed -1–-0.9 true, closed -3–-2.5 true"; strings.Join(got, ", ") != want {
			t.Errorf("history %s, want %s", strings.Join(got, ", "), want)
		}
		if ts, err = d.List(t.Context(), Filter{Historic: "no"}); err != nil || len(ts) != 1 || ts[0].State != "open" || ts[0].Historic {
			t.Errorf("tickets of now %+v (%v), want the open one", ts, err)
		}
		if fmt.Sprint(pages.got) != "[opened]" {
			t.Errorf("pages %v, want that of the open one", pages.got)
		}
		h, err := d.History(t.Context(), 1)
		if err != nil || len(h) != 2 || h[0].At != hours(-3) || h[0].What != "opened" || h[1].At != hours(-2.5) || h[1].What != "closed" {
			t.Errorf("what happened to it: %+v (%v)", h, err)
		}
	})
}

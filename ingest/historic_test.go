package main

import (
	"fmt"
	"testing"
	"time"
)

// TestABatchThatComesHoursLateIsHistory: a cover was open for forty minutes three
// hours ago, and its buffer comes now. It is one closed ticket with both times,
// however often the buffer comes, and nobody is paged.
func TestABatchThatComesHoursLateIsHistory(t *testing.T) {
	t.Parallel()
	d := newDaemonWith(t, "devices: {anonymous: true}\npager: [{name: duty, url: 'http://127.0.0.1:1/'}]\n")
	c := d.connect("MH-1")
	c.mustTilt(t, 1)
	d.eventually("the cover is known", func() bool { st, _ := d.standing("MH-1"); return st == "ok" })
	opened := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	closed := opened.Add(40 * time.Minute)
	buffer := "["
	for at := opened.Add(-10 * time.Minute); at.Before(closed.Add(20 * time.Minute)); at = at.Add(5 * time.Minute) {
		tilt := 1
		if !at.Before(opened) && at.Before(closed) {
			tilt = 50
		}
		buffer += fmt.Sprintf(`{"clk":"sync","ts":%d,"tilt_deg":%d},`, at.UnixMilli(), tilt)
	}
	buffer = buffer[:len(buffer)-1] + "]"
	for range 3 {
		tok := c.Publish("f/1/MH-1/telemetry", 1, false, buffer)
		if !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatalf("the buffer is not acknowledged: %v", tok.Error())
		}
		buffer += " " // other bytes: not the copy that the ledger knows
	}
	var ts struct {
		Items []struct {
			ID       int64
			State    string
			OpenedAt string `json:"opened_at"`
			ClosedAt string `json:"closed_at"`
			Historic bool
		}
	}
	d.eventually("the historic ticket", func() bool {
		return d.get("tickets?historic=true", &ts) && len(ts.Items) > 0
	})
	c.mustTilt(t, 1)
	c.mustTilt(t, 50) // something that pages, after all that
	d.eventually("the ticket of now", func() bool { return d.openDefects() == "MH-1 cover_displaced" })
	if !d.get("tickets?historic=true", &ts) || len(ts.Items) != 1 {
		t.Fatalf("history %+v, want one", ts.Items)
	}
	x := ts.Items[0]
	if x.State != "closed" || !x.Historic || !d.is(x.OpenedAt, opened) || !d.is(x.ClosedAt, closed) {
		t.Errorf("ticket %+v, want closed, %s to %s", x, opened, closed)
	}
	var detail struct {
		Pages   []struct{ State string }
		History []struct{ What string }
	}
	if !d.get(fmt.Sprint("tickets/", x.ID), &detail) || len(detail.Pages) != 0 || len(detail.History) != 2 {
		t.Errorf("ticket in detail %+v, want no page and two lines of history", detail)
	}
	if !d.get("tickets?historic=false", &ts) || len(ts.Items) != 1 || ts.Items[0].Historic {
		t.Errorf("tickets of now %+v, want one", ts.Items)
	}
}

// is tells whether an instant of the API is at.
func (d *daemon) is(s string, at time.Time) bool {
	got, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && got.Equal(at)
}

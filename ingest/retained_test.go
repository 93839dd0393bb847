package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// TestARetainedMessageIsNoNews: what another broker has kept comes again with
// every start of ours. What bears its time is stored once, at that time; what
// bears none is neither stored nor opens a ticket.
func TestARetainedMessageIsNoNews(t *testing.T) {
	t.Parallel()
	b := newOtherBroker(t)
	old, undated, alive := b.device("MH-OLD"), b.device("MH-UNDATED"), b.device("MH-ALIVE")
	at := time.Now().Add(-10 * time.Minute).Truncate(time.Millisecond)
	for c, payload := range map[*cover]string{old: fmt.Sprintf(`{"ts":%d,"seq":1,"boot":"b","tilt_deg":4}`, at.UnixMilli()), undated: `{"tilt_deg":44}`} {
		if tok := c.Publish("f/1/"+c.id+"/telemetry", 1, true, payload); !tok.WaitTimeout(30*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	d := newDaemonWith(t, fmt.Sprintf("devices: {anonymous: true}\nmqtt: {brokers: ['tcp://%s']}\n", b.addr))
	var rs struct {
		Points []struct {
			T time.Time
			V float64
		}
	}
	for start := range 2 {
		d.eventually("the message that bears its time", func() bool {
			return d.get("facilities/MH-OLD/readings?channel=tilt_deg", &rs) && len(rs.Points) > 0
		})
		seen := alive.seq
		d.eventually("what comes after it", func() bool {
			alive.mustTilt(t, 1)
			var now readingList
			return d.get("facilities/MH-ALIVE/readings?channel=seq", &now) && len(now.Points) > 0 && int(now.Points[len(now.Points)-1].V) > seen
		})
		if !d.get("facilities/MH-OLD/readings?channel=tilt_deg", &rs) || len(rs.Points) != 1 || !rs.Points[0].T.Equal(at) || rs.Points[0].V != 4 {
			t.Errorf("start %d: stored %+v, want 4 at %v once", start, rs.Points, at)
		}
		var none readingList
		if d.get("facilities/MH-UNDATED/readings?channel=tilt_deg", &none) && len(none.Points) != 0 {
			t.Errorf("start %d: a message of an unknown time is stored: %+v", start, none.Points)
		}
		if open := d.openDefects(); open != "" {
			t.Errorf("start %d: open: %s", start, open)
		}
		if start == 0 {
			d.end(syscall.SIGTERM)
			d.start()
		}
	}
}

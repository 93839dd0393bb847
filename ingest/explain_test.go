package main

import (
	"strings"
	"testing"
	"time"
)

// TestRulesExplainTellsWhatBecameOfATicket: a cover is lifted, then it is missing.
func TestRulesExplainTellsWhatBecameOfATicket(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	c := d.connect("MH-1")
	says := func(values string) {
		t.Helper()
		if tok := c.Publish("f/1/MH-1/telemetry", 1, false, values); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
			t.Fatalf("%s is not acknowledged: %v", values, tok.Error())
		}
	}
	says(`{"tilt_deg":2,"lift_mm":45}`)
	var ts struct{ Items []struct{ Channel string } }
	d.eventually("a ticket is open", func() bool { return d.get("tickets", &ts) && len(ts.Items) == 1 })
	if ts.Items[0].Channel != "lift_mm" {
		t.Errorf("the ticket shows %s, want what decided", ts.Items[0].Channel)
	}
	says(`{"tilt_deg":80,"lift_mm":45,"cover_missing":true}`)
	var x struct{ History []struct{ What string } }
	d.eventually("the ticket says that it is missing", func() bool { return d.get("tickets/1/explanation", &x) && len(x.History) == 1 })
	out := d.tool("rules", "explain", "1", "--data", d.data)
	for _, want := range []string{"MH-1: 井盖缺失 / Cover missing\n", "What decided was lift_mm: 45 mm, and its bound 30 mm.\n", "井盖上抬 → 井盖缺失 / Cover lifted → Cover missing", "出现更严重的情形：cover_missing 成立", "as cover_missing held (rule cover_displaced"} {
		if !strings.Contains(out, want) {
			t.Errorf("got\n%swant %q in it", out, want)
		}
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"lamplighter/simulators/load"
)

// TestPublishToTicketIsMeasuredUnderALoad is `simulators load latency` before the
// real daemon: each probe has its ticket on the live stream, and that one only.
func TestPublishToTicketIsMeasuredUnderALoad(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	const probes = 5
	told := 0
	back, rep, err := load.ProbeUnder(t.Context(), load.Options{Address: d.mqtt, Connections: 4, Devices: 40, Rate: 400},
		load.ProbeOptions{Address: d.mqtt, HTTP: "http://" + d.http, Token: d.token, Prefix: "PROBE-", Probes: probes, Every: 50 * time.Millisecond, Tell: func(n int) { told = n }})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Tickets != probes || told != probes || rep.P50 <= 0 || rep.P99 < rep.P50 || rep.Max < rep.P99 {
		t.Errorf("the probes: %+v, %d told", rep, told)
	}
	if back.Acked == 0 || back.P50 <= 0 || len(back.Errors) > 0 {
		t.Errorf("the load beside them: %+v", back)
	}
	var ts ticketList
	d.eventually("the list of tickets", func() bool { return d.get("tickets?limit=100", &ts) })
	n := 0
	for _, x := range ts.Items {
		if strings.HasPrefix(x.Facility, "PROBE-") && x.Defect == "cover_displaced" {
			n++
		}
	}
	if n != probes {
		t.Errorf("%d tickets of %d probes: %+v", n, probes, ts.Items)
	}
}

func TestAProbeWithoutATokenSaysSo(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	_, err := load.Probe(t.Context(), load.ProbeOptions{Address: d.mqtt, HTTP: "http://" + d.http, Token: "nobody's", Probes: 1})
	if err == nil || !strings.Contains(err.Error(), "is the token right?") {
		t.Errorf("got %v", err)
	}
}

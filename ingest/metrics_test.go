package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// promised are the metrics that dashboards and alarms of cities are built on.
var promised = []string{
	"lamplighter_messages_acked_total", "lamplighter_messages_stored_total", "lamplighter_messages_evaluated_total", "lamplighter_messages_refused_total",
	"lamplighter_messages_duplicate_total", "lamplighter_messages_missing_total", "lamplighter_readings_late_total",
	"lamplighter_log_frames", "lamplighter_log_bytes", "lamplighter_log_oldest_frame_age_seconds", "lamplighter_log_pending_bytes", "lamplighter_log_fsyncs_total", "lamplighter_log_full",
	"lamplighter_store_lag_seconds", "lamplighter_connections", "lamplighter_tickets_total", "lamplighter_tickets_live", "lamplighter_tickets_closed_total", "lamplighter_pages_total",
}

// TestMetricsAreThereAndWellNamed looks at the metrics of a daemon that has
// stored, refused, judged and paged something.
func TestMetricsAreThereAndWellNamed(t *testing.T) {
	t.Parallel()
	d := newDaemonWith(t, "devices: {anonymous: true}\npager: [{name: duty, url: 'http://127.0.0.1:1/'}]\n")
	c := d.connect("MH-METRIC-7")
	c.mustTilt(t, 40)
	if tok := c.Publish("f/1/MH-METRIC-7/telemetry", 1, false, "garbage"); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	var text []byte
	d.eventually("every promised metric", func() bool {
		r, err := http.Get("http://" + d.http + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if text, err = io.ReadAll(r.Body); err != nil {
			t.Fatal(err)
		}
		return missing(text) == ""
	})
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "lamplighter_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range all {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.Contains(l.GetValue(), "MH-METRIC-7") {
					t.Errorf("%s has a device as the label %s: a million devices would be a million series", name, l.GetName())
				}
			}
		}
	}
}

// missing is the first promised metric that text does not have.
func missing(text []byte) string {
	for _, name := range promised {
		if !bytes.Contains(text, []byte("\n"+name+" ")) && !bytes.Contains(text, []byte("\n"+name+"{")) {
			return name
		}
	}
	return ""
}

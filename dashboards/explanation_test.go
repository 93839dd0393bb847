package dashboards

import (
	"net/http"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

func TestATicketExplainsItself(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		w := newWorld(t, url, nil)
		at, tilt, limit := start.UnixMilli(), 33.5, 15.0
		w.happens(rules.Outcome{Findings: rules.Findings{Transitions: []rules.Transition{{Type: rules.Opened, Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: rules.Critical, Wall: at, At: at,
			Evidence: &rules.Evidence{Rule: "cover_displaced", Version: "abc", When: "tilt_deg > limit_tilt_deg", Since: at, Pending: at, At: at,
				Values: []rules.EvidenceValue{{Name: "tilt_deg", Unit: "deg", Number: &tilt, At: at, Limit: &limit, From: "facility"}}}}}}})
		var x explanation
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/tickets/1/explanation", ""), http.StatusOK, &x)
		if x.Evidence == nil || *x.Evidence.Values[0].Number != 33.5 || len(x.Sentences) != 4 || x.Sentences[2].EN != "tilt_deg was 33.5 deg at 2026-01-01 08:00:00; its limit is 15 deg, the facility's own." {
			t.Errorf("explanation %+v", x)
		}
		w.opens("MH-2", rules.Minor) // as from before evidence was kept
		a := w.ask(auth.Viewer, "GET", "/api/v1/tickets/2/explanation", "")
		w.into(a, http.StatusOK, nil)
		if !strings.Contains(string(a.body), `"sentences":[]`) || !strings.Contains(string(a.body), `"evidence":null`) {
			t.Errorf("without evidence: %s", a.body)
		}
		later := at + 1000
		w.happens(rules.Outcome{Findings: rules.Findings{Transitions: []rules.Transition{
			{Type: rules.Changed, Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: rules.Major, Wall: later, At: later,
				Evidence: &rules.Evidence{Turn: "severity", Rule: "cover_displaced", Version: "abc", When: "tilt_deg > 30.0", Clear: "tilt_deg < 25.0", Was: rules.Critical, Severity: rules.Major, Since: later, At: later,
					Decided: &rules.Measure{Name: "tilt_deg", Unit: "deg", Value: 20, Limit: 15}}},
			{Type: rules.Ended, Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: rules.Major, Wall: later, At: later,
				Evidence: &rules.Evidence{Turn: "closed", Rule: "cover_displaced", Version: "abc", When: "tilt_deg > limit_tilt_deg", Since: later, At: later, ForMS: 30_000}},
		}}})
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/tickets/1/explanation", ""), http.StatusOK, &x)
		if h := x.History; len(h) != 2 || h[0].What != "severity" || len(h[0].Sentences) != 2 || h[0].Evidence.Clear != "tilt_deg < 25.0" || h[1].What != "closed" ||
			h[1].Sentences[0].EN != "From 2026-01-01 08:00:01 on tilt_deg > limit_tilt_deg held no longer; that lasted 30 s, and the ticket was closed at 2026-01-01 08:00:01 (rule cover_displaced, rule set abc)." {
			t.Errorf("history %+v", h)
		}
		w.problem(w.ask(auth.Viewer, "GET", "/api/v1/tickets/3/explanation", ""), http.StatusNotFound, "not_found")
		y, err := tickets.Explain(t.Context(), w.db, x.Number)
		if err != nil || y.Ticket != 1 || y.Evidence == nil {
			t.Errorf("by its number %s: %+v, %v", x.Number, y, err)
		}
	})
}

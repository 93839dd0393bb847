package tickets

import (
	"fmt"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

// A ticket bears the words and the colour of the tier that it is at.
func TestATicketThatGetsWorseSaysSo(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		for _, tier := range []struct {
			what     rules.TransitionType
			severity rules.Severity
			words    string
		}{{rules.Opened, rules.Minor, "yellow, notice"}, {rules.Changed, rules.Critical, "red, alarm"}, {rules.Changed, rules.Major, "orange, warning"}} {
			d.commit(rules.Transition{Type: tier.what, Severity: tier.severity, Summary: devices.Title{ZH: "桥", EN: tier.words}, Channel: tier.words[:3], Limit: 15})
			ts, err := d.List(t.Context(), Filter{})
			if err != nil || len(ts) != 1 || ts[0].Severity != string(tier.severity) || ts[0].Summary.EN != tier.words || ts[0].Channel != tier.words[:3] || ts[0].Summary.ZH != "桥" {
				t.Errorf("at %s: %+v (%v)", tier.words, ts, err)
			}
		}
		if fmt.Sprint(pages.got) != "[opened worse]" {
			t.Errorf("pages %v, want one for what got worse", pages.got)
		}
	})
}

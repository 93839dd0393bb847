package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
		if fmt.Sprint(pages.got) != "[opened worse better]" {
			t.Errorf("pages %v, want one for what got worse, and what is kept back eased", pages.got)
		}
		d.commit(rules.Transition{Type: rules.Changed, Severity: rules.Minor, Evidence: &rules.Evidence{Turn: "severity", Rule: "r", Version: "v2", Was: rules.Major, Severity: rules.Minor}})
		h, err := d.History(t.Context(), 1)
		if err != nil || len(h) != 4 || h[2].Who != "telemetry" || h[3].Who != "rules" || h[3].Note != "major → minor" {
			t.Errorf("history %+v (%v), want its last line by the rules", h, err)
		}
	})
}

// Worse words are told once: in the ticket, in its history, and in a page.
func TestATicketTakesOverWorseWordsOnce(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		lifted, missing := devices.Title{ZH: "井盖上抬", EN: "Cover lifted"}, devices.Title{ZH: "井盖缺失", EN: "Cover missing"}
		for _, x := range []rules.Transition{
			{Type: rules.Opened, Severity: rules.Critical, Summary: lifted},
			{Type: rules.Changed, Severity: rules.Critical, Summary: lifted, Worded: true}, // as after an update
			{Type: rules.Changed, Severity: rules.Critical, Summary: missing, Worded: true},
			{Type: rules.Changed, Severity: rules.Critical, Summary: missing, Worded: true},
		} {
			d.commit(x)
		}
		ts, err := d.List(t.Context(), Filter{})
		if err != nil || len(ts) != 1 || ts[0].Summary != missing {
			t.Fatalf("%+v (%v), want one that says %s", ts, err, missing.EN)
		}
		h, err := d.History(t.Context(), ts[0].ID)
		if err != nil || len(h) != 2 || h[1].What != "words" || h[1].Note != "井盖上抬 → 井盖缺失 / Cover lifted → Cover missing" {
			t.Errorf("history %+v (%v)", h, err)
		}
		if fmt.Sprint(pages.got) != "[opened worse]" {
			t.Errorf("pages %v, want one for what got worse", pages.got)
		}
	})
}

// Nobody has seen that what a rule told of is over when the rule has gone, or is another one.
func TestATicketWhoseRuleHasGoneIsNotVerified(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		d.opt.Outbox = &pageList{}
		for id, end := range []rules.Transition{{Type: rules.Ended}, {Type: rules.Ended, Withdrawn: true, Rules: "abc123"}, {Type: rules.Ended, Rules: "abc123", Evidence: &rules.Evidence{Turn: "closed", Anew: true}}} {
			d.commit(rules.Transition{Type: rules.Opened})
			d.commit(end)
			ts, err := d.List(t.Context(), Filter{State: "closed"})
			if err != nil || len(ts) != id+1 {
				t.Fatalf("%d closed tickets (%v)", len(ts), err)
			}
			es, err := d.History(t.Context(), ts[0].ID)
			if err != nil || len(es) != 2 {
				t.Fatalf("history %v (%v)", es, err)
			}
			want := [...]string{"telemetry", "rules", "rules"}[id]
			if ts[0].ClosedBy != want || es[1].Who != want || strings.Contains(es[1].Note, "abc123") != (id > 0) {
				t.Errorf("closed by %s, event by %s: %q; want %s", ts[0].ClosedBy, es[1].Who, es[1].Note, want)
			}
		}
	})
}

// A replay compares the worst that a ticket was until the end of its time.
func TestThePastHasTheWorstSeverityUntilThen(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		d.opt.Outbox = &pageList{}
		begin := d.now.UnixMilli()
		for _, s := range []rules.Severity{rules.Minor, rules.Critical, rules.Major} {
			d.commit(rules.Transition{Type: map[bool]rules.TransitionType{false: rules.Changed, true: rules.Opened}[s == rules.Minor], Severity: s, Evidence: &rules.Evidence{Rule: "r"}})
			d.now = d.now.Add(time.Minute)
		}
		for to, want := range map[int64]string{30_000: "minor", 90_000: "critical", 600_000: "critical"} {
			ts, err := Past(t.Context(), d.opt.DB, begin, begin+to)
			if err != nil || len(ts) != 1 || ts[0].Severity != want {
				t.Errorf("until %d: %+v (%v), want %s", to, ts, err, want)
			}
		}
	})
}

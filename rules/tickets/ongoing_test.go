package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

// What a person has closed while it lasts stays closed as long as it gets no worse.
func TestWhatGetsWorseAfterAPersonHasClosedItIsANewTicket(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		worse := func(s rules.Severity, words string, worded bool) rules.Transition {
			return rules.Transition{Type: rules.Changed, Severity: s, Summary: devices.Title{ZH: words, EN: words}, Worded: worded, Evidence: &rules.Evidence{Turn: "words", Rule: "r", When: "it"}}
		}
		want := func(n int, severity rules.Severity, words string) {
			t.Helper()
			ts, err := d.List(t.Context(), Filter{})
			if err != nil || len(ts) != n || ts[0].Severity != string(severity) || ts[0].Summary.EN != words {
				t.Fatalf("%d tickets, the newest %+v (%v), want %d, %s, %s", len(ts), ts[0], err, n, severity, words)
			}
		}
		shut := func(id int64) {
			t.Helper()
			if err := d.Close(t.Context(), id, "wang", "seen"); err != nil {
				t.Fatal(err)
			}
		}
		d.commit(rules.Transition{Type: rules.Opened, Severity: rules.Major, Summary: devices.Title{ZH: "a", EN: "a"}})
		shut(1)
		d.commit(worse(rules.Minor, "a", false))
		d.commit(worse(rules.Major, "a", true))
		want(1, rules.Major, "a")
		d.commit(worse(rules.Critical, "a", false))
		want(2, rules.Critical, "a")
		h, err := d.History(t.Context(), 2)
		if err != nil || len(h) != 1 || h[0].What != "opened" || !strings.Contains(h[0].Note, "since T-") {
			t.Errorf("history %+v (%v)", h, err)
		}
		x, err := Explain(t.Context(), d.opt.DB, "2")
		if says := x.Sentences(time.UTC); err != nil || len(says) != 2 || !strings.HasPrefix(says[0].EN, "What was noted: ") || !strings.Contains(says[0].EN, "was closed by hand") || !strings.Contains(says[1].EN, "as it held") {
			t.Errorf("explained by %+v (%v)", says, err)
		}
		shut(2)
		d.commit(worse(rules.Critical, "b", true))
		want(3, rules.Critical, "b")
		d.commit(rules.Transition{Type: rules.Ended})
		d.commit(worse(rules.Critical, "c", true)) // of what is over: as after a crash
		want(3, rules.Critical, "b")
		if got := fmt.Sprint(pages.got); got != "[opened closed opened closed opened closed]" {
			t.Errorf("pages %s", got)
		}
	})
}

// Who comes under a common cause whose ticket a person has closed has a ticket again,
// with all who are still behind it. Who was behind it then is no news.
func TestWhoComesUnderACauseThatAPersonHasClosedHasATicket(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		d.opt.Outbox = &pageList{}
		for _, x := range []rules.Transition{{Type: rules.Opened}, {Type: rules.Joined, Member: "SL-1"}, {Type: rules.Joined, Member: "SL-2"}} {
			d.commit(x)
		}
		if err := d.Close(t.Context(), 1, "wang", "seen"); err != nil {
			t.Fatal(err)
		}
		for _, x := range []rules.Transition{{Type: rules.Left, Member: "SL-2"}, {Type: rules.Joined, Member: "SL-2"}, {Type: rules.Left, Member: "SL-2"}} {
			d.commit(x)
		}
		if ts, err := d.List(t.Context(), Filter{}); err != nil || len(ts) != 1 {
			t.Fatalf("%d tickets (%v), want no other", len(ts), err)
		}
		d.commit(rules.Transition{Type: rules.Joined, Member: "SL-3"})
		d.commit(rules.Transition{Type: rules.Joined, Member: "SL-4"})
		ts, err := d.List(t.Context(), Filter{State: "open"})
		if err != nil || len(ts) != 1 || ts[0].ID != 2 {
			t.Fatalf("%+v (%v), want one new ticket", ts, err)
		}
		ms, err := d.Members(t.Context(), 2, database.Order{Column: "m.facility", Key: "m.facility"}, 100)
		var ids []string
		for _, m := range ms {
			ids = append(ids, string(m.Facility))
		}
		if err != nil || fmt.Sprint(ids) != "[SL-1 SL-3 SL-4]" {
			t.Errorf("behind it %v (%v)", ids, err)
		}
	})
}

// What a person has found, and a rule of that name tells of later, is the rule's: as
// bad as the worse of both says, with what decided it.
func TestARuleTakesOverWhatAPersonHasFound(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		for i, x := range []struct{ person, rule, want rules.Severity }{{rules.Minor, rules.Critical, rules.Critical}, {rules.Critical, rules.Minor, rules.Critical}} {
			id, err := d.Find(t.Context(), Found{Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: x.person, Summary: devices.Title{ZH: "有点歪", EN: "A bit skewed"}, At: 1, By: "wang"})
			if err != nil {
				t.Fatal(err)
			}
			tells := rules.Transition{Type: rules.Opened, Severity: x.rule, Summary: devices.Title{ZH: "井盖倾斜", EN: "Cover tilted"}, Channel: "tilt_deg", Value: 60, Limit: 15, Evidence: &rules.Evidence{When: "tilt_deg > limit_tilt_deg"}}
			d.commit(tells)
			d.commit(tells) // as after a crash: it is told once
			ts, err := d.List(t.Context(), Filter{State: "open"})
			if err != nil || len(ts) != 1 || ts[0].ID != id || ts[0].Severity != string(x.want) || ts[0].Summary.EN != "Cover tilted" || *ts[0].Value != 60 || *ts[0].Limit != 15 {
				t.Errorf("%+v (%v)", ts, err)
			}
			e, err := Explain(t.Context(), d.opt.DB, fmt.Sprint(id))
			if err != nil || e.Evidence == nil || e.Evidence.When != "tilt_deg > limit_tilt_deg" {
				t.Errorf("explained by %+v (%v)", e, err)
			}
			h, err := d.History(t.Context(), id)
			if want := 3 - i; err != nil || len(h) != want { // found, its severity where the rule says worse, its words
				t.Errorf("history %+v (%v), want %d lines", h, err, want)
			}
			d.commit(rules.Transition{Type: rules.Ended})
			if got, err := d.Get(t.Context(), id); err != nil || got.ClosedBy != telemetry {
				t.Errorf("%+v (%v)", got, err)
			}
		}
		if got := fmt.Sprint(pages.got); got != "[opened worse closed opened worse closed]" {
			t.Errorf("pages %s", got)
		}
	})
}

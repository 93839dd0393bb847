package pager

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lamplighter/rules"
)

// keep commits the opening or the end of MH-1 with pages that are kept back.
func (o *office) keep(seq uint64, opened bool, d rules.PageDelay) {
	o.t.Helper()
	now := time.Now().UnixMilli()
	x := displaced(opened, now)
	x.Page = d
	if err := o.desk.Commit(o.t.Context(), &rules.Outcome{Epoch: o.pos.Epoch, OldSeq: seq - 1, NewSeq: seq, Wall: now, Findings: rules.Findings{Transitions: []rules.Transition{x}}}); err != nil {
		o.t.Fatal(err)
	}
}

func TestWhatIsOverBeforeItsPageGoesIsNeverPaged(t *testing.T) {
	c := Channel{Name: "duty", URL: "http://127.0.0.1:0"}
	o := openOffice(t, c)
	p := o.pager(c)
	delay := rules.PageDelay{After: time.Hour, ClearAfter: time.Hour}
	o.keep(1, true, delay)
	if ts, err := o.desk.Get(t.Context(), 1); err != nil || ts.State != "open" {
		t.Fatalf("ticket %+v (%v): the state is never kept back", ts, err)
	}
	if n := len(o.pages(p, 1)); n != 1 {
		t.Fatalf("%d pages wait, want 1", n)
	}
	if r, err := p.claim(t.Context(), "duty"); r != nil || err != nil {
		t.Errorf("claimed %+v (%v), want nothing for an hour", r, err)
	}
	o.keep(2, false, delay)
	if s := o.pages(p, 1); len(s) != 0 {
		t.Errorf("pages %+v, want none: nobody heard of it", s)
	}
}

func TestAClosingPageIsKeptBackByItsOwnDelay(t *testing.T) {
	c := Channel{Name: "duty", URL: "http://127.0.0.1:0"}
	o := openOffice(t, c)
	p := o.pager(c)
	o.keep(1, true, rules.PageDelay{})
	r, err := p.claim(t.Context(), "duty")
	if err != nil || r == nil {
		t.Fatalf("claimed %+v (%v), want the opening at once", r, err)
	}
	if _, err := p.settle(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	o.keep(2, false, rules.PageDelay{ClearAfter: time.Hour})
	if s := o.pages(p, 1); len(s) != 2 || s[1].State != "pending" {
		t.Errorf("pages %+v, want the closing one to wait", s)
	}
	if r, err := p.claim(t.Context(), "duty"); r != nil || err != nil {
		t.Errorf("claimed %+v (%v), want nothing for an hour", r, err)
	}
}

// story plays what happens to MH-1 by the clock of the pager, and gives what a
// channel has heard by the end of it, and the severity and words of each.
func story(t *testing.T, d rules.PageDelay, steps []step) (heard, said []string) {
	t.Helper()
	c := Channel{Name: "duty", URL: "http://127.0.0.1:0", MinSeverity: string(rules.Minor)}
	o := openOffice(t, c)
	p := o.pager(c)
	start := time.Now()
	now := start
	p.opt.Now = func() time.Time { return now }
	o.seat(p)
	seq := uint64(0)
	for _, s := range steps {
		now = start.Add(s.at)
		for { // what was due until now
			r, err := p.claim(t.Context(), "duty")
			if err != nil {
				t.Fatal(err)
			}
			if r == nil {
				break
			}
			var b Body
			if err := json.Unmarshal([]byte(r.body), &b); err != nil {
				t.Fatal(err)
			}
			heard = append(heard, strings.TrimSpace(b.What+" "+b.Ticket[len(b.Ticket)-1:]+" "+b.Current[max(0, len(b.Current)-1):]))
			said = append(said, b.Severity+" "+b.EN)
			if _, err := p.settle(t.Context(), r, nil); err != nil {
				t.Fatal(err)
			}
		}
		if s.what == "" {
			continue
		}
		x := displaced(s.what == "bad", now.UnixMilli())
		x.Page, x.Severity, x.Words, x.Rules = d, s.severity, s.words, cmp.Or(s.rules, "1")
		if s.words > 0 {
			x.Summary.EN = fmt.Sprint("Words ", s.words)
		}
		if s.what == "worded" || s.what == "graded" {
			x.Type, x.Worded = rules.Changed, s.what == "worded"
		}
		if err := o.desk.Commit(t.Context(), &rules.Outcome{Epoch: o.pos.Epoch, OldSeq: seq, NewSeq: seq + 1, Wall: now.UnixMilli(), Findings: rules.Findings{Transitions: []rules.Transition{x}}}); err != nil {
			t.Fatal(err)
		}
		seq++
	}
	return heard, said
}

type step struct {
	at       time.Duration
	what     string // bad, worded, graded, good, or nothing but the passing of time
	severity rules.Severity
	words    uint16
	rules    string
}

func TestAReceiverHearsOneStoryOfWhatComesAndGoes(t *testing.T) {
	keep := rules.PageDelay{ClearAfter: 15 * time.Second}
	at := func(s int, what string, v rules.Severity) step {
		return step{at: time.Duration(s) * time.Second, what: what, severity: v}
	}
	for name, x := range map[string]struct {
		delay rules.PageDelay
		steps []step
		want  []string
	}{
		"flaps": {keep, []step{at(0, "bad", rules.Major), at(5, "good", rules.Major), at(9, "bad", rules.Major), at(14, "good", rules.Major), at(18, "bad", rules.Major), at(23, "good", rules.Major), at(37, "", ""), at(39, "", "")},
			[]string{"opened 1", "closed 1 3"}},
		"comes back for good": {keep, []step{at(0, "bad", rules.Major), at(5, "good", rules.Major), at(9, "bad", rules.Major), at(100, "", "")},
			[]string{"opened 1"}},
		"comes back worse": {keep, []step{at(0, "bad", rules.Minor), at(5, "good", rules.Minor), at(9, "bad", rules.Critical), at(14, "good", rules.Critical), at(30, "", "")},
			[]string{"opened 1", "worse 1 2", "closed 1 2"}},
		"comes back later": {keep, []step{at(0, "bad", rules.Major), at(5, "good", rules.Major), at(21, "bad", rules.Major), at(25, "good", rules.Major), at(41, "", "")},
			[]string{"opened 1", "closed 1", "opened 2", "closed 2"}},
		"nothing is kept back": {rules.PageDelay{}, []step{at(0, "bad", rules.Major), at(5, "good", rules.Major), at(9, "bad", rules.Major), at(10, "", "")},
			[]string{"opened 1", "closed 1", "opened 2"}},
		"short, with both": {rules.PageDelay{After: 3 * time.Second, ClearAfter: 15 * time.Second}, []step{at(0, "bad", rules.Major), at(5, "good", rules.Major), at(7, "bad", rules.Major), at(8, "good", rules.Major), at(24, "", "")},
			[]string{"opened 1", "closed 1 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := story(t, x.delay, x.steps); !slices.Equal(got, x.want) {
				t.Errorf("heard %q, want %q", got, x.want)
			}
		})
	}
}

// What is back is paged as it would be had it never been away: only for a severity
// that is worse than it was, or for words that are worse than any that were told.
func TestWhatIsBackIsNewsWhereAnOpenTicketWouldBe(t *testing.T) {
	keep := rules.PageDelay{ClearAfter: 15 * time.Second}
	both := rules.PageDelay{After: 3 * time.Second, ClearAfter: 15 * time.Second}
	at := func(s int, what string, words uint16) step {
		return step{time.Duration(s) * time.Second, what, rules.Critical, words, ""}
	}
	graded := func(s step, v rules.Severity) step { s.severity = v; return s }
	for name, x := range map[string]struct {
		delay rules.PageDelay
		steps []step
		want  []string
	}{
		"worse words, open": {keep, []step{at(0, "bad", 2), at(9, "worded", 1), at(14, "good", 1), at(30, "", 0)},
			[]string{"opened 1: critical Words 2", "worse 1: critical Words 1", "closed 1: critical Words 1"}},
		"worse words, back": {keep, []step{at(0, "bad", 2), at(5, "good", 2), at(9, "bad", 1), at(14, "good", 1), at(30, "", 0)},
			[]string{"opened 1: critical Words 2", "worse 1 2: critical Words 1", "closed 1 2: critical Words 1"}},
		"words after none, back": {keep, []step{at(0, "bad", 0), at(5, "good", 0), at(9, "bad", 3), at(10, "", 0)},
			[]string{"opened 1: critical Cover displaced", "worse 1 2: critical Words 3"}},
		"no words, or words further down, back": {keep, []step{at(0, "bad", 1), at(5, "good", 1), at(9, "bad", 2), at(10, "good", 2), at(12, "bad", 0), at(30, "", 0)},
			[]string{"opened 1: critical Words 1"}},
		"worse words, away, and back": {keep, []step{at(0, "bad", 2), at(5, "good", 2), at(9, "bad", 1), at(10, "good", 1), at(12, "bad", 2), at(13, "good", 2), at(15, "bad", 1), at(40, "", 0)},
			[]string{"opened 1: critical Words 2", "worse 1 2: critical Words 1"}},
		"worse words of the ticket before come to hold again": {keep, []step{at(0, "bad", 1), at(5, "good", 1), at(9, "bad", 2), at(20, "worded", 1), at(40, "", 0)},
			[]string{"opened 1: critical Words 1"}},
		"better severity, worse words, back": {keep, []step{at(0, "bad", 2), at(5, "good", 2), graded(at(9, "bad", 1), rules.Minor), at(10, "", 0)},
			[]string{"opened 1: critical Words 2", "worse 1 2: minor Words 1"}},
		"words of other rules, in another order": {keep, []step{at(0, "bad", 1), at(5, "good", 1), {9 * time.Second, "bad", rules.Critical, 2, "2"}, at(10, "", 0)},
			[]string{"opened 1: critical Words 1", "worse 1 2: critical Words 2"}},
		"worse for a moment, then for good": {both, []step{at(0, "bad", 2), at(5, "good", 2), at(7, "bad", 1), at(8, "good", 1), at(10, "bad", 1), at(20, "", 0)},
			[]string{"opened 1: critical Words 2", "worse 1 3: critical Words 1"}},
		"worse for a moment, then over": {both, []step{graded(at(0, "bad", 2), rules.Minor), graded(at(5, "good", 2), rules.Minor), at(7, "bad", 2), at(8, "good", 2), at(30, "", 0)},
			[]string{"opened 1: minor Words 2", "closed 1 2: minor Words 2"}},
		"worse for a moment while open, then back": {both, []step{graded(at(0, "bad", 2), rules.Minor), at(5, "worded", 2), at(6, "good", 2), at(8, "bad", 2), at(30, "", 0)},
			[]string{"opened 1: minor Words 2", "worse 1 2: critical Words 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			heard, said := story(t, x.delay, x.steps)
			for i := range heard {
				heard[i] += ": " + said[i]
			}
			if !slices.Equal(heard, x.want) {
				t.Errorf("heard %q, want %q", heard, x.want)
			}
		})
	}
}

// What was worse for less than its page is kept back is not told, and what is told
// says how bad it is then.
func TestASeverityThatIsOverBeforeItsPageGoesIsNeverPaged(t *testing.T) {
	d := rules.PageDelay{After: 3 * time.Second}
	at := func(s int, what string, v rules.Severity, words uint16) step {
		return step{time.Duration(s) * time.Second, what, v, words, ""}
	}
	for name, x := range map[string]struct {
		steps []step
		want  []string
	}{
		"worse for a moment":                {[]step{at(0, "bad", rules.Minor, 0), at(5, "graded", rules.Critical, 0), at(6, "graded", rules.Minor, 0), at(20, "good", rules.Minor, 0), at(30, "", "", 0)}, []string{"opened minor", "closed minor"}},
		"worse before anything was told":    {[]step{at(0, "bad", rules.Minor, 0), at(1, "graded", rules.Critical, 0), at(2, "graded", rules.Minor, 0), at(20, "", "", 0)}, []string{"opened minor"}},
		"bad for a moment, then less":       {[]step{at(0, "bad", rules.Critical, 0), at(1, "graded", rules.Minor, 0), at(20, "", "", 0)}, []string{"opened minor"}},
		"bad for a moment, then of no page": {[]step{at(0, "bad", rules.Critical, 0), at(1, "graded", rules.Info, 0), at(20, "", "", 0), at(21, "graded", rules.Critical, 0), at(30, "", "", 0)}, []string{"worse critical"}},
		"less bad, still worse than told":   {[]step{at(0, "bad", rules.Minor, 0), at(5, "graded", rules.Critical, 0), at(6, "graded", rules.Major, 0), at(20, "", "", 0)}, []string{"opened minor", "worse major"}},
		"worse in words too":                {[]step{at(0, "bad", rules.Minor, 2), at(5, "worded", rules.Critical, 1), at(6, "graded", rules.Minor, 1), at(20, "", "", 0)}, []string{"opened minor", "worse minor"}},
		"worse again":                       {[]step{at(0, "bad", rules.Minor, 0), at(5, "graded", rules.Critical, 0), at(6, "graded", rules.Minor, 0), at(7, "graded", rules.Critical, 0), at(20, "", "", 0)}, []string{"opened minor", "worse critical"}},
	} {
		t.Run(name, func(t *testing.T) {
			heard, said := story(t, d, x.steps)
			for i := range heard {
				heard[i] = strings.Fields(heard[i])[0] + " " + strings.Fields(said[i])[0]
			}
			if !slices.Equal(heard, x.want) {
				t.Errorf("heard %q, want %q", heard, x.want)
			}
		})
	}
}

func TestAReceiverHearsTheEndOfWhatItKnowsThoughItHasGotBetter(t *testing.T) {
	at := func(s int, what string, v rules.Severity) step {
		return step{at: time.Duration(s) * time.Second, what: what, severity: v}
	}
	for name, x := range map[string]struct {
		steps []step
		want  []string
	}{
		"known":       {[]step{at(0, "bad", rules.Minor), at(1, "graded", rules.Info), at(2, "good", rules.Info), at(3, "", "")}, []string{"opened 1", "closed 1"}},
		"not known":   {[]step{at(0, "bad", rules.Info), at(1, "good", rules.Info), at(2, "", "")}, nil},
		"known later": {[]step{at(0, "bad", rules.Info), at(1, "graded", rules.Minor), at(2, "graded", rules.Info), at(3, "good", rules.Info), at(4, "", "")}, []string{"worse 1", "closed 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := story(t, rules.PageDelay{}, x.steps); !slices.Equal(got, x.want) {
				t.Errorf("heard %q, want %q", got, x.want)
			}
		})
	}
}

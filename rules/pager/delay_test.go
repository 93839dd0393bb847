package pager

import (
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

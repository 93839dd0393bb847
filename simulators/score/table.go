package score

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Write prints the report as a table, and up to most lines of what is wrong.
func (r *Report) Write(out io.Writer, most int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "defect\ttruths\ttickets\tright\tfalse\tmissed\tduplicates\tprecision\trecall\tdelay p50\tp95\tmax\t")
	for _, s := range append(r.Defects[:len(r.Defects):len(r.Defects)], r.Total) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t\n", s.Defect, s.Truths, s.Tickets, s.TruePositives, s.FalsePositives, s.Misses, s.Duplicates,
			share(s.Precision, s.TruePositives+s.FalsePositives), share(s.Recall, s.Truths), s.delay(s.Delay.P50), s.delay(s.Delay.P95), s.delay(s.Delay.Max))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	t := &r.Total
	if _, err := fmt.Fprintf(out, "%d truths only behind a common cause or a ticket that was open already; %d left out, they or the recording ended too soon; %d that the rules do not look for\n", t.Covered, t.CutOff, t.Unwanted); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	for i, x := range r.Wrong {
		if i == most {
			fmt.Fprintf(out, "… and %d more\n", len(r.Wrong)-most)
			break
		}
		if x.Cause != "" {
			x.Cause = " (" + x.Cause + ")"
		}
		if _, err := fmt.Fprintf(out, "%s: %s of %s%s at %s\n", x.What, x.Defect, x.Facility, x.Cause, x.At.Format("2006-01-02T15:04:05.000Z07:00")); err != nil {
			return fmt.Errorf("write scores: %w", err)
		}
	}
	return nil
}

// none stands where there is nothing to measure.
const none = "–"

// share is a part of n, of which there may be none.
func share(x float64, n int) string {
	if n == 0 {
		return none
	}
	return fmt.Sprintf("%.4f", x)
}

// delay is one of those of what was found.
func (s *Score) delay(x float64) string {
	if s.Truths == s.Misses {
		return none
	}
	return short(x)
}

// short is a number of seconds as people read it.
func short(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

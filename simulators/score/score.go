package score

import (
	"maps"
	"slices"
	"time"
)

// Score is how well the tickets of one defect, or of all, fit the truth.
type Score struct {
	Defect         string  `json:"defect"`
	Truths         int     `json:"truths"`  // that want a ticket
	Tickets        int     `json:"tickets"` // that were opened
	TruePositives  int     `json:"true_positives"`
	FalsePositives int     `json:"false_positives"`
	Duplicates     int     `json:"duplicates"`
	Misses         int     `json:"misses"`
	Covered        int     `json:"covered"`   // of the truths: only behind a common cause, or one that was open already
	Unwanted       int     `json:"unwanted"`  // that the truth has, and wants no ticket for
	CutOff         int     `json:"cut_off"`   // left out: the recording, or the defect, ended too soon
	Precision      float64 `json:"precision"` // true positives ÷ (true and false positives); 1 when there are none
	Recall         float64 `json:"recall"`    // 1 − misses ÷ truths; 1 when there are none
	Delay          Delays  `json:"delay"`
}

// Delays are how long after its beginning a defect had its ticket, in seconds.
type Delays struct {
	P50 float64 `json:"p50_s"`
	P95 float64 `json:"p95_s"`
	Max float64 `json:"max_s"`
}

// Wrong is a miss, a false ticket or a duplicate, to look into.
type Wrong struct {
	What     string    `json:"what"` // miss, false or duplicate
	Facility string    `json:"facility"`
	Defect   string    `json:"defect"`
	Cause    string    `json:"cause,omitempty"`
	At       time.Time `json:"at"` // when it began, or was opened
}

// Report is the scores by defect, their sum, and what is wrong.
type Report struct {
	Defects []Score `json:"defects"`
	Total   Score   `json:"total"`
	Wrong   []Wrong `json:"wrong"`
}

// tally counts for one defect.
type tally struct {
	Score
	delays []time.Duration
}

// Compare holds tickets against the truth of a recording that ended at an
// instant. See the package for when a ticket is right.
func Compare(truth []Truth, tickets []Ticket, end time.Time) *Report {
	m := newMatcher(truth, tickets, end)
	m.match()
	r, total := &Report{Wrong: []Wrong{}}, &tally{}
	by := make(map[string]*tally)
	of := func(defect string) []*tally {
		if by[defect] == nil {
			by[defect] = &tally{Score: Score{Defect: defect}}
		}
		return []*tally{by[defect], total}
	}
	for _, f := range m.facts {
		for _, t := range of(f.Defect) {
			t.fact(f)
		}
		if f.missed() {
			r.Wrong = append(r.Wrong, Wrong{"miss", f.Facility, f.Defect, f.Cause, f.From})
		}
	}
	for _, c := range m.claims {
		for _, t := range of(c.Defect) {
			t.claim(c)
		}
		if what := c.wrong(); what != "" {
			r.Wrong = append(r.Wrong, Wrong{what, c.Facility, c.Defect, "", c.OpenedAt})
		}
	}
	for _, d := range slices.Sorted(maps.Keys(by)) {
		r.Defects = append(r.Defects, by[d].finish())
	}
	total.Defect = "total"
	r.Total = total.finish()
	return r
}

// missed tells whether f should have been found and was not.
func (f *fact) missed() bool { return f.Ticket && !f.found && !f.cut }

// wrong is what is wrong with a ticket, "" if nothing is.
func (c *claim) wrong() string {
	switch {
	case c.doubles:
		return "duplicate"
	case c.own == nil && !c.covers:
		return "false"
	}
	return ""
}

func (t *tally) fact(f *fact) {
	switch {
	case !f.Ticket:
		t.Unwanted++
		return
	case f.cut:
		t.CutOff++
		return
	}
	t.Truths++
	if !f.found {
		t.Misses++
		return
	}
	if f.tickets == 0 {
		t.Covered++
	}
	t.delays = append(t.delays, f.delay)
}

func (t *tally) claim(c *claim) {
	t.Tickets++
	switch c.wrong() {
	case "false":
		t.FalsePositives++
	case "duplicate":
		t.Duplicates++
	default:
		t.TruePositives++
	}
}

func (t *tally) finish() Score {
	t.Precision, t.Recall = 1, 1
	if n := t.TruePositives + t.FalsePositives; n > 0 {
		t.Precision = float64(t.TruePositives) / float64(n)
	}
	if t.Truths > 0 {
		t.Recall = 1 - float64(t.Misses)/float64(t.Truths)
	}
	slices.Sort(t.delays)
	t.Delay = Delays{P50: part(t.delays, 0.5), P95: part(t.delays, 0.95), Max: part(t.delays, 1)}
	return t.Score
}

// part is the value below which the share p of a sorted list lies, in seconds.
func part(d []time.Duration, p float64) float64 {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, int(p*float64(len(d))))].Seconds()
}

package tickets

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices/database"
)

// metrics counts tickets. How many are open is asked from the database, which
// all daemons share, when somebody looks.
type metrics struct {
	db             *database.DB
	opened, closed *prometheus.CounterVec
	historic       prometheus.Counter
	live           *prometheus.Desc
}

func newMetrics(o *Options) *metrics {
	m := &metrics{db: o.DB,
		opened:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_tickets_total", Help: "Tickets opened, by kind of facility and defect."}, []string{"kind", "defect"}),
		closed:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_tickets_closed_total", Help: "Tickets closed, by telemetry, by people, or by a change of the rules or limits."}, []string{"by"}),
		historic: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_tickets_historic_total", Help: "Tickets about faults that were over before anybody heard of them; not in lamplighter_tickets_total."}),
		live:     prometheus.NewDesc("lamplighter_tickets_live", "Tickets that are not closed, by kind of facility and state.", []string{"kind", "state"}, nil),
	}
	o.Metrics.MustRegister(m.opened, m.closed, m.historic, m)
	return m
}

// Describe names the figure that is looked up when it is asked for.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.live }

// scrapeWait bounds how long a scrape waits for the database.
const scrapeWait = 2 * time.Second

// Collect counts; it answers nothing when the database does not answer, so that
// the other figures are seen all the same.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWait)
	defer cancel()
	rows, err := m.db.Query(ctx, `SELECT kind, state, COUNT(*) FROM ticket WHERE state <> 'closed' GROUP BY kind, state`)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var kind, state string
		var n float64
		if rows.Scan(&kind, &state, &n) == nil {
			ch <- prometheus.MustNewConstMetric(m.live, prometheus.GaugeValue, n, kind, state)
		}
	}
}

// tally is what a transaction has done, to be counted when it is committed.
type tally struct {
	opened    [][2]string // kind and defect
	closed    int
	withdrawn int // closed because their rule has gone, or is another one
	historic  int
}

func (m *metrics) count(t *tally, by string) {
	for _, o := range t.opened {
		m.opened.WithLabelValues(o[:]...).Inc()
	}
	m.closed.WithLabelValues(by).Add(float64(t.closed))
	m.closed.WithLabelValues(ruleSet).Add(float64(t.withdrawn))
	m.historic.Add(float64(t.historic))
}

package rules

import "github.com/prometheus/client_golang/prometheus"

// Metrics of all workers.
type Metrics struct {
	evaluated, late, duplicates, missing, filled prometheus.Counter
	refused                                      *prometheus.CounterVec
	snapshot                                     prometheus.Histogram
}

// NewMetrics registers the rules' metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		evaluated:  prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_evaluated_total", Help: "Messages that the rules have judged."}),
		late:       prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_readings_late_total", Help: "Readings older than the newest of their facility: stored, not judged."}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_duplicate_total", Help: "Messages that had come before."}),
		missing:    prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_missing_total", Help: "Sequence numbers that devices have jumped over: the loss ledger."}),
		filled:     prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_filled_total", Help: "Messages that were missing and came after all."}),
		refused:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_messages_refused_total", Help: "Messages that were refused and lie in quarantine, by code."}, []string{"code"}),
		snapshot:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lamplighter_rules_snapshot_pause_seconds", Help: "How long judging stood still for a snapshot of its state.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 8)}),
	}
	r.MustRegister(m.evaluated, m.late, m.duplicates, m.missing, m.filled, m.refused, m.snapshot)
	return m
}

func (m *Metrics) judged(before, after *Engine, gaps []Gap) {
	m.evaluated.Add(float64(after.Evaluated - before.Evaluated))
	m.late.Add(float64(after.Late - before.Late))
	m.duplicates.Add(float64(after.Duplicates - before.Duplicates))
	for i := range gaps {
		if n := float64(gaps[i].To - gaps[i].From + 1); gaps[i].Filled {
			m.filled.Add(n)
		} else {
			m.missing.Add(n)
		}
	}
}

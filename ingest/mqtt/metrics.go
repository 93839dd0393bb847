package mqtt

import "github.com/prometheus/client_golang/prometheus"

// Metrics are those of all clients. A session is named by its broker's host and
// its client id.
type Metrics struct {
	connected  *prometheus.GaugeVec
	inFlight   *prometheus.GaugeVec
	canary     *prometheus.GaugeVec
	dropped    *prometheus.GaugeVec
	reconnects *prometheus.CounterVec
	rebuilds   *prometheus.CounterVec
	taken      *prometheus.CounterVec
	overflow   *prometheus.CounterVec
}

// NewMetrics registers them with r, or with nobody if r is nil.
func NewMetrics(r prometheus.Registerer) *Metrics {
	session := []string{"broker", "session"}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lamplighter_broker_" + name, Help: help}, labels)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_broker_" + name, Help: help}, session)
	}
	m := &Metrics{
		connected:  gauge("connected", "1 while the session with the broker is up.", session...),
		inFlight:   gauge("in_flight", "Messages taken from the broker and not yet acknowledged to it; the broker's in-flight window is the ceiling.", session...),
		canary:     gauge("canary_seconds", "How long the last canary took through the broker and back.", session...),
		dropped:    gauge("dropped_messages", "What the broker says it has dropped since its start, for any of its clients.", "broker"),
		reconnects: counter("connects_total", "Connections made to the broker."),
		rebuilds:   counter("rebuilds_total", "Sessions made anew because the canary was lost."),
		taken:      counter("messages_total", "Messages that came from the broker."),
		overflow:   counter("overflow_total", "Messages of QoS 0 that were dropped because the log could not keep up."),
	}
	if r != nil {
		r.MustRegister(m.connected, m.inFlight, m.canary, m.dropped, m.reconnects, m.rebuilds, m.taken, m.overflow)
	}
	return m
}

package uplog

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	fsyncs, bytes, acked prometheus.Counter
	records              prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		fsyncs:  prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_log_fsyncs_total", Help: "Frames made durable, each with one fsync."}),
		acked:   prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_acked_total", Help: "Messages made durable and acknowledged to their source."}),
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_log_written_bytes_total", Help: "Bytes of frames made durable."}),
		records: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lamplighter_log_frame_records", Help: "Records in a frame.", Buckets: []float64{0, 1, 10, 100, 300, 1000}}),
	}
	r.MustRegister(m.fsyncs, m.bytes, m.acked, m.records)
	return m
}

func (m *metrics) frame(d *draft) {
	m.fsyncs.Inc()
	m.acked.Add(float64(d.uplinks))
	m.bytes.Add(float64(len(d.buf)))
	m.records.Observe(float64(d.count))
}

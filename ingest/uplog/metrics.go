package uplog

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	log *Log

	fsyncs, bytes, acked, purged, corrupt, restarts prometheus.Counter
	records, appendWait, ackWait, commit            prometheus.Histogram

	frames, stored, age, pending, full *prometheus.Desc
}

func newMetrics(l *Log) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_" + name, Help: help})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lamplighter_log_" + name, Help: help, Buckets: buckets})
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("lamplighter_log_"+name, help, labels, nil)
	}
	times := prometheus.ExponentialBuckets(0.0001, 3, 11) // 0.1 ms … 6 s
	m := &metrics{
		log:        l,
		fsyncs:     counter("log_fsyncs_total", "Frames made durable, each with one fsync."),
		acked:      counter("messages_acked_total", "Messages made durable and acknowledged to their source."),
		bytes:      counter("log_written_bytes_total", "Bytes of frames made durable."),
		purged:     counter("log_purged_frames_total", "Frames given up for want of room after everybody had consumed them."),
		corrupt:    counter("log_corrupt_frames_total", "Frames that could not be read and were passed over."),
		restarts:   counter("log_server_restarts_total", "Times that the embedded server was started anew."),
		records:    histogram("frame_records", "Records in a frame.", []float64{0, 1, 3, 10, 30, 100, 300, 1000}),
		appendWait: histogram("append_wait_seconds", "How long appends were blocked because too much waited for the disk; appends that were not blocked are not counted.", times),
		ackWait:    histogram("ack_seconds", "From a frame's first record to its acknowledgement.", times),
		commit:     histogram("commit_seconds", "From a frame's publication to its fsync.", times),
		frames:     desc("frames", "Frames in the log.", "partition"),
		stored:     desc("bytes", "Bytes in the log.", "partition"),
		age:        desc("oldest_frame_age_seconds", "Age of the oldest frame.", "partition"),
		pending:    desc("pending_bytes", "Bytes that wait for the disk.", "partition"),
		full:       desc("full", "1 while the log takes nothing."),
	}
	l.opt.Metrics.MustRegister(m, m.fsyncs, m.acked, m.bytes, m.purged, m.corrupt, m.restarts, m.records, m.appendWait, m.ackWait, m.commit)
	return m
}

func (m *metrics) frame(d *draft) {
	m.fsyncs.Inc()
	m.acked.Add(float64(d.uplinks))
	m.bytes.Add(float64(len(d.buf)))
	m.records.Observe(float64(d.count))
	if d.count > 0 {
		m.ackWait.Observe(time.Since(d.began).Seconds())
	}
}

// Describe names the figures that are looked up when they are asked for.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.frames, m.stored, m.age, m.pending, m.full} {
		ch <- d
	}
}

// Collect looks the figures up; it answers nothing for a partition whose
// stream does not answer within two seconds.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, p := range m.log.parts {
		label := strconv.Itoa(p.id)
		p.mu.Lock()
		pending := p.pending
		p.mu.Unlock()
		gauge(m.pending, float64(pending), label)
		info, err := m.log.link.Load().streams[p.id].Info(ctx)
		if err != nil {
			continue
		}
		gauge(m.frames, float64(info.State.Msgs), label)
		gauge(m.stored, float64(info.State.Bytes), label)
		age := 0.0
		if info.State.Msgs > 0 {
			age = max(0, time.Since(info.State.FirstTime).Seconds())
		}
		gauge(m.age, age, label)
	}
	full, _ := m.log.Health()
	v := 0.0
	if full {
		v = 1
	}
	gauge(m.full, v)
}

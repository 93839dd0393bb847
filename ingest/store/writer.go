package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Census says on which facility a device sits.
type Census interface {
	Find(d devices.DeviceID) (registry.Entry, bool)
}

// Cursor keeps how far a partition is safely stored.
type Cursor interface {
	Load(ctx context.Context, partition int) (uint64, error)
	Save(ctx context.Context, partition int, seq uint64) error
}

// Frames is the log, as far as the writer asks: its first and last frame.
type Frames interface {
	Bounds(partition int) (first, last uint64, err error)
}

// Quarantine takes a line that the store refused.
type Quarantine interface {
	Refused(ctx context.Context, line, reason string) error
}

// Target is a v2-write store.
type Target struct {
	URL, Org, Bucket, Token string
	Authorization           string     // header to send instead of the token
	Generation              func() int // changes when the store may have lost its last minute; nil: never
}

// trail is how long the saved cursor lies behind what the store said OK to.
const trail = 60 * time.Second

// Options of a Writer.
type Options struct {
	Target     Target
	Census     Census
	Cursor     Cursor
	Quarantine Quarantine
	Retention  time.Duration
	Frames     Frames // the log that the batches come from; may be nil
	Log        zerolog.Logger
	Metrics    *Metrics
	Slow       time.Duration // between attempts when the store refuses us; default 2 s
	Now        func() time.Time
}

// Metrics of all writers.
type Metrics struct {
	stored, dropped, undated, refused prometheus.Counter
	lag                               *prometheus.GaugeVec
}

// NewMetrics registers the store's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		stored:  prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_stored_total", Help: "Messages whose readings the store has accepted."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_store_outside_retention_total", Help: "Readings that were not sent because no store would keep them: older than the retention or more than two days ahead."}),
		undated: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_store_retained_undated_total", Help: "Messages that a broker had kept and that do not say when they were true: not stored as if they were now."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_store_refused_lines_total", Help: "Lines that the store refused; they lie in quarantine."}),
		lag:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lamplighter_store_lag_seconds", Help: "Age of the newest frame that is stored."}, []string{"partition"}),
	}
	r.MustRegister(m.stored, m.dropped, m.undated, m.refused, m.lag)
	return m
}

// Writer writes one partition's batches to the store.
type Writer struct {
	opt    Options
	api    api.WriteAPIBlocking
	client influxdb2.Client
	lines  lines
	stored int // messages in lines

	safe       []mark // what was accepted and when, oldest first
	saved      uint64
	generation int
	heard      func(trouble string) // for tests

	mu      sync.Mutex
	trouble string    // guarded by mu
	lastMS  int64     // guarded by mu: wall of the newest stored frame
	asked   time.Time // guarded by mu: when the store was asked what it has not answered; zero if it has
}

// mark is a frame that the store said OK to.
type mark struct {
	seq uint64
	at  time.Time
}

// NewWriter returns a writer for one partition.
func NewWriter(o Options) *Writer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Slow == 0 {
		o.Slow = 2 * time.Second
	}
	if o.Retention == 0 {
		o.Retention = 5 * 365 * 24 * time.Hour
	}
	w := &Writer{opt: o}
	w.client = newClient(o.Target)
	w.api = w.client.WriteAPIBlocking(o.Target.Org, o.Target.Bucket)
	return w
}

func newClient(t Target) influxdb2.Client {
	opts := influxdb2.DefaultOptions().SetPrecision(time.Millisecond).SetHTTPRequestTimeout(30).SetUseGZip(false)
	c := influxdb2.NewClientWithOptions(t.URL, t.Token, opts)
	if t.Authorization != "" {
		c.HTTPService().SetAuthorization(t.Authorization)
	}
	return c
}

// Start says where to go on: one after the saved cursor. A cursor beyond the
// newest frame is another log's, and begins anew.
func (w *Writer) Start(ctx context.Context, partition int) (uint64, error) {
	seq, err := w.opt.Cursor.Load(ctx, partition)
	if err != nil {
		return 0, fmt.Errorf("cursor of partition %d: %w", partition, err)
	}
	if w.opt.Frames != nil {
		_, last, err := w.opt.Frames.Bounds(partition)
		if err != nil {
			return 0, fmt.Errorf("cursor of partition %d: %w", partition, err)
		}
		if seq > last {
			w.opt.Log.Warn().Int("partition", partition).Uint64("cursor", seq).Uint64("newest", last).Msg("the store's cursor is another log's: storing this log from its beginning")
			seq = 0
		}
	}
	w.safe, w.saved, w.stored, w.lines.buf = w.safe[:0], seq, 0, w.lines.buf[:0]
	w.generation = w.opt.Target.now()
	return seq + 1, nil
}

// Keep is the oldest frame that may have to be written again.
func (w *Writer) Keep() uint64 { return w.saved + 1 }

func (t Target) now() int {
	if t.Generation == nil {
		return 0
	}
	return t.Generation()
}

// errRewind makes the follower start again at the saved cursor.
var errRewind = errors.New("the store was restarted: writing its last minute again")

// Consume writes a batch; it returns when the store has accepted it.
func (w *Writer) Consume(ctx context.Context, b *devices.Batch) error {
	now := w.opt.Now()
	oldest, newest := now.Add(-w.opt.Retention).UnixMilli(), now.Add(48*time.Hour).UnixMilli()
	for i := range b.Items {
		it := &b.Items[i]
		if it.Type != devices.ItemUplink || it.Refusal != nil {
			continue
		}
		if it.Uplink.Flags.Has(devices.FlagRetained) && untimed(it.Message) {
			w.opt.Metrics.undated.Inc()
			continue
		}
		if n := w.lines.message(w.facility(it.Message.Device), it.Message, oldest, newest); n > 0 {
			w.opt.Metrics.dropped.Add(float64(n))
		}
		w.stored++
	}
	if err := w.send(ctx, w.lines.buf); err != nil {
		w.lines.buf, w.stored = w.lines.buf[:0], 0
		return err
	}
	if w.opt.Target.now() != w.generation {
		return errRewind
	}
	w.opt.Metrics.stored.Add(float64(w.stored))
	w.lines.buf, w.stored = w.lines.buf[:0], 0
	w.opt.Metrics.lag.WithLabelValues(fmt.Sprint(b.Partition)).Set(max(0, now.Sub(time.UnixMilli(b.Wall)).Seconds()))
	w.note("", b.Wall)
	return w.advance(ctx, b, now)
}

// untimed tells whether a message says nothing of when it was true. A retained
// one that a broker has replayed would otherwise be stored as if it were now.
func untimed(m *devices.Message) bool {
	for i := range m.Readings {
		if m.Readings[i].Source == devices.TimeDevice {
			return false
		}
	}
	return true
}

func (w *Writer) facility(d devices.DeviceID) devices.FacilityID {
	if e, ok := w.opt.Census.Find(d); ok {
		return e.Facility
	}
	return devices.FacilityID(d)
}

// advance saves the cursor of what was accepted more than a minute ago.
func (w *Writer) advance(ctx context.Context, b *devices.Batch, now time.Time) error {
	if n := len(w.safe); n == 0 || now.Sub(w.safe[n-1].at) >= time.Second {
		w.safe = append(w.safe, mark{b.Seq, now})
	}
	old := uint64(0)
	for len(w.safe) > 0 && now.Sub(w.safe[0].at) >= trail {
		old = w.safe[0].seq
		w.safe = w.safe[1:]
	}
	if old <= w.saved {
		return nil
	}
	w.saved = old
	if err := w.opt.Cursor.Save(ctx, b.Partition, old); err != nil {
		return fmt.Errorf("save cursor of partition %d: %w", b.Partition, err)
	}
	return nil
}

// send writes lines, however long the store is away. A refused body is halved
// until the bad line is found.
func (w *Writer) send(ctx context.Context, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		w.asks(w.opt.Now())
		err := w.api.WriteRecord(ctx, string(bytes.TrimSuffix(body, []byte("\n"))))
		w.asks(time.Time{})
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var he *ihttp.Error
		if errors.As(err, &he) {
			switch he.StatusCode {
			case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
				return w.bisect(ctx, body, he)
			case http.StatusUnauthorized, http.StatusForbidden:
				err, pause = fmt.Errorf("%w; check store.influxdb.token_file: the token must be allowed to write to the bucket", err), max(pause, w.opt.Slow)
			case http.StatusNotFound:
				err, pause = fmt.Errorf("%w; check store.influxdb.org and bucket: they must exist", err), max(pause, w.opt.Slow)
			case http.StatusTooManyRequests, http.StatusServiceUnavailable:
				pause = max(pause, min(time.Duration(he.RetryAfter)*time.Second, time.Minute))
			}
		}
		w.note(fmt.Sprintf("the store takes nothing: %v", err), 0)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// bisect sends the halves of a body that was refused; a single line goes to
// quarantine.
func (w *Writer) bisect(ctx context.Context, body []byte, why error) error {
	mid := bytes.LastIndexByte(body[:len(body)/2], '\n') + 1
	if mid == 0 {
		mid = bytes.IndexByte(body, '\n') + 1
	}
	if mid == len(body) {
		w.opt.Metrics.refused.Inc()
		if err := w.opt.Quarantine.Refused(ctx, string(body), why.Error()); err != nil {
			return fmt.Errorf("quarantine a refused line: %w", err)
		}
		return nil
	}
	if err := w.send(ctx, body[:mid]); err != nil {
		return err
	}
	return w.send(ctx, body[mid:])
}

func (w *Writer) note(trouble string, wall int64) {
	if w.heard != nil {
		w.heard(trouble)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = trouble
	w.lastMS = max(w.lastMS, wall)
}

func (w *Writer) asks(at time.Time) {
	w.mu.Lock()
	w.asked = at
	w.mu.Unlock()
}

// silentFor is how long the store may take to answer before that is trouble.
const silentFor = 5 * time.Second

// Health is the wall clock of the newest stored frame, and what keeps the
// store from taking more if anything.
func (w *Writer) Health() (wall int64, trouble string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.opt.Now().Sub(w.asked); w.trouble == "" && !w.asked.IsZero() && d > silentFor {
		return w.lastMS, fmt.Sprintf("the store takes nothing: no answer for %d s", int(d.Seconds()))
	}
	return w.lastMS, w.trouble
}

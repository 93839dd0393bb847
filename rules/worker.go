package rules

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
)

// Position is where a partition's judging goes on.
type Position struct {
	Epoch uint64 // ours, from now on
	Seq   uint64 // of the last frame whose outcome was written down
}

// Outcome is what follows from one batch.
type Outcome struct {
	Partition   int
	Epoch       uint64
	OldSeq      uint64
	NewSeq      uint64
	Wall        int64
	Transitions []Transition
	Refused     []Refused
}

// Desk writes outcomes down. Commit is one transaction; it returns
// devices.ErrFenced, and has written nothing, when somebody else has taken the
// partition over.
type Desk interface {
	Resume(ctx context.Context, partition int) (Position, error)
	Commit(ctx context.Context, o *Outcome) error
}

// Replier tells devices why something was refused.
type Replier interface {
	Refused(d devices.DeviceID, r *devices.Refusal)
}

// Metrics of all workers.
type Metrics struct {
	evaluated, late, duplicates prometheus.Counter
	refused                     *prometheus.CounterVec
}

// NewMetrics registers the rules' metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		evaluated:  prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_evaluated_total", Help: "Messages that the rules have judged."}),
		late:       prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_readings_late_total", Help: "Readings older than the newest of their facility: stored, not judged."}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{Name: "lamplighter_messages_duplicate_total", Help: "Messages that had come before."}),
		refused:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_messages_refused_total", Help: "Messages that were refused and lie in quarantine, by code."}, []string{"code"}),
	}
	r.MustRegister(m.evaluated, m.late, m.duplicates, m.refused)
	return m
}

// Worker judges one partition.
type Worker struct {
	Set     *Set
	Dict    *devices.Dictionary
	Desk    Desk
	Replier Replier // may be nil
	Metrics *Metrics

	mu        sync.Mutex
	engine    *Engine // guarded by mu
	partition int
	pos       Position
	committed int64 // wall of the last commit
}

// Start takes the partition over and replays the log from its beginning: what
// was written down already is judged again in silence.
func (w *Worker) Start(ctx context.Context, partition int) (uint64, error) {
	pos, err := w.Desk.Resume(ctx, partition)
	if err != nil {
		return 0, fmt.Errorf("resume rules: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partition, w.pos, w.engine = partition, pos, NewEngine(w.Set, w.Dict)
	return 1, nil
}

// cursorEvery is how often the cursor is written when nothing happens.
const cursorEvery = time.Second

// Consume judges a batch and writes down what follows.
func (w *Worker) Consume(ctx context.Context, b *devices.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.engine
	evaluated, late, dup := e.Evaluated, e.Late, e.Duplicates
	ts, err := e.Step(b)
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	if b.Seq <= w.pos.Seq {
		return nil
	}
	o := Outcome{Partition: w.partition, Epoch: w.pos.Epoch, OldSeq: w.pos.Seq, NewSeq: b.Seq, Wall: b.Wall, Transitions: ts, Refused: refusals(b)}
	if len(o.Transitions)+len(o.Refused) > 0 || b.Wall-w.committed >= cursorEvery.Milliseconds() {
		if err := w.Desk.Commit(ctx, &o); err != nil {
			return fmt.Errorf("write down frame %d: %w", b.Seq, err)
		}
		w.pos.Seq, w.committed = b.Seq, b.Wall
	}
	w.Metrics.evaluated.Add(float64(e.Evaluated - evaluated))
	w.Metrics.late.Add(float64(e.Late - late))
	w.Metrics.duplicates.Add(float64(e.Duplicates - dup))
	w.reply(b, o.Refused)
	return nil
}

func refusals(b *devices.Batch) []Refused {
	var out []Refused
	for i := range b.Items {
		if it := &b.Items[i]; it.Refusal != nil {
			out = append(out, Refused{it.Uplink, *it.Refusal})
		}
	}
	return out
}

func (w *Worker) reply(b *devices.Batch, refused []Refused) {
	for i := range refused {
		w.Metrics.refused.WithLabelValues(string(refused[i].Refusal.Code)).Inc()
	}
	if w.Replier == nil {
		return
	}
	for i := range refused {
		w.Replier.Refused(refused[i].Uplink.Device, &refused[i].Refusal)
	}
	for i := range b.Items {
		if m := b.Items[i].Message; m != nil && b.Items[i].Refusal == nil && m.Notice != nil {
			w.Replier.Refused(m.Device, m.Notice)
		}
	}
}

// Facts is what the worker knows of a facility, for the board.
type Facts struct {
	Kind   devices.Kind `json:"kind"`
	Seen   int64        `json:"seen"`   // Unix ms, 0 = never
	Newest int64        `json:"newest"` // event time of the newest reading
	Silent bool         `json:"silent"`
	Faulty bool         `json:"faulty"` // an alert that is not about silence
	Book   Book         `json:"book"`
}

// Inspect says what is known of a facility; ok is false if it is not in this
// partition.
func (w *Worker) Inspect(id devices.FacilityID) (f Facts, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return f, false
	}
	x := w.engine.facilities[id]
	if x == nil {
		return f, false
	}
	return x.facts(w.engine.set), true
}

func (f *facility) facts(s *Set) Facts {
	out := Facts{Kind: f.kind, Seen: f.seen, Newest: f.newest, Silent: f.silent, Book: f.book}
	for i := range f.alerts {
		if f.alerts[i].firing && s.byKind[f.kind][i].Silent == 0 {
			out.Faulty = true
		}
	}
	return out
}

// Each calls fn for every facility of the partition.
func (w *Worker) Each(fn func(devices.FacilityID, Facts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return
	}
	for id, f := range w.engine.facilities {
		fn(id, f.facts(w.engine.set))
	}
}

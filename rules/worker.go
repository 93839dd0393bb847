package rules

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// Position is where a partition's judging goes on.
type Position struct {
	Epoch uint64 // ours, from now on
	Seq   uint64 // of the last frame whose outcome was written down
	Wall  int64  // wall clock of that frame, 0 = not known
	// Untold: how the lamps of the partition stand was never written down.
	Untold bool
}

// Outcome is what follows from one batch.
type Outcome struct {
	Partition int
	Epoch     uint64
	OldSeq    uint64
	NewSeq    uint64
	OldWall   int64 // of the outcome that was written down before, 0 = not known
	Wall      int64
	Findings
	// Begins: Stood is every lamp of which something is known, for whoever knows
	// nothing yet.
	Begins  bool
	Refused []Refused
}

// Desk writes outcomes down. Commit is one transaction; it returns
// devices.ErrFenced, and has written nothing, when somebody else has taken the
// partition over.
type Desk interface {
	// Resume takes the partition over; newest is the last frame of its log, and a
	// cursor beyond it, which another log has left behind, begins anew.
	Resume(ctx context.Context, partition int, newest uint64) (Position, error)
	Commit(ctx context.Context, o *Outcome) error
}

// Log is what the worker asks of the log: its first and last frame.
type Log interface {
	Bounds(partition int) (first, last uint64, err error)
}

// Replier tells devices why something was refused.
type Replier interface {
	Refused(d devices.DeviceID, r *devices.Refusal)
}

// Options of a Worker.
type Options struct {
	Set     *Set // to begin with; the log brings others
	Dict    *devices.Dictionary
	Owns    func(*registry.Facility) bool // of the worker's partition; nil = all
	Log     Log
	Desk    Desk
	Archive *Archive
	Every   time.Duration // between snapshots; default 5 minutes
	Replier Replier       // may be nil
	// Partitions of the log; default 1.
	Partitions int
	Forward    func(ctx context.Context, ls []Letter) error // makes letters durable, in their order, in the logs that they are for; nil = none is needed
	Forgot     func()                                       // called when the state begins without the census: it has to come once more
	Metrics    *Metrics
	Logger     zerolog.Logger
}

// Worker judges one partition.
type Worker struct {
	opt Options

	mu        sync.Mutex
	engine    *Engine // guarded by mu
	partition int
	pos       Position  // guarded by mu
	judged    uint64    // guarded by mu: the last frame that engine has seen
	committed int64     // wall of the last commit
	wall      int64     // of the last frame
	keep      uint64    // guarded by mu: the oldest frame that a restart would need
	held      []Refused // guarded by mu: not written down yet
	heldBytes int       // guarded by mu
	stood     []Stood   // guarded by mu: not written down yet
	due       int64     // wall of the next snapshot
	saving    sync.WaitGroup
	replay    progress
}

// NewWorker returns a worker; a Follower runs it.
func NewWorker(o Options) *Worker {
	if o.Every == 0 {
		o.Every = 5 * time.Minute
	}
	return &Worker{opt: o}
}

// Start takes the partition over. It goes on from the newest snapshot: what was
// written down after that already is judged again in silence.
func (w *Worker) Start(ctx context.Context, partition int) (from uint64, err error) {
	first, last, err := w.opt.Log.Bounds(partition)
	if err != nil {
		return 0, fmt.Errorf("start rules: %w", err)
	}
	pos, err := w.opt.Desk.Resume(ctx, partition, last)
	if err != nil {
		return 0, fmt.Errorf("start rules: %w", err)
	}
	e, seq, err := w.restore(partition)
	if err != nil {
		return 0, fmt.Errorf("start rules: %w", err)
	}
	if seq > last {
		seq = 0 // the log is another one: its frames are all new to this state
	}
	if seq > pos.Seq && pos.Seq > 0 || seq == 0 && first > 1 {
		w.opt.Logger.Warn().Int("partition", partition).Uint64("snapshot", seq).Uint64("cursor", pos.Seq).Uint64("first", first).Msg("rules begin without their past: the census comes once more, alerts follow from what is reported now")
		e, seq = w.blank(), 0
		e.forgot = true
		if w.opt.Forgot != nil {
			w.opt.Forgot()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partition, w.pos, w.engine, w.keep = partition, pos, e, max(seq+1, first)
	w.due, w.committed, w.judged = 0, 0, 0
	w.held, w.heldBytes, w.stood = nil, 0, nil
	w.replay = progress{from: w.keep, to: pos.Seq}
	return w.keep, nil
}

func (w *Worker) restore(partition int) (*Engine, uint64, error) {
	e := w.blank()
	if w.opt.Archive == nil {
		return e, 0, nil
	}
	w.saving.Wait()
	seq, err := w.opt.Archive.load(partition, e)
	if err == nil {
		return e, seq, nil
	}
	if !absent(err) {
		w.opt.Logger.Error().Err(err).Msg("the state of the rules is taken from the log instead")
	}
	return w.blank(), 0, nil
}

// blank is an engine without state.
func (w *Worker) blank() *Engine {
	e := NewEngine(w.opt.Set, w.opt.Dict, w.opt.Owns)
	e.SetPartitions(w.opt.Partitions)
	return e
}

// Keep is the oldest frame that a restart would need.
func (w *Worker) Keep() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keep
}

// cursorEvery is how often the cursor is written when nothing happens.
const cursorEvery = time.Second

// Consume judges a batch and writes down what follows.
func (w *Worker) Consume(ctx context.Context, b *devices.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.engine
	before := Engine{Evaluated: e.Evaluated, Late: e.Late, Duplicates: e.Duplicates}
	found, err := e.Step(b)
	w.judged, w.wall = b.Seq, b.Wall
	if err != nil {
		w.opt.Logger.Error().Err(err).Int("partition", w.partition).Msg("passed over in the log")
	}
	if b.Seq <= w.pos.Seq {
		w.replay.at(b.Seq, w)
		return nil
	}
	if err := w.forward(ctx, found.Letters); err != nil {
		return fmt.Errorf("frame %d: %w", b.Seq, err)
	}
	w.hold(b)
	w.stood = append(w.stood, found.Stood...)
	if w.pos.Untold {
		w.stood = e.standingOfAll()
	}
	o := Outcome{Partition: w.partition, Epoch: w.pos.Epoch, OldSeq: w.pos.Seq, NewSeq: b.Seq, OldWall: w.pos.Wall, Wall: b.Wall, Findings: *found, Refused: w.held, Begins: w.pos.Untold}
	o.Stood = w.stood
	save := w.opt.Archive != nil && b.Wall >= w.due
	if len(o.Transitions)+len(o.Gaps) > 0 || save || b.Wall-w.committed >= cursorEvery.Milliseconds() || len(w.held) >= maxHeld || w.heldBytes >= maxHeldBytes || len(w.stood) >= maxHeld || o.Begins {
		if err := w.opt.Desk.Commit(ctx, &o); err != nil {
			return fmt.Errorf("write down frame %d: %w", b.Seq, err)
		}
		w.pos.Seq, w.pos.Wall, w.pos.Untold, w.committed = b.Seq, b.Wall, false, b.Wall
		w.held, w.heldBytes, w.stood = w.held[:0], 0, w.stood[:0]
	}
	w.opt.Metrics.judged(&before, e, found.Gaps)
	w.reply(b)
	if save {
		w.snapshot(b.Seq, b.Wall)
	}
	return nil
}

// forward tells the other partitions what they have to know. It is called with
// mu held and lets go of it while the log writes: nobody but our caller changes
// what mu guards.
func (w *Worker) forward(ctx context.Context, ls []Letter) error {
	if len(ls) == 0 || w.opt.Forward == nil {
		return nil
	}
	w.mu.Unlock()
	defer w.mu.Lock()
	if err := w.opt.Forward(ctx, ls); err != nil {
		return fmt.Errorf("tell other partitions: %w", err)
	}
	return nil
}

// snapshot saves the state after frame seq, which has been written down. It is
// called with mu held and lets go of it before the writing.
func (w *Worker) snapshot(seq uint64, wall int64) {
	first := w.due == 0
	w.due = wall + w.opt.Every.Milliseconds()
	if first {
		return // the state was just loaded
	}
	began := time.Now()
	z := w.engine.freeze(seq)
	w.opt.Metrics.snapshot.Observe(time.Since(began).Seconds())
	p := w.partition
	w.saving.Go(func() {
		if err := w.opt.Archive.save(p, z); err != nil {
			w.opt.Logger.Error().Err(err).Msg("rules")
			return
		}
		w.mu.Lock()
		w.keep = max(w.keep, seq+1)
		w.mu.Unlock()
	})
}

// Stop writes the cursor down and saves the state, so that the next start has
// nothing to judge again. The worker must not be consuming any more.
func (w *Worker) Stop(ctx context.Context) error {
	w.saving.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil || w.opt.Archive == nil || w.judged <= w.pos.Seq && w.pos.Seq < w.keep || w.judged < w.pos.Seq {
		return nil
	}
	if w.judged > w.pos.Seq {
		o := Outcome{Partition: w.partition, Epoch: w.pos.Epoch, OldSeq: w.pos.Seq, NewSeq: w.judged, OldWall: w.pos.Wall, Wall: w.wall, Findings: Findings{Stood: w.stood}, Refused: w.held}
		if err := w.opt.Desk.Commit(ctx, &o); err != nil {
			return fmt.Errorf("stop rules: %w", err)
		}
		w.pos.Seq, w.pos.Wall, w.stood = w.judged, w.wall, nil
	}
	return w.opt.Archive.save(w.partition, w.engine.freeze(w.judged))
}

// Refusals, and how lamps stand, wait at most cursorEvery, so that a flood of garbage costs one
// transaction a second and not one for each frame; nor do they grow beyond this.
const (
	maxHeld      = 1000
	maxHeldBytes = 4 << 20
)

// hold copies what was refused: the batch is used again before it is written
// down. It waits to be committed with the cursor, so none is lost.
func (w *Worker) hold(b *devices.Batch) {
	for i := range b.Items {
		it := &b.Items[i]
		if it.Refusal == nil {
			continue
		}
		u := it.Uplink
		u.Device, u.Topic, u.Source = devices.DeviceID(strings.Clone(string(u.Device))), strings.Clone(u.Topic), strings.Clone(u.Source)
		u.Payload = bytes.Clone(u.Payload)
		w.held = append(w.held, Refused{u, *it.Refusal})
		w.heldBytes += len(u.Payload)
	}
}

// reply counts what was refused and tells the devices at once: it does not wait
// for the quarantine.
func (w *Worker) reply(b *devices.Batch) {
	for i := range b.Items {
		it := &b.Items[i]
		if it.Refusal != nil {
			w.opt.Metrics.refused.WithLabelValues(string(it.Refusal.Code)).Inc()
		}
		if w.opt.Replier == nil {
			continue
		}
		if it.Refusal != nil {
			w.opt.Replier.Refused(it.Uplink.Device, it.Refusal)
		} else if m := it.Message; m != nil && m.Notice != nil {
			w.opt.Replier.Refused(m.Device, m.Notice)
		}
	}
}

// progress tells how far the replay has come.
type progress struct {
	from, to uint64
	told     time.Time
	begun    bool
}

const tellEvery = 2 * time.Second

func (p *progress) at(seq uint64, w *Worker) {
	if !p.begun {
		p.begun, p.told = true, time.Now()
		return
	}
	done := seq == p.to
	if !done && time.Since(p.told) < tellEvery {
		return
	}
	p.told = time.Now()
	w.opt.Logger.Info().Int("partition", w.partition).Uint64("frames", seq-p.from+1).Uint64("of", p.to-p.from+1).Msg("judging the log again since the last snapshot")
}

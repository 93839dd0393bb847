package uplog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

const (
	tick       = time.Second
	retryEvery = 250 * time.Millisecond
	ackWait    = 10 * time.Second
)

// Options say where the log lies and how large it may grow.
type Options struct {
	Dir          string   // of the embedded server
	URLs         []string // of a NATS cluster to use instead
	Replicas     int      // default 1 embedded, 3 in a cluster
	Partitions   int      // default 2
	MaxBytes     int64    // of all partitions; default 8 GiB
	MaxAge       time.Duration
	ReserveBytes int64 // below this much free disk the log counts as full; default 64 MiB
	Log          zerolog.Logger
	Metrics      prometheus.Registerer
	Now          func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Partitions == 0 {
		o.Partitions = 2
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 72 * time.Hour
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if len(o.URLs) > 0 {
			o.Replicas = 3
		}
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Log is the durable log. All methods are safe for concurrent use.
type Log struct {
	opt   Options
	srv   *server.Server // nil with a cluster
	nc    *nats.Conn
	js    jetstream.JetStream
	parts []*partition
	m     *metrics
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu      sync.Mutex
	trouble map[int]string // guarded by mu: by partition
}

// Open starts the embedded server (or connects to the cluster) and the writers.
func Open(ctx context.Context, o Options) (*Log, error) {
	o = o.withDefaults()
	l := &Log{opt: o, m: newMetrics(o.Metrics), trouble: make(map[int]string)}
	if err := l.connect(); err != nil {
		l.Close()
		return nil, err
	}
	wctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	for i := range o.Partitions {
		p, err := l.openPartition(ctx, i)
		if err != nil {
			l.Close()
			return nil, err
		}
		l.parts = append(l.parts, p)
	}
	for _, p := range l.parts {
		l.done.Go(func() { l.write(wctx, p) })
	}
	return l, nil
}

func (l *Log) connect() error {
	var err error
	opts := []nats.Option{nats.Name("lamplighter"), nats.MaxReconnects(-1)}
	url := ""
	if len(l.opt.URLs) == 0 {
		if err := l.embed(); err != nil {
			return err
		}
		opts = append(opts, nats.InProcessServer(l.srv))
	} else {
		for i, u := range l.opt.URLs {
			if i > 0 {
				url += ","
			}
			url += u
		}
	}
	if l.nc, err = nats.Connect(url, opts...); err != nil {
		return fmt.Errorf("connect to the log: %w", err)
	}
	if l.js, err = jetstream.New(l.nc); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	return nil
}

func (l *Log) embed() error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "lamplighter", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Clean(l.opt.Dir), SyncAlways: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: l.opt.MaxBytes + l.opt.MaxBytes/4,
		MaxPayload: 8 << 20,
	})
	if err != nil {
		return fmt.Errorf("embed the log in %s: %w", l.opt.Dir, err)
	}
	l.srv = srv
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("embed the log in %s: not ready after 30 s", l.opt.Dir)
	}
	return nil
}

func (l *Log) openPartition(ctx context.Context, i int) (*partition, error) {
	s, err := l.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: fmt.Sprintf("UPLOG_%d", i), Subjects: []string{subject(i)},
		Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew, Retention: jetstream.LimitsPolicy,
		MaxBytes: l.opt.MaxBytes / int64(l.opt.Partitions), MaxAge: l.opt.MaxAge, Replicas: l.opt.Replicas,
		AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open partition %d of the log: %w", i, err)
	}
	p := newPartition(i, s)
	p.last = s.CachedInfo().State.LastSeq
	if p.last > 0 {
		if f, err := l.fetch(ctx, p, p.last); err == nil {
			p.wall = f.Wall
		}
	}
	return p, nil
}

func subject(i int) string { return fmt.Sprintf("uplog.%d", i) }

// Partitions is how many partitions there are.
func (l *Log) Partitions() int { return len(l.parts) }

// Append copies r into the partition's open frame and returns; a is told when
// it is durable. It blocks while [maxPending] bytes wait for the disk, until
// ctx ends. a may be nil.
func (l *Log) Append(ctx context.Context, part int, r *Record, a devices.Acker) error {
	return l.parts[part].add(ctx, r, a)
}

// publish makes one frame durable. A frame whose acknowledgement was lost is
// recognised by its sequence number and not written twice.
func (l *Log) publish(ctx context.Context, p *partition, b []byte) (uint64, error) {
	if err := l.checkDisk(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	ack, err := l.js.PublishMsg(ctx, &nats.Msg{Subject: subject(p.id), Data: b}, jetstream.WithExpectLastSequence(p.last))
	if err == nil {
		return ack.Sequence, nil
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		if f, ferr := l.fetch(ctx, p, p.last+1); ferr == nil && f.Wall == p.wall {
			return f.Seq, nil
		}
	}
	return 0, fmt.Errorf("write frame of partition %d: %w", p.id, err)
}

func (l *Log) checkDisk() error {
	if l.srv == nil {
		return nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(l.opt.Dir, &st); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < l.opt.ReserveBytes {
		return fmt.Errorf("disk of %s: %d MiB free, %d MiB kept in reserve: %w", l.opt.Dir, free>>20, l.opt.ReserveBytes>>20, devices.ErrFull)
	}
	return nil
}

func (l *Log) fetch(ctx context.Context, p *partition, seq uint64) (*Frame, error) {
	m, err := p.stream.GetMsg(ctx, seq)
	if err != nil {
		return nil, fmt.Errorf("read partition %d frame %d: %w", p.id, seq, err)
	}
	return openFrame(p.id, seq, m.Data)
}

// Bounds are the sequence numbers of the oldest and the newest frame.
func (l *Log) Bounds(ctx context.Context, part int) (first, last uint64, err error) {
	info, err := l.parts[part].stream.Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("bounds of partition %d: %w", part, err)
	}
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// Read calls fn with every frame from sequence number from on, in order, and
// then with every new one until ctx ends or fn returns an error. Frames that
// have aged out are passed over.
func (l *Log) Read(ctx context.Context, part int, from uint64, fn func(*Frame) error) error {
	p := l.parts[part]
	first, last, err := l.Bounds(ctx, part)
	if err != nil {
		return err
	}
	for seq := max(from, first, 1); ; seq++ {
		f, err := l.frame(ctx, p, seq, last)
		if err != nil {
			return err
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

func (l *Log) frame(ctx context.Context, p *partition, seq, stored uint64) (*Frame, error) {
	for {
		data, news, behind := p.recent(seq)
		if data != nil {
			return openFrame(p.id, seq, data)
		}
		if behind || seq <= stored {
			return l.fetch(ctx, p, seq)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-news:
		}
	}
}

func (l *Log) healthy(part int) {
	l.mu.Lock()
	if _, was := l.trouble[part]; was {
		delete(l.trouble, part)
		l.opt.Log.Info().Int("partition", part).Msg("the log takes frames again")
	}
	l.mu.Unlock()
}

func (l *Log) unhealthy(part int, err error) {
	l.mu.Lock()
	if _, was := l.trouble[part]; !was {
		l.opt.Log.Error().Err(err).Int("partition", part).Msg("the log takes no frame; sources are not acknowledged")
	}
	l.trouble[part] = err.Error()
	l.mu.Unlock()
}

// Health says whether the log takes nothing at the moment, and why.
func (l *Log) Health() (full bool, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, why := range l.trouble {
		return true, why
	}
	return false, ""
}

// Close stops the writers and the server. What was not durable by then is
// never acknowledged.
func (l *Log) Close() {
	for _, p := range l.parts {
		p.close()
	}
	if l.stop != nil {
		l.stop()
	}
	l.done.Wait()
	if l.nc != nil {
		l.nc.Close()
	}
	if l.srv != nil {
		l.srv.Shutdown()
		l.srv.WaitForShutdown()
	}
}

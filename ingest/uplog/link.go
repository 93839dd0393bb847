package uplog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// link is one life of the connection to JetStream: with the embedded server, of
// the server too. When JetStream has switched itself off, the link is replaced.
type link struct {
	srv     *server.Server // nil with a cluster
	nc      *nats.Conn
	js      jetstream.JetStream
	streams []jetstream.Stream // by partition
	failed  *failure           // of the embedded server's disk
}

// failure is set when the embedded server cannot write. It keeps the error for
// ever, and leaves publishers without an answer, so its log is all there is.
type failure struct {
	ctx context.Context // ends when it is set
	set context.CancelCauseFunc
}

func newFailure() *failure {
	f := &failure{}
	f.ctx, f.set = context.WithCancelCause(context.Background())
	return f
}

// err is why the server cannot write, nil while it can.
func (f *failure) err() error { return context.Cause(f.ctx) }

// dial starts the embedded server, or connects to the cluster.
func (l *Log) dial() (*link, error) {
	k := &link{failed: newFailure()}
	opts := []nats.Option{nats.Name("lamplighter"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second)}
	if len(l.opt.URLs) == 0 {
		if err := k.embed(&l.opt); err != nil {
			return nil, err
		}
		opts = append(opts, nats.InProcessServer(k.srv))
	}
	var err error
	if k.nc, err = nats.Connect(strings.Join(l.opt.URLs, ","), opts...); err != nil {
		k.close()
		return nil, fmt.Errorf("connect to the log: %w", err)
	}
	if k.js, err = jetstream.New(k.nc); err != nil {
		k.close()
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return k, nil
}

func (k *link) embed(o *Options) error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "lamplighter", DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: filepath.Clean(o.Dir), SyncAlways: true, DisableJetStreamBanner: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: o.MaxBytes + o.MaxBytes/4 + 1<<20,
		MaxPayload: 8 << 20,
	})
	if err != nil {
		return fmt.Errorf("embed the log in %s: %w", o.Dir, err)
	}
	k.srv = srv
	srv.SetLoggerV2(natsLog{o.Log.With().Str("part", "nats").Logger(), k.failed}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(time.Minute) {
		k.close()
		return fmt.Errorf("embed the log in %s: not ready after a minute", o.Dir)
	}
	return nil
}

// maxRecord is the largest record that the server takes, in bytes.
func (k *link) maxRecord() int { return int(min(k.nc.MaxPayload(), 8<<20)) - headerLen - 512 }

// openStreams opens, or makes, the stream of every partition.
func (k *link) openStreams(ctx context.Context, o *Options) error {
	for i := range o.Partitions {
		s, err := k.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: streamName(i), Subjects: []string{subject(i)},
			Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew, Retention: jetstream.LimitsPolicy,
			MaxBytes: o.MaxBytes / int64(o.Partitions), MaxAge: o.MaxAge, Replicas: o.Replicas,
			AllowDirect: true,
		})
		if err != nil {
			return fmt.Errorf("open partition %d of the log: %w", i, err)
		}
		k.streams = append(k.streams, s)
	}
	return nil
}

// partitions is how many partitions the log has already, 0 for a new one.
func (k *link) partitions(ctx context.Context) (n int, err error) {
	for ; n < maxPartitions; n++ {
		if _, err := k.js.Stream(ctx, streamName(n)); errors.Is(err, jetstream.ErrStreamNotFound) {
			return n, nil
		} else if err != nil {
			return n, fmt.Errorf("look for partition %d of the log: %w", n, err)
		}
	}
	return n, nil
}

func (k *link) close() {
	if k.nc != nil {
		k.nc.Close()
	}
	if k.srv != nil {
		k.srv.Shutdown()
		k.srv.WaitForShutdown()
	}
}

// off tells whether the embedded server has switched JetStream off, which it
// does when the disk is full.
func (k *link) off() bool { return k.srv != nil && !k.srv.JetStreamEnabled() }

func streamName(i int) string { return fmt.Sprintf("UPLOG_%d", i) }
func subject(i int) string    { return fmt.Sprintf("uplog.%d", i) }

// natsLog hands on what the server says that an operator should know.
type natsLog struct {
	log    zerolog.Logger
	failed *failure
}

func (n natsLog) Noticef(format string, v ...any) { n.log.Debug().Msgf(format, v...) }
func (n natsLog) Warnf(format string, v ...any)   { n.log.Warn().Msgf(format, v...) }
func (n natsLog) Fatalf(format string, v ...any)  { n.log.Error().Msgf(format, v...) }
func (n natsLog) Debugf(string, ...any)           {}
func (n natsLog) Tracef(string, ...any)           {}

func (n natsLog) Errorf(format string, v ...any) {
	msg := fmt.Sprintf(format, v...)
	n.log.Error().Msg(msg)
	if strings.Contains(msg, "failed to store a msg") || strings.Contains(msg, "will be DISABLED") {
		n.failed.set(errors.New(msg))
	}
}

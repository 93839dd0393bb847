package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"lamplighter/dashboards"
	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/ingest/broker"
	"lamplighter/ingest/config"
	"lamplighter/ingest/mqtt"
	"lamplighter/ingest/pipeline"
	"lamplighter/ingest/store"
	"lamplighter/ingest/uplog"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/rules/pager"
	"lamplighter/rules/tickets"
)

// app is the running daemon.
type app struct {
	conf config.Config
	data string
	log  zerolog.Logger
	zone *time.Location
	reg  *prometheus.Registry

	db       *database.DB
	census   *registry.Registry
	dict     *devices.Dictionary
	uplog    *uplog.Log
	bin      *tickets.Quarantine
	intake   *pipeline.Intake
	writers  []*store.Writer
	judges   judges
	rules    *ruleFiles
	windows  *tickets.Windows
	lighting *lighting.Book
	rates    *lighting.Set
	child    *store.Child
	listener *broker.Server // nil where it is switched off
	replies  *replies
	brokers  atomic.Pointer[[]*mqtt.Client] // the sessions with other brokers; nil until they are started

	shares    []*pipeline.Share // of the store and the rules, by partition
	followers []*pipeline.Follower
	stack     []step // what Stop unwinds
}

type step struct {
	name string
	stop func() error
}

func (a *app) push(name string, stop func() error) { a.stack = append(a.stack, step{name, stop}) }

// Stop undoes the start, in reverse.
func (a *app) Stop() error {
	var errs []error
	for i := len(a.stack) - 1; i >= 0; i-- {
		if err := a.stack[i].stop(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", a.stack[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// newApp wires the daemon in the order of the way of a reading, read from its
// end: whoever takes is there before whoever gives. Sources come last.
func newApp(ctx context.Context, conf config.Config, data string, demo bool, log zerolog.Logger, out io.Writer) (_ *app, err error) {
	a := &app{conf: conf, data: data, log: log, reg: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop())
		}
	}()
	a.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if a.zone, err = time.LoadLocation(conf.Zone); err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	if a.dict, err = newDictionary(); err != nil {
		return nil, err
	}
	if err = a.lock(); err != nil {
		return nil, err
	}
	if err = a.openFacts(ctx); err != nil {
		return nil, err
	}
	keeper := auth.New(auth.Options{DB: a.db, Dir: a.data})
	if err = a.firstAdmin(ctx, keeper, out); err != nil {
		return nil, err
	}
	if err = a.openLog(ctx); err != nil {
		return nil, err
	}
	querier, err := a.startStore(ctx)
	if err != nil {
		return nil, err
	}
	desk, pages, err := a.startRules(ctx)
	if err != nil {
		return nil, err
	}
	if err = a.openLighting(ctx, desk); err != nil {
		return nil, err
	}
	if err = a.startBoard(keeper, desk, pages, querier); err != nil {
		return nil, err
	}
	if err = a.startSources(); err != nil {
		return nil, err
	}
	w := &watchman{health: a.health, report: a.ownTrouble(desk), log: log}
	a.background("watchman", w.run)
	if demo {
		if err = a.startDemo(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// lock keeps a second daemon out of the data folder.
func (a *app) lock() error {
	if err := dataFolder(a.data); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(a.data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("data folder %s is in use by another daemon; stop it or choose another folder with --data", a.data), f.Close())
	}
	a.push("lock", f.Close)
	return nil
}

func (a *app) openFacts(ctx context.Context) error {
	var err error
	if a.db, err = database.Open(ctx, databaseURL(&a.conf, a.data)); err != nil {
		return err
	}
	a.push("database", a.db.Close)
	if a.census, err = registry.Open(ctx, a.db, censusOptions(&a.conf, a.data, a.dict)); err != nil {
		return err
	}
	if err = a.census.RecallChannels(ctx, a.dict); err != nil {
		return err
	}
	a.background("limits of the census", func(ctx context.Context) { tellLimits(ctx, a.census, a.log) })
	a.background("seen", func(ctx context.Context) {
		a.census.KeepSeen(ctx, func(err error) { a.log.Error().Err(err).Msg("devices that were not let in") })
	})
	a.bin = tickets.NewQuarantine(tickets.QuarantineOptions{DB: a.db, MaxAge: a.conf.Quarantine.MaxAge, MaxBytes: a.conf.Quarantine.MaxBytes, Metrics: a.reg})
	a.background("quarantine", func(ctx context.Context) {
		a.bin.Keep(ctx, func(err error) { a.log.Error().Err(err).Msg("quarantine") })
	})
	a.background("channels", func(ctx context.Context) {
		a.census.KeepChannels(ctx, a.dict, func(err error) { a.log.Error().Err(err).Msg("channels met in the field") })
	})
	return nil
}

func (a *app) firstAdmin(ctx context.Context, k *auth.Keeper, out io.Writer) error {
	p, err := k.EnsureAdmin(ctx)
	if err != nil || p == "" {
		return err
	}
	_, err = fmt.Fprintf(out, "\nUser admin was made with the password %s\nIt also stands in %s\n\n", p, filepath.Join(a.data, "initial-admin-password"))
	return err
}

func (a *app) openLog(ctx context.Context) error {
	var err error
	a.uplog, err = uplog.Open(ctx, uplog.Options{
		Dir: filepath.Join(a.data, "log"), URLs: a.conf.Log.NATS, Partitions: a.conf.Log.Partitions,
		MaxBytes: a.conf.Log.MaxBytes, MaxAge: a.conf.Log.MaxAge, Log: a.log, Metrics: a.reg,
	})
	if err != nil {
		return err
	}
	a.push("log", func() error { a.uplog.Close(); return nil })
	if err := a.serveLog(); err != nil {
		return err
	}
	const consumers = 2 // the store and the rules
	var enroll pipeline.Enroller
	if a.conf.Devices.Anonymous {
		enroll = a.census
	}
	a.intake = pipeline.NewIntake(a.uplog, a.census, enroll)
	for p := range a.uplog.Partitions() {
		a.shares = append(a.shares, pipeline.NewShare(a.uplog, p, consumers, a.decoder))
	}
	return nil
}

func (a *app) decoder() pipeline.Decoder {
	return codec.New(a.dict, codec.Options{MaxPast: a.conf.Store.Retention})
}

// startStore starts the store (or finds the configured one) and its writers.
func (a *app) startStore(ctx context.Context) (dashboards.Querier, error) {
	target, err := a.target(ctx)
	if err != nil {
		return nil, err
	}
	m := store.NewMetrics(a.reg)
	for range a.uplog.Partitions() {
		w := store.NewWriter(store.Options{
			Target: target, Census: a.census, Cursor: store.FileCursor{Dir: a.data}, Quarantine: a.bin,
			Retention: a.conf.Store.Retention, Frames: a.uplog, Log: a.log, Metrics: m,
		})
		a.writers = append(a.writers, w)
	}
	a.follow("store", func(p int) pipeline.Consumer { return a.writers[p] })
	if a.conf.Store.PromQL != "" {
		q, err := store.NewPromQL(a.conf.Store.PromQL, "")
		return querier{q}, err
	}
	if a.conf.Store.InfluxDB != nil {
		f := store.NewFlux(target)
		a.push("store's reader", func() error { f.Close(); return nil })
		return querier{f}, nil
	}
	q, err := a.child.Reader()
	return querier{q}, err
}

func (a *app) target(ctx context.Context) (store.Target, error) {
	if a.conf.Store.InfluxDB != nil {
		return influxTarget(a.conf.Store.InfluxDB)
	}
	o, err := childOptions(&a.conf, a.data)
	if err != nil {
		return store.Target{}, err
	}
	o.Log = a.log
	a.child, err = store.Supervise(context.WithoutCancel(ctx), o)
	if a.child == nil {
		return store.Target{}, err
	}
	a.push("store", func() error { a.child.Stop(); return nil })
	if err != nil { // tickets and pages do not wait for it
		a.log.Error().Err(err).Msg("going on without the store for now")
	}
	return store.Target{URL: a.child.URL(), Org: "lamplighter", Bucket: "lamplighter", Authorization: a.child.Authorization(),
		Generation: func() int { _, n := a.child.PID(); return n }}, nil
}

// influxTarget is where a configured InfluxDB takes and gives readings.
func influxTarget(i *config.InfluxDB) (store.Target, error) {
	token := ""
	if i.TokenFile != "" {
		b, err := os.ReadFile(i.TokenFile)
		if err != nil {
			return store.Target{}, fmt.Errorf("token of InfluxDB: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	return store.Target{URL: i.URL, Org: i.Org, Bucket: i.Bucket, Token: token}, nil
}

// childOptions say how the embedded store of a data folder runs.
func childOptions(conf *config.Config, data string) (store.ChildOptions, error) {
	exe, err := os.Executable()
	if err != nil {
		return store.ChildOptions{}, fmt.Errorf("find this binary: %w", err)
	}
	return store.ChildOptions{Executable: exe, Args: []string{storeChild}, Dir: filepath.Join(data, "store"), Retention: conf.Store.Retention, MemoryMB: conf.Store.MemoryMB}, nil
}

// follow runs one consumer per partition until Stop.
func (a *app) follow(name string, consumer func(partition int) pipeline.Consumer) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for p := range a.uplog.Partitions() {
		f := &pipeline.Follower{Name: name, Log: a.uplog, Partition: p, Decoder: a.decoder(), Share: a.shares[p], Consumer: consumer(p), Logger: a.log}
		a.followers = append(a.followers, f)
		wg.Go(func() {
			if err := f.Run(ctx); err != nil {
				a.log.Error().Err(err).Msg("a consumer has ended; another daemon has taken over")
			}
		})
	}
	a.push(name, func() error { cancel(); wg.Wait(); return nil })
}

func (a *app) startRules(ctx context.Context) (*tickets.Desk, *pager.Pager, error) {
	inForce := filepath.Join(a.data, "rules-in-force.yml")
	set, rates, err := a.judgement(inForce)
	if err != nil {
		return nil, nil, err
	}
	a.rates = rates
	channels, err := a.channels()
	if err != nil {
		return nil, nil, err
	}
	archive, err := rules.OpenArchive(filepath.Join(a.data, "rules"))
	if err != nil {
		return nil, nil, err
	}
	pages := pager.New(pager.Options{DB: a.db, Channels: channels, Zone: a.zone, Log: a.log, Metrics: a.reg})
	desk := tickets.New(tickets.Options{DB: a.db, Outbox: pages, Quarantine: a.bin, Ledger: lighting.Ledger{}, Zone: a.zone, Metrics: a.reg})
	a.background("pager", pages.Run)
	feed := &pipeline.CensusFeed{Log: a.uplog, Census: a.census, File: filepath.Join(a.data, "rules", "census-fed"), Logger: a.log}
	m := rules.NewMetrics(a.reg)
	a.replies = newReplies(a.log)
	for p := range a.uplog.Partitions() {
		a.judges = append(a.judges, rules.NewWorker(rules.Options{Set: set, Dict: a.dict, Owns: a.owns(p), Log: a.uplog, Desk: desk, Archive: archive, Forgot: feed.Again, Partitions: a.uplog.Partitions(), Forward: a.forward, Replier: a.replies, Metrics: m, Logger: a.log}))
	}
	a.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lamplighter_facilities_sunless", Help: "Facilities that rules by the sun do not judge: neither they nor their circuit or cabinet have a place."}, a.judges.sunless))
	a.push("rules' state", a.judges.stop)
	a.follow("rules", func(p int) pipeline.Consumer { return a.judges[p] })
	a.rules = &ruleFiles{inForce: inForce, paths: a.conf.Rules.Files, zone: a.conf.Zone, dict: a.dict, log: a.log, fits: rates.Check, switchOn: func(ctx context.Context, text []byte) error {
		return pipeline.Broadcast(ctx, a.uplog, devices.ItemRuleSet, text)
	}}
	a.background("rule files", func(ctx context.Context) {
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		defer signal.Stop(hup)
		a.rules.run(ctx, set, hup)
	})
	a.background("census into the log", feed.Run)
	a.windows = tickets.NewWindows(tickets.WindowsOptions{DB: a.db, Send: func(ctx context.Context, record []byte) error {
		return pipeline.Broadcast(ctx, a.uplog, devices.ItemWindow, record)
	}})
	a.background("windows", func(ctx context.Context) {
		a.windows.Keep(ctx, func(err error) { a.log.Error().Err(err).Msg("maintenance windows") })
	})
	return desk, pages, nil
}

// openLighting opens the account of the lamps and keeps it.
func (a *app) openLighting(ctx context.Context, desk *tickets.Desk) error {
	n := a.uplog.Partitions()
	var err error
	a.lighting, err = lighting.Open(ctx, lighting.Options{DB: a.db, Census: a.census, Set: a.rates, Zone: a.zone, Parts: n, Tickets: desk, Metrics: a.reg, Log: a.log,
		Partition: func(key string) int { return pipeline.PartitionOf(key, n) }})
	if err != nil {
		return err
	}
	a.background("lighting rates", func(ctx context.Context) {
		a.lighting.Keep(ctx, func(err error) { a.log.Error().Err(err).Msg("lighting rates") })
	})
	return nil
}

// forward puts what a partition has to tell others into their logs.
func (a *app) forward(ctx context.Context, ls []rules.Letter) error {
	out := make([]pipeline.Letter, len(ls))
	for i, l := range ls {
		out[i] = pipeline.Letter{Key: l.Key, Type: l.Type, Control: l.Record}
	}
	return pipeline.Send(ctx, a.uplog, out)
}

// owns tells which facilities are judged in a partition.
func (a *app) owns(partition int) func(*registry.Facility) bool {
	n := a.uplog.Partitions()
	return func(f *registry.Facility) bool { return pipeline.PartitionOf(f.Key(), n) == partition }
}

func (a *app) channels() ([]pager.Channel, error) {
	var out []pager.Channel
	for _, t := range a.conf.Pager {
		c := pager.Channel{Name: t.Name, URL: t.URL, MinSeverity: t.MinSeverity, Kinds: t.Kinds}
		if t.SecretFile != "" {
			b, err := os.ReadFile(t.SecretFile)
			if err != nil {
				return nil, fmt.Errorf("secret of pager channel %s: %w", t.Name, err)
			}
			c.Secret = []byte(strings.TrimSpace(string(b)))
		}
		out = append(out, c)
	}
	return out, nil
}

// background runs fn until Stop.
func (a *app) background(name string, fn func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); fn(ctx) }()
	a.push(name, func() error { cancel(); <-done; return nil })
}

func (a *app) startBoard(k *auth.Keeper, desk *tickets.Desk, pages *pager.Pager, q dashboards.Querier) error {
	s, err := dashboards.New(dashboards.Options{
		Address: a.conf.HTTP.Address, CertFile: a.conf.HTTP.CertFile, KeyFile: a.conf.HTTP.KeyFile, Proxies: a.conf.HTTP.Proxies, Rate: a.conf.HTTP.Rate,
		DB: a.db, Auth: k, Census: a.census, Dict: a.dict, Tickets: desk, Quarantine: a.bin, Windows: a.windows, Lighting: a.lighting, Retaker: retaker{a}, Pager: pages,
		State: a.judges, Querier: q, Health: a.health, Zone: a.zone, Log: a.log, Gatherer: a.reg,
	})
	if err != nil {
		return err
	}
	s.Start()
	a.push("HTTP", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return s.Stop(ctx)
	})
	a.log.Info().Str("address", s.Addr().String()).Msg("board and API")
	return nil
}

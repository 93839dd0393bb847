package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices/registry"
	"lamplighter/ingest/config"
	"lamplighter/ingest/store"
	"lamplighter/rules/replay"
	"lamplighter/rules/tickets"
)

// storedReplay judges the readings that the store has.
type storedReplay struct{ pastReplay }

const (
	// lead is how long before the span the rules begin, so that they know what
	// stood when it begins.
	lead = 24 * time.Hour
	// atOnce is how many facilities are judged at once, about.
	atOnce = 2000
)

// run prints what would have been opened against what was.
func (p *storedReplay) run() error {
	var err error
	if p.zone, err = time.LoadLocation(p.conf.Zone); err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	if err := p.times(); err != nil {
		return err
	}
	if p.span.From.IsZero() {
		return errors.New("--store needs --from: the day on which to begin, as in 2026-06-01")
	}
	p.span.Known = p.span.From.Add(-lead)
	db, census, _, closeDB, err := openCensus(p.d, p.cmd.Config, p.cmd.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	past := &replay.Past{From: p.span.Known.UnixMilli(), To: p.span.To.UnixMilli()}
	all, err := allFed(p.d.ctx, census)
	if err != nil {
		return err
	}
	if past.Census, err = p.cmd.of(all); err != nil {
		return err
	}
	ws, err := tickets.NewWindows(tickets.WindowsOptions{DB: db}).WindowsOf(p.d.ctx, past.From, past.To)
	if err != nil {
		return err
	}
	if past.Windows, err = windowItems(ws); err != nil {
		return err
	}
	o, r, err := p.judge(census, past)
	if err != nil {
		return err
	}
	was, err := tickets.Past(p.d.ctx, db, past.From, past.To)
	if err != nil {
		return err
	}
	r.Tickets = p.cmd.only(r.Tickets)
	return p.tell(r, replay.CompareStored(p.cmd.only(were(was, p.span.To)), r.Tickets, p.span, o.Set), o.Set.Version())
}

func (p *storedReplay) judge(census *registry.Registry, past *replay.Past) (*replay.Options, *replay.Result, error) {
	o, err := replayOptions(p.conf, p.cmd.Rules, min(256, 1+len(past.Census)/atOnce))
	if err == nil && o.Set.Wide() { // who is counted together is judged together
		o, err = replayOptions(p.conf, p.cmd.Rules, 1)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := census.RecallChannels(p.d.ctx, o.Dict); err != nil {
		return nil, nil, err
	}
	s, closeStore, err := openStore(p.d.ctx, p.conf, p.cmd.Data)
	if err != nil {
		return nil, nil, err
	}
	days := tellDays(0)
	r, err := replay.Stored(p.d.ctx, s, past, o, func(done float64) { days(int64(done * float64(past.To-past.From))) })
	if err := errors.Join(err, closeStore()); err != nil {
		return nil, nil, err
	}
	if r.Messages == 0 {
		return nil, nil, fmt.Errorf("the store has no reading of a facility of the census from %s to %s", p.span.Known.In(p.zone).Format(time.DateTime), p.span.To.In(p.zone).Format(time.DateTime))
	}
	return &o, r, nil
}

// openStore opens the store of a data folder to read it: the one that the
// configuration names, or the embedded one, beside the daemon that runs it or,
// when none does, by running it. It never writes.
func openStore(ctx context.Context, conf *config.Config, data string) (replay.Store, func() error, error) {
	nothing := func() error { return nil }
	if conf.Store.PromQL != "" {
		q, err := store.NewPromQL(conf.Store.PromQL, "")
		return q, nothing, err
	}
	if conf.Store.InfluxDB != nil {
		target, err := influxTarget(conf.Store.InfluxDB)
		if err != nil {
			return nil, nil, err
		}
		f := store.NewFlux(target)
		return f, func() error { f.Close(); return nil }, nil
	}
	lock, err := lockFolder(data)
	if err != nil {
		return nil, nil, err
	}
	if lock == nil {
		q, err := store.Beside(filepath.Join(data, "store"))
		return q, nothing, err
	}
	o, err := childOptions(conf, data)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	o.Log, o.Retention = zerolog.Nop(), forEver
	c, err := store.Supervise(ctx, o)
	if err != nil {
		if c != nil {
			c.Stop()
		}
		return nil, nil, errors.Join(err, lock.Close())
	}
	q, err := c.Reader()
	return q, func() error { c.Stop(); return lock.Close() }, err
}

// forEver is the retention of a store that is only read: whoever forgets
// --config must not have it delete what the daemon would keep.
const forEver = 100 * 365 * 24 * time.Hour

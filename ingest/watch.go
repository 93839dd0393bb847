package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/dashboards"
)

// watchman turns trouble of the daemon's own parts that lasts into a ticket and
// a page, and closes it when the part has been well for as long.
type watchman struct {
	health func() []dashboards.Part
	report func(ctx context.Context, p dashboards.Part, over bool) error
	log    zerolog.Logger
	parts  map[string]*watched
}

// watched is what the watchman knows of one part.
type watched struct {
	ill   bool
	since time.Time // when ill last changed
	told  said
}

// said is what was last reported of a part. After a start nothing is known of
// what was reported before: a part that is well closes what may be open.
type said uint8

const (
	nothing said = iota
	ill
	well
)

const (
	lookEvery = time.Second
	// patience is how long trouble lasts before somebody is woken: a store that
	// is started again, or a broker that comes back, wakes nobody.
	patience = 30 * time.Second
)

// run watches until ctx ends.
func (w *watchman) run(ctx context.Context) {
	w.parts = make(map[string]*watched)
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			w.look(ctx, now)
		}
	}
}

func (w *watchman) look(ctx context.Context, now time.Time) {
	for _, p := range w.health() {
		if p.Covered {
			continue
		}
		s := w.parts[p.Name]
		if s == nil {
			s = &watched{ill: !p.OK, since: now}
			w.parts[p.Name] = s
		}
		if s.ill == p.OK {
			s.ill, s.since = !p.OK, now
		}
		is := well
		if s.ill {
			is = ill
		}
		if is == s.told || now.Sub(s.since) < patience {
			continue
		}
		if err := w.report(ctx, p, !s.ill); err != nil {
			if ctx.Err() == nil {
				w.log.Error().Err(err).Msg("trouble of our own")
			}
			continue // and again in a second
		}
		s.told = is
	}
}

package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/ingest/broker"
	"lamplighter/ingest/mqtt"
	"lamplighter/ingest/pipeline"
	"lamplighter/rules"
)

// wayIn is how a link stands: our own listener, or one broker with all its
// sessions.
type wayIn struct {
	name  string // devices.Uplink.Source of what comes through it
	up    bool
	since time.Time // of one that is down
	why   string
}

// brokerLinks is a way in for each broker; it is up when all its sessions are.
func brokerLinks(sessions []*mqtt.Client) []wayIn {
	var out []wayIn
	for _, c := range sessions {
		up, since, why := c.Link()
		if n := len(out); n > 0 && out[n-1].name == c.Broker() {
			if !up && (out[n-1].up || since.Before(out[n-1].since)) {
				out[n-1] = wayIn{c.Broker(), false, since, why}
			}
			continue
		}
		out = append(out, wayIn{c.Broker(), up, since, why})
	}
	return out
}

// linksNow is every way in. The listener takes messages as long as we run.
func (a *app) linksNow() []wayIn {
	var out []wayIn
	if a.listener != nil {
		out = append(out, wayIn{name: broker.Source, up: true})
	}
	if sessions := a.brokers.Load(); sessions != nil {
		out = append(out, brokerLinks(*sessions)...)
	}
	return out
}

// sendLink puts a record into every partition.
func (a *app) sendLink(ctx context.Context, r *rules.Link) error {
	b, err := r.Encode()
	if err != nil {
		return err
	}
	return pipeline.Broadcast(ctx, a.uplog, devices.ItemLink, b)
}

// linkKeeper tells the rules through the log which ways in are up, so that
// nobody is called silent who could not be heard.
type linkKeeper struct {
	links func() []wayIn
	send  func(ctx context.Context, r *rules.Link) error
	log   zerolog.Logger
	told  map[string]linkTold
}

// linkTold is what the log was last told of a link.
type linkTold struct {
	up bool
	at time.Time
}

// lastWords bounds how long the end waits for a log that takes nothing.
const lastWords = 2 * time.Second

// run tells until ctx ends, and then that all links are down.
func (k *linkKeeper) run(ctx context.Context) {
	k.told = make(map[string]linkTold)
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		k.tell(ctx, time.Now())
		select {
		case <-ctx.Done():
			k.bye()
			return
		case <-t.C:
		}
	}
}

// tell puts into the log what has changed, and everything now and then.
func (k *linkKeeper) tell(ctx context.Context, now time.Time) {
	for _, l := range k.links() {
		was, known := k.told[l.name]
		if known && was.up == l.up && now.Sub(was.at) < rules.LinkEvery*time.Second {
			continue
		}
		if known && was.up != l.up {
			k.log.Info().Str("link", l.name).Bool("up", l.up).Str("why", l.why).Msg("way in")
		}
		if err := k.send(ctx, record(&l, now)); err != nil {
			if ctx.Err() == nil {
				k.log.Error().Err(err).Str("link", l.name).Msg("tell the rules how a way in stands")
			}
			continue // and again in a second
		}
		k.told[l.name] = linkTold{l.up, now}
	}
}

func record(l *wayIn, now time.Time) *rules.Link {
	r := &rules.Link{Name: l.name, Up: l.up, Since: now.UnixMilli()}
	if !l.up {
		r.Since = l.since.UnixMilli()
	}
	return r
}

func (k *linkKeeper) bye() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for name, was := range k.told {
		if !was.up {
			continue
		}
		if err := k.send(ctx, &rules.Link{Name: name, Since: time.Now().UnixMilli()}); err != nil {
			k.log.Warn().Err(err).Str("link", name).Msg("tell the rules that we stop")
		}
	}
}

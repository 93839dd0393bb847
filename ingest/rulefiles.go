package main

import (
	"bytes"
	"context"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/ingest/pipeline"
	"lamplighter/rules"
)

// ruleFiles watches the rule files of a running daemon. A good change is
// switched on through the log; a bad one changes nothing and says why, in the
// log and as an ill part of the daemon.
type ruleFiles struct {
	paths    []string
	zone     string
	dict     *devices.Dictionary
	log      zerolog.Logger
	fits     func(*rules.Set) error                       // whether what counts by the rules finds those that it names
	switchOn func(ctx context.Context, text []byte) error // durable when it returns
	inForce  string                                       // file that keeps the set that judges for the next start, "" = none

	mu      sync.Mutex
	trouble string // guarded by mu: why the files as they are do not judge
	version string // guarded by mu: of the set that judges
	seen    []byte // the text that was last judged, nil = look anew
	next    []byte // another one that was found at the last look
}

// rulesEvery is how often the files are looked at.
const rulesEvery = 2 * time.Second

// run switches set on, then watches until ctx ends; a signal on hup looks at once.
func (r *ruleFiles) run(ctx context.Context, set *rules.Set, hup <-chan os.Signal) {
	if r.take(ctx, set) {
		r.seen = []byte(set.Text())
	}
	t := time.NewTicker(rulesEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			r.seen = nil
			r.look(ctx, true)
		case <-t.C:
			r.look(ctx, false)
		}
	}
}

// look takes the files over if they have changed: at once, or, so that nothing
// is taken while it is being written, when two looks in a row find the same.
func (r *ruleFiles) look(ctx context.Context, atOnce bool) {
	ss, err := rules.Sources(r.paths)
	if err != nil {
		r.refuse(err)
		r.seen, r.next = nil, nil // when they are back they are read again, whatever they say
		return
	}
	text := rules.Bundle(r.zone, ss)
	again := bytes.Equal(text, r.next)
	r.next = text
	if bytes.Equal(text, r.seen) || !again && !atOnce {
		return
	}
	set, err := rules.Parse(text, r.dict)
	if err == nil {
		err = r.fits(set)
	}
	if err != nil {
		r.refuse(err)
		r.seen = text // told once
		return
	}
	if r.take(ctx, set) {
		r.seen = text
	}
}

// take switches a set on; false if it has to be tried again.
func (r *ruleFiles) take(ctx context.Context, set *rules.Set) bool {
	if err := r.switchOn(ctx, []byte(set.Text())); err != nil {
		if ctx.Err() == nil {
			r.log.Error().Err(err).Msg("switch the rules on")
		}
		return false
	}
	if r.inForce != "" {
		if err := pipeline.Replace(r.inForce, []byte(set.Text())); err != nil {
			r.log.Error().Err(err).Msg("keep the rules for the next start")
		}
	}
	r.mu.Lock()
	r.trouble, r.version = "", set.Version()
	r.mu.Unlock()
	r.log.Info().Str("version", set.Version()).Msg("rules are switched on")
	return true
}

// refuse tells, once, why the rules stay as they are.
func (r *ruleFiles) refuse(err error) {
	r.mu.Lock()
	told := r.trouble == err.Error()
	r.trouble = err.Error()
	v := r.version
	r.mu.Unlock()
	if !told {
		r.log.Error().Err(err).Str("version", v).Msg("the rule files are not taken; the rules stay as they are")
	}
}

// health is why the rule files do not judge, "" if they do.
func (r *ruleFiles) health() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

package dashboards

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"lamplighter/devices"
)

// observed is how many values of a channel tell its pace.
const observed = 8

// rarer judges the channels of a facility that come less often than their device
// speaks by a pace of their own: the median pause between their last values. What
// a device that has fallen silent said is judged by the device's interval.
func (s *Server) rarer(ctx context.Context, id devices.FacilityID, vs []latestValue, newest map[string]Point) error {
	if !slices.ContainsFunc(vs, func(v latestValue) bool { return !v.Stale }) {
		return nil
	}
	for i := range vs {
		v := &vs[i]
		if v.EveryS == 0 || float64(v.AgeMS) <= v.EveryS*second {
			continue
		}
		every, err := s.pace(ctx, id, v.Channel, newest[v.Channel].T)
		if err != nil {
			return err
		}
		v.judge(max(v.EveryS, every))
	}
	return nil
}

// pace is the median pause, in seconds, between the last values of a channel, of
// which the newest is of an instant, Unix ms; 0 if these are too few to tell.
func (s *Server) pace(ctx context.Context, id devices.FacilityID, channel string, at int64) (float64, error) {
	k := paceOf{id, channel}
	if every, ok := s.paces.kept(k, at); ok {
		return every, nil
	}
	every := 0.0
	for _, back := range []time.Duration{time.Hour, 24 * time.Hour} {
		pts, err := s.opt.Querier.Range(ctx, string(id), channel, at-back.Milliseconds(), at, observed)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errStore, err)
		}
		if len(pts) >= observed/2 {
			every = median(pts)
			break
		}
	}
	s.paces.keep(k, at, every)
	return every, nil
}

// median is the median pause between points, in seconds.
func median(pts []Point) float64 {
	var pauses []int64
	for i := 1; i < len(pts); i++ {
		pauses = append(pauses, pts[i].T-pts[i-1].T)
	}
	slices.Sort(pauses)
	return float64(pauses[len(pauses)/2]) / second
}

// maxPaces bounds how many are remembered.
const maxPaces = 200_000

// paces remembers the pace of channels until they have a newer value: many
// facilities are asked for at once, and again every few seconds. It is safe for
// concurrent use.
type paces struct {
	mu   sync.Mutex
	seen map[paceOf]paceAt // guarded by mu
}

type paceOf struct {
	id      devices.FacilityID
	channel string
}

// paceAt is the pace as it was up to an instant.
type paceAt struct {
	at    int64
	every float64
}

func (p *paces) kept(k paceOf, at int64) (every float64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.seen[k]
	return x.every, ok && x.at == at
}

func (p *paces) keep(k paceOf, at int64, every float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= maxPaces {
		p.seen = make(map[paceOf]paceAt)
	}
	p.seen[k] = paceAt{at, every}
}

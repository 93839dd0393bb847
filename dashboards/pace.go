package dashboards

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"lamplighter/devices"
)

const (
	// observed is how many values of a channel tell its pace; those of a burst, such
	// as a shock in steps of a quarter second, count as one.
	observed = 8
	// lookedAt bounds how many values are read for that.
	lookedAt = 4 * observed
)

// rarer judges the channels of a facility that come less often than their device
// speaks by a pace of their own: the median pause between their last values, bursts aside. What
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
		every, err := s.pace(ctx, id, v.Channel, newest[v.Channel].T, v.EveryS/2)
		if err != nil {
			return err
		}
		v.judge(max(v.EveryS, every))
	}
	return nil
}

// pace is the median pause, in seconds, between the last values of a channel, of
// which the newest is of an instant, Unix ms; 0 if these are too few to tell. Pauses
// of less than burst seconds lie within a burst.
func (s *Server) pace(ctx context.Context, id devices.FacilityID, channel string, at int64, burst float64) (float64, error) {
	k := paceOf{id, channel}
	if every, ok := s.paces.kept(k, at); ok {
		return every, nil
	}
	every := 0.0
	for _, back := range []time.Duration{time.Hour, 24 * time.Hour} {
		pts, err := s.opt.Querier.Range(ctx, string(id), channel, at-back.Milliseconds(), at, lookedAt)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errStore, err)
		}
		if pauses := pausesOf(pts, burst); len(pauses)+1 >= observed/2 {
			slices.Sort(pauses)
			every = pauses[len(pauses)/2]
			break
		}
	}
	s.paces.keep(k, at, every)
	return every, nil
}

// pausesOf is the last pauses between points that are no shorter than burst, in
// seconds.
func pausesOf(pts []Point, burst float64) (pauses []float64) {
	for i := len(pts) - 1; i > 0 && len(pauses) < observed-1; i-- {
		if d := float64(pts[i].T-pts[i-1].T) / second; d >= burst {
			pauses = append(pauses, d)
		}
	}
	return pauses
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

package auth

import (
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"lamplighter/devices"
)

// Limiter bounds how often each of many callers may do something. It is safe
// for concurrent use.
type Limiter struct {
	per   rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter // guarded by mu
	swept   time.Time                // guarded by mu
}

// maxBuckets bounds the memory. Callers beyond it share one bucket: whoever
// floods with addresses limits the strangers, never those who were there.
const maxBuckets = 10_000

// NewLimiter returns a limiter that refills perSecond, up to burst.
func NewLimiter(perSecond float64, burst int, now func() time.Time) *Limiter {
	return &Limiter{per: rate.Limit(perSecond), burst: burst, now: now, buckets: make(map[string]*rate.Limiter)}
}

// Allow takes one permit; when there is none it says how long to wait for it.
func (l *Limiter) Allow(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	r := l.bucket(key, now).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// Ready tells what Allow would say, and takes nothing.
func (l *Limiter) Ready(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, have := l.buckets[key]
	if !have {
		return 0, true
	}
	if n := b.TokensAt(now); n < 1 {
		return time.Duration((1 - n) / float64(l.per) * float64(time.Second)), false
	}
	return 0, true
}

func (l *Limiter) bucket(key string, now time.Time) *rate.Limiter {
	if b, ok := l.buckets[key]; ok {
		return b
	}
	if len(l.buckets) >= maxBuckets {
		l.sweep(now)
		if len(l.buckets) >= maxBuckets {
			key = ""
		}
	}
	b, ok := l.buckets[key]
	if !ok {
		b = rate.NewLimiter(l.per, l.burst)
		l.buckets[key] = b
	}
	return b
}

// sweep forgets who has been quiet so long that the bucket is full again.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, k)
		}
	}
}

// TooMany says that a caller has to wait. It is a devices.ErrTemporary.
type TooMany struct {
	What string
	Wait time.Duration
}

// Error says what there was too much of.
func (t *TooMany) Error() string {
	return fmt.Sprintf("too many %s; wait %.0f s", t.What, math.Ceil(t.Wait.Seconds()))
}

// Unwrap is the kind of error.
func (t *TooMany) Unwrap() error { return devices.ErrTemporary }

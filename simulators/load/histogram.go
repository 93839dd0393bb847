package load

import (
	"math/bits"
	"time"
)

// histogram counts times in buckets whose width is at most 1/32 of the time. The
// zero value is empty.
type histogram struct {
	buckets [64 * 32]int64
	n       int64
	max     time.Duration
}

func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < 64 {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return shift*32 + int(us>>shift)
}

// middle is the time that stands for a bucket.
func middle(i int) time.Duration {
	if i < 64 {
		return time.Duration(i) * time.Microsecond
	}
	shift := i/32 - 1
	low := uint64(i-shift*32) << shift
	return time.Duration(low+1<<shift/2) * time.Microsecond
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.n++
	h.max = max(h.max, d)
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// quantile is the time below which the share q of all lies; 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	want, seen := int64(q*float64(h.n)), int64(0)
	for i, n := range h.buckets {
		if seen += n; n > 0 && seen > min(want, h.n-1) {
			return min(middle(i), h.max)
		}
	}
	return 0
}

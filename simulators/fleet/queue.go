package fleet

import (
	"container/heap"
	"math"
)

const (
	// never is an instant that does not come.
	never = math.MaxInt64
	// done is what an act returns that is not to be called again.
	done = -1
)

// act is something that happens at an instant, Unix ms. It returns when it
// happens next, after at; never while only [queue.move] can bring it back; or
// done.
type act func(at int64) int64

// actor is an act in the queue.
type actor struct {
	at   int64
	rank uint64 // of two at one instant the older comes first
	pos  int    // in queue.list
	do   act
}

// queue is what happens next, in the order of time.
type queue struct {
	list  []*actor
	ranks uint64
}

// add lets do happen at an instant.
func (q *queue) add(at int64, do act) *actor {
	q.ranks++
	a := &actor{at: at, rank: q.ranks, do: do}
	heap.Push(q, a)
	return a
}

// move lets a happen at another instant. An act that moves itself is overruled
// by what it returns.
func (q *queue) move(a *actor, at int64) {
	a.at = at
	heap.Fix(q, a.pos)
}

// until lets everything happen up to now, Unix ms.
func (q *queue) until(now int64) {
	for len(q.list) > 0 && q.list[0].at <= now {
		a := q.list[0]
		next := a.do(a.at)
		if next == done {
			heap.Remove(q, a.pos)
			continue
		}
		a.at = max(next, a.at+1)
		heap.Fix(q, a.pos)
	}
}

// Len is how many actors there are.
func (q *queue) Len() int { return len(q.list) }

// Less orders by instant.
func (q *queue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	return a.at < b.at || a.at == b.at && a.rank < b.rank
}

// Swap keeps the positions up to date.
func (q *queue) Swap(i, j int) {
	q.list[i], q.list[j] = q.list[j], q.list[i]
	q.list[i].pos, q.list[j].pos = i, j
}

// Push is for package heap.
func (q *queue) Push(x any) {
	a := x.(*actor)
	a.pos = len(q.list)
	q.list = append(q.list, a)
}

// Pop is for package heap.
func (q *queue) Pop() any {
	n := len(q.list) - 1
	a := q.list[n]
	q.list[n] = nil
	q.list = q.list[:n]
	return a
}

package uplog

import "sync"

// ringBytes is how much of the newest frames is kept in memory for readers at
// the tail; they never ask the server.
const ringBytes = 16 << 20

type kept struct {
	seq  uint64
	data []byte // never changes
}

// ring holds the newest frames of a partition, without a gap.
type ring struct {
	mu     sync.RWMutex
	frames []kept        // guarded by mu: ascending
	size   int           // guarded by mu: bytes that frames hold
	news   chan struct{} // guarded by mu: closed and replaced when a frame came
}

// add remembers a frame and wakes the readers.
func (r *ring) add(seq uint64, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.frames); n > 0 && r.frames[n-1].seq+1 != seq {
		r.frames, r.size = nil, 0 // somebody else wrote in between
	}
	r.frames = append(r.frames, kept{seq, data})
	r.size += cap(data)
	for r.size > ringBytes && len(r.frames) > 1 {
		r.size -= cap(r.frames[0].data)
		r.frames[0] = kept{}
		r.frames = r.frames[1:]
	}
	close(r.news)
	r.news = make(chan struct{})
}

// forget empties the ring.
func (r *ring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames, r.size = nil, 0
}

// get is frame seq, or nil and a channel that closes with the next frame.
func (r *ring) get(seq uint64) (data []byte, news <-chan struct{}) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if n := len(r.frames); n > 0 && seq >= r.frames[0].seq && seq <= r.frames[n-1].seq {
		return r.frames[seq-r.frames[0].seq].data, nil
	}
	return nil, r.news
}

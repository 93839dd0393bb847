package broker

import "sync"

// flusher writes acknowledgements for sessions, so that whoever made a message
// durable never waits for a device's socket.
type flusher struct {
	mu     sync.Mutex
	work   *sync.Cond // on mu
	queue  []*session // guarded by mu
	closed bool       // guarded by mu
}

func newFlusher() *flusher {
	f := &flusher{}
	f.work = sync.NewCond(&f.mu)
	return f
}

func (f *flusher) add(s *session) {
	f.mu.Lock()
	f.queue = append(f.queue, s)
	f.mu.Unlock()
	f.work.Signal()
}

func (f *flusher) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.work.Broadcast()
}

// run writes until close.
func (f *flusher) run() {
	var buf []byte
	for {
		f.mu.Lock()
		for len(f.queue) == 0 && !f.closed {
			f.work.Wait()
		}
		if f.closed {
			f.mu.Unlock()
			return
		}
		s := f.queue[0]
		f.queue[0] = nil
		f.queue = f.queue[1:]
		f.mu.Unlock()
		buf = s.write(buf)
	}
}

package rules

import "lamplighter/devices"

// Facts is what the worker knows of a facility, for the board.
type Facts struct {
	Kind     devices.Kind `json:"kind"`
	Standing Standing     `json:"standing"` // the worse of its own and, of a cabinet or circuit, of the common causes with a ticket on it
	Since    int64        `json:"since"`    // Unix ms: faulty since its oldest fault began, unknown since it was last heard (0 = never) or a common cause since its members were bad, else since it is so
	Seen     int64        `json:"seen"`     // Unix ms, 0 = never
	Blind    string       `json:"blind"`    // the link through which it was last heard, if that is down
	Newest   int64        `json:"newest"`   // event time of the newest reading
	Book     Book         `json:"book"`
	Usual    []Usual      `json:"usual,omitempty"`  // what its baselines know
	Limits   []OwnLimit   `json:"limits,omitempty"` // of the census, as its rules read them
}

// Inspect says what is known of a facility; ok is false if it is not in this
// partition.
func (w *Worker) Inspect(id devices.FacilityID) (facts Facts, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return facts, false
	}
	x := w.engine.facilities[id]
	if x == nil {
		return facts, false
	}
	facts = x.facts(w.engine.set)
	if w.engine.blind(x) {
		facts.Blind = w.engine.links[x.link].name
	}
	return facts, true
}

func (f *facility) facts(s *Set) Facts {
	return Facts{Kind: f.kind, Standing: f.shows(), Since: f.since, Seen: f.seen, Newest: f.newest, Book: f.book, Usual: f.usuals(s), Limits: f.ownLimits(s)}
}

// Count adds the partition's facilities to all, by kind and [Standing], and
// returns the event time of the newest reading, Unix ms.
func (w *Worker) Count(all *[4]Counts) (newest int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return 0
	}
	for k := range all {
		for s := range all[k] {
			all[k][s] += w.engine.counts[k][s]
		}
	}
	return w.engine.newest
}

// Standings fills in how each facility of this partition stands; those of other
// partitions are left as they are.
func (w *Worker) Standings(ids []devices.FacilityID, out []Standing) {
	ofEach(w, ids, out, (*facility).shows)
}

// ofEach fills in what is said of each of the facilities that are in this partition.
func ofEach[T any](w *Worker, ids []devices.FacilityID, out []T, say func(*facility) T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return
	}
	for i, id := range ids {
		if f := w.engine.facilities[id]; f != nil {
			out[i] = say(f)
		}
	}
}

// Rules is the set that judges; that of the start until the partition is taken over.
func (w *Worker) Rules() *Set {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return w.opt.Set
	}
	return w.engine.set
}

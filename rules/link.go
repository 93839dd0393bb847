package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lamplighter/devices"
)

// Link is how a way in stands: our own listener, or the sessions with another
// broker. Its source says so through the log whenever that changes, and again
// every [LinkEvery]; while it is down no device that last came through it can be
// called silent.
type Link struct {
	Name  string `json:"link"`  // devices.Uplink.Source of what comes through it
	Up    bool   `json:"up"`    //
	Since int64  `json:"since"` // Unix ms: since when nothing came, as far as its source can tell; of a link that is down
}

const (
	// LinkEvery is how often a source repeats how its link stands, in seconds.
	LinkEvery = 10
	// linkLease is how long a link counts as up after its source has last said
	// so, ms: a daemon that is killed says nothing.
	linkLease = 60_000
	// linkHindsight is how long a link may have been down before its source has
	// noticed, ms.
	linkHindsight = 60_000
	// maxLinks bounds what the log can make us remember; more share the first.
	maxLinks = 1000
	// gapOfFrames is how long a partition may be without any frame, ms: it gets
	// one a second while a daemon runs.
	gapOfFrames = 5000
)

// Encode is the record as the log has it.
func (l *Link) Encode() ([]byte, error) {
	b, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", l.Name, err)
	}
	return b, nil
}

// link is what the engine knows of a way in. Silence is measured in time in
// which it was up: dark, at two instants, tells how much of the time between
// them it was not. All instants are of the wall clock.
type link struct {
	name   string
	told   int64 // when its source last said how it stands, 0 = never: it counts as up
	since  int64 // when it went down
	dark   int64 // ms that it was down in all, but for the time after since
	back   int64 // when it last came up again
	lasted int64 // ms that it had been down then
	down   bool
}

// darkness is how long the link was down in all until now.
func (l *link) darkness(wall int64) int64 {
	if l.down {
		return l.dark + wall - l.since
	}
	return l.dark
}

// linkOf finds the link of a source.
func (e *Engine) linkOf(name string) uint16 {
	if e.links[e.usual].name == name {
		return e.usual
	}
	for i := range e.links {
		if e.links[i].name == name {
			e.usual = uint16(i)
			return e.usual
		}
	}
	if len(e.links) >= maxLinks {
		return 0
	}
	e.links = append(e.links, link{name: strings.Clone(name)})
	e.usual = uint16(len(e.links) - 1)
	return e.usual
}

// linked takes over from the log how a link stands.
func (e *Engine) linked(text []byte) error {
	var r Link
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if r.Name == "" {
		return fmt.Errorf("link without a name: %w", devices.ErrInvalid)
	}
	i := e.linkOf(r.Name)
	l := &e.links[i]
	l.told = e.wall
	switch {
	case r.Up && l.down:
		e.rises(i)
	case !r.Up && !l.down:
		e.falls(i, min(e.wall, max(r.Since, e.wall-linkHindsight, l.back)))
	}
	return nil
}

// lapse lets the links go down of which nothing was heard for too long.
func (e *Engine) lapse() {
	for i := range e.links {
		if l := &e.links[i]; l.told > 0 && !l.down && e.wall-l.told > linkLease {
			e.falls(uint16(i), max(l.told, l.back))
		}
	}
}

// away is what a time without any frame means: no daemon ran, nothing could be
// received. What came through a link whose source says how it stands has to wait
// until it does so again.
func (e *Engine) away(ms int64) {
	from := e.wall - ms
	for _, w := range e.wholes {
		for i := range w.parts {
			w.parts[i].at += ms
		}
	}
	for i := range e.links {
		l := &e.links[i]
		switch {
		case l.down:
		case l.told > 0:
			e.falls(uint16(i), from)
		default:
			l.since, l.down = from, true
			e.rises(uint16(i))
		}
	}
}

// falls notes that nothing can come through a link. Who was about to be called
// silent, or to count as one of many, is not.
func (e *Engine) falls(i uint16, since int64) {
	l := &e.links[i]
	l.down, l.since = true, since
	var doubtful []*facility
	for _, f := range e.facilities {
		if f.link == i && (len(f.alerts) > 0 || f.overdue) {
			doubtful = append(doubtful, f)
		}
	}
	slices.SortFunc(doubtful, byID)
	for _, f := range doubtful {
		e.weigh(f)
		f.overdue = f.overdue && f.causes != 0
	}
}

// rises notes that a link is back: its devices have their time to be heard.
func (e *Engine) rises(i uint16) {
	l := &e.links[i]
	l.lasted = e.wall - l.since
	l.dark += l.lasted
	l.down, l.back = false, e.wall
	for _, f := range e.facilities {
		if f.link == i {
			e.watch(f)
		}
	}
	for _, f := range sorted(e.all()) {
		if f.link == i {
			e.grant(f, l)
		}
	}
}

// grant does not count the time without the link for the silence of f that has
// no ticket yet; after a long one it begins anew.
func (e *Engine) grant(f *facility, l *link) {
	k := &e.set.kinds[f.kind]
	for i := range f.alerts {
		a := &f.alerts[i]
		r := k.rules[a.rule]
		if r.Silent == 0 || a.firing || a.held || a.heir || a.pending == 0 || e.attached(f, r) {
			continue
		}
		a.pending += l.lasted
		if allowed := int64(r.Silent * float64(f.expectMS)); l.lasted >= allowed {
			a.pending = e.wall + allowed
		}
		e.await(f)
	}
	e.weigh(f)
}

// blind tells whether nothing could be heard of f at the moment.
func (e *Engine) blind(f *facility) bool { return e.links[f.link].down }

// attached tells whether f is a member of the ticket of a common cause for r.
func (e *Engine) attached(f *facility, r *Rule) bool {
	for _, x := range r.causes {
		if f.causes&x.Collapse.bit == 0 {
			continue
		}
		if p := e.above(f, x.Collapse.By); p != nil {
			if c := p.find(x); c != nil && c.bad[f].attached {
				return true
			}
		}
	}
	return false
}

package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Seen is a device that tried to get in and is not in the census, or may not.
type Seen struct {
	Device devices.DeviceID `json:"device"`
	Source string           `json:"source"`
	Reason string           `json:"reason"`
	First  int64            `json:"first"` // Unix ms
	Last   int64            `json:"last"`
	Count  int64            `json:"count"`
}

// seen is a Seen and what the database does not know of it yet.
type seen struct {
	Seen
	fresh int64 // times since it was last kept
	clear bool  // the database is to forget it
}

const (
	// maxSeen bounds the list. Beyond, those that were not heard for longest go:
	// who makes up names drives out at most names that were heard once.
	maxSeen = 10000
	// maxSeenText bounds the id and the reason: neither has been checked.
	maxSeenText = 200
	// keepSeenEvery is how much of the list a crash can forget.
	keepSeenEvery = 10 * time.Second
)

// Seen notes a device that was not let in.
func (r *Registry) Seen(d devices.DeviceID, source, reason string) {
	d, source, reason = devices.DeviceID(clip(string(d), maxSeenText)), clip(source, maxSeenText), clip(reason, maxSeenText)
	now := r.now().UnixMilli()
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	s := r.seen[d]
	if s == nil {
		r.seenRoom()
		s = &seen{Seen: Seen{Device: d, First: now}}
		r.seen[d] = s
	}
	if s.clear { // it came, was imported, and was taken out again
		*s = seen{Seen: Seen{Device: d, First: now}}
	}
	s.Source, s.Reason, s.Last = source, reason, now
	s.Count++
	s.fresh++
}

// seenRoom makes room for one more, by a tenth at a time. seenMu is held.
func (r *Registry) seenRoom() {
	if len(r.seen) < maxSeen {
		return
	}
	all := make([]*seen, 0, len(r.seen))
	for _, s := range r.seen {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *seen) int {
		return cmp.Or(cmp.Compare(min(a.Count, 2), min(b.Count, 2)), cmp.Compare(a.Last, b.Last))
	})
	for _, s := range all[:maxSeen/10] {
		delete(r.seen, s.Device)
		r.unseen = append(r.unseen, s.Device)
	}
}

// SeenList is every device that was not let in, the latest first.
func (r *Registry) SeenList() []Seen {
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	out := make([]Seen, 0, len(r.seen))
	for _, s := range r.seen {
		if !s.clear {
			out = append(out, s.Seen)
		}
	}
	slices.SortFunc(out, func(a, b Seen) int { return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Device, b.Device)) })
	return out
}

// met takes a device off the list: the census has it now.
func (r *Registry) met(d devices.DeviceID) {
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	if s := r.seen[d]; s != nil {
		s.clear = true
	}
}

func (r *Registry) loadSeen(ctx context.Context) error {
	rows, err := r.db.Query(ctx, `SELECT device, source, reason, first_at, last_at, n FROM seen_device ORDER BY last_at DESC LIMIT ?`, maxSeen)
	if err != nil {
		return fmt.Errorf("load what was seen: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s := &seen{}
		if err := rows.Scan(&s.Device, &s.Source, &s.Reason, &s.First, &s.Last, &s.Count); err != nil {
			return fmt.Errorf("load what was seen: %w", err)
		}
		s.clear = r.index.find(s.Device) != 0
		r.seen[s.Device] = s
	}
	return rows.Err()
}

// KeepSeen writes the list into the database now and then until ctx ends, and
// once more after that; trouble, which may be temporary, is told to fn.
func (r *Registry) KeepSeen(ctx context.Context, fn func(error)) {
	t := time.NewTicker(keepSeenEvery)
	defer t.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-t.C:
		}
		if err := r.keepSeen(context.WithoutCancel(ctx)); err != nil {
			fn(err)
		}
	}
}

// keepSeen writes what the database does not know yet.
func (r *Registry) keepSeen(ctx context.Context) error {
	news, gone := r.seenNews()
	if len(news)+len(gone) == 0 {
		return nil
	}
	err := r.db.Write(ctx, func(tx *database.Tx) error {
		for _, d := range gone {
			if _, err := tx.Exec(ctx, `DELETE FROM seen_device WHERE device=?`, string(d)); err != nil {
				return err
			}
		}
		for i := range news {
			s := &news[i]
			if _, err := tx.Exec(ctx, `INSERT INTO seen_device (device, source, reason, first_at, last_at, n) VALUES (?,?,?,?,?,?)
				ON CONFLICT (device) DO UPDATE SET source=excluded.source, reason=excluded.reason, last_at=excluded.last_at, n=seen_device.n+excluded.n`, string(s.Device), s.Source, s.Reason, s.First, s.Last, s.fresh); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	r.seenKept(news, gone)
	return nil
}

// seenNews is what has changed since it was last kept.
func (r *Registry) seenNews() (news []seen, gone []devices.DeviceID) {
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	gone = append(gone, r.unseen...)
	for d, s := range r.seen {
		switch {
		case s.clear:
			gone = append(gone, d)
		case s.fresh > 0:
			news = append(news, *s)
		}
	}
	return news, gone
}

func (r *Registry) seenKept(news []seen, gone []devices.DeviceID) {
	r.seenMu.Lock()
	defer r.seenMu.Unlock()
	r.unseen = nil
	for _, d := range gone {
		if s := r.seen[d]; s != nil && s.clear {
			delete(r.seen, d)
		}
	}
	for i := range news {
		if s := r.seen[news[i].Device]; s != nil {
			s.fresh -= news[i].fresh
		}
	}
}

// clip cuts s to n bytes of valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return toValid(s)
}

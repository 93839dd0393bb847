package lighting

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/timetable"
)

// hours is when lamps should be on by the timetables of the census, at the noons
// before some nights.
type hours struct {
	noons  []int64
	zone   *time.Location
	fed    []map[devices.FacilityID]string // by noon: the timetables of circuits and cabinets
	tables map[string]*timetable.Timetable // by their text
}

// hours reads the timetables of circuits and cabinets.
func (b *Book) hours(ctx context.Context, noons []int64) (*hours, error) {
	h := &hours{noons: noons, zone: b.opt.Zone, fed: make([]map[devices.FacilityID]string, len(noons)), tables: map[string]*timetable.Timetable{}}
	p := registry.PastFilter{Kind: devices.Streetlight, At: noons, Where: `f.cabinet<>'' AND (f.timetable<>'' OR c.at IS NOT NULL)`}
	err := b.opt.Census.EachAt(ctx, p, func(id devices.FacilityID, then []*registry.Facility) error {
		for i, f := range then {
			if f == nil || f.Timetable == "" || !feeds(f) {
				continue
			}
			if h.fed[i] == nil {
				h.fed[i] = map[devices.FacilityID]string{}
			}
			h.fed[i][id] = f.Timetable
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("timetables: %w", err)
	}
	return h, nil
}

// of is the timetable of a lamp at a noon: its own, else that of its circuit or its
// cabinet; nil = by the sun.
func (h *hours) of(noon int, f *registry.Facility) (*timetable.Timetable, error) {
	text := f.Timetable
	if text == "" && f.Circuit != "" {
		text = h.fed[noon][devices.FacilityID(f.Cabinet+":"+f.Circuit)]
	}
	if text == "" && f.Cabinet != "" {
		text = h.fed[noon][devices.FacilityID(f.Cabinet)]
	}
	if text == "" {
		return nil, nil
	}
	t, ok := h.tables[text]
	if !ok {
		var err error
		if t, err = timetable.Parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.ID, err)
		}
		h.tables[text] = t
	}
	return t, nil
}

// off are the times of a night in which a lamp need not be on.
func (h *hours) off(noon int, n *Night, f *registry.Facility) ([]Spell, error) {
	t, err := h.of(noon, f)
	if err != nil || t == nil {
		return nil, err
	}
	on, off := t.In(time.UnixMilli(h.noons[noon]).In(h.zone), n.Dusk, n.Dawn)
	day := 24 * time.Hour.Milliseconds()
	var out []Spell
	from := n.Dusk
	for _, shift := range []int64{-day, 0} { // what went on in the daytime before can last into the night
		if on+shift > from {
			out = append(out, Spell{From: from, To: min(on+shift, n.Dawn), State: Excluded, Reason: "timetable"})
		}
		from = max(from, off+shift)
		if from >= n.Dawn {
			return out, nil
		}
	}
	return append(out, Spell{From: from, To: n.Dawn, State: Excluded, Reason: "timetable"}), nil
}

package lighting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
)

// The levels of a sum: those of areas, and what lamps hang on and stand at.
const (
	LevelCabinet = 10
	LevelRoad    = 11
)

// ParseLevel reads city, district, street, community, cabinet or road; 0 for
// anything else.
func ParseLevel(s string) int {
	switch s {
	case "cabinet":
		return LevelCabinet
	case "road":
		return LevelRoad
	}
	if l := devices.ParseAreaLevel(s); l <= devices.Community {
		return int(l)
	}
	return 0
}

// cell is where a lamp stands. Sums of cells are the sums of all levels.
type cell struct {
	area          devices.AreaCode
	cabinet, road string
	class         string
}

func cellOf(f *registry.Facility) cell {
	c := cell{area: f.Area, cabinet: f.Cabinet, road: f.Road, class: f.RoadClass}
	if len(c.area) > 12 {
		c.area = c.area[:12]
	}
	return c
}

// at is the name of the place of a level that the cell lies in: of the city "",
// of a road its district and its name. What has no such place is in "".
func (c cell) at(level int) string {
	digits := map[int]int{int(devices.District): 6, int(devices.Street): 9, int(devices.Community): 12}[level]
	switch {
	case level == LevelCabinet:
		return c.cabinet
	case level == LevelRoad && c.road == "":
		return ""
	case level == LevelRoad:
		return string(c.area[:min(6, len(c.area))]) + "/" + c.road
	case digits > 0 && len(c.area) >= digits:
		return string(c.area[:digits])
	}
	return ""
}

func levels() []int {
	return []int{int(devices.City), int(devices.District), int(devices.Street), int(devices.Community), LevelCabinet, LevelRoad}
}

// closing is a night of one rate that is being summed up.
type closing struct {
	Night
	def      *Definition
	stale    int64 // as it was when the facts were read
	exists   bool
	instants []int64
	cells    map[cell]*Tally
}

// errMoved says that something was said of a night while it was summed up.
var errMoved = errors.New("the facts have changed meanwhile")

// close sums nights up from the facts and writes them down. They are read once
// for all of them, whatever their number.
func (b *Book) close(ctx context.Context, cs []*closing) error {
	if len(cs) == 0 {
		return nil
	}
	var days []string
	for _, c := range cs {
		days = append(days, c.Day)
	}
	slices.Sort(days)
	days = slices.Compact(days)
	dusk, dawn := cs[0].Dusk, cs[0].Dawn
	for _, c := range cs {
		dusk, dawn = min(dusk, c.Dusk), max(dawn, c.Dawn)
		c.instants, c.cells = c.def.instants(&c.Night, b.opt.Zone), map[cell]*Tally{}
	}
	f, err := b.facts(ctx, dusk, dawn)
	if err != nil {
		return err
	}
	if err := b.sum(ctx, f, cs, days); err != nil {
		return err
	}
	for _, c := range cs {
		if err := b.write(ctx, c, f.head); err != nil {
			return fmt.Errorf("close the night of %s, %s: %w", c.Day, c.def.Name, err)
		}
	}
	return nil
}

// sum goes once through the census as it was at the noons of the days.
func (b *Book) sum(ctx context.Context, f *facts, cs []*closing, days []string) error {
	at, err := b.noons(days)
	if err != nil {
		return err
	}
	of := make([]int, len(cs))
	for i, c := range cs {
		of[i], _ = slices.BinarySearch(days, c.Day)
	}
	var tables *hours
	if slices.ContainsFunc(cs, func(c *closing) bool { return c.def.Census }) {
		if tables, err = b.hours(ctx, at); err != nil {
			return err
		}
	}
	var l lamp
	return b.opt.Census.EachAt(ctx, registry.PastFilter{Kind: devices.Streetlight, At: at}, func(id devices.FacilityID, then []*registry.Facility) error {
		for i, c := range cs {
			row := then[of[i]]
			stands := weight(row)
			if stands == 0 {
				continue
			}
			if err := b.lamp(f, &l, id, row).by(tables, c.def, of[i], &c.Night); err != nil {
				return err
			}
			k := cellOf(row)
			t := c.cells[k]
			if t == nil {
				t = &Tally{}
				c.cells[k] = t
			}
			t.Add(c.def.measure(&c.Night, &l, c.instants).times(stands))
		}
		return nil
	})
}

func (b *Book) noons(days []string) ([]int64, error) {
	out := make([]int64, len(days))
	for i, d := range days {
		t, err := noon(d, b.opt.Zone)
		if err != nil {
			return nil, err
		}
		out[i] = t.UnixMilli()
	}
	return out, nil
}

// sumKey names a sum of a night.
type sumKey struct {
	level        int
	place, class string
}

type sum struct {
	Tally
	area string // that all its lamps lie in
}

// sums are the sums of all levels.
func (c *closing) sums() map[sumKey]*sum {
	out := map[sumKey]*sum{}
	for k, t := range c.cells {
		for _, l := range levels() {
			key := sumKey{l, k.at(l), k.class}
			s := out[key]
			if s == nil {
				s = &sum{area: string(k.area)}
				out[key] = s
			}
			s.area = shared(s.area, string(k.area))
			s.Add(*t)
		}
	}
	// all sums of a place say the same area, whatever the class
	for k, s := range out {
		for _, class := range classes() {
			if o := out[sumKey{k.level, k.place, class}]; o != nil {
				s.area = shared(s.area, o.area)
			}
		}
	}
	return out
}

func classes() []string { return []string{"", "expressway", "main", "secondary", "branch"} }

// shared is the smallest area that two lie in.
func shared(a, b string) string {
	for _, n := range []int{12, 9, 6, 4} {
		if len(a) >= n && strings.HasPrefix(b, a[:n]) {
			return a[:n]
		}
	}
	return ""
}

// write replaces the sums of a night. It is done once, whoever else tries.
func (b *Book) write(ctx context.Context, c *closing, head int64) error {
	sums := c.sums()
	keys := make([]sumKey, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b sumKey) int {
		if a.level != b.level {
			return a.level - b.level
		}
		return strings.Compare(a.place+"\x00"+a.class, b.place+"\x00"+b.class)
	})
	return b.opt.DB.Write(ctx, func(tx *database.Tx) error {
		if ok, err := one(tx.Exec(ctx, `UPDATE lighting_head SET n=n WHERE id=1 AND n=?`, head)); err != nil || !ok {
			return errors.Join(err, ifNot(ok))
		}
		if ok, err := b.claim(ctx, tx, c); err != nil || !ok {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM lighting_sum WHERE rate=? AND day=?`, c.def.Name, c.Day); err != nil {
			return err
		}
		return tx.InsertMany(ctx, "lighting_sum", []string{"rate", "level", "day", "place", "class", "version", "area", "intact", "faulty", "unsure", "excluded"}, each(keys, func(k sumKey) []any {
			s := sums[k]
			return []any{c.def.Name, k.level, c.Day, k.place, k.class, c.def.Version, s.area, s.Intact, s.Faulty, s.Unknown, s.Excluded}
		}))
	})
}

func ifNot(ok bool) error {
	if ok {
		return nil
	}
	return errMoved
}

// claim makes the night ours to write; false when somebody was faster.
func (b *Book) claim(ctx context.Context, tx *database.Tx, c *closing) (bool, error) {
	now := b.opt.Now().UnixMilli()
	if c.exists {
		return one(tx.Exec(ctx, `UPDATE lighting_night SET stale=0, revision=revision+1, closed_at=? WHERE rate=? AND day=? AND stale=?`, now, c.def.Name, c.Day, c.stale))
	}
	return one(tx.Exec(ctx, `INSERT INTO lighting_night (day, rate, version, dusk, dawn, closed_at) VALUES (?,?,?,?,?,?) ON CONFLICT (rate, day) DO NOTHING`, c.Day, c.def.Name, c.def.Version, c.Dusk, c.Dawn, now))
}

// one tells whether a statement changed a row.
func one(res interface{ RowsAffected() (int64, error) }, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

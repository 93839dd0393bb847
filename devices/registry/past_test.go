package registry

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

func TestTheCensusIsKnownAsItWas(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		ctx := t.Context()
		db, err := database.Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		day := 0
		r, err := Open(ctx, db, Options{Dir: t.TempDir(), Now: func() time.Time { return time.UnixMilli(int64(day) * 1000) }})
		if err != nil {
			t.Fatal(err)
		}
		put := func(d int, fs ...Facility) {
			t.Helper()
			day = d
			if err := r.Put(ctx, "test", fs...); err != nil {
				t.Fatal(err)
			}
		}
		lamp := Facility{ID: "SL-1", Kind: devices.Streetlight, Cabinet: "A", Road: "五四路", RoadClass: "main", Lamps: 60}
		moved := lamp
		moved.Cabinet, moved.Road, moved.RoadClass, moved.Lamps = "B", "杨桥路", "", 0
		put(1, lamp, Facility{ID: "SL-2", Kind: devices.Streetlight, Name: "二"}, Facility{ID: "MH-1", Kind: devices.Manhole})
		put(3, moved)
		day = 4
		if err := r.Remove(ctx, "test", "SL-2"); err != nil {
			t.Fatal(err)
		}
		put(5, lamp)
		if got, want := r.pastText(t, 0, 2, 3, 4, 6), "SL-2 - 二// 二// - -\nSL-1 - A/五四路/main60 B/杨桥路/ B/杨桥路/ A/五四路/main60"; got != want {
			t.Errorf("the past\n%s\nwant\n%s", got, want)
		}
		day = 7
		if err := r.Remove(ctx, "test", "MH-1"); err != nil {
			t.Fatal(err)
		}
		if err := r.Remove(ctx, "test", "SL-1"); err != nil {
			t.Fatal(err)
		}
		put(8, lamp) // it has come back
		if got, want := r.pastText(t, 6, 7, 8), "SL-1 A/五四路/main60 - A/五四路/main60"; got != want {
			t.Errorf("the past\n%s\nwant\n%s", got, want)
		}
		mistaken := lamp // it was a cover all the time, and another cover is a lamp
		mistaken.Kind = devices.Manhole
		put(9, Facility{ID: "MH-2", Kind: devices.Manhole})
		put(10, mistaken, Facility{ID: "MH-2", Kind: devices.Streetlight})
		if got, want := r.pastText(t, 8, 9, 10), "MH-2 - - //\nSL-1 A/五四路/main60 A/五四路/main60 -"; got != want {
			t.Errorf("the past\n%s\nwant\n%s", got, want)
		}
	})
}

// pastText is the past of all lamps at instants, in seconds.
func (r *Registry) pastText(t *testing.T, at ...int64) string {
	t.Helper()
	for i := range at {
		at[i] *= 1000
	}
	var lines []string
	err := r.EachAt(context.Background(), PastFilter{Kind: devices.Streetlight, At: at}, func(id devices.FacilityID, then []*Facility) error {
		line := string(id)
		for _, f := range then {
			if f == nil {
				line += " -"
			} else {
				line += fmt.Sprintf(" %s/%s/%s%s", f.Name+f.Cabinet, f.Road, f.RoadClass, natural(f.Lamps))
			}
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

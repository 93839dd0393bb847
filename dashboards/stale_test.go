package dashboards

import (
	"net/http"
	"reflect"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// every is n points, one each interval, of which the newest is age old; in seconds.
func every(n int, interval, age int64) (out []Point) {
	for i := n - 1; i >= 0; i-- {
		out = append(out, Point{T: start.UnixMilli() - 1000*(age+int64(i)*interval), V: 1})
	}
	return out
}

func TestAChannelThatComesLessOftenThanItsDeviceSpeaksIsStaleByItsOwnInterval(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 5}, registry.Facility{ID: "BR-2", Kind: devices.Bridge, ExpectS: 5}, registry.Facility{ID: "BR-3", Kind: devices.Bridge})
	w.store.put("BR-1", "fast", every(20, 5, 4)...)
	w.store.put("BR-1", "fast_late", every(20, 5, 16)...)
	w.store.put("BR-1", "minute", every(20, 60, 55)...)
	w.store.put("BR-1", "minute_late", every(20, 60, 181)...)
	w.store.put("BR-1", "hourly", every(20, 3600, 3500)...)
	w.store.put("BR-1", "shaken", every(20, 60, 75)...)
	for i := range int64(10) { // a shock within the minutes, in steps of a quarter second
		w.store.put("BR-1", "shaken", Point{T: start.UnixMilli() - 70_000 + 250*i, V: 1})
	}
	w.store.put("BR-1", "twice", every(2, 60, 55)...) // too few to tell
	w.store.put("BR-2", "fast", every(20, 5, 100)...) // its device is silent
	w.store.put("BR-2", "minute", every(20, 60, 100)...)
	w.store.put("BR-3", "minute", every(20, 60, 14*60)...)
	type judged struct {
		stale bool
		every float64
	}
	want := map[string]map[string]judged{
		"BR-1": {"fast": {false, 5}, "fast_late": {true, 5}, "minute": {false, 60}, "minute_late": {true, 60}, "hourly": {false, 3600}, "shaken": {false, 60}, "twice": {true, 5}},
		"BR-2": {"fast": {true, 5}, "minute": {true, 5}},
		"BR-3": {"minute": {false, 0}},
	}
	var many latestOfManyBody
	w.into(w.ask(auth.Viewer, "GET", "/api/v1/latest?ids=BR-1,BR-2,BR-3", ""), http.StatusOK, &many)
	for _, item := range many.Items {
		id, channels := item.Facility, want[item.Facility]
		var got latestBody
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/facilities/"+id+"/latest", ""), http.StatusOK, &got)
		if !reflect.DeepEqual(item.Values, got.Values) {
			t.Errorf("%s among many: %+v\nalone: %+v", id, item.Values, got.Values)
		}
		for _, v := range got.Values {
			if x := (judged{v.Stale, v.EveryS}); x != channels[v.Channel] {
				t.Errorf("%s %s: %+v, want %+v", id, v.Channel, x, channels[v.Channel])
			}
		}
		if len(got.Values) != len(channels) {
			t.Errorf("%s: %d values, want %d", id, len(got.Values), len(channels))
		}
	}
	if len(many.Items) != len(want) {
		t.Errorf("%d facilities, want %d", len(many.Items), len(want))
	}
}

func TestTheIntervalOfAChannelFollowsItsValues(t *testing.T) {
	w := newWorld(t, sqlite(t), atStart)
	w.facility(registry.Facility{ID: "BR-1", Kind: devices.Bridge, ExpectS: 5})
	w.store.put("BR-1", "alive", every(20, 5, 4)...)
	w.store.put("BR-1", "minute", every(20, 60, 61)...)
	minute := func() latestValue {
		var many latestOfManyBody
		w.into(w.ask(auth.Viewer, "GET", "/api/v1/latest?ids=BR-1", ""), http.StatusOK, &many)
		return many.Items[0].Values[1]
	}
	for range 2 {
		if v := minute(); v.EveryS != 60 || v.Stale {
			t.Errorf("%+v, want an interval of 60 s, not stale", v)
		}
	}
	asked := w.store.asked()
	if minute(); w.store.asked() != asked {
		t.Error("the store was asked again for an interval that cannot have changed")
	}
	w.store.put("BR-1", "minute", every(8, 5, 19)...)
	if v := minute(); v.EveryS != 5 || !v.Stale {
		t.Errorf("%+v, want an interval of 5 s, stale", v)
	}
	w.store.fail(errTest)
	w.problem(w.ask(auth.Viewer, "GET", "/api/v1/latest?ids=BR-1", ""), http.StatusServiceUnavailable, "unavailable")
}

package replay

import (
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// A lamp that hangs on another cabinet from now on is judged in another partition:
// that one ends the ticket that the first has opened, and opens no second.
func TestATicketIsClosedInThePartitionThatItsLampHasMovedTo(t *testing.T) {
	o := streetOptions(t, 2, false)
	lamp := registry.Facility{ID: "SL-1", Device: "SL-1", Kind: devices.Streetlight, Cabinet: "CAB-0"}
	from := o.Partition(lamp.Key())
	census := func(f registry.Facility, moved bool) devices.Item {
		text, err := registry.EncodeFed([]registry.Fed{{Facility: f, Moved: moved}})
		if err != nil {
			t.Fatal(err)
		}
		return devices.Item{Type: devices.ItemCensus, Control: text}
	}
	l := NewLog(&o, func(int64) []devices.Item { return []devices.Item{census(lamp, false)} })
	sec := func(s int64) int64 { return day.UnixMilli() + s*1000 }
	says := func(s int64, digit string) devices.Item {
		return devices.Item{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: "SL-1", Received: sec(s), Payload: []byte(digit)}}
	}
	l.Frame(from, sec(0), []devices.Item{says(0, "1")})
	for s := int64(1); s < 10; s++ {
		l.Frame(from, sec(s), nil)
	}
	for _, cabinet := range []string{"CAB-1", "CAB-2", "CAB-3", "CAB-4"} {
		if lamp.Cabinet = cabinet; o.Partition(lamp.Key()) != from {
			break
		}
	}
	moves := census(lamp, true)
	l.Frame(1-from, sec(10), []devices.Item{moves})
	letters := l.judge(from, sec(10), []devices.Item{moves})
	if len(letters) != 1 {
		t.Fatalf("it leaves with %d letters, want one", len(letters))
	}
	l.Frame(1-from, sec(11), []devices.Item{{Type: letters[0].Type, Control: letters[0].Record}})
	l.Frame(1-from, sec(12), []devices.Item{says(12, "1")})
	l.Frame(1-from, sec(20), []devices.Item{says(20, "0")})
	l.Frame(1-from, sec(21), nil)
	r := l.Result()
	if r.Trouble != nil || len(r.Tickets) != 1 {
		t.Fatalf("%d tickets (%v), want one", len(r.Tickets), r.Trouble)
	}
	if x := r.Tickets[0]; x.ClosedAt == nil || x.ClosedAt.Sub(day) != 20*time.Second {
		t.Errorf("%+v, want it closed in the twentieth second", x)
	}
}

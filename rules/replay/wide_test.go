package replay

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/devices/tape"
	"lamplighter/rules"
)

const streetRules = `groups:
  - kind: streetlight
    rules:
      - {name: dark, when: lamp_failure, for: 5s, severity: minor, summary: {zh: 甲, en: a}}
      - {name: cabinet_dark, collapse: {of: dark, by: cabinet, share: 0.8, at_least: 3}, severity: major, summary: {zh: 乙, en: b}}
      - {name: street_dark, collapse: {of: dark, by: area, level: street, share: 0.5, at_least: 30}, severity: major, summary: {zh: 丙, en: c}}
`

// failure decodes payloads that say by one digit whether a lamp has failed.
type failure struct{ channel *devices.Channel }

func (d failure) Reset() {}

func (d failure) Decode(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	*m = devices.Message{Type: devices.Telemetry, Device: u.Device, Received: u.Received, Hash: uint64(u.Received), Readings: []devices.Reading{{Time: u.Received, Source: devices.TimeDevice,
		Values: []devices.Value{{Channel: d.channel, Num: float64(u.Payload[0] - '0')}}}}}
	return nil
}

func streetOptions(t *testing.T, partitions int, fixed bool) Options {
	t.Helper()
	dict, err := devices.NewDictionary(devices.CommonChannels(), streetlight.Channels())
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Parse([]byte(streetRules), dict)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Set: set, Fixed: fixed, Dict: dict, Partitions: partitions, Decoder: func() Decoder { return failure{dict.Lookup([]byte("lamp_failure"))} },
		Partition: func(key string) int { return int(crc32.ChecksumIEEE([]byte(key)) % uint32(partitions)) }}
}

func lampsOfAStreet() (fed []registry.Fed) {
	for i := range 60 {
		id := fmt.Sprintf("SL-%02d", i)
		fed = append(fed, registry.Fed{Facility: registry.Facility{ID: devices.FacilityID(id), Device: devices.DeviceID(id), Kind: devices.Streetlight, Area: "350102001", Cabinet: fmt.Sprint("CAB-", i/6), ExpectS: 3600}})
	}
	return fed
}

// fails is when lamps say what: all of them fail in the tenth second and are good
// in the hundredth.
func fails(fed []registry.Fed, tell func(at int64, u devices.Uplink)) {
	begin := day.UnixMilli()
	for _, x := range []struct {
		sec  int64
		says string
	}{{10, "1"}, {100, "0"}} {
		for i := range fed {
			at := begin + x.sec*1000 + int64(i)
			tell(at, devices.Uplink{Device: devices.DeviceID(fed[i].Facility.ID), Received: at, Payload: []byte(x.says)})
		}
	}
}

// oneStreet fails unless the tickets are one on the street, with all its lamps.
func oneStreet(t *testing.T, r *Result) {
	t.Helper()
	if r.Trouble != nil || len(r.Tickets) != 1 {
		for _, x := range r.Tickets {
			t.Logf("%+v", x)
		}
		t.Fatalf("%d tickets (%v), want one", len(r.Tickets), r.Trouble)
	}
	x := r.Tickets[0]
	if opened := x.OpenedAt.Sub(day).Seconds(); x.Facility != "area:350102001" || x.Defect != "street_dark" || len(x.Members) != 60 || opened < 12 || opened > 14 || x.ClosedAt == nil {
		t.Errorf("%+v, want the street's from about the twelfth second on, closed", x)
	}
}

func TestARecordingOfADarkStreetIsOneTicketInAnyNumberOfPartitions(t *testing.T) {
	fed := lampsOfAStreet()
	for _, n := range []int{1, 3} {
		var b bytes.Buffer
		w, err := tape.NewWriter(&b, day.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		fails(fed, func(at int64, u devices.Uplink) {
			if err := w.Write(&tape.Record{Type: devices.ItemUplink, Uplink: u}); err != nil {
				t.Fatal(err)
			}
		})
		if err := w.Close(day.UnixMilli() + 120_000); err != nil {
			t.Fatal(err)
		}
		in, err := tape.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Tape(t.Context(), in, fed, streetOptions(t, n, true), nil)
		if err != nil {
			t.Fatal(err)
		}
		oneStreet(t, r)
	}
}

func TestOtherRulesFindADarkStreetInTheFramesOfALog(t *testing.T) {
	fed := lampsOfAStreet()
	o := streetOptions(t, 3, true)
	text, err := registry.EncodeFed(fed)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLog(&o, func(int64) []devices.Item { return []devices.Item{{Type: devices.ItemCensus, Control: text}} })
	frames := make(map[int64][][]devices.Item)
	fails(fed, func(at int64, u devices.Uplink) {
		sec := at / 1000
		if frames[sec] == nil {
			frames[sec] = make([][]devices.Item, 3)
		}
		i := slices.IndexFunc(fed, func(f registry.Fed) bool { return string(f.Facility.ID) == string(u.Device) })
		p := o.Partition(fed[i].Facility.Key())
		frames[sec][p] = append(frames[sec][p], devices.Item{Type: devices.ItemUplink, Uplink: u})
	})
	for sec := day.Unix(); sec < day.Unix()+120; sec++ {
		for p := range 3 {
			var items []devices.Item
			if frames[sec] != nil {
				items = frames[sec][p]
			}
			l.Frame(p, sec*1000+int64(p), append(items, devices.Item{Type: devices.ItemShare, Control: []byte("of other rules")}))
		}
	}
	oneStreet(t, l.Result())
}

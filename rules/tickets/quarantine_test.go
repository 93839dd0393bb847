package tickets

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

type noPages struct{}

func (noPages) Enqueue(context.Context, *database.Tx, Page) error { return nil }
func (noPages) Wake()                                             {}

// desk is a desk and its quarantine over a database, with a clock to turn.
type desk struct {
	*Desk
	t   *testing.T
	bin *Quarantine
	now time.Time
	seq uint64
}

func newDesk(t *testing.T, url string, o QuarantineOptions) *desk {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d := &desk{t: t, now: time.UnixMilli(1767225600000)}
	o.DB, o.Now = db, func() time.Time { return d.now }
	d.bin = NewQuarantine(o)
	d.Desk = New(Options{DB: db, Outbox: noPages{}, Quarantine: d.bin, Zone: time.UTC, Metrics: prometheus.NewRegistry(), Now: o.Now})
	return d
}

func (d *desk) refuse(device, payload string, n int) {
	d.t.Helper()
	p, err := d.Resume(d.t.Context(), 0, d.seq)
	if err != nil {
		d.t.Fatal(err)
	}
	d.seq++
	o := rules.Outcome{Epoch: p.Epoch, OldSeq: p.Seq, NewSeq: d.seq, Wall: d.now.UnixMilli()}
	for range n {
		o.Refused = append(o.Refused, rules.Refused{Uplink: devices.Uplink{Device: devices.DeviceID(device), Topic: "f/1/\x00\xff/telemetry", Payload: []byte(payload), Received: d.now.UnixMilli()},
			Refusal: devices.Refusal{Code: devices.CodeJSON, Path: "/a\x00", Msg: "no \xff"}})
	}
	if err := d.Commit(d.t.Context(), &o); err != nil {
		d.t.Fatal(err)
	}
}

// holds is how many entries there are, and how many refusals are counted only.
func (d *desk) holds() (kept int, unkept map[string]int64) {
	d.t.Helper()
	ks, err := d.bin.List(d.t.Context(), KeptFilter{Order: database.Order{Column: "id", Key: "id"}, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	us, err := d.bin.Unkept(d.t.Context(), 0, d.now.UnixMilli())
	if err != nil {
		d.t.Fatal(err)
	}
	unkept = map[string]int64{}
	for _, u := range us {
		unkept[u.Reason] += u.N
	}
	return len(ks), unkept
}

func TestAFloodIsCountedAndCostsLittle(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		d.refuse("MH-1", "garbage", 10_000)
		d.refuse("MH-2", "garbage", 3)
		if kept, unkept := d.holds(); kept != keptPerDevice+3 || unkept["flood"] != 10_000-keptPerDevice {
			t.Errorf("kept %d, counted %v", kept, unkept)
		}
		d.now = d.now.Add(time.Minute)
		d.refuse("MH-1", "garbage", 1)
		if kept, _ := d.holds(); kept != keptPerDevice+4 {
			t.Errorf("a minute later kept %d", kept)
		}
		for i := range keptPerMinute/keptPerDevice + 10 {
			d.refuse(fmt.Sprintf("X-%d", i), "garbage", keptPerDevice)
		}
		if _, unkept := d.holds(); unkept["flood"] != 10_000-keptPerDevice+10*keptPerDevice+1 {
			t.Errorf("over the cap of all: counted %v", unkept)
		}
	})
}

func TestTheQuarantineStaysWithinItsBounds(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{MaxAge: 24 * time.Hour, MaxBytes: 1000})
		d.refuse("MH-1", string(make([]byte, 100)), 8)
		if err := d.bin.Resolve(t.Context(), 1, "chen"); err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(25 * time.Hour)
		d.refuse("MH-2", string(make([]byte, 100)), 15)
		if err := d.bin.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept, unkept := d.holds()
		if kept != 10 || unkept["age"] != 7 || unkept["bytes"] != 5 {
			t.Errorf("kept %d, counted %v; want 10, 7 by age (one had been taken back), 5 by bytes", kept, unkept)
		}
	})
}

func TestALargePayloadIsCutAndSaysSo(t *testing.T) {
	d := newDesk(t, "sqlite://"+t.TempDir()+"/test.db", QuarantineOptions{})
	d.refuse("MH-1", string(make([]byte, 2<<20)), 1)
	k, err := d.bin.Get(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if !k.Cut() || k.Size != 2<<20 || len(k.Payload) != MaxKept || k.Path != "/a\uFFFD" {
		t.Errorf("cut %t, size %d, kept %d, path %q", k.Cut(), k.Size, len(k.Payload), k.Path)
	}
	if err := d.bin.Refused(t.Context(), "lamplighter,id=a x=1 1", "no"); err != nil {
		t.Fatal(err)
	}
	if k, err = d.bin.Get(t.Context(), 2); err != nil || k.Source != StoreSource || k.Code != devices.CodeStore {
		t.Errorf("a line of the store: %+v, %v", k, err)
	}
}

package tickets

import (
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

func TestATicketAboutAPartNamesItInWords(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		name := devices.Title{ZH: "存储", EN: "store"}
		for range 2 {
			if err := d.Own(t.Context(), "store-0", name, "no answer for 5 s", false); err != nil {
				t.Fatal(err)
			}
		}
		ts, err := d.List(t.Context(), Filter{})
		if err != nil || len(ts) != 1 {
			t.Fatalf("%d tickets (%v), want one", len(ts), err)
		}
		want := devices.Title{ZH: "系统异常：存储（store-0）", EN: "Lamplighter itself is in trouble: store (store-0)"}
		if ts[0].Summary != want || ts[0].Defect != "store-0" {
			t.Errorf("the ticket of %s says %+v, want %+v", ts[0].Defect, ts[0].Summary, want)
		}
		if err := d.Own(t.Context(), "store-0", name, "", true); err != nil {
			t.Fatal(err)
		}
		if ts, err = d.List(t.Context(), Filter{}); err != nil || len(ts) != 1 || ts[0].State != "closed" {
			t.Errorf("%+v (%v), want it closed", ts, err)
		}
	})
}

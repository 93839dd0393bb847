package rules

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// told is what was said of how lamps stand, in seconds since the start.
func (s *story) told() string {
	out := make([]string, len(s.stood))
	for i, x := range s.stood {
		out[i] = strings.TrimSpace(fmt.Sprintf("%d %s %s %s", (x.At-start)/1000, x.Facility, x.Is, x.Why))
	}
	return strings.Join(out, "\n")
}

func TestALampsStandingsAreToldFromTheFirstMessageOn(t *testing.T) {
	s := tell(t)
	lamp := registry.Facility{ID: "SL-1", Kind: devices.Streetlight, ExpectS: 60}
	s.step(0, s.census(lamp, registry.Facility{ID: "SL-2", Kind: devices.Streetlight}))
	s.step(1, s.says("SL-1", 1, "lamp_on", true, "power_w", 60.0), s.says("MH-1", 1, "tilt_deg", 30.0))
	s.step(2, s.says("SL-1", 2, "lamp_on", true, "power_w", 0.0))
	s.until(3, 8)
	s.step(9, s.says("SL-1", 9, "lamp_on", true, "power_w", 60.0))
	s.until(10, 300) // and nothing more is heard
	s.step(301, gone(t, "SL-1"))
	s.step(302, s.census(lamp))
	s.step(303, s.says("SL-1", 303, "lamp_on", true, "power_w", 60.0))
	if got, want := s.told(), "1 SL-1 ok\n7 SL-1 faulty lamp_out\n39 SL-1 ok\n189 SL-1 unknown silent\n303 SL-1 ok"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func TestALampThatLeavesTheCensusIsNoLongerKnown(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "SL-1", Kind: devices.Streetlight}))
	s.step(1, s.says("SL-1", 1, "lamp_on", true, "power_w", 60.0))
	s.step(2, gone(t, "SL-1"))
	if got, want := s.told(), "1 SL-1 ok\n2 SL-1 unknown gone"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func TestMaintenanceOfALampIsTold(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "SL-1", Kind: devices.Streetlight}))
	s.step(1, s.says("SL-1", 1, "lamp_on", true, "power_w", 60.0))
	w := Window{ID: "W", Facility: "SL-1", From: start + 5000, To: start + 9000, Reason: "r", By: "b"}
	b, err := w.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s.step(2, devices.Item{Type: devices.ItemWindow, Control: b})
	s.until(3, 12)
	if got, want := s.told(), "1 SL-1 ok\n5 SL-1 maintenance\n9 SL-1 ok"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func TestEveryRuleThatMakesALampFaultyIsTold(t *testing.T) {
	s := tell(t)
	set, err := Parse([]byte("groups:\n  - kind: streetlight\n    rules:\n      - {name: lamp_out, when: lamp_on && power_w < 2.0, severity: minor, summary: {zh: z, en: e}}\n      - {name: hot, when: lamp_failure, severity: minor, summary: {zh: z, en: e}}\n"), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	s.e = NewEngine(set, s.dict, nil)
	s.step(0, s.says("SL-1", 0, "lamp_on", true, "power_w", 0.0, "lamp_failure", false))
	s.step(1, s.says("SL-1", 1, "lamp_failure", true))
	s.step(2, s.says("SL-1", 2, "power_w", 60.0))
	if got, want := s.told(), "0 SL-1 faulty lamp_out\n1 SL-1 faulty hot,lamp_out\n2 SL-1 faulty hot"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func TestAnEngineThatForgotSaysSo(t *testing.T) {
	s := tell(t)
	s.e.forgot = true
	s.step(0, s.census(registry.Facility{ID: "SL-1", Kind: devices.Streetlight}, registry.Facility{ID: "MH-1", Kind: devices.Manhole}))
	if got, want := s.told(), "0 SL-1 unknown unheard"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// lampDesk is a desk whose ledger of lamps may be younger than the rules.
type lampDesk struct {
	ledgerDesk
	untold bool
	begun  []string // how the lamps stood when the ledger began
	later  int      // standings told after that
}

func (d *lampDesk) Resume(ctx context.Context, partition int, newest uint64) (Position, error) {
	p, err := d.ledgerDesk.Resume(ctx, partition, newest)
	p.Untold = d.untold
	return p, err
}

func (d *lampDesk) Commit(ctx context.Context, o *Outcome) error {
	for _, x := range o.Stood {
		if !o.Begins {
			d.later++
			continue
		}
		d.untold = false
		d.begun = append(d.begun, strings.TrimSpace(fmt.Sprint(x.Facility, " ", x.Is, " ", x.Why)))
	}
	return d.ledgerDesk.Commit(ctx, o)
}

func TestALedgerThatBeginsLateIsToldOfEveryLampThatWasHeard(t *testing.T) {
	s := tell(t)
	lamp := func(id string) registry.Facility {
		return registry.Facility{ID: devices.FacilityID(id), Kind: devices.Streetlight}
	}
	past := [][]devices.Item{{s.census(lamp("SL-1"), lamp("SL-2"), lamp("SL-3"))}, {s.says("SL-1", 1, "lamp_on", true, "power_w", 60.0), s.says("SL-3", 1, "lamp_on", true, "power_w", 0.0)}}
	for len(past) < 40 {
		past = append(past, nil)
	}
	d := &lampDesk{}
	worker := func() *Worker {
		return NewWorker(Options{Set: s.e.set, Dict: s.dict, Log: &bounds{1, 40}, Desk: d, Metrics: NewMetrics(prometheus.NewRegistry()), Logger: zerolog.Nop()})
	}
	run(t, worker(), past, 20) // by a version that had no ledger
	d.untold, d.later = true, 0
	run(t, worker(), past, 30)
	if got := strings.Join(d.begun, ", "); got != "SL-1 ok, SL-3 faulty lamp_out" || d.later > 0 {
		t.Errorf("told %q and %d later", got, d.later)
	}
	d.begun = nil
	run(t, worker(), past, 40)
	if d.begun != nil || d.later > 0 {
		t.Errorf("told again: %q, %d", d.begun, d.later)
	}
}

// gone takes facilities out of the census.
func gone(t *testing.T, ids ...devices.FacilityID) devices.Item {
	t.Helper()
	var cs []registry.Fed
	for _, id := range ids {
		cs = append(cs, registry.Fed{Facility: registry.Facility{ID: id}, Gone: true})
	}
	b, err := registry.EncodeFed(cs)
	if err != nil {
		t.Fatal(err)
	}
	return devices.Item{Type: devices.ItemCensus, Control: b}
}

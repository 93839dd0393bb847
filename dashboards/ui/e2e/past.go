//go:build ignore

// Past gives a data folder that no daemon has opened yet a hundred nights of the
// demo's lamps and a historic ticket, so that the daemon has something to show in a
// browser test:
//
//	go run dashboards/ui/e2e/past.go DATA
//
// The census and the facts are written by the code that the daemon uses, with
// clocks of the past; the daemon itself closes the nights.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/simulators/fleet"
)

const nights = 100

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	db, err := database.Open(ctx, "sqlite://"+filepath.Join(data, "lamplighter.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	begin := now.AddDate(0, 0, -nights)
	census, err := registry.Open(ctx, db, registry.Options{Dir: data, Now: func() time.Time { return begin }})
	if err != nil {
		return err
	}
	lamps := lampsOf(fleet.New(fleet.Demo(now)))
	if err := census.Put(ctx, "past", lamps...); err != nil {
		return err
	}
	return db.Write(ctx, func(tx *database.Tx) error {
		if err := historic(ctx, tx, begin); err != nil {
			return err
		}
		return lighting.Ledger{}.Write(ctx, tx, &rules.Outcome{Findings: rules.Findings{Stood: stood(lamps, begin, now)}})
	})
}

// historic is a ticket about a fault that was over before anybody heard of it: it
// would take a late batch, which the demo does not send at will.
func historic(ctx context.Context, tx *database.Tx, begin time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO ticket (number, facility, kind, defect, severity, state, opened_at, event_at, closed_at, closed_by, rule, summary_zh, summary_en, channel, value, limit_value, historic)
		VALUES (?,'MH-00005','manhole','flooded','minor','closed',?,?,?,'telemetry','flooded','井内积水','Flooded','',NULL,NULL,1)`,
		begin.Format("T-20060102-0001"), begin.UnixMilli(), begin.UnixMilli(), begin.Add(3*time.Hour).UnixMilli())
	return err
}

// lampsOf are the lamps of the city as --demo would put them into the census, on
// roads.
func lampsOf(city *fleet.City) (out []registry.Facility) {
	roads := []string{"五四路", "古田路", "湖东路"}
	for _, f := range city.Census() {
		if f.Kind != devices.Streetlight || f.Circuit == "" {
			continue // cabinets and meters are no lamps
		}
		out = append(out, registry.Facility{ID: devices.FacilityID(f.ID), Device: devices.DeviceID(f.ID), Kind: f.Kind, Component: f.Component, Name: f.Name, Lon: f.Lon, Lat: f.Lat, HasPlace: true,
			Area: f.Area, Cabinet: f.Cabinet, Circuit: f.Circuit, Vendor: f.Vendor, Model: f.Model, ExpectS: f.ExpectS, Installed: f.Installed, Supply: f.Supply, Gateway: "demo-gateway-streetlight", Road: roads[len(out)%len(roads)]})
	}
	return out
}

// stood is how the lamps stood: all were heard, some were out for some days, some
// were silent, some were under maintenance; in the newest night those of the first
// district were out in numbers.
func stood(lamps []registry.Facility, begin, now time.Time) (out []rules.Stood) {
	from := begin.UnixMilli()
	for i := range lamps {
		out = append(out, rules.Stood{Facility: lamps[i].ID, At: from, Is: rules.OK})
	}
	spell := func(i int, after, lasts time.Duration, is rules.Standing, why string) {
		at := begin.Add(after)
		if at.Add(lasts).After(now) {
			return
		}
		out = append(out, rules.Stood{Facility: lamps[i].ID, At: at.UnixMilli(), Is: is, Why: why}, rules.Stood{Facility: lamps[i].ID, At: at.Add(lasts).UnixMilli(), Is: rules.OK})
	}
	const day = 24 * time.Hour
	for i := range lamps {
		first := lamps[i].Area[:6] == lamps[0].Area[:6]
		switch {
		case i%3 == 0 && first:
			spell(i, (nights-3)*day, 70*time.Hour, rules.Faulty, "lamp_out")
		case i%7 == 1:
			spell(i, time.Duration(i%61)*day, time.Duration(2+i%9)*day, rules.Faulty, "lamp_out")
		case i%9 == 2:
			spell(i, time.Duration(i%83)*day, time.Duration(1+i%5)*day, rules.Unknown, "silent")
		case i%11 == 3:
			spell(i, time.Duration(i%71)*day, 3*day, rules.Maintenance, "")
		}
	}
	return out
}

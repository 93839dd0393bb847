package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/simulators/fleet"
	"lamplighter/simulators/radio"
)

// demoGateway speaks for the demo's facilities of one kind, over MQTT like any
// other gateway.
func demoGateway(k devices.Kind) devices.DeviceID {
	return devices.DeviceID("demo-gateway-" + k.String())
}

// startDemo takes a simulated city into the census and lets it publish.
func (a *app) startDemo(ctx context.Context) error {
	begins := time.Now()
	city, err := a.demoCity(begins)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	radios := map[string]*radio.Radio{} // by facility
	byKind := map[devices.Kind]*radio.Radio{}
	facilities := city.Census()
	if err := demoAreas(ctx, a.census, city.Areas()); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := a.demoCensus(ctx, facilities); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, f := range facilities {
		if byKind[f.Kind] == nil {
			r, err := a.demoRadio(ctx, demoGateway(f.Kind))
			if err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			byKind[f.Kind] = r
		}
		radios[f.ID] = byKind[f.Kind]
	}
	a.background("demo", func(ctx context.Context) {
		live := radio.Live{City: city, Start: begins, Publish: func(ctx context.Context, p fleet.Publish) error { return radios[p.Device].Publish(ctx, p) }}
		if err := live.Run(ctx); err != nil {
			a.log.Error().Err(err).Msg("the demo's city has ended")
		}
	})
	return nil
}

// demoRadio connects a gateway to our own listener.
func (a *app) demoRadio(ctx context.Context, gw devices.DeviceID) (*radio.Radio, error) {
	if a.listener == nil {
		return nil, errors.New("it needs the MQTT listener; give it an address with --mqtt")
	}
	password, err := a.census.NewPassword(ctx, "demo", gw)
	if err != nil {
		return nil, err
	}
	addr := a.listener.Addr().String()
	r, err := radio.Open(ctx, radio.Options{Broker: "tcp://127.0.0.1" + addr[strings.LastIndexByte(addr, ':'):], Name: string(gw), Gateway: string(gw), Password: password})
	if err != nil {
		return nil, err
	}
	a.push(string(gw), func() error { r.Close(); return nil })
	return r, nil
}

// demoStory is what is kept of the demo's city from one start to the next.
type demoStory struct {
	Start time.Time `json:"start"`
}

// demoFresh is how long a city is taken up again where it would be by now; after
// that a new one begins, with its opening.
const demoFresh = 12 * time.Hour

// demoCity is the city as it is at now. After a restart it has lived on, so the
// tickets of what is still wrong stay as they are.
func (a *app) demoCity(now time.Time) (*fleet.City, error) {
	file := filepath.Join(a.data, "demo.json")
	var story demoStory
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &story)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the story so far: %w", err)
	}
	if err == nil && now.After(story.Start) && now.Sub(story.Start) < demoFresh {
		city := fleet.New(fleet.Demo(story.Start))
		city.Skip(now)
		city.Restart(now)
		return city, nil
	}
	if text, err = json.Marshal(demoStory{now}); err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("remember the story: %w", err)
	}
	return fleet.New(fleet.Demo(now)), nil
}

// demoCensus adds what the census does not have yet; what people have changed
// there stays.
func (a *app) demoCensus(ctx context.Context, fs []fleet.Facility) error {
	var fresh []registry.Facility
	add := func(f registry.Facility) {
		if !a.census.Known(f.Device) {
			fresh = append(fresh, f)
		}
	}
	seen := map[devices.Kind]bool{}
	for _, x := range fs {
		gw := demoGateway(x.Kind)
		if !seen[x.Kind] {
			seen[x.Kind] = true
			add(registry.Facility{ID: devices.FacilityID(gw), Device: gw, Kind: x.Kind, Name: "演示网关", Lon: x.Lon, Lat: x.Lat, HasPlace: true, Area: x.Area})
		}
		add(registry.Facility{ID: devices.FacilityID(x.ID), Device: devices.DeviceID(x.ID), Kind: x.Kind, Component: x.Component, Name: x.Name, Lon: x.Lon, Lat: x.Lat, HasPlace: true,
			Area: x.Area, Cabinet: x.Cabinet, Circuit: x.Circuit, Vendor: x.Vendor, Model: x.Model, ExpectS: x.ExpectS, InCharge: x.InCharge, Owner: x.Owner, Maintainer: x.Maintainer,
			Installed: x.Installed, Supply: x.Supply, Limits: x.Limits, Gateway: gw})
	}
	if len(fresh) == 0 {
		return nil
	}
	return a.census.Put(ctx, "demo", fresh...)
}

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/simulators/fleet"
)

// demoGateway is the device that speaks for the demo's city, over MQTT like any
// other.
const demoGateway = "demo-gateway"

// startDemo takes a simulated city into the census and lets it publish.
func (a *app) startDemo(ctx context.Context) error {
	city := fleet.New(fleet.Options{Seed: 1, Manholes: 100, Streetlights: 400, Bridges: 2, Lon: 119.3, Lat: 26.08, Start: time.Now()})
	fs := []registry.Facility{{ID: demoGateway, Device: demoGateway, Kind: devices.Streetlight, Name: "演示网关"}}
	for _, x := range city.Census() {
		fs = append(fs, registry.Facility{ID: devices.FacilityID(x.ID), Device: devices.DeviceID(x.ID), Kind: x.Kind, Name: x.Name, Lon: x.Lon, Lat: x.Lat, HasPlace: true,
			Area: x.Area, Cabinet: x.Cabinet, Circuit: x.Circuit, ExpectS: x.ExpectS, Limits: x.Limits, Gateway: demoGateway})
	}
	if err := a.census.Put(ctx, "demo", fs...); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	password, err := a.census.NewPassword(ctx, demoGateway)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	addr := a.listener.Addr().String()
	addr = "127.0.0.1" + addr[strings.LastIndexByte(addr, ':'):]
	cl := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(demoGateway).SetUsername(demoGateway).SetPassword(password))
	if t := cl.Connect(); !t.WaitTimeout(10*time.Second) || t.Error() != nil {
		return fmt.Errorf("demo: connect to %s: %w", addr, t.Error())
	}
	a.background("demo", func(ctx context.Context) {
		defer cl.Disconnect(100)
		err := city.Run(ctx, func(_ context.Context, p fleet.Publish) error {
			topic := devices.Topic{Gateway: demoGateway, Device: devices.DeviceID(p.Device), Leaf: devices.TopicTelemetry}
			cl.Publish(topic.String(), 1, false, p.Payload)
			return nil
		})
		if err != nil {
			a.log.Error().Err(err).Msg("demo")
		}
	})
	return nil
}

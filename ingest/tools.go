package main

import (
	"context"
	"path/filepath"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/bridge"
	"lamplighter/devices/database"
	"lamplighter/devices/manhole"
	"lamplighter/devices/registry"
	"lamplighter/devices/streetlight"
	"lamplighter/ingest/config"
	"lamplighter/rules"
)

func newDictionary() (*devices.Dictionary, error) {
	return devices.NewDictionary(devices.CommonChannels(), manhole.Channels(), streetlight.Channels(), bridge.Channels())
}

func databaseURL(conf *config.Config, data string) string {
	if conf.Database != "" {
		return conf.Database
	}
	return "sqlite://" + filepath.Join(data, "lamplighter.db")
}

func censusOptions(conf *config.Config, data string, dict *devices.Dictionary) registry.Options {
	o := registry.Options{Dir: data, Limits: rules.LimitsOf(dict)}
	if b := conf.Census.Bounds; len(b) == 4 {
		o.Bounds = registry.Box{West: b[0], South: b[1], East: b[2], North: b[3]}
	}
	return o
}

// openCensus opens what the tools need beside a running daemon.
func openCensus(d *doorway, file, data string) (*database.DB, *registry.Registry, *auth.Keeper, func(), error) {
	conf, err := config.Load(file, d.env)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	if err := dataFolder(data); err != nil {
		return nil, nil, nil, nil, err
	}
	db, err := database.Open(d.ctx, databaseURL(&conf, data))
	if err != nil {
		return nil, nil, nil, nil, err
	}
	dict, err := newDictionary()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	census, err := registry.Open(d.ctx, db, censusOptions(&conf, data, dict))
	if err != nil {
		return nil, nil, nil, nil, err
	}
	if err := census.RecallChannels(d.ctx, dict); err != nil {
		return nil, nil, nil, nil, err
	}
	return db, census, auth.New(auth.Options{DB: db, Dir: data}), func() { db.Close() }, nil
}

func newToken(ctx context.Context, k *auth.Keeper, name, role string) (string, error) {
	r, err := auth.ParseRole(role)
	if err != nil {
		return "", err
	}
	_, secret, err := k.NewToken(ctx, name, r, 0)
	return secret, err
}

package main

import (
	"context"

	"lamplighter/dashboards"
	"lamplighter/devices"
	"lamplighter/ingest/broker"
	"lamplighter/ingest/config"
	"lamplighter/ingest/mqtt"
	"lamplighter/ingest/pipeline"
	"lamplighter/rules/tickets"
)

// startSources opens the ways in: our own listener, and the sessions with other
// brokers. It comes last, when everything behind is there.
func (a *app) startSources() error {
	if a.conf.Devices.Anonymous {
		a.log.Warn().Msg("devices.anonymous is on: unknown devices are taken without a password")
	}
	if err := a.startListener(a.intake); err != nil {
		return err
	}
	m := mqtt.NewMetrics(a.reg)
	var sessions []*mqtt.Client
	for i := range a.conf.MQTT.Brokers {
		more, err := a.startBroker(&a.conf.MQTT.Brokers[i], a.intake, m)
		if err != nil {
			return err
		}
		sessions = append(sessions, more...)
	}
	a.brokers.Store(&sessions)
	k := &linkKeeper{links: a.linksNow, send: a.sendLink, log: a.log}
	a.background("links", k.run)
	return nil
}

func (a *app) startListener(intake *pipeline.Intake) error {
	l := &a.conf.Listener
	if l.TCP+l.TLS+l.WS+l.WSS == "" {
		return nil
	}
	var err error
	a.listener, err = broker.New(broker.Options{
		TCP: l.TCP, TLS: l.TLS, WS: l.WS, WSS: l.WSS,
		CertFile: l.CertFile, KeyFile: l.KeyFile, ClientCAFile: l.ClientCA, ClientCRLFile: l.ClientCRL,
		Anonymous: a.conf.Devices.Anonymous, MaxPacket: uint32(l.MaxPacket), MaxClients: int64(l.MaxConnections),
		PerDevice: l.PerDevice, PerAddress: l.PerAddress, Rate: l.Rate, InFlight: l.InFlight,
		Sink: intake, Authority: a.census, Notice: a.replies.Refused, Log: a.log, Metrics: a.reg,
	})
	if err != nil {
		return err
	}
	a.push("listener", a.listener.Stop)
	a.replies.through(a.listener)
	if err := a.listener.Start(); err != nil {
		return err
	}
	a.log.Info().Any("addresses", a.listener.Addrs()).Msg("MQTT")
	return nil
}

// startBroker opens the sessions with one broker.
func (a *app) startBroker(b *config.Broker, intake *pipeline.Intake, m *mqtt.Metrics) ([]*mqtt.Client, error) {
	var sessions []*mqtt.Client
	for i, s := range b.Sessions() {
		c, err := mqtt.New(mqtt.Options{
			URL: b.URL, Filters: s.Filters, ClientID: s.ClientID, User: b.User, PasswordFile: b.PasswordFile,
			CAFile: b.CAFile, CertFile: b.CertFile, KeyFile: b.KeyFile, CanaryTopic: b.CanaryTopic,
			WatchDropped: b.Watched() && i == 0, Sink: intake, Log: a.log, Metrics: m,
		})
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, c)
		if i == 0 {
			a.replies.through(c)
		}
		a.background("mqtt "+c.Name(), c.Run)
	}
	return sessions, nil
}

// brokerHealth is how the sessions with other brokers stand, and each broker as
// a way in.
func (a *app) brokerHealth() []dashboards.Part {
	sessions := a.brokers.Load()
	if sessions == nil {
		return nil
	}
	links := brokerLinks(*sessions)
	var parts []dashboards.Part
	for _, c := range *sessions {
		trouble := c.Health()
		up, _, _ := c.Link()
		parts = append(parts, dashboards.Part{Name: "broker " + c.Name(), Title: devices.Title{ZH: "外部接入", EN: "brokers"}, OK: trouble == "", Trouble: trouble, Covered: !up})
	}
	for _, l := range links {
		parts = append(parts, dashboards.Part{Name: "link " + l.name, OK: l.up, Trouble: l.why, Link: l.name, Since: l.since})
	}
	return parts
}

// ownTrouble opens and closes tickets about parts of the daemon.
func (a *app) ownTrouble(desk *tickets.Desk) func(context.Context, dashboards.Part, bool) error {
	return func(ctx context.Context, p dashboards.Part, over bool) error {
		if p.Link != "" {
			return desk.Blind(ctx, p.Link, p.Since, p.Trouble, over)
		}
		return desk.Own(ctx, p.Name, p.Title, p.Trouble, over)
	}
}

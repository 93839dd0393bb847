package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"lamplighter/simulators/load"
)

// loadCmd is everything that measures.
type loadCmd struct {
	Throughput throughputCmd `cmd:"" default:"withargs" help:"Publish QoS 1 messages and measure acknowledged messages a second and the latency of the acknowledgements (the default)."`
	Latency    latencyCmd    `cmd:"" help:"Measure publish to ticket: displace one cover at a time under a background load and wait for its ticket on the API's live stream."`
	Idle       idleCmd       `cmd:"" help:"Open idle connections, hold them with pings, and measure the daemon's memory per connection."`
	Census     censusCmd     `cmd:"" help:"Write a census file of any size, to measure its import."`
}

// target is whom to load, and as whom.
type target struct {
	Broker       string `default:"tcp://127.0.0.1:1883" help:"MQTT broker, tcp://host:port."`
	User         string `help:"User name of all connections; none if not given."`
	PasswordFile string `help:"File with their password." type:"existingfile"`
}

func (t *target) address() (string, error) {
	a, ok := strings.CutPrefix(t.Broker, "tcp://")
	if !ok {
		return "", fmt.Errorf("broker %q: want tcp://host:port", t.Broker)
	}
	return a, nil
}

func (t *target) password() (string, error) {
	if t.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(t.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// shape is what is published.
type shape struct {
	Connections int     `default:"100" help:"Connections."`
	Devices     int     `help:"Devices that they speak for; one each if not given."`
	Prefix      string  `default:"LD-" help:"Of the devices' ids."`
	Credentials string  `help:"CSV with the columns id and password: one connection for each device in it." type:"existingfile"`
	Rate        float64 `help:"Messages a second in all; as fast as it goes if not given."`
	InFlight    int     `default:"32" help:"Messages of a connection that are not acknowledged yet."`
	Channels    int     `default:"10" help:"Channels of a message."`
	Payload     string  `help:"A payload instead; $$SEQ, $$TS and $$DEVICE are replaced."`
}

func (s *shape) options(t *target) (load.Options, error) {
	o := load.Options{Connections: s.Connections, Devices: s.Devices, Prefix: s.Prefix, Rate: s.Rate, InFlight: s.InFlight, Channels: s.Channels, Payload: s.Payload, User: t.User}
	var err error
	if o.Address, err = t.address(); err != nil {
		return o, err
	}
	if o.Password, err = t.password(); err != nil {
		return o, err
	}
	if s.Credentials != "" {
		f, err := os.Open(s.Credentials)
		if err != nil {
			return o, fmt.Errorf("credentials: %w", err)
		}
		defer f.Close()
		if o.Credentials, err = passwords(f); err != nil {
			return o, fmt.Errorf("credentials %s: %w", s.Credentials, err)
		}
	}
	return o, nil
}

type throughputCmd struct {
	target
	shape
	Count    int64         `help:"Messages in all; no end if not given."`
	Duration time.Duration `help:"How long; no end if not given."`
	Ledger   string        `help:"Write every acknowledged (device, boot, seq) to this file: CSV if it ends in .csv, else JSON lines." type:"path"`
}

// Run loads until it is enough.
func (c *throughputCmd) Run(d *doorway) (err error) {
	o, err := c.options(&c.target)
	if err != nil {
		return err
	}
	o.Count, o.Duration = c.Count, c.Duration
	if c.Ledger != "" {
		if o.Ledger, err = load.CreateLedger(c.Ledger); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Ledger.Close()) }()
	}
	last := int64(0)
	o.Tell = func(p load.Progress) {
		fmt.Fprintf(d.err, "%d log-ins, %d acknowledged, %d/s\n", p.Connected, p.Acked, p.Acked-last)
		last = p.Acked
	}
	r, err := load.New(o)
	if err != nil {
		return err
	}
	rep, err := r.Do(d.ctx)
	rep.Print(d.out)
	return err
}

type latencyCmd struct {
	target
	shape
	HTTP   string        `name:"http" default:"http://127.0.0.1:8080" help:"The daemon's HTTP address."`
	Token  string        `required:"" help:"API token of a viewer."`
	Probes int           `default:"100" help:"Covers to displace, one after the other."`
	Every  time.Duration `default:"200ms" help:"Between two probes."`
}

// Run measures under the load. The daemon has to take unknown devices
// (devices.anonymous), or the probes have to be in its census.
func (c *latencyCmd) Run(d *doorway) error {
	o, err := c.options(&c.target)
	if err != nil {
		return err
	}
	probe := load.ProbeOptions{Address: o.Address, HTTP: c.HTTP, Token: c.Token, User: o.User, Password: o.Password, Probes: c.Probes, Every: c.Every, Tell: func(n int) {
		if n%10 == 0 {
			fmt.Fprintf(d.err, "%d of %d probes\n", n, c.Probes)
		}
	}}
	back, rep, err := load.ProbeUnder(d.ctx, o, probe)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "publish → ticket on the live stream, %d probes: p50 %s  p99 %s  max %s\n", rep.Tickets, ms(rep.P50), ms(rep.P99), ms(rep.Max))
	if o.Rate > 0 {
		fmt.Fprintln(d.out, "background:")
		back.Print(d.out)
	}
	return nil
}

func ms(t time.Duration) string { return fmt.Sprintf("%.1f ms", float64(t.Microseconds())/1000) }

type idleCmd struct {
	target
	Connections int           `default:"10000" help:"Connections; more than 20,000 come from several addresses of 127.0.0.0/8."`
	KeepAlive   time.Duration `default:"60s" help:"Keep-alive time; pings go out at half of it."`
	Hold        time.Duration `default:"30s" help:"How long they are held."`
	PID         int           `name:"pid" help:"Process id of the daemon, to read its memory before and after."`
}

// Run opens, holds and measures.
func (c *idleCmd) Run(d *doorway) error {
	o := load.IdleOptions{Connections: c.Connections, User: c.User, KeepAlive: c.KeepAlive, Hold: c.Hold, PID: c.PID, Tell: func(n int) { fmt.Fprintf(d.err, "%d connections\n", n) }}
	var err error
	if o.Address, err = c.address(); err != nil {
		return err
	}
	if o.Password, err = c.password(); err != nil {
		return err
	}
	rep, err := load.Idle(d.ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%d connections held for %v, %d broke\n", rep.Connections, c.Hold, rep.Broken)
	if c.PID != 0 {
		fmt.Fprintf(d.out, "resident set %.1f MB before, %.1f MB after: %.1f KB per connection\n", float64(rep.Before)/1e6, float64(rep.After)/1e6, float64(rep.PerConnection())/1000)
	}
	return nil
}

type censusCmd struct {
	Facilities int    `default:"1000000" help:"Facilities."`
	Prefix     string `default:"LD-" help:"Of their ids, as in a load."`
	Passwords  bool   `help:"A random password for each."`
	File       string `arg:"" type:"path" help:"CSV file to write."`
}

// Run writes the file.
func (c *censusCmd) Run(d *doorway) error {
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("census file: %w", err)
	}
	return errors.Join(load.Census(f, c.Facilities, c.Prefix, c.Passwords), f.Close())
}

package main

import (
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"lamplighter/simulators/fleet"
	"lamplighter/simulators/radio"
)

// cityCmd is the simulated city.
type cityCmd struct {
	Broker       string        `help:"MQTT broker (${default_broker} when no census is to be written)."`
	User         string        `help:"User name of the connections."`
	PasswordFile string        `help:"File with their password." type:"existingfile"`
	Gateway      string        `help:"Publish as this gateway, on f/1/{gateway}/child/{device}/…"`
	Credentials  string        `help:"CSV with the columns id and password, as for the census: each device logs in by itself." type:"existingfile"`
	Connections  int           `default:"8" help:"Connections that the devices share."`
	Manholes     int           `default:"100" help:"Manhole covers."`
	Streetlights int           `default:"300" help:"Lamps, 20 on a circuit, three circuits on a cabinet."`
	Bridges      int           `default:"2" help:"Bridges."`
	Meters       bool          `help:"A meter on every circuit, in addition."`
	Seed         uint64        `default:"1" help:"The same seed and start, the same story."`
	Start        time.Time     `help:"When the story begins (RFC 3339); now if not given." format:"2006-01-02T15:04:05Z07:00"`
	Speed        float64       `default:"1" help:"Seconds of the story in one of ours. Above 1 it should begin in the past: nobody believes a clock in the future."`
	Every        time.Duration `default:"5s" help:"Between two measurements of a device."`
	Opening      bool          `help:"One defect of each kind in the first half minute."`
	Switched     bool          `help:"Cabinets cut the lamps' power by day."`
	Pace         float64       `default:"1" help:"How many times more often than in life things break."`
	Trouble      float64       `default:"1" help:"How many times more often than in life devices reboot, fall silent, lose the time."`
	Haste        float64       `default:"1" help:"How many times sooner than in life things are mended."`
	Clean        bool          `help:"No message is lost, late, garbled or sent twice."`
	Truth        string        `help:"File for what really happened, as JSON lines."`
	Notes        bool          `help:"The truth file also tells of messages that fared badly, shocks and boots."`
	Census       string        `help:"Write the census to this CSV file, and end unless --broker is given."`
	Passwords    bool          `help:"The census has a random password for each device."`
}

// Run lets the city live until the context ends.
func (c *cityCmd) Run(d *doorway) (err error) {
	if c.Start.IsZero() {
		c.Start = time.Now()
	}
	o := fleet.Options{Seed: c.Seed, Manholes: c.Manholes, Streetlights: c.Streetlights, Bridges: c.Bridges, Meters: c.Meters, Start: c.Start, Every: c.Every, Switched: c.Switched,
		Opening: c.Opening, Pace: c.Pace, Trouble: c.Trouble, Haste: c.Haste, Clean: c.Clean, Notes: c.Notes}
	if c.Truth != "" {
		f, err := os.Create(c.Truth)
		if err != nil {
			return fmt.Errorf("truth file: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.Truth = f
	}
	city := fleet.New(o)
	if c.Census != "" {
		if err := c.writeCensus(city); err != nil {
			return err
		}
		if c.Broker == "" {
			return nil
		}
	}
	if err := c.publish(d, city); err != nil {
		return err
	}
	if err := city.Err(); err != nil {
		return fmt.Errorf("truth file: %w", err)
	}
	return nil
}

const defaultBroker = "tcp://127.0.0.1:1883"

func (c *cityCmd) publish(d *doorway, city *fleet.City) error {
	ro := radio.Options{Broker: c.Broker, Name: fmt.Sprintf("simulators-%d", os.Getpid()), Connections: c.Connections, User: c.User, Gateway: c.Gateway}
	if ro.Broker == "" {
		ro.Broker = defaultBroker
	}
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		ro.Password = strings.TrimSpace(string(b))
	}
	if c.Credentials != "" {
		var err error
		if ro.Credentials, err = readCredentials(c.Credentials, city); err != nil {
			return err
		}
	}
	r, err := radio.Open(d.ctx, ro)
	if err != nil {
		return err
	}
	defer r.Close()
	began, last := time.Now(), 0
	l := radio.Live{City: city, Start: c.Start, Speed: c.Speed, Publish: r.Publish, Tell: func(sent int, now time.Time) {
		fmt.Fprintf(d.err, "%s: %d connections, %d messages sent, %.0f/s\n", now.Format(time.DateTime), r.Connected(), sent, float64(sent-last)/time.Since(began).Seconds())
		began, last = time.Now(), sent
	}}
	return l.Run(d.ctx)
}

func (c *cityCmd) writeCensus(city *fleet.City) error {
	f, err := os.OpenFile(c.Census, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it may hold passwords
	if err != nil {
		return fmt.Errorf("census file: %w", err)
	}
	w := fleet.CensusWriter{Gateway: c.Gateway}
	if c.Passwords {
		w.Password = func(string) string { return rand.Text() }
	}
	return errors.Join(w.WriteAll(f, city.Census()), f.Close())
}

// readCredentials reads the passwords of the city's devices from a file with a
// header line; other columns are passed over.
func readCredentials(path string, city *fleet.City) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	defer f.Close()
	all, err := passwords(f)
	if err != nil {
		return nil, fmt.Errorf("credentials %s: %w", path, err)
	}
	out := map[string]string{}
	for _, x := range city.Census() {
		p, ok := all[x.ID]
		if !ok {
			return nil, fmt.Errorf("credentials %s: no password for %s; write the file with --census and --passwords and the same counts of facilities", path, x.ID)
		}
		out[x.ID] = p
	}
	return out, nil
}

func passwords(in io.Reader) (map[string]string, error) {
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the file is empty; want a header line with id and password")
	}
	id, pw := slices.Index(rows[0], "id"), slices.Index(rows[0], "password")
	if id < 0 || pw < 0 {
		return nil, fmt.Errorf("the header line has the columns %q; want id and password", rows[0])
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows[1:] {
		if r[pw] != "" {
			out[r[id]] = r[pw]
		}
	}
	return out, nil
}

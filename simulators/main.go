// Command simulators publishes a simulated city to any MQTT broker.
package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
	paho "github.com/eclipse/paho.mqtt.golang"

	"lamplighter/simulators/fleet"
)

type cli struct {
	Broker       string `default:"tcp://127.0.0.1:1883" help:"MQTT broker."`
	User         string `help:"User name, for a gateway or another broker."`
	PasswordFile string `help:"File with the password." type:"existingfile"`
	Seed         uint64 `default:"1" help:"The same seed, the same city."`
	Manholes     int    `default:"100"`
	Streetlights int    `default:"300"`
	Bridges      int    `default:"2"`
	Truth        string `help:"File for what really happened, as JSON lines."`
	Census       string `help:"Write the city's census to this CSV file and end."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulators:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var c cli
	k, err := kong.New(&c, kong.Name("simulators"), kong.Description("A simulated city for any MQTT broker."))
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	if _, err := k.Parse(args); err != nil {
		return err
	}
	o := fleet.Options{Seed: c.Seed, Manholes: c.Manholes, Streetlights: c.Streetlights, Bridges: c.Bridges, Lon: 119.3, Lat: 26.08, Start: time.Now()}
	if c.Truth != "" {
		f, err := os.Create(c.Truth)
		if err != nil {
			return fmt.Errorf("truth file: %w", err)
		}
		defer f.Close()
		o.Truth = f
	}
	city := fleet.New(o)
	if c.Census != "" {
		return writeCensus(c.Census, city)
	}
	return publish(ctx, &c, city)
}

func publish(ctx context.Context, c *cli, city *fleet.City) error {
	po := paho.NewClientOptions().AddBroker(c.Broker).SetClientID("simulators").SetUsername(c.User)
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		po.SetPassword(string(b))
	}
	cl := paho.NewClient(po)
	if t := cl.Connect(); !t.WaitTimeout(10*time.Second) || t.Error() != nil {
		return fmt.Errorf("connect to %s: %w", c.Broker, t.Error())
	}
	defer cl.Disconnect(200)
	return city.Run(ctx, func(_ context.Context, p fleet.Publish) error {
		t := cl.Publish(p.Topic, 1, false, p.Payload)
		if !t.WaitTimeout(30 * time.Second) {
			return fmt.Errorf("no acknowledgement for 30 s")
		}
		return t.Error()
	})
}

func writeCensus(path string, city *fleet.City) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("census file: %w", err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	rows := [][]string{{"id", "kind", "name", "lon", "lat", "area", "cabinet", "circuit", "expect_s"}}
	for _, x := range city.Census() {
		rows = append(rows, []string{x.ID, x.Kind.String(), x.Name, deg(x.Lon), deg(x.Lat), string(x.Area), x.Cabinet, x.Circuit, strconv.FormatInt(x.ExpectS, 10)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("census file: %w", err)
	}
	return nil
}

func deg(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }

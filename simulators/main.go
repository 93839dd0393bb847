// Command simulators publishes a simulated city to any MQTT broker, and loads
// brokers and daemons to measure them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type cli struct {
	City   cityCmd   `cmd:"" default:"withargs" help:"Publish a simulated city (the default)."`
	Load   loadCmd   `cmd:"" help:"Load a broker or a daemon, and measure."`
	Record recordCmd `cmd:"" help:"Write a month of a simulated city as log records, with its census and its truth, in minutes."`
	Score  scoreCmd  `cmd:"" help:"Hold tickets against what really happened: precision, recall and delay of each defect."`
}

// doorway is what every command gets.
type doorway struct {
	ctx context.Context
	out io.Writer // results
	err io.Writer // progress
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulators:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var c cli
	k, err := kong.New(&c, kong.Name("simulators"), kong.Description("A simulated city for any MQTT broker, a load generator, and recordings to judge rules by."), kong.Writers(out, progress), kong.Vars{"default_broker": defaultBroker})
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	kc, err := k.Parse(args)
	if err != nil {
		return err
	}
	return kc.Run(&doorway{ctx, out, progress})
}

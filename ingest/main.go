// Command ingest is Lamplighter's daemon and its tools. main is a doorway: the
// wiring stands in app.go, in the order of the way of a reading.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"lamplighter/ingest/config"
	"lamplighter/ingest/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lamplighter:", err)
		os.Exit(1)
	}
}

// storeChild is the hidden subcommand that is the store process.
const storeChild = "store-child"

type cli struct {
	Serve       serveCmd         `cmd:"" default:"withargs" help:"Run the daemon (the default)."`
	CheckConfig checkConfigCmd   `cmd:"" help:"Check a configuration file."`
	Devices     devicesCmd       `cmd:"" help:"The census: import, export and remove facilities."`
	Areas       areasCmd         `cmd:"" help:"The grid of areas: import and export."`
	Token       tokenCmd         `cmd:"" help:"Print a new API token."`
	Decode      decodeCmd        `cmd:"" help:"Print what a payload means, or why it is refused."`
	Rules       rulesCmd         `cmd:"" help:"Check, test and replay rules; explain tickets; print the built-in file."`
	Version     kong.VersionFlag `help:"Print the version."`
}

// doorway is what every command gets.
type doorway struct {
	ctx context.Context
	env []string
	out io.Writer
}

func run(ctx context.Context, args, env []string, out io.Writer) error {
	if len(args) > 0 && args[0] == storeChild {
		return store.RunChild(args[1:])
	}
	var c cli
	exit := errors.New("exit")
	k, err := kong.New(&c, kong.Name("lamplighter"), kong.Description("Watches a city's manhole covers, streetlights and bridges."),
		kong.Writers(out, os.Stderr), kong.Vars{"version": version(), "user": user()}, kong.Exit(func(int) { panic(exit) }))
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	defer func() {
		if r := recover(); r != nil && r != any(exit) {
			panic(r)
		}
	}()
	kc, err := k.Parse(args)
	if err != nil {
		return err
	}
	return kc.Run(&doorway{ctx, env, out})
}

func version() string {
	v := "lamplighter (development)"
	if b, ok := debug.ReadBuildInfo(); ok {
		v = "lamplighter " + b.Main.Version + " " + b.GoVersion
	}
	return v + ", store VictoriaMetrics v1.151.0"
}

type dataFlag struct {
	Data string `default:"./data" help:"Data folder." type:"path"`
}

type configFlag struct {
	Config string `help:"Configuration file (YAML)." type:"existingfile"`
}

type serveCmd struct {
	dataFlag
	configFlag
	MQTT  string `name:"mqtt" help:"Address of the MQTT listener, instead of the configuration's."`
	HTTP  string `name:"http" help:"Address of HTTP, instead of the configuration's."`
	Demo  bool   `help:"Add a small simulated city."`
	Log   string `enum:"console,json" default:"console" help:"Form of the log: console or json."`
	Debug bool   `help:"Log more."`
}

// Run serves until the context ends.
func (c *serveCmd) Run(d *doorway) error {
	conf, err := config.Load(c.Config, d.env)
	if err != nil {
		return err
	}
	if c.MQTT != "" {
		conf.Listener.TCP = c.MQTT
	}
	if c.HTTP != "" {
		conf.HTTP.Address = c.HTTP
	}
	level := zerolog.InfoLevel
	if c.Debug {
		level = zerolog.DebugLevel
	}
	var w io.Writer = os.Stderr
	if c.Log == "console" {
		w = zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: "15:04:05.000"}
	}
	log := zerolog.New(w).Level(level).With().Timestamp().Logger()
	if err := asBatch(); err != nil {
		log.Warn().Err(err).Msg("running with the system's ordinary scheduling")
	}
	app, err := newApp(d.ctx, conf, c.Data, c.Demo, log, d.out)
	if err != nil {
		return err
	}
	<-d.ctx.Done()
	log.Info().Msg("stopping")
	return app.Stop()
}

type checkConfigCmd struct {
	File string `arg:"" type:"existingfile" help:"Configuration file."`
}

// Run checks the file, and the rule files and definitions it names.
func (c *checkConfigCmd) Run(d *doorway) error {
	conf, err := config.Load(c.File, d.env)
	if err != nil {
		return err
	}
	dict, err := newDictionary()
	if err != nil {
		return err
	}
	if _, _, err := loadJudgement(&conf, dict); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "%s is good\n", c.File)
	return err
}

type tokenCmd struct {
	dataFlag
	configFlag
	Role string `required:"" enum:"viewer,operator,dispatcher,admin" help:"What the token may do."`
	Name string `default:"${user}" help:"Whose token it is; stands in histories."`
}

// Run prints the token.
func (c *tokenCmd) Run(d *doorway) error {
	_, _, keeper, closeDB, err := openCensus(d, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	t, err := newToken(d.ctx, keeper, c.Name, c.Role)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(d.out, t)
	return err
}

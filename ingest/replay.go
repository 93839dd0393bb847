package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/devices/tape"
	"lamplighter/ingest/config"
	"lamplighter/ingest/pipeline"
	"lamplighter/rules"
	"lamplighter/rules/replay"
)

// rulesReplayCmd judges the log or the store of a data folder, or a recording.
type rulesReplayCmd struct {
	dataFlag
	configFlag
	choice
	From       string   `help:"Compare what was opened from this day or instant on; the beginning of the log if not given, of the store it has to be."`
	To         string   `help:"And before this one; now if not given."`
	JSON       bool     `help:"Print the comparison as JSON."`
	Store      bool     `help:"Judge what the store has instead of the log: longer ago, but nothing of silence."`
	In         string   `type:"existingfile" help:"Judge a recording instead, as simulators record writes it."`
	Tickets    string   `help:"File for the tickets that would have been opened, as JSON lines; - is standard output. A recording needs it."`
	Rules      []string `help:"Rule files or folders to judge by; those of the configuration if not given." placeholder:"FILE"`
	Census     string   `type:"existingfile" help:"Of a recording: census (CSV) to know beforehand; those of the simulators have their own."`
	Partitions int      `default:"2" help:"Of a recording: partitions to judge in, as log.partitions."`
}

// Run judges what has been.
func (c *rulesReplayCmd) Run(d *doorway) error {
	conf, err := config.Load(c.Config, d.env)
	switch {
	case err != nil:
		return err
	case !c.Store && c.any():
		return errors.New("--kind, --area and --facility are for --store; the log and recordings are judged whole")
	case c.Store && c.In != "":
		return errors.New("--store and --in are two pasts; give one of them")
	case c.Store:
		return (&storedReplay{pastReplay: pastReplay{cmd: c, d: d, conf: &conf}}).run()
	case c.In == "":
		return (&pastReplay{cmd: c, d: d, conf: &conf}).run()
	case c.Tickets == "":
		return errors.New("a recording has no tickets to compare with; say with --tickets FILE where those go that would be opened")
	case c.From != "" || c.To != "" || c.JSON:
		return errors.New("--from, --to and --json compare with the tickets of a data folder; a recording (--in) is judged whole")
	}
	return c.judge(d, &conf)
}

// judge judges a recording.
func (c *rulesReplayCmd) judge(d *doorway, conf *config.Config) error {
	o, err := replayOptions(conf, c.Rules, c.Partitions)
	if err != nil {
		return err
	}
	census, err := readCensus(d.ctx, c.Census)
	if err != nil {
		return err
	}
	f, err := os.Open(c.In)
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	defer f.Close()
	in, err := tape.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return fmt.Errorf("recording %s: %w", c.In, err)
	}
	began := time.Now()
	r, err := replay.Tape(d.ctx, in, census, o, tellDays(in.Begin()))
	if err != nil {
		return fmt.Errorf("recording %s: %w", c.In, err)
	}
	if err := c.write(d.out, o.Set, r.Tickets); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(os.Stderr, "%d tickets from %d messages (%d refused, %d twice, %d missing, %d late readings) in %s, %.0f messages/s, rules %s\n",
		len(r.Tickets), r.Messages, r.Refused, r.Duplicates, r.Missing, r.Late, took.Round(time.Millisecond), float64(r.Messages)/took.Seconds(), o.Set.Version())
	return r.Trouble
}

// replayOptions are the options of a replay by the given rules, or else by those
// of the configuration.
func replayOptions(conf *config.Config, files []string, partitions int) (replay.Options, error) {
	o := replay.Options{Fixed: len(files) > 0, Partitions: partitions, Partition: func(key string) int { return pipeline.PartitionOf(key, partitions) }}
	if partitions < 1 || partitions > 256 {
		return o, fmt.Errorf("--partitions %d: want 1 to 256", partitions)
	}
	if len(files) == 0 {
		files = conf.Rules.Files
	}
	var err error
	if o.Dict, err = newDictionary(); err != nil {
		return o, err
	}
	o.Set, err = loadRules(files, conf.Zone, o.Dict)
	o.Decoder = func() replay.Decoder { return codec.New(o.Dict, codec.Options{MaxPast: conf.Store.Retention}) }
	return o, err
}

// write writes the tickets; before them, of a recording, how long each rule of s waits.
func (c *rulesReplayCmd) write(out io.Writer, s *rules.Set, ts []*replay.Ticket) error {
	if c.Tickets == "-" {
		return writeJudged(out, s, ts)
	}
	f, err := os.Create(c.Tickets)
	if err != nil {
		return fmt.Errorf("tickets: %w", err)
	}
	w := bufio.NewWriter(f)
	return errors.Join(writeJudged(w, s, ts), w.Flush(), f.Close())
}

func writeJudged(out io.Writer, s *rules.Set, ts []*replay.Ticket) error {
	if s != nil {
		if err := replay.WriteWaits(out, s); err != nil {
			return err
		}
	}
	return replay.WriteTickets(out, ts)
}

// tellDays tells on standard error how many days have been judged, now and then.
func tellDays(begin int64) func(until int64) {
	told := time.Now()
	return func(until int64) {
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%.1f days are judged\n", float64(until-begin)/float64(24*time.Hour/time.Millisecond))
		}
	}
}

// readCensus reads a census file as an import would take it: into a registry of
// its own, which is thrown away.
func readCensus(ctx context.Context, file string) (_ []registry.Fed, err error) {
	if file == "" {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "census-*")
	if err != nil {
		return nil, fmt.Errorf("census: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := database.Open(ctx, "sqlite://"+filepath.Join(dir, "census.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	census, err := registry.Open(ctx, db, registry.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("census: %w", err)
	}
	defer f.Close()
	if _, err := census.ImportCSV(ctx, "replay", f); err != nil {
		return nil, fmt.Errorf("census %s: %w", file, err)
	}
	return allFed(ctx, census)
}

// allFed is every facility of a census as the log would have it.
func allFed(ctx context.Context, census *registry.Registry) (out []registry.Fed, err error) {
	for after := devices.FacilityID(""); ; {
		fs, err := census.After(ctx, after, 2000)
		if err != nil || len(fs) == 0 {
			return out, err
		}
		for i := range fs {
			out = append(out, registry.Fed{Facility: fs[i]})
		}
		after = fs[len(fs)-1].ID
	}
}

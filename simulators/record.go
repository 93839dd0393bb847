package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lamplighter/simulators/fleet"
	"lamplighter/simulators/record"
)

// recordCmd writes a city's month as a tape.
type recordCmd struct {
	Out          string        `required:"" help:"The recording. Beside it lie NAME.census.csv and NAME.truth.jsonl."`
	Seed         uint64        `default:"1" help:"The same seed, the same recording."`
	Days         float64       `default:"30" help:"Days that the city lives."`
	Manholes     int           `default:"6000" help:"Manhole covers."`
	Streetlights int           `default:"13320" help:"Lamps, 20 on a circuit, three circuits on a cabinet; each circuit has a meter."`
	Bridges      int           `default:"10" help:"Bridges."`
	Start        time.Time     `default:"2026-06-01T00:00:00+08:00" format:"2006-01-02T15:04:05Z07:00" help:"When the story begins (RFC 3339)."`
	CoverEvery   time.Duration `default:"30m" help:"Between two measurements of a cover."`
	Switched     bool          `help:"Cabinets cut the lamps' power by day, and the census does not say so."`
	LampEvery    time.Duration `default:"15m" help:"The same of a lamp and of a circuit's meter."`
	BridgeEvery  time.Duration `default:"1m" help:"The same of a bridge."`
	Pace         float64       `default:"1" help:"How many times more often than in life things break."`
	Trouble      float64       `default:"1" help:"How many times more often than in life devices reboot, fall silent, lose the time."`
}

// Run writes the three files.
func (c *recordCmd) Run(d *doorway) error {
	if c.Days <= 0 || c.Days > 366 {
		return fmt.Errorf("--days %g: want more than 0 and at most 366", c.Days)
	}
	base := strings.TrimSuffix(c.Out, ".tape")
	files := [...]string{c.Out, base + ".census.csv", base + ".truth.jsonl"}
	var outs [len(files)]*bufio.Writer
	var open []io.Closer
	defer func() {
		for _, f := range open {
			_ = f.Close() // after an error; else they are closed already
		}
	}()
	for i, name := range files {
		f, err := os.Create(name)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		open, outs[i] = append(open, f), bufio.NewWriterSize(f, 1<<20)
	}
	last := time.Duration(c.Days * float64(24*time.Hour))
	bar := newBar(d.err, last)
	err := record.Record(d.ctx, record.Options{Last: last, Tell: bar.tell, City: fleet.Options{
		Seed: c.Seed, Manholes: c.Manholes, Streetlights: c.Streetlights, Bridges: c.Bridges, Meters: true, Switched: c.Switched, Start: c.Start, Pace: c.Pace, Trouble: c.Trouble,
		Intervals: fleet.Intervals{Cover: c.CoverEvery, Lamp: c.LampEvery, Meter: c.LampEvery, Bridge: c.BridgeEvery},
	}}, record.Outputs{Tape: outs[0], Census: outs[1], Truth: outs[2]})
	bar.end()
	for i, f := range open {
		err = errors.Join(err, outs[i].Flush(), f.Close())
	}
	open = nil
	if err != nil {
		return fmt.Errorf("record %s: %w", c.Out, err)
	}
	_, err = fmt.Fprintf(d.out, "%s: %d records, %d MB\n%s\n%s\n", files[0], bar.last.Records, bar.last.Bytes>>20, files[1], files[2])
	return err
}

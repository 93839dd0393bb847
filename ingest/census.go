package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

type devicesCmd struct {
	Import importCmd `cmd:"" help:"Import a census file (CSV or GeoJSON), all or nothing."`
	Export exportCmd `cmd:"" help:"Write the census as CSV or GeoJSON."`
	Remove removeCmd `cmd:"" help:"Take facilities out of the census."`
}

type areasCmd struct {
	Import areasImportCmd `cmd:"" help:"Import areas (GeoJSON with outlines, or CSV with code,name), all or nothing."`
	Export areasExportCmd `cmd:"" help:"Write the areas as GeoJSON or CSV."`
}

type importCmd struct {
	dataFlag
	configFlag
	By            string `default:"${user}" help:"Who imports; stands in the history."`
	DryRun        bool   `help:"Find every mistake and change nothing."`
	DeleteMissing bool   `help:"Take facilities out that the file does not have."`
	Yes           bool   `help:"Do so even with more than 1 % of them."`
	File          string `arg:"" type:"existingfile" help:"Census file: .csv, .geojson or .json."`
}

// Run imports the file; a running daemon takes it over within a second.
func (c *importCmd) Run(d *doorway) error {
	o := registry.ImportOptions{By: c.By, DryRun: c.DryRun, DeleteMissing: c.DeleteMissing, Detached: true}
	if c.Yes {
		o.MayDelete = 1
	}
	var rep registry.Report
	err := importFile(d, c.Config, c.Data, c.File, func(census *registry.Registry, in io.ReadSeeker, format registry.Format) (err error) {
		o.Format = format
		rep, err = census.Import(d.ctx, in, o)
		return err
	})
	if err != nil {
		return err
	}
	return tellImport(d.out, &rep)
}

func tellImport(out io.Writer, rep *registry.Report) error {
	done := ""
	if rep.DryRun {
		done = " (dry run: nothing was changed)"
	}
	if rep.Encoding != "UTF-8" {
		done += " (the file was read as " + rep.Encoding + ")"
	}
	_, err := fmt.Fprintf(out, "%d facilities imported: %d added, %d changed, %d as before; %d taken out; %d passwords%s\n", rep.Rows, rep.Added, rep.Changed, rep.Unchanged, rep.Gone, rep.Passwords, done)
	if err == nil && rep.NoInterval > 0 {
		_, err = fmt.Fprintf(out, "%d facilities have no expect_s: unless the device says how often it reports, nobody is told when it falls silent\n", rep.NoInterval)
	}
	if err == nil && rep.NoPlace > 0 {
		_, err = fmt.Fprintf(out, "%d facilities have no lon and lat: rules by the sun judge them only by the place of their circuit or cabinet\n", rep.NoPlace)
	}
	return err
}

type exportCmd struct {
	dataFlag
	configFlag
	Format string `enum:"csv,geojson,auto" default:"auto" help:"csv or geojson; by the file's name if not given."`
	BOM    bool   `name:"bom" help:"Begin CSV with a byte order mark, so that Excel reads it as UTF-8."`
	File   string `arg:"" optional:"" help:"Where to; standard output if not given."`
}

// Run exports the census.
func (c *exportCmd) Run(d *doorway) error {
	format, err := formatOf(c.Format, c.File, registry.CSV)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, census, _, closeDB, err := openCensus(d, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	return writeFile(c.File, d.out, "facilities", func(out io.Writer) (int64, error) {
		if c.BOM && format == registry.CSV {
			if _, err := io.WriteString(out, "\ufeff"); err != nil {
				return 0, err
			}
		}
		return census.Export(d.ctx, out, format)
	})
}

type removeCmd struct {
	dataFlag
	configFlag
	By  string   `default:"${user}" help:"Who does it; stands in the history."`
	IDs []string `arg:"" name:"id" help:"Facilities."`
}

// Run takes the facilities out.
func (c *removeCmd) Run(d *doorway) error {
	_, census, _, closeDB, err := openCensus(d, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	ids := make([]devices.FacilityID, len(c.IDs))
	for i, id := range c.IDs {
		ids[i] = devices.FacilityID(id)
	}
	if err := census.Remove(d.ctx, c.By, ids...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "%d facilities taken out\n", len(ids))
	return err
}

type areasImportCmd struct {
	dataFlag
	configFlag
	By   string `default:"${user}" help:"Who imports; stands in the history."`
	File string `arg:"" type:"existingfile" help:"Areas: .geojson, .json or .csv."`
}

// Run imports the areas.
func (c *areasImportCmd) Run(d *doorway) error {
	var rep registry.AreaReport
	err := importFile(d, c.Config, c.Data, c.File, func(census *registry.Registry, in io.ReadSeeker, format registry.Format) (err error) {
		rep, err = census.ImportAreas(d.ctx, in, c.By, format)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "%d areas imported: %d added, %d changed\n", rep.Rows, rep.Added, rep.Changed)
	return err
}

type areasExportCmd struct {
	dataFlag
	configFlag
	Format string `enum:"csv,geojson,auto" default:"auto" help:"csv or geojson; by the file's name if not given."`
	File   string `arg:"" optional:"" help:"Where to; standard output if not given."`
}

// Run exports the areas.
func (c *areasExportCmd) Run(d *doorway) error {
	format, err := formatOf(c.Format, c.File, registry.GeoJSON)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, census, _, closeDB, err := openCensus(d, c.Config, c.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	return writeFile(c.File, d.out, "areas", func(out io.Writer) (int64, error) { return census.ExportAreas(d.ctx, out, format) })
}

// formatOf is the format that was asked for, else that of the file's name.
func formatOf(asked, file string, otherwise registry.Format) (registry.Format, error) {
	switch {
	case asked != "auto":
		return registry.ParseFormat(asked)
	case file != "":
		return registry.ParseFormat(filepath.Ext(file))
	}
	return otherwise, nil
}

// importFile gives fn the census and the file, in the format that its name says.
func importFile(d *doorway, conf, data, file string, fn func(*registry.Registry, io.ReadSeeker, registry.Format) error) error {
	format, err := registry.ParseFormat(filepath.Ext(file))
	if err != nil {
		return fmt.Errorf("import %s: %w", file, err)
	}
	_, census, _, closeDB, err := openCensus(d, conf, data)
	if err != nil {
		return err
	}
	defer closeDB()
	if err := readFile(file, func(in io.ReadSeeker) error { return fn(census, in, format) }); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// readFile gives fn the file and shows how far it has been read.
func readFile(name string, fn func(io.ReadSeeker) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	p := newProgress(os.Stderr, f, st.Size(), filepath.Base(name))
	err = fn(p)
	p.end()
	return err
}

// writeFile gives fn the file, which appears whole or not at all, or out.
func writeFile(name string, out io.Writer, what string, fn func(io.Writer) (int64, error)) error {
	if name == "" {
		_, err := fn(out)
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	n, err := fn(tmp)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("export to %s: %w", name, err)
	}
	_, err = fmt.Fprintf(out, "%d %s written to %s\n", n, what, name)
	return err
}

// tellLimits says which limits of the census no rule will look at, for an import
// would refuse them today; what has been imported stays.
func tellLimits(ctx context.Context, census *registry.Registry, log zerolog.Logger) {
	all, err := census.LimitTroubles(ctx)
	if err != nil && ctx.Err() == nil {
		log.Error().Err(err).Msg("look through the limits of the census")
	}
	for _, x := range all {
		log.Warn().Str("kind", x.Kind.String()).Str("limit", "limit:"+x.Name).Int("facilities", x.Facilities).Str("first", string(x.First)).Str("cure", x.Cure).Msg("a limit of the census is never judged")
	}
}

// user is who runs the command, for the history.
func user() string {
	for _, v := range []string{"SUDO_USER", "USER", "LOGNAME"} {
		if u := os.Getenv(v); u != "" {
			return u
		}
	}
	return "command line"
}

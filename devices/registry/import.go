package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Format is the form of a census file.
type Format string

// The formats.
const (
	CSV     Format = "csv"     // RFC 4180 with a header line
	GeoJSON Format = "geojson" // RFC 7946, a FeatureCollection of Points
)

// ParseFormat reads the name of a format, or the extension of a file.
func ParseFormat(s string) (Format, error) {
	switch strings.ToLower(strings.TrimPrefix(s, ".")) {
	case "csv":
		return CSV, nil
	case "geojson", "json":
		return GeoJSON, nil
	}
	return "", fmt.Errorf("format %q: want csv or geojson: %w", shown(s), devices.ErrInvalid)
}

// ImportOptions say how a census file is taken.
type ImportOptions struct {
	By            string  // who imports; stands in the history
	Format        Format  // default CSV
	DryRun        bool    // find every mistake and change nothing
	DeleteMissing bool    // take facilities out that the file does not have
	MayDelete     float64 // at most this share of them; default 0.01
	Detached      bool    // leave the index in memory as it was: this process has no more use for it
}

// Report is what an import did.
type Report struct {
	Rows      int64  `json:"rows"`
	Added     int64  `json:"added"`
	Changed   int64  `json:"changed"`
	Unchanged int64  `json:"unchanged"`
	Gone      int64  `json:"gone"`
	Passwords int64  `json:"passwords"`
	Encoding  string `json:"encoding"` // of the file: UTF-8 or GB18030
	DryRun    bool   `json:"dry_run,omitempty"`

	// Of the whole census, as it is then:
	NoInterval int64 `json:"no_interval" doc:"facilities without expect_s: their silence is noticed only where the device says how often it reports"`
	NoPlace    int64 `json:"no_place" doc:"facilities without lon and lat: rules by the sun judge them only by the place of their circuit or cabinet"`
}

// Import takes a census file, all or nothing: a mistake anywhere is an
// [ImportError], and then nothing has changed. Columns that the file does not
// have stay as they are. A facility that was enrolled provisionally is adopted.
func (r *Registry) Import(ctx context.Context, in io.ReadSeeker, o ImportOptions) (Report, error) {
	if o.MayDelete == 0 {
		o.MayDelete = 0.01
	}
	if err := r.Refresh(ctx); err != nil {
		return Report{}, err
	}
	text, encoding, err := decoded(in)
	if err != nil {
		return Report{}, fmt.Errorf("import: %w", err)
	}
	var src source = newCSV(text)
	if o.Format == GeoJSON {
		src = newGeo(text)
	}
	im, err := r.newImporter(ctx, src)
	if err != nil {
		return Report{}, fmt.Errorf("import: %w", err)
	}
	rep := Report{Encoding: encoding, DryRun: o.DryRun}
	err = r.db.Session(ctx, func(s *database.Session) error {
		if err := r.stage(ctx, s, im.next); err != nil {
			return err
		}
		if err := im.rows.bad.err(); err != nil {
			return err
		}
		return s.Write(ctx, func(tx *database.Tx) error { return im.apply(ctx, tx, &o, &rep) })
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return rep, fmt.Errorf("import: %w", plain(err))
	}
	if o.Detached {
		return rep, nil
	}
	return rep, r.Refresh(ctx)
}

// plain is the list of mistakes, if err is one, without what was being done.
func plain(err error) error {
	var ie *ImportError
	if errors.As(err, &ie) {
		return ie
	}
	return err
}

// ImportCSV takes a census file as [Registry.Import] does and returns how many
// rows it had.
func (r *Registry) ImportCSV(ctx context.Context, by string, in io.ReadSeeker) (int64, error) {
	rep, err := r.Import(ctx, in, ImportOptions{By: by})
	return rep.Rows, err
}

// importer reads one file.
type importer struct {
	r      *Registry
	src    source
	rows   *rows
	survey *survey
	n      int64
	// ids are the facilities of the file with the lines they stand in; negative
	// where the device has another id. Those devices stand in devs.
	ids  map[devices.FacilityID]int
	devs map[devices.DeviceID]int
}

func (r *Registry) newImporter(ctx context.Context, src source) (*importer, error) {
	s, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	return &importer{r: r, src: src, rows: newRows(r, &ImportError{}), survey: s, ids: make(map[devices.FacilityID]int), devs: make(map[devices.DeviceID]int)}, nil
}

// next is the next row that is good, nil after the last. After the first
// mistake it reads the rest for others, and then returns nil.
func (im *importer) next() (*row, error) {
	for {
		err := im.src.next(im.rows)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if errors.Is(err, errSkip) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		im.n++
		w := im.rows
		im.device()
		w.end()
		im.twice(&w.row)
		im.survey.look(&w.f, w.line, w.bad)
		if len(w.bad.Lines) == 0 {
			return &w.row, nil
		}
	}
}

// device fills in the device of a row that names none: the one that the
// facility has, if the file has no such column, else one of the same name.
func (im *importer) device() {
	f := &im.rows.f
	if f.Device == "" && !im.rows.has("device") {
		f.Device = im.r.deviceOf(f.ID)
	}
	if f.Device == "" {
		f.Device = devices.DeviceID(f.ID)
	}
}

// twice notes ids and devices that stand in an earlier line.
func (im *importer) twice(w *row) {
	f := &w.f
	if f.ID == "" {
		return
	}
	own := string(f.Device) == string(f.ID)
	if first := im.ids[f.ID]; first != 0 {
		im.rows.bad.add(w.line, "id", string(f.ID), fmt.Sprintf("the same id stands in line %d; give each facility its own", max(first, -first)))
		return
	}
	first := im.devs[f.Device]
	if l := im.ids[devices.FacilityID(f.Device)]; l > 0 {
		first = l
	}
	if first != 0 {
		im.rows.bad.add(w.line, "device", string(f.Device), fmt.Sprintf("the same device stands in line %d; a device sits on one facility", first))
	}
	id := devices.FacilityID(strings.Clone(string(f.ID))) // the row's lies in the memory of the whole line
	if own {
		im.ids[id] = w.line
		return
	}
	im.ids[id] = -w.line
	im.devs[devices.DeviceID(strings.Clone(string(f.Device)))] = w.line
}

// apply brings the census to what was staged.
func (im *importer) apply(ctx context.Context, tx *database.Tx, o *ImportOptions, rep *Report) error {
	a := applied{r: im.r, tx: tx, by: o.By, now: im.r.now().UnixMilli(), columns: im.brings(), bad: &ImportError{}, holds: im.holds}
	if o.DeleteMissing {
		a.keeps = im.holds
		if err := im.missing(ctx, &a, o); err != nil {
			return err
		}
	}
	if err := a.run(ctx); err != nil {
		return err
	}
	a.rep.Rows, a.rep.Encoding, a.rep.DryRun = im.n, rep.Encoding, o.DryRun
	a.rep.Unchanged = a.rep.Rows - a.rep.Added - a.rep.Changed
	err := tx.QueryRow(ctx, `SELECT COUNT(*) - COUNT(NULLIF(expect_s,0)), COUNT(*) - COUNT(lon) FROM facility`).Scan(&a.rep.NoInterval, &a.rep.NoPlace)
	if err != nil {
		return fmt.Errorf("count what the census does not say: %w", err)
	}
	*rep = a.rep
	if o.DryRun {
		return errDryRun
	}
	return nil
}

func (im *importer) holds(id devices.FacilityID) bool { return im.ids[id] != 0 }

// brings are the columns of the database that the file has.
func (im *importer) brings() []string {
	var out []string
	for _, c := range staged()[1:] {
		if c == "limits" && len(im.rows.limits) > 0 || c != "limits" && im.rows.has(c) {
			out = append(out, c)
		}
	}
	return out
}

// TooManyGoneError says that a file leaves out more facilities than it may.
type TooManyGoneError struct{ Gone, Of int }

// Error says what to do.
func (e *TooManyGoneError) Error() string {
	return fmt.Sprintf("%d of %d facilities are not in the file and would be taken out of the census; nothing was changed; repeat with --yes if that is meant", e.Gone, e.Of)
}

// Unwrap makes it a devices.ErrConflict.
func (e *TooManyGoneError) Unwrap() error { return devices.ErrConflict }

// missing takes facilities out that the file does not have. Those that were
// enrolled provisionally stay: they wait for the city to adopt them.
func (im *importer) missing(ctx context.Context, a *applied, o *ImportOptions) error {
	rows, err := a.tx.Query(ctx, `SELECT id FROM facility WHERE provisional=0 ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var gone []devices.FacilityID
	of := 0
	for rows.Next() {
		var id devices.FacilityID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		of++
		if !im.holds(id) {
			gone = append(gone, id)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if float64(len(gone)) > o.MayDelete*float64(of) {
		return &TooManyGoneError{len(gone), of}
	}
	return a.remove(ctx, gone)
}

package lighting

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/rules/tickets"
)

// Tickets opens and closes what follows from a closed night: tickets.Desk.
type Tickets interface {
	Settle(ctx context.Context, low []tickets.Area, over []tickets.Area, also func(context.Context, *database.Tx) error) error
}

// Options of a Book.
type Options struct {
	DB        *database.DB
	Census    *registry.Registry
	Set       *Set
	Zone      *time.Location       // of the city
	Partition func(key string) int // of the log, by registry.Facility.Key
	Parts     int                  // how many partitions there are
	Tickets   Tickets              // nil = none are opened
	Metrics   prometheus.Registerer
	Log       zerolog.Logger
	Now       func() time.Time
}

// Book is the account of the city's lamps. It is safe for concurrent use, and
// several daemons may keep one book.
type Book struct {
	opt  Options
	wake chan struct{} // holds one: there is something to close
	rate *prometheus.GaugeVec
}

// Open returns the book. A definition that was changed without a new version is a
// devices.ErrInvalid: its figures would mean two things.
func Open(ctx context.Context, o Options) (*Book, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Partition == nil {
		o.Partition = func(string) int { return 0 }
	}
	b := &Book{opt: o, wake: make(chan struct{}, 1), rate: newRates(o.Metrics)}
	for _, d := range o.Set.Rates {
		if err := b.enter(ctx, d); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// enter writes a definition down when its version is first seen.
func (b *Book) enter(ctx context.Context, d *Definition) error {
	err := b.opt.DB.Write(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO lighting_definition (rate, version, body, at) VALUES (?,?,?,?) ON CONFLICT (rate, version) DO NOTHING`, d.Name, d.Version, d.text, b.opt.Now().UnixMilli()); err != nil {
			return err
		}
		var was string
		if err := tx.QueryRow(ctx, `SELECT body FROM lighting_definition WHERE rate=? AND version=?`, d.Name, d.Version).Scan(&was); err != nil {
			return err
		}
		if was != d.text {
			return fmt.Errorf("it is not what version %s was when it was first used; give it a new version: %w", d.Version, devices.ErrInvalid)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("lighting definition %s: %w", d.Name, err)
	}
	return nil
}

// definition is one as it stands in the file, or as an older version was written
// down; devices.ErrNotFound if there never was one.
func (b *Book) definition(ctx context.Context, rate, version string) (*Definition, error) {
	for _, d := range b.opt.Set.Rates {
		if d.Name == rate && (version == "" || d.Version == version) {
			return d, nil
		}
	}
	var text string
	err := b.opt.DB.QueryRow(ctx, `SELECT body FROM lighting_definition WHERE rate=? AND (version=? OR ?='') ORDER BY at DESC LIMIT 1`, rate, version, version).Scan(&text)
	if err = database.Found(err); err != nil {
		return nil, fmt.Errorf("lighting definition %s %s: %w", rate, version, err)
	}
	s, err := Parse(rate+" "+version, []byte(text))
	if err != nil {
		return nil, err
	}
	return s.Rates[0], nil
}

// Defined is nil if a rate is or was defined, else devices.ErrNotFound.
func (b *Book) Defined(ctx context.Context, rate string) error {
	_, err := b.definition(ctx, rate, "")
	return err
}

// Kept is a definition as it is or was used.
type Kept struct {
	Rate, Version, Text string
	Title               devices.Title
	At                  int64 // when it was first used, Unix ms
}

// Definitions are all that were ever used, the newest first.
func (b *Book) Definitions(ctx context.Context) ([]Kept, error) {
	out, err := database.All(ctx, b.opt.DB, func(row database.Row) (Kept, error) {
		var k Kept
		err := row.Scan(&k.Rate, &k.Version, &k.Text, &k.At)
		return k, err
	}, `SELECT rate, version, body, at FROM lighting_definition ORDER BY at DESC, rate, version`)
	if err != nil {
		return nil, fmt.Errorf("lighting definitions: %w", err)
	}
	for i := range out {
		s, err := Parse(out[i].Rate+" "+out[i].Version, []byte(out[i].Text))
		if err != nil {
			return nil, err
		}
		out[i].Title = s.Rates[0].Title
	}
	return out, nil
}

// place is where the sun is asked for: as the file says, else the middle of the
// city's lamps. The night then says when its dusk and dawn were.
func (b *Book) place(ctx context.Context) (Place, error) {
	if p := b.opt.Set.Place; p != nil {
		return *p, nil
	}
	var lon, lat sql.NullFloat64
	if err := b.opt.DB.QueryRow(ctx, `SELECT AVG(lon), AVG(lat) FROM facility WHERE kind='streetlight' AND lon IS NOT NULL AND lat IS NOT NULL`).Scan(&lon, &lat); err != nil {
		return Place{}, fmt.Errorf("the middle of the lamps: %w", err)
	}
	if !lon.Valid {
		return Place{119.3, 26.08}, nil // Fuzhou: nothing in the census says where the city lies
	}
	return Place{lon.Float64, lat.Float64}, nil
}

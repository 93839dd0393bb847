package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"lamplighter/devices/database"
)

// A change of many facilities goes through a temporary table, stage, which
// holds up nobody; what differs from the census then goes over in one
// transaction.

// stageTable says what is staged beside the line: the facility as it should be,
// and the digest of its new secret, "" for none.
const stageTable = `CREATE TEMPORARY TABLE stage (line INTEGER PRIMARY KEY, id TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL, component TEXT NOT NULL, name TEXT NOT NULL,
	lon DOUBLE PRECISION, lat DOUBLE PRECISION, area TEXT NOT NULL, cabinet TEXT NOT NULL, circuit TEXT NOT NULL, vendor TEXT NOT NULL, model TEXT NOT NULL, expect_s BIGINT NOT NULL,
	in_charge TEXT NOT NULL, owner TEXT NOT NULL, maintainer TEXT NOT NULL, installed TEXT NOT NULL, condition TEXT NOT NULL, gateway TEXT NOT NULL, road TEXT NOT NULL, road_class TEXT NOT NULL, lamps BIGINT NOT NULL, feeder TEXT NOT NULL, timetable TEXT NOT NULL, supply TEXT NOT NULL, limits TEXT NOT NULL, digest TEXT NOT NULL)`

// staged are the columns that a file can bring, as the database knows them.
func staged() []string {
	return strings.Fields("id device kind component name lon lat area cabinet circuit vendor model expect_s in_charge owner maintainer installed condition gateway road road_class lamps feeder timetable supply limits")
}

// stage fills the table with the rows that next returns until it returns nil.
func (r *Registry) stage(ctx context.Context, s *database.Session, next func() (*row, error)) error {
	if err := s.Exec(ctx, `DROP TABLE IF EXISTS stage`); err != nil {
		return fmt.Errorf("stage census: %w", err)
	}
	if err := s.Exec(ctx, stageTable); err != nil {
		return fmt.Errorf("stage census: %w", err)
	}
	columns := append(append([]string{"line"}, staged()...), "digest")
	values := make([]any, len(columns))
	return s.Copy(ctx, "stage", columns, func() ([]any, error) {
		w, err := next()
		if err != nil || w == nil {
			return nil, err
		}
		return values, r.stageRow(values, w)
	})
}

func (r *Registry) stageRow(v []any, w *row) error {
	f := &w.f
	limits, err := limitsText(f.Limits)
	if err != nil {
		return err
	}
	var lon, lat any
	if f.HasPlace {
		lon, lat = f.Lon, f.Lat
	}
	digest := ""
	if w.password != "" {
		d := r.digest(f.Device, []byte(w.password))
		digest = hex.EncodeToString(d[:])
	}
	copy(v, []any{int64(w.line), string(f.ID), string(f.Device), f.Kind.String(), f.Component, f.Name, lon, lat, string(f.Area), f.Cabinet, f.Circuit, f.Vendor, f.Model, f.ExpectS,
		f.InCharge, f.Owner, f.Maintainer, f.Installed, f.Condition, string(f.Gateway), f.Road, f.RoadClass, f.Lamps, f.Feeder, f.Timetable, f.Supply, limits, digest})
	return nil
}

func limitsText(m map[string]float64) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("limits: %w", err)
	}
	return string(b), nil
}

// differs is the condition under which the columns of two tables differ.
func differs(a, b string, columns []string) string {
	var or []string
	for _, c := range columns {
		if c == "lon" || c == "lat" {
			or = append(or, fmt.Sprintf("%s.%s IS DISTINCT FROM %s.%s", a, c, b, c))
		} else {
			or = append(or, fmt.Sprintf("%s.%s<>%s.%s", a, c, b, c))
		}
	}
	return "(" + strings.Join(or, " OR ") + ")"
}

// prefixed are the columns of a table.
func prefixed(table string, columns []string) string {
	return table + "." + strings.Join(columns, ","+table+".")
}

package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lamplighter/devices"
)

// Filter narrows a list. Empty fields do not narrow.
type Filter struct {
	Kind  string
	Area  devices.AreaCode
	Query string             // in id and name
	After devices.FacilityID // paging: ids greater than this
	Limit int                // 1 to 500, default 100
}

// columns are what scan reads: those of staged, and two more.
const columns = `id, device, kind, component, name, lon, lat, area, cabinet, circuit, vendor, model, expect_s, in_charge, owner, maintainer, installed, condition, gateway, road, road_class, limits, provisional, updated`

// List is one page of facilities by id, and how many match in all.
func (r *Registry) List(ctx context.Context, f Filter) ([]Facility, int, error) {
	where, args := []string{"1=1"}, []any{}
	if f.Kind != "" {
		where, args = append(where, "kind=?"), append(args, f.Kind)
	}
	if f.Area != "" {
		// A range, which an index serves; digits sort alike in every collation.
		where, args = append(where, "area>=? AND area<=?"), append(args, string(f.Area), string(f.Area)+"999999999999999")
	}
	if f.Query != "" {
		like := "%" + strings.NewReplacer("%", `\%`, "_", `\_`, `\`, `\\`).Replace(f.Query) + "%"
		where, args = append(where, `(id LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\')`), append(args, like, like)
	}
	cond := strings.Join(where, " AND ")
	var total int
	if err := r.db.QueryRow(ctx, `SELECT COUNT(*) FROM facility WHERE `+cond, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count facilities: %w", err)
	}
	if f.Limit < 1 || f.Limit > 500 {
		f.Limit = 100
	}
	rows, err := r.db.Query(ctx, `SELECT `+columns+` FROM facility WHERE `+cond+` AND id > ? ORDER BY id LIMIT ?`, append(args, string(f.After), f.Limit)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list facilities: %w", err)
	}
	defer rows.Close()
	var out []Facility
	for rows.Next() {
		fac, err := scan(rows)
		if err != nil {
			return nil, 0, fmt.Errorf("list facilities: %w", err)
		}
		out = append(out, fac)
	}
	return out, total, rows.Err()
}

// Facility is one row of the census; devices.ErrNotFound if there is none.
func (r *Registry) Facility(ctx context.Context, id devices.FacilityID) (Facility, error) {
	f, err := scan(r.db.QueryRow(ctx, `SELECT `+columns+` FROM facility WHERE id=?`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return f, fmt.Errorf("facility %s: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return f, fmt.Errorf("facility %s: %w", id, err)
	}
	return f, nil
}

// scanned is what the database tells of a facility, in the order of staged. Of
// a facility that is not there all is NULL.
type scanned struct {
	id, device, kind, component, name, area, cabinet, circuit, vendor, model sql.NullString
	inCharge, owner, maintainer, installed, condition, gateway, limits       sql.NullString
	road, roadClass                                                          sql.NullString
	lon, lat                                                                 sql.NullFloat64
	expect                                                                   sql.NullInt64
}

func (s *scanned) into() []any {
	return []any{&s.id, &s.device, &s.kind, &s.component, &s.name, &s.lon, &s.lat, &s.area, &s.cabinet, &s.circuit, &s.vendor, &s.model, &s.expect,
		&s.inCharge, &s.owner, &s.maintainer, &s.installed, &s.condition, &s.gateway, &s.road, &s.roadClass, &s.limits}
}

func (s *scanned) facility() (Facility, error) {
	f := Facility{ID: devices.FacilityID(s.id.String), Device: devices.DeviceID(s.device.String), Component: s.component.String, Name: s.name.String,
		Lon: s.lon.Float64, Lat: s.lat.Float64, HasPlace: s.lon.Valid && s.lat.Valid, Area: devices.AreaCode(s.area.String), Cabinet: s.cabinet.String, Circuit: s.circuit.String,
		Vendor: s.vendor.String, Model: s.model.String, ExpectS: s.expect.Int64, InCharge: s.inCharge.String, Owner: s.owner.String, Maintainer: s.maintainer.String,
		Installed: s.installed.String, Condition: s.condition.String, Gateway: devices.DeviceID(s.gateway.String), Road: s.road.String, RoadClass: s.roadClass.String}
	var err error
	if f.Kind, err = devices.ParseKind(s.kind.String); err != nil {
		return f, fmt.Errorf("facility %s: %w", f.ID, err)
	}
	if l := s.limits.String; l != "" && l != "{}" {
		if err := json.Unmarshal([]byte(l), &f.Limits); err != nil {
			return f, fmt.Errorf("limits of %s: %w", f.ID, err)
		}
	}
	return f, nil
}

// Each calls fn with every facility, by id; fn must not keep the pointer.
func (r *Registry) Each(ctx context.Context, fn func(*Facility) error) error {
	rows, err := r.db.Query(ctx, `SELECT `+columns+` FROM facility ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read census: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		f, err := scan(rows)
		if err == nil {
			err = fn(&f)
		}
		if err != nil {
			return fmt.Errorf("read census: %w", err)
		}
	}
	return rows.Err()
}

func scan(row interface{ Scan(...any) error }) (Facility, error) {
	var s scanned
	var provisional bool
	var updated int64
	if err := row.Scan(append(s.into(), &provisional, &updated)...); err != nil {
		return Facility{}, err
	}
	f, err := s.facility()
	f.Provisional, f.Updated = provisional, updated
	return f, err
}

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

const columns = `id, device, kind, component, name, lon, lat, area, cabinet, circuit, vendor, model, expect_s, in_charge, owner, maintainer, installed, condition, gateway, provisional, limits, updated`

// List is one page of facilities by id, and how many match in all.
func (r *Registry) List(ctx context.Context, f Filter) ([]Facility, int, error) {
	where, args := []string{"1=1"}, []any{}
	if f.Kind != "" {
		where, args = append(where, "kind=?"), append(args, f.Kind)
	}
	if f.Area != "" {
		where, args = append(where, "area LIKE ?"), append(args, string(f.Area)+"%")
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
	rows, err := r.db.Query(ctx, `SELECT `+columns+` FROM facility WHERE `+cond+` AND id > ? ORDER BY id LIMIT ?`, append(args, f.After, f.Limit)...)
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
	f, err := scan(r.db.QueryRow(ctx, `SELECT `+columns+` FROM facility WHERE id=?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return f, fmt.Errorf("facility %s: %w", id, devices.ErrNotFound)
	}
	if err != nil {
		return f, fmt.Errorf("facility %s: %w", id, err)
	}
	return f, nil
}

func scan(row interface{ Scan(...any) error }) (Facility, error) {
	var f Facility
	var kind, limits string
	var lon, lat sql.NullFloat64
	err := row.Scan(&f.ID, &f.Device, &kind, &f.Component, &f.Name, &lon, &lat, &f.Area, &f.Cabinet, &f.Circuit, &f.Vendor, &f.Model,
		&f.ExpectS, &f.InCharge, &f.Owner, &f.Maintainer, &f.Installed, &f.Condition, &f.Gateway, &f.Provisional, &limits, &f.Updated)
	if err != nil {
		return f, err
	}
	f.Lon, f.Lat, f.HasPlace = lon.Float64, lat.Float64, lon.Valid && lat.Valid
	if f.Kind, err = devices.ParseKind(kind); err != nil {
		return f, err
	}
	if err := json.Unmarshal([]byte(limits), &f.Limits); err != nil {
		return f, fmt.Errorf("limits of %s: %w", f.ID, err)
	}
	return f, nil
}

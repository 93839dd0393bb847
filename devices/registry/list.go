package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Filter narrows a list. Empty fields do not narrow.
type Filter struct {
	ID      devices.FacilityID
	Kind    string
	Area    devices.AreaCode
	Cabinet string
	Circuit string
	Feeder  string // theirs, or of those without one that of their cabinet's row
	Query   string // in id and name
	NoPlace bool   // without lon and lat
}

// columns are what scan reads: those of staged, and two more.
const columns = `id, device, kind, component, name, lon, lat, area, cabinet, circuit, vendor, model, expect_s, in_charge, owner, maintainer, installed, condition, gateway, road, road_class, lamps, feeder, timetable, supply, limits, provisional, updated`

// Facility is one row of the census; devices.ErrNotFound if there is none.
func (r *Registry) Facility(ctx context.Context, id devices.FacilityID) (Facility, error) {
	f, err := scan(r.db.QueryRow(ctx, `SELECT `+columns+` FROM facility WHERE id=?`, string(id)))
	if err = database.Found(err); err != nil {
		return f, fmt.Errorf("facility %s: %w", id, err)
	}
	return f, nil
}

// scanned is what the database tells of a facility, in the order of staged. Of
// a facility that is not there all is NULL.
type scanned struct {
	id, device, kind, component, name, area, cabinet, circuit, vendor, model sql.NullString
	inCharge, owner, maintainer, installed, condition, gateway, limits       sql.NullString
	road, roadClass, feeder, timetable, supply                               sql.NullString
	lon, lat                                                                 sql.NullFloat64
	expect, lamps                                                            sql.NullInt64
}

func (s *scanned) into() []any {
	return []any{&s.id, &s.device, &s.kind, &s.component, &s.name, &s.lon, &s.lat, &s.area, &s.cabinet, &s.circuit, &s.vendor, &s.model, &s.expect,
		&s.inCharge, &s.owner, &s.maintainer, &s.installed, &s.condition, &s.gateway, &s.road, &s.roadClass, &s.lamps, &s.feeder, &s.timetable, &s.supply, &s.limits}
}

func (s *scanned) facility() (Facility, error) {
	f := Facility{ID: devices.FacilityID(s.id.String), Device: devices.DeviceID(s.device.String), Component: s.component.String, Name: s.name.String,
		Lon: s.lon.Float64, Lat: s.lat.Float64, HasPlace: s.lon.Valid && s.lat.Valid, Area: devices.AreaCode(s.area.String), Cabinet: s.cabinet.String, Circuit: s.circuit.String,
		Vendor: s.vendor.String, Model: s.model.String, ExpectS: s.expect.Int64, InCharge: s.inCharge.String, Owner: s.owner.String, Maintainer: s.maintainer.String,
		Installed: s.installed.String, Condition: s.condition.String, Gateway: devices.DeviceID(s.gateway.String), Road: s.road.String, RoadClass: s.roadClass.String, Lamps: s.lamps.Int64, Feeder: s.feeder.String,
		Timetable: s.timetable.String, Supply: s.supply.String}
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
	err := database.Each(ctx, r.db, func(row database.Row) error {
		f, err := scan(row)
		if err == nil {
			err = fn(&f)
		}
		return err
	}, `SELECT `+columns+` FROM facility ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read census: %w", err)
	}
	return nil
}

func scan(row database.Row) (Facility, error) {
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

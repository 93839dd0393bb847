package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Area is a node of the grid (市-区-街道-社区, and the unit grids in it).
type Area struct {
	Code       devices.AreaCode `json:"code"`
	Name       string           `json:"name"`
	Level      string           `json:"level"` // city, district, street, community or grid
	Parent     devices.AreaCode `json:"parent,omitempty"`
	HasOutline bool             `json:"has_outline"`
	Box        []float64        `json:"bbox,omitempty"`    // west, south, east, north
	Outline    json.RawMessage  `json:"outline,omitempty"` // GeoJSON Polygon or MultiPolygon, WGS84
	Updated    int64            `json:"-"`
}

const areaColumns = `code, name, parent, west, south, east, north, updated`

// AreaFilter narrows a list of areas. Empty fields do not narrow.
type AreaFilter struct {
	Parent devices.AreaCode // the areas directly below it
	Level  devices.AreaLevel
	After  devices.AreaCode // paging: codes greater than this
	Limit  int              // 1 to 500, default 100
}

// Areas is one page of areas by code, without outlines.
func (r *Registry) Areas(ctx context.Context, f AreaFilter) ([]Area, error) {
	if f.Limit < 1 || f.Limit > 500 {
		f.Limit = 100
	}
	out, err := database.All(ctx, r.db, func(row database.Row) (Area, error) { return scanArea(row) }, `SELECT `+areaColumns+` FROM area WHERE code>? AND (?='' OR parent=?) AND (?=0 OR level=?) ORDER BY code LIMIT ?`,
		string(f.After), string(f.Parent), string(f.Parent), int64(f.Level), int64(f.Level), f.Limit)
	if err != nil {
		return nil, fmt.Errorf("list areas: %w", err)
	}
	return out, nil
}

// Area is one area with its outline; devices.ErrNotFound if there is none.
func (r *Registry) Area(ctx context.Context, code devices.AreaCode) (Area, error) {
	var text string
	a, err := scanArea(r.db.QueryRow(ctx, `SELECT `+areaColumns+`, outline FROM area WHERE code=?`, string(code)), &text)
	if err = database.Found(err); err != nil {
		return a, fmt.Errorf("area %s: %w", shown(string(code)), err)
	}
	if text != "" {
		a.Outline = json.RawMessage(text)
	}
	return a, nil
}

func scanArea(row database.Row, more ...any) (Area, error) {
	var a Area
	var box [4]sql.NullFloat64
	if err := row.Scan(append([]any{&a.Code, &a.Name, &a.Parent, &box[0], &box[1], &box[2], &box[3], &a.Updated}, more...)...); err != nil {
		return a, err
	}
	a.Level = a.Code.Level().String()
	if a.HasOutline = box[0].Valid; a.HasOutline {
		a.Box = []float64{box[0].Float64, box[1].Float64, box[2].Float64, box[3].Float64}
	}
	return a, nil
}

// putArea adds or replaces an area and writes its history; what is false when
// nothing changed. An area without an outline keeps the one it has.
func putArea(ctx context.Context, tx *database.Tx, by string, now int64, a *Area, o *outline) (what string, err error) {
	var name, outline string
	err = tx.QueryRow(ctx, `SELECT name, outline FROM area WHERE code=?`, string(a.Code)).Scan(&name, &outline)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		what = "added"
	case err != nil:
		return "", err
	case name == a.Name && (len(a.Outline) == 0 || outline == string(a.Outline)):
		return "", nil
	default:
		what = "changed"
	}
	var box [4]any
	if o != nil {
		box = [4]any{o.box.West, o.box.South, o.box.East, o.box.North}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO area (code, name, level, parent, outline, west, south, east, north, updated) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (code) DO UPDATE SET name=excluded.name, updated=excluded.updated,
		outline=CASE WHEN excluded.outline='' THEN area.outline ELSE excluded.outline END, west=COALESCE(excluded.west, area.west), south=COALESCE(excluded.south, area.south), east=COALESCE(excluded.east, area.east), north=COALESCE(excluded.north, area.north)`,
		string(a.Code), a.Name, int64(a.Code.Level()), string(a.Code.Parent()), string(a.Outline), box[0], box[1], box[2], box[3], now); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO area_change (at, who, area, what, detail) VALUES (?,?,?,?,?)`, now, by, string(a.Code), what, name)
	return what, err
}

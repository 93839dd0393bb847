package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// AreaReport is what an import of areas did.
type AreaReport struct {
	Rows    int64 `json:"rows"`
	Added   int64 `json:"added"`
	Changed int64 `json:"changed"`
}

// areaRow is an area as a file has it.
type areaRow struct {
	Area
	line    int
	outline *outline
}

// ImportAreas takes a file of areas, all or nothing: CSV with the columns code
// and name, or a GeoJSON FeatureCollection of Polygons and MultiPolygons with
// these properties. The area above one stands in the census or in the file.
func (r *Registry) ImportAreas(ctx context.Context, in io.ReadSeeker, by string, format Format) (AreaReport, error) {
	var rep AreaReport
	text, _, err := decoded(in)
	if err != nil {
		return rep, fmt.Errorf("import areas: %w", err)
	}
	bad := &ImportError{}
	read := areasCSV
	if format == GeoJSON {
		read = areasGeo
	}
	list, err := read(text, bad)
	if err != nil {
		return rep, fmt.Errorf("import areas: %w", err)
	}
	s, err := r.survey(ctx)
	if err != nil {
		return rep, fmt.Errorf("import areas: %w", err)
	}
	checkAreas(list, s.known, s.bounds, bad)
	if err := bad.err(); err != nil {
		return rep, fmt.Errorf("import areas: %w", err)
	}
	err = r.db.Write(ctx, func(tx *database.Tx) error {
		rep = AreaReport{Rows: int64(len(list))}
		if err := head(ctx, tx); err != nil {
			return err
		}
		for i := range list {
			what, err := putArea(ctx, tx, by, r.now().UnixMilli(), &list[i].Area, list[i].outline)
			if err != nil {
				return fmt.Errorf("area %s: %w", list[i].Code, err)
			}
			switch what {
			case "added":
				rep.Added++
			case "changed":
				rep.Changed++
			}
		}
		return nil
	})
	if err != nil {
		return rep, fmt.Errorf("import areas: %w", err)
	}
	return rep, nil
}

// checkAreas notes what is wrong with the rows of a file.
func checkAreas(list []areaRow, known map[devices.AreaCode]bool, bounds Box, bad *ImportError) {
	lines := make(map[devices.AreaCode]int, len(list))
	for i := range list {
		a := &list[i]
		if first := lines[a.Code]; first != 0 && a.Code != "" {
			bad.add(a.line, "code", string(a.Code), fmt.Sprintf("the same code stands in line %d", first))
		}
		lines[a.Code] = a.line
	}
	for i := range list {
		a := &list[i]
		if p := a.Code.Parent(); p != "" && !known[p] && lines[p] == 0 {
			bad.add(a.line, "code", string(a.Code), fmt.Sprintf("it lies in %s %s, which is neither in the census nor in the file; add that first", p.Level(), p))
		}
		if o := a.outline; o != nil && !(bounds.Contains(o.box.West, o.box.South) && bounds.Contains(o.box.East, o.box.North)) {
			cure := "the outline lies outside of the bounds of the census; correct it, or set census.bounds"
			if bounds.Contains(o.box.South, o.box.West) {
				cure = "are lon and lat swapped? GeoJSON wants [lon, lat]"
			}
			bad.add(a.line, "geometry", fmt.Sprintf("%g, %g", o.box.West, o.box.South), cure)
		}
	}
}

// set takes the code and the name of an area.
func (a *areaRow) set(code, name string, bad *ImportError) {
	var err error
	if a.Code, err = devices.ParseAreaCode(strings.TrimSpace(code)); err != nil {
		bad.add(a.line, "code", code, err.Error())
	}
	a.Name = strings.TrimSpace(name)
	if len(a.Name) > 1 && a.Name[0] == '\'' && isFormula(a.Name[1]) {
		a.Name = a.Name[1:]
	}
	if cure := textCure(a.Name, maxName); cure != "" {
		bad.add(a.line, "name", name, cure)
	}
}

// areaColumn is code or name by the name of a column.
func areaColumn(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "code", "编码", "代码", "区划代码":
		return "code"
	case "name", "名称":
		return "name"
	}
	return ""
}

func areasCSV(in io.Reader, bad *ImportError) ([]areaRow, error) {
	cr := csv.NewReader(in)
	head, err := cr.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	at := map[string]int{}
	for i, h := range head {
		c := areaColumn(h)
		if c == "" {
			bad.add(1, h, h, "there is no such column; want code and name, and GeoJSON for outlines")
		}
		at[c] = i
	}
	code, ok := at["code"]
	if !ok {
		bad.add(1, "code", "", "the column is missing; want code,name")
		return nil, nil
	}
	name, named := at["name"]
	var out []areaRow
	for {
		rec, err := cr.Read()
		var pe *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &pe):
			bad.add(pe.Line, "", "", pe.Err.Error())
			return nil, nil
		case err != nil:
			return nil, err
		}
		a := areaRow{}
		a.line, _ = cr.FieldPos(0)
		text := ""
		if named {
			text = rec[name]
		}
		a.set(rec[code], text, bad)
		out = append(out, a)
	}
}

func areasGeo(in io.Reader, bad *ImportError) ([]areaRow, error) {
	src := newGeo(in)
	var out []areaRow
	for {
		f, err := src.feature()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			bad.add(max(src.n, 1), "", "", jsonCure(err))
			return nil, nil
		}
		a := areaRow{line: src.n}
		var code, name string
		for k, v := range f.Properties {
			switch text, ok := scalar(v); {
			case areaColumn(k) == "code" && ok:
				code = text
			case areaColumn(k) == "name" && ok:
				name = text
			}
		}
		a.set(code, name, bad)
		if len(f.Geometry) > 0 && string(f.Geometry) != "null" {
			a.shape(f.Geometry, bad)
		}
		out = append(out, a)
	}
}

func (a *areaRow) shape(text json.RawMessage, bad *ImportError) {
	var b bytes.Buffer
	err := json.Compact(&b, text)
	if err == nil {
		a.outline, err = parseOutline(b.Bytes())
	}
	if err != nil {
		bad.add(a.line, "geometry", "", err.Error())
		return
	}
	a.Outline = b.Bytes()
}

// ExportAreas writes the areas by code, in a form that ImportAreas takes back;
// CSV has no outlines.
func (r *Registry) ExportAreas(ctx context.Context, out io.Writer, format Format) (n int64, err error) {
	rows, err := r.db.Query(ctx, `SELECT code, name, outline FROM area ORDER BY code`)
	if err != nil {
		return 0, fmt.Errorf("export areas: %w", err)
	}
	defer rows.Close()
	write := areaWriter(out, format)
	for rows.Next() {
		var code, name, text string
		err := rows.Scan(&code, &name, &text)
		if err == nil {
			err = write(code, name, text)
		}
		if err != nil {
			return n, fmt.Errorf("export areas: %w", err)
		}
		n++
	}
	return n, errors.Join(rows.Err(), write("", "", ""))
}

// areaWriter writes one area; an empty code ends the file.
func areaWriter(out io.Writer, format Format) func(code, name, outline string) error {
	if format != GeoJSON {
		w := csv.NewWriter(out)
		err := w.Write([]string{"code", "name"})
		return func(code, name, _ string) error {
			if code == "" {
				w.Flush()
				return errors.Join(err, w.Error())
			}
			return errors.Join(err, w.Write([]string{code, Spreadsheet(name)}))
		}
	}
	sep := `{"type":"FeatureCollection","features":[` + "\n"
	return func(code, name, outline string) error {
		if code == "" {
			if sep != ",\n" {
				_, err := io.WriteString(out, sep+"]}\n")
				return err
			}
			_, err := io.WriteString(out, "\n]}\n")
			return err
		}
		if outline == "" {
			outline = "null"
		}
		b, err := json.Marshal(map[string]any{"type": "Feature", "geometry": json.RawMessage(outline), "properties": map[string]string{"code": code, "name": name}})
		if err == nil {
			_, err = io.WriteString(out, sep+string(b))
		}
		sep = ",\n"
		return err
	}
}

package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// applied is a staged change on its way into the census.
type applied struct {
	r       *Registry
	tx      *database.Tx
	by      string
	now     int64
	columns []string                         // those that the change brings, without id
	holds   func(id devices.FacilityID) bool // whether the stage has the facility
	keeps   func(id devices.FacilityID) bool // whether it stays in the census; nil = it does
	bad     *ImportError                     // what is found to be wrong
	rep     Report
	freed   []string // devices of facilities that are gone
}

// run brings the census to what is staged. The history is written first, for it
// tells what stood there before.
func (a *applied) run(ctx context.Context) error {
	if err := head(ctx, a.tx); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"devices", a.devices}, {"added", a.added}, {"changed", a.changed}, {"passwords", a.passwords}, {"facilities", a.facilities}, {"secrets", a.secrets}} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if err := a.bad.err(); err != nil {
			return err
		}
	}
	return nil
}

// devices looks for staged devices that sit on other facilities. One that was
// enrolled provisionally is adopted by the new one.
func (a *applied) devices(ctx context.Context) error {
	rows, err := a.tx.Query(ctx, `SELECT s.line, s.device, f.id, f.provisional FROM stage s JOIN facility f ON f.device=s.device WHERE f.id<>s.id ORDER BY s.line`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var adopted []devices.FacilityID
	for rows.Next() {
		var line int
		var device, id string
		var provisional bool
		if err := rows.Scan(&line, &device, &id, &provisional); err != nil {
			return err
		}
		switch other := devices.FacilityID(id); {
		case a.holds(other): // gets another device, which the file says
		case provisional:
			adopted = append(adopted, other)
		case a.keeps == nil || a.keeps(other):
			a.bad.add(line, "device", device, fmt.Sprintf("the device sits on facility %s already; give that one another device first, or remove it", id))
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return a.remove(ctx, adopted)
}

// added writes the history of new facilities.
func (a *applied) added(ctx context.Context) error {
	res, err := a.tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, what, detail) SELECT CAST(? AS BIGINT), CAST(? AS TEXT), s.id, 'added', '' FROM stage s
		WHERE NOT EXISTS (SELECT 1 FROM facility f WHERE f.id=s.id) ORDER BY s.line`, a.now, a.by)
	if err != nil {
		return err
	}
	a.rep.Added, err = res.RowsAffected()
	return err
}

// changePage is how many changed facilities are looked at together.
const changePage = 5000

// changed writes the history of facilities that will differ, page by page.
func (a *applied) changed(ctx context.Context) error {
	for line := int64(-1); ; {
		olds, news, last, err := a.different(ctx, line)
		if err != nil || len(olds) == 0 {
			return err
		}
		line = last
		a.rep.Changed += int64(len(olds))
		i := 0
		err = a.tx.InsertMany(ctx, "census_change", []string{"at", "who", "facility", "what", "detail"}, func() ([]any, error) {
			if i == len(olds) {
				return nil, nil
			}
			detail, err := a.difference(&olds[i], &news[i])
			i++
			return []any{a.now, a.by, string(news[i-1].ID), "changed", detail}, err
		})
		if err != nil {
			return err
		}
		if err := a.vacate(ctx, olds, news); err != nil {
			return err
		}
	}
}

// different are the facilities after a line that will differ, as they are and
// as they will be.
func (a *applied) different(ctx context.Context, line int64) (olds, news []Facility, last int64, err error) {
	rows, err := a.tx.Query(ctx, `SELECT s.line, f.provisional, `+prefixed("f", staged())+`, `+prefixed("s", staged())+` FROM stage s JOIN facility f ON f.id=s.id
		WHERE s.line>? AND (f.provisional<>0 OR `+differs("f", "s", a.columns)+`) ORDER BY s.line LIMIT ?`, line, changePage)
	if err != nil {
		return nil, nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var was, will scanned
		var provisional bool
		if err := rows.Scan(append(append([]any{&last, &provisional}, was.into()...), will.into()...)...); err != nil {
			return nil, nil, 0, err
		}
		old, err := was.facility()
		if err != nil {
			return nil, nil, 0, err
		}
		old.Provisional = provisional
		f, err := will.facility()
		if err != nil {
			return nil, nil, 0, err
		}
		olds, news = append(olds, old), append(news, f)
	}
	return olds, news, last, rows.Err()
}

// difference is what changes, by column: what stood there and what will.
func (a *applied) difference(old, f *Facility) (string, error) {
	brings := make(map[string]bool, len(a.columns))
	for _, c := range a.columns {
		brings[c] = true
	}
	d := make(map[string][2]string)
	for _, c := range a.r.columns {
		if was, is := c.get(old), c.get(f); brings[c.name] && was != is {
			d[c.name] = [2]string{was, is}
		}
	}
	if brings["limits"] {
		for _, col := range append(limitColumns(old), limitColumns(f)...) {
			if was, is := limitText(old, col), limitText(f, col); was != is {
				d[col] = [2]string{was, is}
			}
		}
	}
	if old.Provisional {
		d["provisional"] = [2]string{"true", "false"}
	}
	b, err := json.Marshal(d)
	return string(b), err
}

// vacate takes their devices from the facilities that get another one, so that
// two of them can swap theirs: no device is called ~….
func (a *applied) vacate(ctx context.Context, olds, news []Facility) error {
	for i := range olds {
		if olds[i].Device == news[i].Device || !a.brings("device") {
			continue
		}
		if _, err := a.tx.Exec(ctx, `UPDATE facility SET device=? WHERE id=?`, "~"+string(olds[i].ID), string(olds[i].ID)); err != nil {
			return err
		}
	}
	return nil
}

func (a *applied) brings(column string) bool {
	for _, c := range a.columns {
		if c == column {
			return true
		}
	}
	return false
}

// facilities writes the rows themselves.
func (a *applied) facilities(ctx context.Context) error {
	sets := make([]string, 0, len(a.columns))
	for _, c := range a.columns {
		sets = append(sets, c+"=excluded."+c)
	}
	if a.rep.Added+a.rep.Changed == 0 {
		return nil
	}
	// An upsert of a row that stays as it is costs more than a look at it.
	only := "true"
	if a.rep.Changed > 0 {
		only = `NOT EXISTS (SELECT 1 FROM facility f WHERE f.id=stage.id AND f.provisional=0 AND NOT ` + differs("f", "stage", a.columns) + `)`
	}
	_, err := a.tx.Exec(ctx, `INSERT INTO facility (`+strings.Join(staged(), ",")+`, updated) SELECT `+strings.Join(staged(), ",")+`, CAST(? AS BIGINT) FROM stage WHERE `+only+` ORDER BY line
		ON CONFLICT (id) DO UPDATE SET provisional=0, updated=excluded.updated, `+strings.Join(sets, ", ")+` WHERE facility.provisional<>0 OR `+differs("facility", "excluded", a.columns), a.now)
	return err
}

// passwords writes the history of new secrets of facilities that are not new.
func (a *applied) passwords(ctx context.Context) error {
	_, err := a.tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, what, detail) SELECT CAST(? AS BIGINT), CAST(? AS TEXT), s.id, 'password', '' FROM stage s JOIN facility f ON f.id=s.id
		WHERE s.digest<>'' AND NOT EXISTS (SELECT 1 FROM credential k WHERE k.device=s.device AND k.digest=s.digest) ORDER BY s.line`, a.now, a.by)
	return err
}

// secrets writes the digests, and forgets those of devices that are gone.
func (a *applied) secrets(ctx context.Context) error {
	res, err := a.tx.Exec(ctx, `INSERT INTO credential (device, digest, at) SELECT s.device, s.digest, CAST(? AS BIGINT) FROM stage s WHERE s.digest<>''
		AND NOT EXISTS (SELECT 1 FROM credential k WHERE k.device=s.device AND k.digest=s.digest) ORDER BY s.line ON CONFLICT (device) DO UPDATE SET digest=excluded.digest, at=excluded.at`, a.now)
	if err != nil {
		return err
	}
	if a.rep.Passwords, err = res.RowsAffected(); err != nil {
		return err
	}
	for _, d := range a.freed {
		if _, err := a.tx.Exec(ctx, `DELETE FROM credential WHERE device=? AND NOT EXISTS (SELECT 1 FROM facility WHERE facility.device=credential.device)`, d); err != nil {
			return err
		}
	}
	return nil
}

// remove takes facilities out of the census. What they were stands in the
// history.
func (a *applied) remove(ctx context.Context, ids []devices.FacilityID) error {
	for _, id := range ids {
		f, err := scan(a.tx.QueryRow(ctx, `SELECT `+columns+` FROM facility WHERE id=?`, string(id)))
		if err = database.Found(err); err != nil {
			return fmt.Errorf("facility %s: %w", id, err)
		}
		detail, err := json.Marshal(&f)
		if err != nil {
			return err
		}
		if _, err := a.tx.Exec(ctx, `INSERT INTO census_change (at, who, facility, what, detail) VALUES (?,?,?,'gone',?)`, a.now, a.by, string(id), string(detail)); err != nil {
			return err
		}
		if _, err := a.tx.Exec(ctx, `DELETE FROM facility WHERE id=?`, string(id)); err != nil {
			return err
		}
		a.freed = append(a.freed, string(f.Device))
		a.rep.Gone++
	}
	return nil
}

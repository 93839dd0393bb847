package lighting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Finding is what a person has found wrong with a lamp. Instants are Unix ms.
type Finding struct {
	ID       int64
	Facility devices.FacilityID
	Defect   string
	FoundAt  int64
	EndedAt  int64 // 0 = it lasts; FoundAt = it was withdrawn
	Note     string
	By       string
	MadeAt   int64
	EndedBy  string
	EndNote  string
}

// Refused says which field of a finding cannot be, a devices.ErrInvalid.
type Refused struct{ Field, Why string }

// Error is the field and what is wrong with it.
func (r *Refused) Error() string { return "finding: " + r.Field + " " + r.Why }

// Unwrap is devices.ErrInvalid.
func (*Refused) Unwrap() error { return devices.ErrInvalid }

// Over says what became of a finding that is to be ended once more, and what can be
// done, a devices.ErrConflict.
type Over struct{ What, Cure string }

// Error is what became of it.
func (o *Over) Error() string { return o.What }

// Unwrap is devices.ErrConflict.
func (*Over) Unwrap() error { return devices.ErrConflict }

func refused(field, format string, args ...any) error {
	return &Refused{field, fmt.Sprintf(format, args...)}
}

// maxBack is how far back a finding may reach: nights that were closed are then
// summed up anew.
const maxBack = 100 * 24 * time.Hour

// Find writes a finding down. devices.ErrNotFound when the census has no such
// facility, a Refused when it cannot be: also of what counts no lamps, for that
// would be in no figure.
func (b *Book) Find(ctx context.Context, f Finding) (Finding, error) {
	now := b.opt.Now().UnixMilli()
	f.MadeAt = now
	if !name.MatchString(f.Defect) {
		return f, refused("defect", "%q; want small letters, digits and _", f.Defect)
	}
	if f.FoundAt > now || f.FoundAt < now-maxBack.Milliseconds() {
		return f, refused("found_at", "%s; want an instant of the last %d days", b.text(f.FoundAt), maxBack/(24*time.Hour))
	}
	c, err := b.opt.Census.Facility(ctx, f.Facility)
	if err == nil && c.Kind != devices.Streetlight {
		return f, refused("facility", "%s is a %s; want a streetlight", f.Facility, c.Kind)
	}
	if err != nil {
		return f, fmt.Errorf("finding: %w", err)
	}
	switch {
	case weight(&c) > 0:
	case c.Provisional:
		return f, refused("facility", "%s has enrolled by itself and is in no figure; adopt it in the census first", f.Facility)
	default:
		return f, refused("facility", "%s feeds lamps and counts for none of its own, so it would be in no figure; name a lamp, or say in the census how many `lamps` it stands for", f.Facility)
	}
	err = b.opt.DB.Write(ctx, func(tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO lamp_finding (facility, defect, found_at, note, made_by, made_at) VALUES (?,?,?,?,?,?) RETURNING id`, string(f.Facility), f.Defect, f.FoundAt, f.Note, f.By, now).Scan(&f.ID)
		if err != nil {
			return err
		}
		return said(ctx, tx, f.FoundAt)
	})
	if err != nil {
		return f, fmt.Errorf("finding: %w", err)
	}
	b.nudge()
	return f, nil
}

// EndFinding says that what was found is mended since at; that it is withdrawn,
// when at is when it was found: then it counts in no night. What was mended can be
// withdrawn, too. An Over when it is withdrawn, or mended, already.
func (b *Book) EndFinding(ctx context.Context, id, at int64, by, note string) (Finding, error) {
	f, err := b.Finding(ctx, id)
	if err != nil {
		return f, err
	}
	if now := b.opt.Now().UnixMilli(); at > now || at < f.FoundAt || at < now-maxBack.Milliseconds() {
		return f, refused("ended_at", "%s; want an instant not before it was found, of the last %d days, and not of the future", b.text(at), maxBack/(24*time.Hour))
	}
	if f.EndedAt == f.FoundAt || f.EndedAt != 0 && at != f.FoundAt {
		return f, b.over(&f)
	}
	if f.EndedAt != 0 { // who had it as mended stays on record
		note = strings.TrimPrefix(note+"；", "；") + strings.TrimSpace(f.EndedBy+" "+b.text(f.EndedAt)+" "+f.EndNote)
	}
	err = b.opt.DB.Write(ctx, func(tx *database.Tx) error {
		ok, err := one(tx.Exec(ctx, `UPDATE lamp_finding SET ended_at=?, ended_by=?, end_note=? WHERE id=? AND ended_at=?`, at, by, note, id, f.EndedAt))
		if err == nil && !ok {
			err = errMoved
		}
		if err != nil {
			return err
		}
		return said(ctx, tx, at)
	})
	if err == nil {
		b.nudge()
	}
	if err != nil && !errors.Is(err, errMoved) {
		return f, fmt.Errorf("finding %d: %w", id, err)
	}
	f, read := b.Finding(ctx, id)
	if err != nil && read == nil { // somebody was faster
		read = b.over(&f)
	}
	return f, read
}

// over says what became of a finding that is over.
func (b *Book) over(f *Finding) error {
	if f.EndedAt == f.FoundAt {
		return &Over{fmt.Sprintf("finding %d was withdrawn by %s", f.ID, f.EndedBy), "it counts in no night any more; what is wrong with the lamp after all is a new finding"}
	}
	return &Over{fmt.Sprintf("finding %d was said by %s to be mended since %s", f.ID, f.EndedBy, b.text(f.EndedAt)),
		"a lamp that is bad again is a new finding; what was a mistake, or has a wrong time, is withdrawn with ended_at equal to found_at and written down anew"}
}

// said notes that something was said of the time from an instant on: the nights
// that were closed since are summed up anew.
func said(ctx context.Context, tx *database.Tx, from int64) error {
	if _, err := tx.Exec(ctx, `UPDATE lighting_head SET n=n+1 WHERE id=1`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE lighting_night SET stale=stale+1 WHERE dawn>?`, from)
	return err
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *Book) text(ms int64) string { return time.UnixMilli(ms).In(b.opt.Zone).Format(time.RFC3339) }

const findingColumns = `id, facility, defect, found_at, ended_at, note, made_by, made_at, ended_by, end_note`

func scanFinding(row database.Row) (f Finding, err error) {
	err = row.Scan(&f.ID, &f.Facility, &f.Defect, &f.FoundAt, &f.EndedAt, &f.Note, &f.By, &f.MadeAt, &f.EndedBy, &f.EndNote)
	return f, err
}

// Finding is one; devices.ErrNotFound if there is none.
func (b *Book) Finding(ctx context.Context, id int64) (Finding, error) {
	f, err := scanFinding(b.opt.DB.QueryRow(ctx, `SELECT `+findingColumns+` FROM lamp_finding WHERE id=?`, id))
	if err = database.Found(err); err != nil {
		return f, fmt.Errorf("finding %d: %w", id, err)
	}
	return f, nil
}

// FindingFilter narrows the list. Empty fields do not narrow.
type FindingFilter struct {
	Facility devices.FacilityID
	Open     bool
	Order    database.Order // over the columns of lamp_finding
	Limit    int
}

// Findings is a page of them.
func (b *Book) Findings(ctx context.Context, f FindingFilter) ([]Finding, error) {
	cond, args := f.Order.Where()
	where := []string{cond}
	if f.Facility != "" {
		where, args = append(where, "facility=?"), append(args, string(f.Facility))
	}
	if f.Open {
		where = append(where, "ended_at=0")
	}
	out, err := database.All(ctx, b.opt.DB, scanFinding, `SELECT `+findingColumns+` FROM lamp_finding WHERE `+strings.Join(where, " AND ")+" "+f.Order.By()+` LIMIT ?`, append(args, max(1, min(f.Limit, 1000)))...)
	if err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	return out, nil
}

package registry

import (
	"context"
	"fmt"
	"strings"

	"lamplighter/devices/database"
)

// where is the condition of a filter.
func (f *Filter) where() (string, []any) {
	where, args := []string{"1=1"}, []any{}
	if f.Kind != "" {
		where, args = append(where, "kind=?"), append(args, f.Kind)
	}
	for _, is := range [...]struct{ column, value string }{{"id", string(f.ID)}, {"cabinet", f.Cabinet}, {"circuit", f.Circuit}} {
		if is.value != "" {
			where, args = append(where, is.column+"=?"), append(args, is.value)
		}
	}
	if f.Feeder != "" {
		where, args = append(where, "(feeder=? OR feeder='' AND cabinet IN (SELECT id FROM facility WHERE feeder=?))"), append(args, f.Feeder, f.Feeder)
	}
	if f.Area != "" {
		// A range, which an index serves; digits sort alike in every collation.
		where, args = append(where, "area>=? AND area<=?"), append(args, string(f.Area), string(f.Area)+"999999999999999")
	}
	if f.NoPlace {
		where = append(where, "lon IS NULL")
	}
	if f.Query != "" {
		like := "%" + strings.NewReplacer("%", `\%`, "_", `\_`, `\`, `\\`).Replace(f.Query) + "%"
		where, args = append(where, `(id LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\')`), append(args, like, like)
	}
	return strings.Join(where, " AND "), args
}

// Bears is a condition on a column of ids as tickets have them, with its arguments: a
// facility that matches f, or a cabinet or a circuit (CABINET:CIRCUIT) on which one hangs
// that does.
func (f *Filter) Bears(column string) (cond string, args []any) {
	of, each := f.where()
	for _, is := range []string{"EXISTS (SELECT 1 FROM facility WHERE id=" + column + " AND " + of + ")", column + " IN (SELECT cabinet FROM facility WHERE cabinet<>'' AND " + of + ")",
		column + " IN (SELECT cabinet||':'||circuit FROM facility WHERE circuit<>'' AND " + of + ")"} {
		cond, args = cond+" OR "+is, append(args, each...)
	}
	return "(" + strings.TrimPrefix(cond, " OR ") + ")", args
}

// Count is how many facilities match f.
func (r *Registry) Count(ctx context.Context, f Filter) (n int, err error) {
	cond, args := f.where()
	if err := r.db.QueryRow(ctx, `SELECT COUNT(*) FROM facility WHERE `+cond, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count facilities: %w", err)
	}
	return n, nil
}

// ShortestInterval is the shortest one at which a device is expected to report,
// in seconds; 0 when the census says none.
func (r *Registry) ShortestInterval(ctx context.Context) (s int64, err error) {
	if err := r.db.QueryRow(ctx, `SELECT COALESCE(MIN(expect_s),0) FROM facility WHERE expect_s>0`).Scan(&s); err != nil {
		return 0, fmt.Errorf("shortest interval: %w", err)
	}
	return s, nil
}

// Page is the facilities that match f, in an order, at most limit.
func (r *Registry) Page(ctx context.Context, f Filter, o database.Order, limit int) ([]Facility, error) {
	cond, args := f.where()
	after, more := o.Where()
	out, err := database.All(ctx, r.db, scan, `SELECT `+columns+` FROM facility WHERE `+cond+` AND `+after+` `+o.By()+` LIMIT ?`, append(append(args, more...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("list facilities: %w", err)
	}
	return out, nil
}

package registry

import (
	"context"
	"fmt"
	"strings"

	"lamplighter/devices/database"
)

// where is the condition of a filter, without its paging.
func (f *Filter) where() (string, []any) {
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
	return strings.Join(where, " AND "), args
}

// Count is how many facilities match f.
func (r *Registry) Count(ctx context.Context, f Filter) (n int, err error) {
	cond, args := f.where()
	if err := r.db.QueryRow(ctx, `SELECT COUNT(*) FROM facility WHERE `+cond, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count facilities: %w", err)
	}
	return n, nil
}

// Page is the facilities that match f, in an order, at most limit.
func (r *Registry) Page(ctx context.Context, f Filter, o database.Order, limit int) ([]Facility, error) {
	cond, args := f.where()
	after, more := o.Where()
	rows, err := r.db.Query(ctx, `SELECT `+columns+` FROM facility WHERE `+cond+` AND `+after+` `+o.By()+` LIMIT ?`, append(append(args, more...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("list facilities: %w", err)
	}
	defer rows.Close()
	var out []Facility
	for rows.Next() {
		fac, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list facilities: %w", err)
		}
		out = append(out, fac)
	}
	return out, rows.Err()
}

package database

import (
	"context"
	"database/sql"
	"errors"

	"lamplighter/devices"
)

// Row is a row of an answer.
type Row interface{ Scan(into ...any) error }

// Reader answers queries: a DB, a Tx or a Session.
type Reader interface {
	Query(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// Each calls fn with every row of an answer, until it returns an error.
func Each(ctx context.Context, db Reader, fn func(Row) error, q string, args ...any) error {
	rows, err := db.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// All is what scan makes of every row of an answer, never nil.
func All[T any](ctx context.Context, db Reader, scan func(Row) (T, error), q string, args ...any) ([]T, error) {
	out := []T{}
	err := Each(ctx, db, func(row Row) error {
		x, err := scan(row)
		if err == nil {
			out = append(out, x)
		}
		return err
	}, q, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Found is the error of reading the one row that something is: devices.ErrNotFound
// where there is none.
func Found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return devices.ErrNotFound
	}
	return err
}

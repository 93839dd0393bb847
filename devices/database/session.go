package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Session is one connection of its own, with temporary tables of its own, for
// work on many rows: what is gathered in a temporary table holds up nobody, and
// goes over in one short transaction. It belongs to one goroutine.
type Session struct {
	conn *sql.Conn
	db   *DB
}

// Session runs fn with a connection of its own.
func (db *DB) Session(ctx context.Context, fn func(*Session) error) error {
	conn, err := db.bulk.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	err = fn(&Session{conn, db})
	if db.pg { // SQLite's connection is closed, and its temporary tables with it
		_, derr := conn.ExecContext(context.WithoutCancel(ctx), "DISCARD TEMP")
		err = errors.Join(err, derr)
	}
	return errors.Join(err, conn.Close())
}

// Exec runs a statement on the session's own tables. One that writes to others
// belongs into Write.
func (s *Session) Exec(ctx context.Context, q string, args ...any) error {
	_, err := s.conn.ExecContext(ctx, s.db.bind(q), args...)
	return err
}

// Query reads rows.
func (s *Session) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(ctx, s.db.bind(q), args...)
}

// Write runs fn in a transaction on the session's connection, as [DB.Write] does.
func (s *Session) Write(ctx context.Context, fn func(*Tx) error) error {
	return s.db.retry(ctx, s.conn, fn)
}

// Copy fills a table of the session's own with the rows that next returns until
// it returns nil. A row has a value for every column and may be changed by the
// next call.
func (s *Session) Copy(ctx context.Context, table string, columns []string, next func() ([]any, error)) error {
	var err error
	if s.db.pg {
		err = s.conn.Raw(func(driver any) error {
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(next))
			return err
		})
	} else if err = s.Exec(ctx, "BEGIN DEFERRED"); err == nil { // takes no lock: temporary tables are nobody else's
		if err = insertMany(ctx, s.conn, s.db.bind, table, columns, next); err == nil {
			err = s.Exec(ctx, "COMMIT")
		} else {
			err = errors.Join(err, s.Exec(context.WithoutCancel(ctx), "ROLLBACK"))
		}
	}
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, err)
	}
	return nil
}

// maxArgs is how many arguments one statement takes; SQLite's limit is 32,766,
// and beyond a thousand nothing is gained.
const maxArgs = 1000

// InsertMany writes the rows that next returns until it returns nil, many in
// one statement.
func (t *Tx) InsertMany(ctx context.Context, table string, columns []string, next func() ([]any, error)) error {
	if err := insertMany(ctx, t.tx, t.db.bind, table, columns, next); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// statements is a connection or a transaction.
type statements interface {
	PrepareContext(ctx context.Context, q string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
}

func insertMany(ctx context.Context, on statements, bind func(string) string, table string, columns []string, next func() ([]any, error)) error {
	rows := max(1, maxArgs/len(columns))
	stmt, err := on.PrepareContext(ctx, bind(insertText(table, columns, rows)))
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, 0, rows*len(columns))
	for {
		row, err := next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if args = append(args, row...); len(args) < cap(args) {
			continue
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
		args = args[:0]
	}
	if len(args) == 0 {
		return nil
	}
	_, err = on.ExecContext(ctx, bind(insertText(table, columns, len(args)/len(columns))), args...)
	return err
}

func insertText(table string, columns []string, rows int) string {
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ",") + ") VALUES " + row + strings.Repeat(","+row, rows-1)
}

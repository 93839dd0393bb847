// Package database opens the one SQL database that the daemon keeps its facts
// in: SQLite by default, PostgreSQL when there are several daemons. Statements
// are plain SQL with ? placeholders that runs on both. It knows no table by
// name but those of its migrations.
package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open database. It is safe for concurrent use.
type DB struct {
	read, write, bulk *sql.DB // bulk: of sessions
	pg                bool
	mu                sync.Mutex // one writer at a time on SQLite
}

// Open opens "sqlite:///path/file.db" or "postgres://…" and brings the schema
// up to date.
func Open(ctx context.Context, url string) (*DB, error) {
	db := &DB{}
	var err error
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		dsn := "file:" + path + "?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(1)&_pragma=busy_timeout(60000)&_txlock=immediate"
		if db.write, err = sql.Open("sqlite", dsn); err == nil {
			db.write.SetMaxOpenConns(1)
			db.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
		}
		if err == nil {
			db.bulk, err = sql.Open("sqlite", dsn+"&_pragma=cache_size(-131072)&_pragma=temp.cache_size(-65536)")
		}
		if err == nil {
			db.bulk.SetMaxIdleConns(-1)
		}
	} else if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		db.pg = true
		db.write, err = sql.Open("pgx", url)
		db.read, db.bulk = db.write, db.write
	} else {
		return nil, fmt.Errorf("open database: %q is neither sqlite:// nor postgres://", strings.SplitN(url, ":", 2)[0])
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// migrate applies the migrations; {{autoid}} stands for a key that the database
// counts up by itself.
func (db *DB) migrate(ctx context.Context) error {
	dialect, auto := goose.DialectSQLite3, "INTEGER PRIMARY KEY AUTOINCREMENT"
	if db.pg {
		dialect, auto = goose.DialectPostgres, "BIGSERIAL PRIMARY KEY"
	}
	files := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	for _, n := range names {
		b, err := migrations.ReadFile(n)
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		files[strings.TrimPrefix(n, "migrations/")] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(b), "{{autoid}}", auto))}
	}
	p, err := goose.NewProvider(dialect, db.write, files)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// Close closes the connections.
func (db *DB) Close() error {
	var errs []error
	for _, d := range []*sql.DB{db.bulk, db.read, db.write} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// Postgres tells which of the two it is.
func (db *DB) Postgres() bool { return db.pg }

// Query reads rows.
func (db *DB) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return db.read.QueryContext(ctx, db.bind(q), args...)
}

// QueryRow reads one row.
func (db *DB) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return db.read.QueryRowContext(ctx, db.bind(q), args...)
}

// Tx is a transaction that may write.
type Tx struct {
	tx *sql.Tx
	db *DB
}

// Exec writes.
func (t *Tx) Exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.db.bind(q), args...)
}

// Query reads rows within the transaction.
func (t *Tx) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.db.bind(q), args...)
}

// QueryRow reads one row within the transaction.
func (t *Tx) QueryRow(ctx context.Context, q string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, t.db.bind(q), args...)
}

// Write runs fn in a transaction, again when PostgreSQL could not serialise it.
// What fn returns is returned; the transaction is then rolled back.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.retry(ctx, db.write, fn)
}

// beginner is a pool or one connection.
type beginner interface {
	BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error)
}

func (db *DB) retry(ctx context.Context, on beginner, fn func(*Tx) error) error {
	for {
		err := db.once(ctx, on, fn)
		var pg *pgconn.PgError
		if err == nil || !errors.As(err, &pg) || pg.Code != "40001" && pg.Code != "40P01" {
			return err
		}
	}
}

func (db *DB) once(ctx context.Context, on beginner, fn func(*Tx) error) error {
	if !db.pg {
		db.mu.Lock()
		defer db.mu.Unlock()
	}
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := fn(&Tx{tx, db}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// bind turns ? into $1, $2 … for PostgreSQL. No statement of ours holds a ? in
// a literal.
func (db *DB) bind(q string) string {
	if !db.pg || !strings.Contains(q, "?") {
		return q
	}
	var b strings.Builder
	n := 0
	for i := range len(q) {
		if q[i] == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(q[i])
	}
	return b.String()
}

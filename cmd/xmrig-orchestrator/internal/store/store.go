// Package store reads and writes the agent's tables in SQLite: those of the
// specification, which other programs share, and two of the agent's own. It is
// the only package with SQL in it.
//
// Other programs may use a database at the same time. So a statement stands
// alone, or in a transaction that takes the write lock at its beginning; and none
// waits for a lock longer than busyTimeout. Only Claim, Recover and Enqueue know
// the rules of the queue (queue.go); nothing here decides about the miner.
//
// A database that is not the agent's own belongs to another program: nothing is
// made or altered in it, nor is its journal mode changed. What its tables are like
// is looked at, never assumed (table.go).
//
// A new table of the agent's own is an entry of ownTables (schema.go) and a
// file of its own. The shared tables are the specification's and must not
// change.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver
)

const busyTimeout = 2 * time.Second

// A Store is an open database, for use by one goroutine.
type Store struct {
	db   *sql.DB
	path string
	file os.FileInfo

	processes, commands table
	schema              int64 // its version when the tables were looked at
	looked              bool

	statements map[string]*sql.Stmt
}

// Open opens another program's database to read and write it. It must exist; its
// tables need not: see Faults.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "rw", func(*Store, context.Context) error { return nil })
}

// OpenOwn opens the agent's own database. It is made where it is missing, and set
// to WAL mode, in which readers never wait.
func OpenOwn(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "rwc", func(s *Store, ctx context.Context) error {
		var mode string
		if err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
			return fmt.Errorf("set journal mode: %w", err)
		}
		return s.create(ctx, append(sharedTables, ownTables...))
	})
}

// OpenReadOnly opens a database to read it. It must exist.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "ro", func(*Store, context.Context) error { return nil })
}

func open(ctx context.Context, path, mode string, prepare func(*Store, context.Context) error) (*Store, error) {
	if mode != "rwc" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	// The driver executes the pragmas of the name without a context. So
	// cache_size, which may wait for a lock, is not among them: see start.
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{
		"mode":          {mode},
		"_busy_timeout": {fmt.Sprint(busyTimeout.Milliseconds())},
		"_txlock":       {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, path: path, processes: processTable(), commands: commandTable(), statements: make(map[string]*sql.Stmt)}
	if err := s.start(ctx, prepare); err != nil {
		db.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, prepare func(*Store, context.Context) error) (err error) {
	if _, err := s.db.ExecContext(ctx, "PRAGMA cache_size = -256"); err != nil {
		return err
	}
	if err := prepare(s, ctx); err != nil {
		return err
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	_, err = s.Look(ctx)
	return err
}

// statement prepares a statement once. It is for the few statements of each
// poll: half a megabyte of SQLite, its compiler, then stays out of memory.
func (s *Store) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := s.statements[query]; st != nil {
		return st, nil
	}
	st, err := s.db.PrepareContext(ctx, query)
	if err == nil {
		s.statements[query] = st
	}
	return st, err
}

// Moved tells whether the file at the path is not the open one any more. The open
// database was then deleted or replaced, and writes to it are lost.
func (s *Store) Moved() bool {
	now, err := os.Stat(s.path)
	return err != nil || !os.SameFile(s.file, now)
}

// forget closes the prepared statements.
func (s *Store) forget() {
	for _, st := range s.statements {
		st.Close()
	}
	clear(s.statements)
}

// Close closes the database. The Store cannot be used afterwards.
func (s *Store) Close() error {
	s.forget()
	return s.db.Close()
}

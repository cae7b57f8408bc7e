// Package store keeps the tables of the specification in SQLite, and in the
// agent's own database two of its own. A database may be shared with other
// programs at any time, so each statement stands alone or in a transaction
// that begins with the lock, waits for a lock no longer than busyTimeout, and
// the journal mode of a database that is not the agent's is left as it is.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite"
)

const busyTimeout = 2 * time.Second

// A Store is an open database. It is for one goroutine.
type Store struct {
	db   *sql.DB
	path string
	file os.FileInfo

	statements map[string]*sql.Stmt
}

// Open opens the database of another program to read and write it: it must
// exist. Missing tables are made.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "rw", func(s *Store, ctx context.Context) error { return s.create(ctx, shared) })
}

// OpenOwn opens the agent's own database, which it makes where it is missing
// and keeps in WAL mode, so that readers never wait.
func OpenOwn(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "rwc", func(s *Store, ctx context.Context) error {
		var mode string
		if err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
			return fmt.Errorf("set journal mode: %w", err)
		}
		return s.create(ctx, append(shared, own...))
	})
}

// OpenReadOnly opens a database to read it, whether or not anybody else has it
// open.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, "ro", (*Store).verify)
}

func open(ctx context.Context, path, mode string, prepare func(*Store, context.Context) error) (*Store, error) {
	if mode != "rwc" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	// cache_size is set below: the driver applies what is in the name without
	// a context, and cache_size may wait for a lock.
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
	s := &Store{db: db, path: path, statements: make(map[string]*sql.Stmt)}
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
	s.file, err = os.Stat(s.path)
	return err
}

func (s *Store) verify(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "SELECT 1 FROM xmrig_processes LIMIT 0")
	return err
}

// statement prepares one of the few statements of each poll, once. That SQLite
// need not compile them again keeps half a megabyte of it out of memory.
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

// Moved tells whether the path names another file by now, or none: the open
// database was deleted or replaced, and what is written to it is lost.
func (s *Store) Moved() bool {
	now, err := os.Stat(s.path)
	return err != nil || !os.SameFile(s.file, now)
}

// Close gives the database back. The Store cannot be used afterwards.
func (s *Store) Close() error {
	for _, st := range s.statements {
		st.Close()
	}
	return s.db.Close()
}

package store

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

var checked = time.Date(2026, 11, 22, 23, 10, 0, 123456000, time.UTC)

// sqlite3 feeds a script to the command-line shell and returns its output.
func sqlite3(t *testing.T, path, script string) string {
	t.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	cmd := exec.Command("sqlite3", path)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return string(out)
}

// lock has another process hold a lock until release.
func lock(t *testing.T, path, begin string) (release func()) {
	t.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed")
	}
	cmd := exec.Command("sqlite3", "-bail", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	release = func() {
		if !done {
			done = true
			in.Close()
			cmd.Wait()
		}
	}
	t.Cleanup(release)
	io.WriteString(in, begin+"\n.print locked\n")
	if got, err := bufio.NewReader(out).ReadString('\n'); got != "locked\n" {
		t.Fatalf("the lock was not taken: %q, %v", got, err)
	}
	return release
}

func mustOpenOwn(t *testing.T, path string) *Store {
	t.Helper()
	s, err := OpenOwn(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustOpen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// mustMigrate makes the tables of the specification, as a Rails application
// does.
func mustMigrate(t *testing.T, path string) {
	t.Helper()
	sqlite3(t, path, Specification())
}

func process(host string) health.Process {
	return health.Process{Hostname: host, WorkerID: host + "-production", State: "running", CheckedAt: checked}
}

func TestOpenOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c%20#.sqlite3")
	s := mustOpenOwn(t, path)
	if err := s.SaveProcess(t.Context(), process("mini-1")); err != nil {
		t.Fatal(err)
	}
	if got := sqlite3(t, path, "PRAGMA journal_mode; SELECT hostname FROM xmrig_processes"); got != "wal\nmini-1\n" {
		t.Errorf("another process reads %q", got)
	}
}

// The schema is the one that ActiveRecord 8.1 makes of the specification's
// migrations, as it stands in sqlite_master.
func TestSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	mustOpenOwn(t, path)
	const columns = `SELECT m.name || '.' || c.name || ' ' || lower(c.type) || ' notnull=' || c."notnull" || ' pk=' || c.pk ||
  ' default=' || coalesce(c.dflt_value, 'none')
FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'xmrig%' ORDER BY m.name, c.cid;
SELECT 'index ' || m.tbl_name || ' ' || i.name || ' unique=' || i."unique" || ' ' ||
  (SELECT group_concat(name) FROM pragma_index_info(i.name))
FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND m.name LIKE 'xmrig%' ORDER BY m.name, i.name`
	const want = `
xmrig_commands.id integer notnull=1 pk=1 default=none
xmrig_commands.hostname varchar notnull=1 pk=0 default=none
xmrig_commands.action varchar notnull=1 pk=0 default=none
xmrig_commands.status varchar notnull=1 pk=0 default='pending'
xmrig_commands.reason text notnull=0 pk=0 default=none
xmrig_commands.result text notnull=0 pk=0 default=none
xmrig_commands.processed_at datetime(6) notnull=0 pk=0 default=none
xmrig_commands.error_message text notnull=0 pk=0 default=none
xmrig_commands.created_at datetime(6) notnull=1 pk=0 default=none
xmrig_commands.updated_at datetime(6) notnull=1 pk=0 default=none
xmrig_processes.id integer notnull=1 pk=1 default=none
xmrig_processes.pid integer notnull=0 pk=0 default=none
xmrig_processes.status varchar notnull=1 pk=0 default='stopped'
xmrig_processes.worker_id varchar notnull=1 pk=0 default=none
xmrig_processes.hostname varchar notnull=1 pk=0 default=none
xmrig_processes.started_at datetime(6) notnull=0 pk=0 default=none
xmrig_processes.stopped_at datetime(6) notnull=0 pk=0 default=none
xmrig_processes.error_count integer notnull=0 pk=0 default=0
xmrig_processes.last_error text notnull=0 pk=0 default=none
xmrig_processes.last_health_check_at datetime(6) notnull=0 pk=0 default=none
xmrig_processes.restart_count integer notnull=0 pk=0 default=0
xmrig_processes.hashrate float notnull=0 pk=0 default=none
xmrig_processes.accepted_shares integer notnull=0 pk=0 default=none
xmrig_processes.rejected_shares integer notnull=0 pk=0 default=none
xmrig_processes.health_data text notnull=0 pk=0 default=none
xmrig_processes.created_at datetime(6) notnull=1 pk=0 default=none
xmrig_processes.updated_at datetime(6) notnull=1 pk=0 default=none
index xmrig_commands index_xmrig_commands_on_hostname unique=0 hostname
index xmrig_commands index_xmrig_commands_on_hostname_and_status unique=0 hostname,status
index xmrig_commands index_xmrig_commands_on_status_and_created_at unique=0 status,created_at
index xmrig_processes index_xmrig_processes_on_hostname unique=1 hostname
`
	if got := sqlite3(t, path, columns+";"); got != want[1:] {
		t.Errorf("schema is\n%s\nwant\n%s", got, want[1:])
	}
}

// A database of another program must be there, and keeps its journal mode and its
// tables.
func TestOpenShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "production.sqlite3")
	if _, err := Open(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing database: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	const theirs = `CREATE TABLE xmrig_processes (id integer primary key, hostname text, worker_id text, status text,
  pid integer, started_at datetime, stopped_at datetime, last_health_check_at datetime, error_count integer,
  last_error text, restart_count integer, hashrate float, accepted_shares integer, rejected_shares integer,
  health_data text, created_at datetime, updated_at datetime, note text)`
	sqlite3(t, path, theirs)
	s := mustOpen(t, path)
	for range 2 {
		if err := s.SaveProcess(t.Context(), process("mini-1")); err != nil {
			t.Fatal(err)
		}
	}
	got := sqlite3(t, path, `PRAGMA journal_mode; SELECT group_concat(sql) FROM sqlite_master; SELECT count(*) FROM xmrig_processes`)
	if want := "delete\n" + theirs + "\n1\n"; got != want {
		t.Errorf("database is\n%s\nwant\n%s", got, want)
	}
}

func TestLocked(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "production.sqlite3")
			sqlite3(t, path, "PRAGMA journal_mode = "+mode)
			mustMigrate(t, path)
			s := mustOpen(t, path)
			release := lock(t, path, "BEGIN IMMEDIATE;")
			start := time.Now()
			err := s.SaveProcess(t.Context(), process("mini-1"))
			if err == nil || !strings.Contains(err.Error(), "database is locked") {
				t.Errorf("error is %v", err)
			}
			if took := time.Since(start); took < busyTimeout || took > time.Minute {
				t.Errorf("gave up after %v", took)
			}
			release()
			if err := s.SaveProcess(t.Context(), process("mini-1")); err != nil {
				t.Errorf("after the release: %v", err)
			}
		})
	}
}

// A stop of the agent does not wait for a lock that another process has, not even
// where it opens the database. On a machine so busy that the lock's timeout comes
// first, it is tried again.
func TestLockedCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "production.sqlite3")
	mustMigrate(t, path)
	s := mustOpen(t, path)
	lock(t, path, "BEGIN EXCLUSIVE;")
	for name, f := range map[string]func(context.Context) error{
		"save": func(ctx context.Context) error { return s.SaveProcess(ctx, process("mini-1")) },
		"open": func(ctx context.Context) error { _, err := Open(ctx, path); return err },
	} {
		for end := time.Now().Add(time.Minute); ; {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			start := time.Now()
			err := f(ctx)
			took := time.Since(start)
			cancel()
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			if took < busyTimeout {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: returned after %v", name, took)
			}
		}
	}
}

func TestMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	if s.Moved() {
		t.Error("moved while it is there")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !s.Moved() {
		t.Error("not moved although deleted")
	}
	mustOpenOwn(t, path)
	if !s.Moved() {
		t.Error("not moved although replaced")
	}
}

// A stop of the agent after its database was replaced leaves the new one's
// files alone.
func TestCloseMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	old := mustOpenOwn(t, path)
	if err := old.SaveProcess(t.Context(), process("old")); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpenOwn(t, path)
	if err := s.SaveProcess(t.Context(), process("new")); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if got := sqlite3(t, path, "SELECT hostname FROM xmrig_processes; PRAGMA integrity_check"); got != "new\nok\n" {
		t.Errorf("new database says %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	if _, err := OpenReadOnly(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing database: %v", err)
	}
	writer := mustOpenOwn(t, path)
	if err := writer.SaveProcess(t.Context(), process("mini-1")); err != nil {
		t.Fatal(err)
	}
	for _, writing := range []bool{true, false} {
		if !writing {
			writer.Close()
		}
		s, err := OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Fatalf("writer open %v: %v", writing, err)
		}
		defer s.Close()
		if p, err := s.Process(t.Context(), "mini-1"); err != nil || p.State != "running" {
			t.Errorf("writer open %v: read %+v, %v", writing, p, err)
		}
		if err := s.SaveProcess(t.Context(), process("mini-1")); err == nil || !strings.Contains(err.Error(), "readonly database") {
			t.Errorf("writer open %v: it was written: %v", writing, err)
		}
	}
}

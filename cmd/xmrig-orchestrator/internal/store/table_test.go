package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is missing in the tables of another program is named, once for each table.
func TestFaults(t *testing.T) {
	const (
		processes = `CREATE TABLE xmrig_processes (hostname, status);`
		commands  = `CREATE TABLE xmrig_commands (id integer primary key, action, status);`
	)
	tests := []struct{ name, schema, want string }{
		{"nothing", "CREATE TABLE schema_migrations (version)", `PATH has no table xmrig_processes: the miner's state is not recorded there; it is waited for, until the migrations of its application have made it
PATH has no table xmrig_commands: no command is taken from there; it is waited for, until the migrations of its application have made it`},
		{"all", Specification(), ""},
		{"the least", processes + commands, ""},
		{"one table", processes, `PATH has no table xmrig_commands: no command is taken from there; it is waited for, until the migrations of its application have made it`},
		{"no action", processes + strings.Replace(commands, "action, ", "", 1), `xmrig_commands in PATH has no column action: no command is taken from there; add the column by a migration`},
		{"no key", commands + strings.Replace(processes, "hostname, ", "", 1), `xmrig_processes in PATH has no column hostname: the miner's state is not recorded there; add the column by a migration`},
		{"more is wanted", Specification() + `ALTER TABLE xmrig_commands ADD COLUMN tenant text; CREATE TABLE x (y);
DROP TABLE xmrig_processes; CREATE TABLE xmrig_processes (id integer primary key not null, hostname, status, a not null default 1, Region text not null)`,
			`xmrig_processes in PATH: column region is NOT NULL, has no default, and is not known here: no row can be added; give it a default by a migration`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "production.sqlite3")
			sqlite3(t, path, tt.schema)
			before := sqlite3(t, path, ".schema")
			s := mustOpen(t, path)
			if got := strings.ReplaceAll(strings.Join(s.Faults(), "\n"), path, "PATH"); got != tt.want {
				t.Errorf("faults are\n%s\nwant\n%s", got, tt.want)
			}
			if after := sqlite3(t, path, ".schema"); after != before {
				t.Errorf("the schema has become\n%s", after)
			}
		})
	}
}

// A missing table is an error that says so, of each method that needs it, and of
// no other one.
func TestMissingTable(t *testing.T) {
	for _, missing := range []string{"xmrig_processes", "xmrig_commands"} {
		path := filepath.Join(t.TempDir(), "production.sqlite3")
		mustMigrate(t, path)
		sqlite3(t, path, "DROP TABLE "+missing)
		s := mustOpen(t, path)
		_, read := s.Process(t.Context(), host)
		_, pending := s.Pending(t.Context(), host)
		_, enqueue := s.Enqueue(t.Context(), host, Start, "x", checked)
		_, own := s.EnqueueOwn(t.Context(), host, Start, OwnReason("x"), checked)
		_, claim := s.Claim(t.Context(), host, checked)
		_, failed := s.FailedCommands(t.Context(), host, checked)
		_, commands := s.Commands(t.Context(), host, checked)
		ofProcesses := []error{read, s.SaveProcess(t.Context(), process(host)), s.SetState(t.Context(), host, "running", false, checked)}
		ofCommands := []error{pending, enqueue, own, claim, failed, commands, s.Recover(t.Context(), host, checked, checked),
			s.PruneCommands(t.Context(), host, checked)}
		for i, err := range append(ofProcesses, ofCommands...) {
			var fault Fault
			if is, want := errors.As(err, &fault), (i < len(ofProcesses)) == (missing == "xmrig_processes"); is != want {
				t.Errorf("no %s: method %d: %v", missing, i, err)
			}
		}
		if err := s.Adopt(t.Context(), host); err != nil {
			t.Errorf("no %s: %v", missing, err)
		}
	}
}

// Each column but the required ones may be missing: what it would hold is not
// written, and the rest is.
func TestMissingColumns(t *testing.T) {
	rate, good, bad := 4012.5, int64(97), int64(3)
	p := process(host)
	p.State, p.PID, p.Restarts, p.Errors, p.LastError = "unhealthy", 4711, 2, 5, "x"
	p.Hashrate, p.Accepted, p.Rejected, p.Snapshot = &rate, &good, &bad, []byte("{}")
	p.StartedAt, p.StoppedAt = checked, checked
	try := func(t *testing.T, drop string) {
		path := filepath.Join(t.TempDir(), "production.sqlite3")
		mustMigrate(t, path)
		sqlite3(t, path, "DROP INDEX index_xmrig_processes_on_hostname; DROP INDEX index_xmrig_commands_on_hostname;"+
			"DROP INDEX index_xmrig_commands_on_hostname_and_status; DROP INDEX index_xmrig_commands_on_status_and_created_at;"+drop)
		s := mustOpen(t, path)
		if got := s.Faults(); got != nil {
			t.Fatalf("faults are %v", got)
		}
		for range 2 {
			if err := s.SaveProcess(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Process(t.Context(), host); err != nil || got.State != "unhealthy" {
				t.Fatalf("read %+v, %v", got, err)
			}
		}
		if err := s.SetState(t.Context(), host, "restarting", true, checked); err != nil {
			t.Fatal(err)
		}
		enqueue(t, s, 0, Start, "superseded")
		id := enqueue(t, s, 1, Restart, "x")
		if c := claim(t, s); c.ID != id || c.Action != Restart {
			t.Errorf("claimed %+v", c)
		}
		for range 2 { // once from processing, once with nothing to do
			if err := s.Recover(t.Context(), host, checked.Add(-time.Hour), checked); err != nil {
				t.Fatal(err)
			}
		}
		claim(t, s)
		if err := s.Finish(t.Context(), Outcome{ID: id, Result: "done", At: checked}); err != nil {
			t.Fatal(err)
		}
		if got := sqlite3(t, path, "SELECT id, status FROM xmrig_commands"); got != "1|failed\n2|completed\n" {
			t.Errorf("queue is %s", got)
		}
		if _, err := s.Commands(t.Context(), host, checked.Add(-time.Hour)); err != nil {
			t.Error(err)
		}
		if _, err := s.FailedCommands(t.Context(), host, checked); err != nil {
			t.Error(err)
		}
		if err := s.PruneCommands(t.Context(), host, checked); err != nil {
			t.Error(err)
		}
	}
	t.Run("none", func(t *testing.T) { try(t, "") })
	var all strings.Builder
	for _, tb := range []table{processTable(), commandTable()} {
		for _, name := range tb.wanted {
			if name == "id" || name == "status" || name == "action" || name == "hostname" && tb.name == "xmrig_processes" {
				continue
			}
			drop := "ALTER TABLE " + tb.name + " DROP COLUMN " + name + ";"
			all.WriteString(drop)
			t.Run(tb.name+" "+name, func(t *testing.T) { try(t, drop) })
		}
	}
	t.Run("all", func(t *testing.T) { try(t, all.String()) })
}

// In a table without hostname each command is this host's.
func TestCommandsWithoutHostname(t *testing.T) {
	path := filepath.Join(t.TempDir(), "production.sqlite3")
	mustMigrate(t, path)
	s := mustOpen(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, created_at, updated_at) VALUES ('another', 'stop', '', '')`)
	if pending, err := s.Pending(t.Context(), host); pending || err != nil {
		t.Errorf("of another host: %v, %v", pending, err)
	}
	sqlite3(t, path, `DROP INDEX index_xmrig_commands_on_hostname; DROP INDEX index_xmrig_commands_on_hostname_and_status;
ALTER TABLE xmrig_commands DROP COLUMN hostname`)
	if changed, err := s.Look(t.Context()); !changed || err != nil {
		t.Errorf("a migration changes %v, %v", changed, err)
	}
	if changed, err := s.Look(t.Context()); changed || err != nil {
		t.Errorf("no migration changes %v, %v", changed, err)
	}
	if c := claim(t, s); c.ID != 1 || c.Action != Stop {
		t.Errorf("claimed %+v", c)
	}
}

// The older daemon's rows, with the host's name as a blob, become one with the
// host's own.
func TestAdopt(t *testing.T) {
	const insert = `INSERT INTO xmrig_processes (hostname, worker_id, status, error_count, restart_count, created_at, updated_at) VALUES `
	tests := []struct{ name, rows, want string }{
		{"none", `('mini-2', 'w', 'running', 1, 2, '', '')`, "1|text|mini-2|running|1|2\n"},
		{"a blob", `(CAST('mini-1' AS BLOB), 'w', 'running', 7, NULL, '', '')`, "1|text|mini-1|running|7|0\n"},
		{"both", `(CAST('mini-1' AS BLOB), 'w', 'stopped', 7, 9, '', ''), ('mini-1', 'w', 'running', 1, 2, '', ''), (CAST('mini-2' AS BLOB), 'w', 'x', 1, 1, '', '')`,
			"2|text|mini-1|running|8|11\n3|blob|mini-2|x|1|1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "production.sqlite3")
			mustMigrate(t, path)
			sqlite3(t, path, insert+tt.rows)
			s := mustOpen(t, path)
			for range 2 {
				if err := s.Adopt(t.Context(), host); err != nil {
					t.Fatal(err)
				}
			}
			if got := sqlite3(t, path, `SELECT id, typeof(hostname), hostname, status, error_count, restart_count FROM xmrig_processes`); got != tt.want {
				t.Errorf("rows are\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Commands that the older daemon gave are served like others, and those that have
// been pending since before the agent's time are not run.
func TestCommandsOfOlderDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "production.sqlite3")
	mustMigrate(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, status, processed_at, created_at, updated_at) VALUES
  (CAST('mini-1' AS BLOB), 'stop', 'pending', NULL, '2026-11-16T23:10:00Z', '2026-11-16T23:10:00Z'),
  ('mini-1', 'stop', 'pending', NULL, '2026-11-22 00:10:00.123455', ''),
  ('mini-1', 'stop', 'pending', NULL, '2026-11-22 00:10:00.123456', ''),
  (CAST('mini-1' AS BLOB), 'restart', 'pending', NULL, '2026-11-22T23:10:00Z', '2026-11-22T23:10:00Z'),
  (CAST('mini-1' AS BLOB), 'start', 'processing', '2026-11-22T23:10:00Z', '2026-11-16T23:10:00Z', '2026-11-16T23:10:00Z')`)
	s := mustOpen(t, path)
	if err := s.Recover(t.Context(), host, time.Time{}, checked); err != nil {
		t.Fatal(err)
	}
	if c := claim(t, s); c.ID != 4 {
		t.Errorf("claimed %+v", c)
	}
	const want = `1|stop|failed|-|-|Expired: pending for more than 24 hours
2|stop|failed|-|-|Expired: pending for more than 24 hours
3|stop|failed|-|-|Superseded by new command
4|restart|processing|-|-|-
5|start|failed|-|-|Expired: pending for more than 24 hours
`
	if got := queue(t, path); got != want {
		t.Errorf("queue is\n%s\nwant\n%s", got, want)
	}
}

package store

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

func TestProcess(t *testing.T) {
	s := mustOpenOwn(t, filepath.Join(t.TempDir(), "own.sqlite3"))
	if _, err := s.Process(t.Context(), "mini-1"); !errors.Is(err, ErrNoRow) {
		t.Errorf("without a row: %v", err)
	}
	rate, good, bad := 4012.5, int64(97), int64(3)
	full := health.Process{
		Hostname: "mini-1", WorkerID: "mini-1-production", State: "unhealthy", PID: 4711,
		StartedAt: checked.Add(-time.Hour), StoppedAt: checked.Add(-2 * time.Hour), CheckedAt: checked,
		Errors: 5, LastError: "it's \x00 down\n", Restarts: 2,
		Hashrate: &rate, Accepted: &good, Rejected: &bad, Snapshot: []byte(`{"version":"6.26.0"}`),
	}
	for _, want := range []health.Process{process("mini-1"), full, process("mini-1")} {
		if err := s.SaveProcess(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Process(t.Context(), "mini-1")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read\n%+v\nwant\n%+v", got, want)
		}
	}
	if _, err := s.Process(t.Context(), "mini-2"); !errors.Is(err, ErrNoRow) {
		t.Errorf("another host: %v", err)
	}
}

// The row as other programs see it: types, ActiveRecord's times, NULLs.
func TestSaveText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	rate, good, bad := 4012.0, int64(97), int64(0)
	p := process("mini-1")
	p.PID, p.Hashrate, p.Accepted, p.Rejected = 4711, &rate, &good, &bad
	p.StartedAt, p.Snapshot = checked.Truncate(time.Second).In(time.FixedZone("CET", 3600)), []byte(`{"a":1}`)
	if err := s.SaveProcess(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.CheckedAt = checked.Add(10 * time.Second)
	if err := s.SaveProcess(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	const all = `.mode quote
SELECT id, pid, status, worker_id, hostname, started_at, stopped_at, error_count, last_error FROM xmrig_processes;
SELECT last_health_check_at, restart_count, typeof(hashrate), printf('%.1f', hashrate),
  accepted_shares, rejected_shares, health_data, created_at, updated_at FROM xmrig_processes`
	const want = `
1,4711,'running','mini-1-production','mini-1','2026-11-22 23:10:00.000000',NULL,0,NULL
'2026-11-22 23:10:10.123456',0,'real','4012.0',97,0,'{"a":1}','2026-11-22 23:10:00.123456','2026-11-22 23:10:10.123456'
`
	if got := sqlite3(t, path, all); got != want[1:] {
		t.Errorf("row is\n%s\nwant\n%s", got, want[1:])
	}
}

// A row that the older daemon wrote: the worker's name as pid, ISO times, no
// rejected shares.
func TestProcessOfOlderDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_processes
  (hostname, worker_id, status, pid, hashrate, accepted_shares, health_data, error_count, restart_count, last_health_check_at, created_at, updated_at)
VALUES ('mini-1', 'mini-1-production', 'running', 'mini-1', 4012.5, 97, '{}', NULL, NULL, '2026-11-22T23:10:00Z', '2026-11-22T23:10:00Z', '2026-11-22T23:10:00Z')`)
	p, err := s.Process(t.Context(), "mini-1")
	if err != nil {
		t.Fatal(err)
	}
	if p.PID != 0 || p.Errors != 0 || *p.Hashrate != 4012.5 || *p.Accepted != 97 || p.Rejected != nil ||
		!p.CheckedAt.Equal(checked.Truncate(time.Second)) {
		t.Errorf("read %+v", p)
	}
}

func TestFailedCommands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.sqlite3")
	s := mustOpenOwn(t, path)
	sqlite3(t, path, `INSERT INTO xmrig_commands (hostname, action, status, error_message, created_at, updated_at) VALUES
  ('mini-1', 'start', 'failed', 'exit status 1', '2026-11-22 23:00:00.5', ''),
  ('mini-1', 'start', 'failed', NULL, '2026-11-22T23:00:00Z', ''),
  ('mini-1', 'start', 'failed', 'Superseded by new command', '2026-11-22 23:00:00', ''),
  ('mini-1', 'start', 'failed', 'too old', '2026-11-22 22:10:00.123456', ''),
  ('mini-1', 'start', 'failed', 'no time', 'yesterday', ''),
  ('mini-1', 'start', 'completed', NULL, '2026-11-22 23:00:00', ''),
  ('mini-2', 'start', 'failed', 'another host', '2026-11-22 23:00:00', '')`)
	n, err := s.FailedCommands(t.Context(), "mini-1", checked.Add(-time.Hour))
	if err != nil || n != 2 {
		t.Errorf("counted %d, %v; want 2", n, err)
	}
}

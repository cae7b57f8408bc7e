package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// ErrNoRow says that the host has no row in xmrig_processes yet.
var ErrNoRow = errors.New("no row yet")

// A time is cast to text, because the driver would parse a column that is
// declared as datetime. The other casts are for cells of another type than
// their column's: the older daemon wrote the worker's name as pid.
const selectProcess = `
SELECT COALESCE(worker_id, ''), COALESCE(CAST(status AS TEXT), ''), CAST(COALESCE(pid, 0) AS INTEGER),
  CAST(started_at AS TEXT), CAST(stopped_at AS TEXT), CAST(last_health_check_at AS TEXT),
  CAST(COALESCE(error_count, 0) AS INTEGER), COALESCE(last_error, ''),
  CAST(COALESCE(restart_count, 0) AS INTEGER),
  CAST(hashrate AS REAL), CAST(accepted_shares AS INTEGER), CAST(rejected_shares AS INTEGER),
  CAST(health_data AS BLOB)
FROM `

// Process reads a host's row. The error is ErrNoRow if there is none.
func (s *Store) Process(ctx context.Context, hostname string) (health.Process, error) {
	p := health.Process{Hostname: hostname}
	var started, stopped, checked sql.NullString
	err := s.processes.lacks(s.path)
	if err != nil {
		return p, fmt.Errorf("read process of %s: %w", hostname, err)
	}
	read, err := s.statement(ctx, selectProcess+s.processes.rows+` WHERE typeof(hostname) = 'text' ORDER BY id LIMIT 1`)
	if err != nil {
		return p, fmt.Errorf("read process of %s: %w", hostname, err)
	}
	err = read.QueryRowContext(ctx, hostname).Scan(&p.WorkerID, &p.State, &p.PID,
		&started, &stopped, &checked,
		&p.Errors, &p.LastError, &p.Restarts,
		&p.Hashrate, &p.Accepted, &p.Rejected, &p.Snapshot)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("read process of %s: %w", hostname, ErrNoRow)
	}
	if err != nil {
		return p, fmt.Errorf("read process of %s: %w", hostname, err)
	}
	p.StartedAt, p.StoppedAt, p.CheckedAt = parseTime(started), parseTime(stopped), parseTime(checked)
	return p, nil
}

// processValues are what SaveProcess writes.
var processValues = []string{
	"hostname = ?1", "worker_id = ?2", "status = ?3", "pid = ?4",
	"started_at = ?5", "stopped_at = ?6", "last_health_check_at = ?7",
	"error_count = ?8", "last_error = ?9", "restart_count = ?10",
	"hashrate = ?11", "accepted_shares = ?12", "rejected_shares = ?13", "health_data = ?14",
	"updated_at = ?7", "created_at = ?7",
}

// SaveProcess updates a host's row, or inserts it. It does not rely on the
// unique index, which a table made by another program may lack.
func (s *Store) SaveProcess(ctx context.Context, p health.Process) error {
	args := []any{p.Hostname, p.WorkerID, p.State, sql.NullInt64{Int64: int64(p.PID), Valid: p.PID != 0},
		formatTime(p.StartedAt), formatTime(p.StoppedAt), formatTime(p.CheckedAt),
		p.Errors, sql.NullString{String: p.LastError, Valid: p.LastError != ""}, p.Restarts,
		p.Hashrate, p.Accepted, p.Rejected, sql.NullString{String: string(p.Snapshot), Valid: p.Snapshot != nil}}
	if err := s.processes.lacks(s.path); err != nil {
		return fmt.Errorf("update process of %s: %w", p.Hostname, err)
	}
	old := processValues[:len(processValues)-1] // created_at stays
	update, err := s.statement(ctx, s.processes.update(old...)+`WHERE hostname = ?1`)
	if err != nil {
		return fmt.Errorf("update process of %s: %w", p.Hostname, err)
	}
	done, err := update.ExecContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("update process of %s: %w", p.Hostname, err)
	}
	if n, err := done.RowsAffected(); n > 0 || err != nil {
		return err
	}
	if err = s.processes.refuses(s.path); err == nil {
		_, err = s.db.ExecContext(ctx, s.processes.insert(processValues...), args...)
	}
	if err != nil {
		return fmt.Errorf("insert process of %s: %w", p.Hostname, err)
	}
	return nil
}

// SetState sets the state of a host's row and leaves the rest as it is, except
// for figures of a process that is about to be replaced by another one. It does
// nothing where there is no row.
func (s *Store) SetState(ctx context.Context, hostname, state string, replaced bool, now time.Time) error {
	values := []string{"status = ?2", "updated_at = ?3"}
	if replaced {
		values = append(values, "hashrate = NULL", "accepted_shares = NULL", "rejected_shares = NULL", "health_data = NULL")
	}
	err := s.processes.lacks(s.path)
	if err == nil {
		_, err = s.db.ExecContext(ctx, s.processes.update(values...)+`WHERE hostname = ?1`, hostname, state, formatTime(now))
	}
	if err != nil {
		return fmt.Errorf("mark process of %s: %w", hostname, err)
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Decision is one that changed the miner's state or acted, with what it was
// made from. The agent's own database keeps it.
type Decision struct {
	At       time.Time
	State    string
	Cause    string
	Action   string // empty: none
	Evidence string
}

// AddDecision records a decision. One that is recorded already is not added
// again: of a write that was cancelled, nobody knows whether it was done.
func (s *Store) AddDecision(ctx context.Context, hostname string, d Decision) error {
	const insert = `
INSERT INTO agent_decisions (hostname, state, cause, action, evidence, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM agent_decisions
  WHERE hostname = ?1 AND state = ?2 AND cause = ?3 AND action = ?4 AND created_at = ?6)`
	_, err := s.db.ExecContext(ctx, insert, hostname, d.State, d.Cause, d.Action, d.Evidence, formatTime(d.At))
	if err != nil {
		return fmt.Errorf("record decision: %w", err)
	}
	return nil
}

// Decisions reads the last n decisions of a host, the newest last.
func (s *Store) Decisions(ctx context.Context, hostname string, n int) ([]Decision, error) {
	const last = `
SELECT state, cause, action, evidence, CAST(created_at AS TEXT) FROM agent_decisions
WHERE hostname = ? ORDER BY id DESC LIMIT ?`
	rows, err := s.db.QueryContext(ctx, last, hostname, n)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	defer rows.Close()
	var decisions []Decision
	for rows.Next() {
		var d Decision
		var at sql.NullString
		if err := rows.Scan(&d.State, &d.Cause, &d.Action, &d.Evidence, &at); err != nil {
			return nil, fmt.Errorf("read decisions: %w", err)
		}
		d.At = parseTime(at)
		decisions = append(decisions, d)
	}
	slices.Reverse(decisions)
	return decisions, rows.Err()
}

// PruneDecisions deletes those made before a moment. All were written in one
// form, so that their text compares.
func (s *Store) PruneDecisions(ctx context.Context, before time.Time) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM agent_decisions WHERE created_at < ?`, formatTime(before)); err != nil {
		return fmt.Errorf("prune decisions: %w", err)
	}
	return nil
}

// Memory reads what SaveMemory saved, nil where there is nothing yet.
func (s *Store) Memory(ctx context.Context, hostname string) ([]byte, error) {
	var memory []byte
	err := s.db.QueryRowContext(ctx, `SELECT CAST(memory AS BLOB) FROM agent_memory WHERE hostname = ?`, hostname).Scan(&memory)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read memory: %w", err)
	}
	return memory, nil
}

// SaveMemory keeps what the agent is to know of a host after its next start.
func (s *Store) SaveMemory(ctx context.Context, hostname string, memory []byte, now time.Time) error {
	const save = `
INSERT INTO agent_memory (hostname, memory, updated_at) VALUES (?, ?, ?)
ON CONFLICT (hostname) DO UPDATE SET memory = excluded.memory, updated_at = excluded.updated_at`
	if _, err := s.db.ExecContext(ctx, save, hostname, string(memory), formatTime(now)); err != nil {
		return fmt.Errorf("save memory: %w", err)
	}
	return nil
}

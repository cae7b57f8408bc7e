package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// A Decision is a row of agent_decisions: a decision that changed the miner's
// state or its cause, or that acted.
type Decision struct {
	At       time.Time
	State    string
	Cause    string
	Action   string // "": none
	Evidence string
}

// AddDecision adds a decision, unless it is there already. So a caller may
// repeat it after a write that was cancelled, which may have been done or not.
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

// PruneDecisions deletes the decisions that were made before a time. Their times
// can be compared as text, because only AddDecision writes them.
func (s *Store) PruneDecisions(ctx context.Context, before time.Time) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM agent_decisions WHERE created_at < ?`, formatTime(before)); err != nil {
		return fmt.Errorf("prune decisions: %w", err)
	}
	return nil
}

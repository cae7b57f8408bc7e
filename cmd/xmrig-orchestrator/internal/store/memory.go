package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Memory returns what SaveMemory saved last, nil if that was never called.
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

// SaveMemory replaces what the agent will know of a host after its next start.
func (s *Store) SaveMemory(ctx context.Context, hostname string, memory []byte, now time.Time) error {
	const save = `
INSERT INTO agent_memory (hostname, memory, updated_at) VALUES (?, ?, ?)
ON CONFLICT (hostname) DO UPDATE SET memory = excluded.memory, updated_at = excluded.updated_at`
	if _, err := s.db.ExecContext(ctx, save, hostname, string(memory), formatTime(now)); err != nil {
		return fmt.Errorf("save memory: %w", err)
	}
	return nil
}

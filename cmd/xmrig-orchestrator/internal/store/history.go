package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const selectCommand = `
SELECT id, action, status, COALESCE(reason, ''), result, error_message, CAST(created_at AS TEXT), CAST(processed_at AS TEXT)
FROM xmrig_commands `

func scanCommands(rows *sql.Rows, err error) ([]Command, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var commands []Command
	for rows.Next() {
		var c Command
		var result, message, created, processed sql.NullString
		if err := rows.Scan(&c.ID, &c.Action, &c.Status, &c.Reason, &result, &message, &created, &processed); err != nil {
			return nil, err
		}
		c.Result, c.Error = result.String, message.String
		c.Created, c.Processed = parseTime(created), parseTime(processed)
		commands = append(commands, c)
	}
	return commands, rows.Err()
}

// Command reads a command. One that is not there is an error.
func (s *Store) Command(ctx context.Context, id int64) (Command, error) {
	commands, err := scanCommands(s.db.QueryContext(ctx, selectCommand+`WHERE id = ?`, id))
	if err == nil && len(commands) == 0 {
		err = errors.New("it is gone")
	}
	if err != nil {
		return Command{}, fmt.Errorf("read command %d: %w", id, err)
	}
	return commands[0], nil
}

// Commands reads the commands of a host that were made since a moment, the
// newest last.
func (s *Store) Commands(ctx context.Context, hostname string, since time.Time) ([]Command, error) {
	all, err := scanCommands(s.db.QueryContext(ctx, selectCommand+`WHERE hostname = ? ORDER BY id`, hostname))
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	var recent []Command
	for _, c := range all {
		if c.Created.After(since) {
			recent = append(recent, c)
		}
	}
	return recent, nil
}

// Prune deletes a host's commands that ended before a moment. One whose times
// nobody can read is left alone.
func (s *Store) Prune(ctx context.Context, hostname string, before time.Time) error {
	const ended = `
SELECT id, CAST(updated_at AS TEXT), CAST(created_at AS TEXT) FROM xmrig_commands
WHERE hostname = ? AND status IN ('completed', 'failed')`
	rows, err := s.db.QueryContext(ctx, ended, hostname)
	if err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	var old []int64
	for rows.Next() {
		var id int64
		var updated, created sql.NullString
		if err := rows.Scan(&id, &updated, &created); err != nil {
			break // and rows.Err tells
		}
		end := parseTime(updated)
		if end.IsZero() {
			end = parseTime(created)
		}
		if !end.IsZero() && end.Before(before) {
			old = append(old, id)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	if len(old) == 0 {
		return nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	defer tx.Rollback()
	for _, id := range old {
		if _, err := tx.ExecContext(ctx, `DELETE FROM xmrig_commands WHERE id = ?`, id); err != nil {
			return fmt.Errorf("prune commands: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The actions of a command.
const (
	Start   = "start"
	Stop    = "stop"
	Restart = "restart"
)

// Actions are all of them.
var Actions = []string{Start, Stop, Restart}

// The states of a command.
const (
	Pending    = "pending"
	Processing = "processing"
	Completed  = "completed"
	Failed     = "failed"
)

// A Command is a row of xmrig_commands.
type Command struct {
	ID        int64
	Action    string // one of Actions; in a failed command, any text
	Status    string
	Reason    string
	Result    string // what systemctl printed
	Error     string // why it failed
	Created   time.Time
	Processed time.Time // when it was claimed; zero: not yet
}

// Own tells whether the agent gave the command itself.
func (c Command) Own() bool { return strings.HasPrefix(c.Reason, ownReason) }

const selectCommand = `
SELECT id, action, status, COALESCE(reason, ''), result, error_message, CAST(created_at AS TEXT), CAST(processed_at AS TEXT)
FROM `

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

// Command reads a command of a host by its ID. It is an error if there is none.
func (s *Store) Command(ctx context.Context, hostname string, id int64) (Command, error) {
	commands, err := scanCommands(s.db.QueryContext(ctx, selectCommand+s.commands.rows+` WHERE id = ?2`, hostname, id))
	if err == nil && len(commands) == 0 {
		err = errors.New("it is gone")
	}
	if err != nil {
		return Command{}, fmt.Errorf("read command %d: %w", id, err)
	}
	return commands[0], nil
}

// Commands reads the commands of a host that were created after a time, the
// newest last.
func (s *Store) Commands(ctx context.Context, hostname string, since time.Time) ([]Command, error) {
	err := s.commands.lacks(s.path)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	all, err := scanCommands(s.db.QueryContext(ctx, selectCommand+s.commands.rows+` ORDER BY id`, hostname))
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

// PruneCommands deletes a host's commands that ended before a time. A command
// whose times cannot be parsed is kept.
func (s *Store) PruneCommands(ctx context.Context, hostname string, before time.Time) error {
	if err := s.commands.lacks(s.path); err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	ended := `SELECT id, CAST(updated_at AS TEXT), CAST(created_at AS TEXT) FROM ` + s.commands.rows +
		` WHERE status IN ('completed', 'failed')`
	rows, err := s.db.QueryContext(ctx, ended, hostname)
	if err != nil {
		return fmt.Errorf("prune commands: %w", err)
	}
	var old []int64
	for rows.Next() {
		var id int64
		var updated, created sql.NullString
		if err := rows.Scan(&id, &updated, &created); err != nil {
			break // rows.Err returns the error
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

// FailedCommands counts a host's commands that were created after a time and
// failed. Superseded commands do not count.
func (s *Store) FailedCommands(ctx context.Context, hostname string, since time.Time) (int, error) {
	if err := s.commands.lacks(s.path); err != nil {
		return 0, fmt.Errorf("count failed commands: %w", err)
	}
	failed := `SELECT CAST(created_at AS TEXT) FROM ` + s.commands.rows +
		` WHERE status = 'failed' AND COALESCE(error_message, '') NOT LIKE 'Superseded%'`
	rows, err := s.db.QueryContext(ctx, failed, hostname)
	if err != nil {
		return 0, fmt.Errorf("count failed commands: %w", err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var created sql.NullString
		if err := rows.Scan(&created); err != nil {
			return 0, fmt.Errorf("count failed commands: %w", err)
		}
		if parseTime(created).After(since) {
			n++
		}
	}
	return n, rows.Err()
}

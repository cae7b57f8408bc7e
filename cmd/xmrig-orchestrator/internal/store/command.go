package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a command may ask for.
const (
	Start   = "start"
	Stop    = "stop"
	Restart = "restart"
)

// Actions are all that a command may ask for.
var Actions = []string{Start, Stop, Restart}

// The states of a command.
const (
	Pending    = "pending"
	Processing = "processing"
	Completed  = "completed"
	Failed     = "failed"
)

// perMinute is how many commands of people a host takes in a minute.
const perMinute = 5

const (
	superseded  = "Superseded by new command"
	interrupted = "the agent ended meanwhile"
)

// ErrRateLimit says that a host got too many commands of late.
var ErrRateLimit = fmt.Errorf("rate limit exceeded: more than %d commands within a minute", perMinute)

// ownReason begins the reason of a command that the agent gave itself. A
// column for it would be one that the Rails models do not know.
const ownReason = "xmrig-orchestrator: "

// A Command is a row of xmrig_commands.
type Command struct {
	ID        int64
	Action    string // one of Actions, unless it failed
	Status    string
	Reason    string
	Result    string // what systemctl printed
	Error     string // why it failed
	Created   time.Time
	Processed time.Time // when it was claimed; zero: never
}

// Own tells whether the agent gave the command itself.
func (c Command) Own() bool { return strings.HasPrefix(c.Reason, ownReason) }

// Ended tells whether nothing will happen to the command any more.
func (c Command) Ended() bool { return c.Status == Completed || c.Status == Failed }

const (
	ofOwn = `substr(COALESCE(reason, ''), 1, 20) = '` + ownReason + `'`

	insertCommand = `
INSERT INTO xmrig_commands (hostname, action, status, reason, created_at, updated_at)
SELECT ?1, ?2, 'pending', ?3, ?4, ?4`

	supersede = `
UPDATE xmrig_commands SET status = 'failed', error_message = '` + superseded + `', updated_at = ?2
WHERE hostname = ?1 AND status = 'pending'`
)

// Enqueue adds a person's command, which takes the place of all that are
// pending. It returns ErrRateLimit when the host got as many in the last
// minute as it takes.
func (s *Store) Enqueue(ctx context.Context, hostname, action, reason string, now time.Time) (id int64, err error) {
	switch {
	case !slices.Contains(Actions, action):
		return 0, fmt.Errorf("enqueue: unknown action %q, want one of %s", action, strings.Join(Actions, ", "))
	case strings.HasPrefix(reason, ownReason):
		return 0, fmt.Errorf("enqueue %s: a reason that begins with %q is the agent's own", action, ownReason)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	defer tx.Rollback()
	const recent = `
SELECT CAST(created_at AS TEXT) FROM xmrig_commands
WHERE hostname = ? AND NOT ` + ofOwn + ` ORDER BY id DESC LIMIT 5`
	times, err := times(tx.QueryContext(ctx, recent, hostname))
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	if len(times) == perMinute && !slices.ContainsFunc(times, func(t time.Time) bool { return !within(t, now) }) {
		return 0, fmt.Errorf("enqueue %s: %w", action, ErrRateLimit)
	}
	if _, err := tx.ExecContext(ctx, supersede, hostname, formatTime(now)); err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	done, err := tx.ExecContext(ctx, insertCommand, hostname, action, reason, formatTime(now))
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	if id, err = done.LastInsertId(); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	return id, nil
}

// within tells whether a moment is no more than a minute from now, in either
// direction: the clock may have been set back.
func within(t, now time.Time) bool { return now.Sub(t).Abs() < time.Minute }

// times reads a column of times.
func times(rows *sql.Rows, err error) ([]time.Time, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []time.Time
	for rows.Next() {
		var t sql.NullString
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		all = append(all, parseTime(t))
	}
	return all, rows.Err()
}

// OwnReason is the reason of a command that the agent gives itself.
func OwnReason(cause string) string { return ownReason + cause }

// EnqueueOwn adds a command of the agent's own, with an OwnReason. It is dropped, and ok is
// false, where any other one is under way.
func (s *Store) EnqueueOwn(ctx context.Context, hostname, action, reason string, now time.Time) (ok bool, err error) {
	const unlessBusy = insertCommand + `
WHERE NOT EXISTS (SELECT 1 FROM xmrig_commands WHERE hostname = ?1 AND status IN ('pending', 'processing'))`
	done, err := s.db.ExecContext(ctx, unlessBusy, hostname, action, reason, formatTime(now))
	if err != nil {
		return false, fmt.Errorf("enqueue own %s: %w", action, err)
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// ErrNoCommand says that no command is pending.
var ErrNoCommand = errors.New("no command is pending")

// Pending tells whether there is anything to claim.
func (s *Store) Pending(ctx context.Context, hostname string) (pending bool, err error) {
	const find = `SELECT EXISTS (SELECT 1 FROM xmrig_commands WHERE hostname = ? AND status = 'pending')`
	look, err := s.statement(ctx, find)
	if err == nil {
		err = look.QueryRowContext(ctx, hostname).Scan(&pending)
	}
	if err != nil {
		return false, fmt.Errorf("look for commands: %w", err)
	}
	return pending, nil
}

// Claim takes the next command of a host, which is processing from then on, or
// returns ErrNoCommand. Programs that insert commands without a look at those
// before them are held to the rules here: a newer command of a person takes
// the place of pending ones, more than the host takes in a minute are refused,
// and so are unknown actions.
func (s *Store) Claim(ctx context.Context, hostname string, now time.Time) (Command, error) {
	if pending, err := s.Pending(ctx, hostname); err != nil {
		return Command{}, fmt.Errorf("claim command: %w", err)
	} else if !pending {
		return Command{}, ErrNoCommand
	}
	if err := s.sift(ctx, hostname, now); err != nil {
		return Command{}, fmt.Errorf("claim command: %w", err)
	}
	const claim = `
UPDATE xmrig_commands SET status = 'processing', processed_at = ?2, updated_at = ?2
WHERE id = (SELECT min(id) FROM xmrig_commands WHERE hostname = ?1 AND status = 'pending') AND status = 'pending'
RETURNING id, action, COALESCE(reason, ''), CAST(created_at AS TEXT)`
	c := Command{Status: Processing, Processed: now.UTC()}
	var created sql.NullString
	err := s.db.QueryRowContext(ctx, claim, hostname, formatTime(now)).Scan(&c.ID, &c.Action, &c.Reason, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrNoCommand
	}
	if err != nil {
		return c, fmt.Errorf("claim command: %w", err)
	}
	c.Created = parseTime(created)
	return c, nil
}

// sift fails the pending commands that are not to be done.
func (s *Store) sift(ctx context.Context, hostname string, now time.Time) error {
	const unknown = `
UPDATE xmrig_commands SET status = 'failed', error_message = 'Unknown action: ' || action, updated_at = ?2
WHERE hostname = ?1 AND status = 'pending' AND action NOT IN ('start', 'stop', 'restart')`
	if _, err := s.db.ExecContext(ctx, unknown, hostname, formatTime(now)); err != nil {
		return err
	}
	const done = `
SELECT CAST(processed_at AS TEXT) FROM xmrig_commands
WHERE hostname = ? AND processed_at IS NOT NULL AND status <> 'pending' AND NOT ` + ofOwn + `
ORDER BY id DESC LIMIT 6`
	// One more than Enqueue takes: that many the Rails application lets
	// through itself.
	times, err := times(s.db.QueryContext(ctx, done, hostname))
	if err != nil {
		return err
	}
	if len(times) > perMinute && !slices.ContainsFunc(times, func(t time.Time) bool { return !within(t, now) }) {
		const refuse = `
UPDATE xmrig_commands SET status = 'failed', error_message = ?3, updated_at = ?2
WHERE hostname = ?1 AND status = 'pending' AND NOT ` + ofOwn
		_, err := s.db.ExecContext(ctx, refuse, hostname, formatTime(now), ErrRateLimit.Error())
		return err
	}
	const older = supersede + `
AND id <> (SELECT max(id) FROM xmrig_commands WHERE hostname = ?1 AND status = 'pending' AND NOT ` + ofOwn + `)`
	_, err = s.db.ExecContext(ctx, older, hostname, formatTime(now))
	return err
}

// An Outcome is how a command ended.
type Outcome struct {
	ID     int64
	Result string // what systemctl printed
	Error  string // why it failed; empty: it did not
	At     time.Time
}

// Finish records how a command ended that was claimed.
func (s *Store) Finish(ctx context.Context, o Outcome) error {
	const finish = `
UPDATE xmrig_commands SET status = ?2, result = ?3, error_message = ?4, updated_at = ?5
WHERE id = ?1 AND status = 'processing'`
	status := Completed
	if o.Error != "" {
		status = Failed
	}
	_, err := s.db.ExecContext(ctx, finish, o.ID, status, o.Result, nullable(o.Error), formatTime(o.At))
	if err != nil {
		return fmt.Errorf("finish command %d: %w", o.ID, err)
	}
	return nil
}

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Recover deals with the commands of a host that an agent left half-done when
// it ended. They become pending again, but for a restart that the miner,
// started at the given moment, shows to be done, and for those of the agent's
// own, which decides anew.
func (s *Store) Recover(ctx context.Context, hostname string, started, now time.Time) error {
	const drop = `
UPDATE xmrig_commands SET status = 'failed', error_message = '` + interrupted + `', updated_at = ?2
WHERE hostname = ?1 AND status = 'pending' AND ` + ofOwn
	if _, err := s.db.ExecContext(ctx, drop, hostname, formatTime(now)); err != nil {
		return fmt.Errorf("recover commands: %w", err)
	}
	const left = selectCommand + `WHERE hostname = ? AND status = 'processing' ORDER BY id`
	commands, err := scanCommands(s.db.QueryContext(ctx, left, hostname))
	if err != nil {
		return fmt.Errorf("recover commands: %w", err)
	}
	for _, c := range commands {
		o := Outcome{ID: c.ID, At: now}
		switch {
		case c.Action == Restart && !started.Before(c.Processed.Truncate(time.Second)):
			o.Result = interrupted + "; the miner was started at " + started.UTC().Format(time.DateTime) + " UTC"
		case c.Own():
			o.Error = interrupted
		default:
			const again = `UPDATE xmrig_commands SET status = 'pending', updated_at = ? WHERE id = ? AND status = 'processing'`
			if _, err := s.db.ExecContext(ctx, again, formatTime(now), c.ID); err != nil {
				return fmt.Errorf("recover command %d: %w", c.ID, err)
			}
			continue
		}
		if err := s.Finish(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

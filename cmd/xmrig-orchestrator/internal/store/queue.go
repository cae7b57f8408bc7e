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

// perMinute is how many commands of people a host accepts in a minute.
const perMinute = 5

const (
	superseded  = "Superseded by new command"
	interrupted = "the agent ended meanwhile"
)

// ErrRateLimit says that a host was given too many commands within a minute.
var ErrRateLimit = fmt.Errorf("rate limit exceeded: more than %d commands within a minute", perMinute)

// ownReason marks a command that the agent gave itself: its reason begins with
// it. The tables have no column for that, and the Rails models know no other
// columns.
const ownReason = "xmrig-orchestrator: "

// Parts of the statements below.
const (
	ofOwn = `substr(COALESCE(reason, ''), 1, 20) = '` + ownReason + `'`

	insertCommand = `
INSERT INTO xmrig_commands (hostname, action, status, reason, created_at, updated_at)
SELECT ?1, ?2, 'pending', ?3, ?4, ?4`

	supersede = `
UPDATE xmrig_commands SET status = 'failed', error_message = '` + superseded + `', updated_at = ?2
WHERE hostname = ?1 AND status = 'pending'`
)

// Enqueue adds a person's command, which supersedes all that are pending. It
// returns ErrRateLimit when the host was given perMinute commands within the
// last minute.
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
	times, err := scanTimes(tx.QueryContext(ctx, recent, hostname))
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	if len(times) == perMinute && withinMinute(times, now) {
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

// withinMinute tells whether all times are less than a minute away from now. A
// time may lie in the future, if the clock was set back.
func withinMinute(times []time.Time, now time.Time) bool {
	return !slices.ContainsFunc(times, func(t time.Time) bool { return now.Sub(t).Abs() >= time.Minute })
}

// OwnReason is the reason of a command that the agent gives itself.
func OwnReason(cause string) string { return ownReason + cause }

// EnqueueOwn adds a command of the agent's own, with an OwnReason. If another
// command is pending or processing, it adds nothing and ok is false.
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
	exists, err := s.statement(ctx, find)
	if err == nil {
		err = exists.QueryRowContext(ctx, hostname).Scan(&pending)
	}
	if err != nil {
		return false, fmt.Errorf("look for commands: %w", err)
	}
	return pending, nil
}

// Claim takes the next pending command of a host and sets it to "processing",
// or returns ErrNoCommand. It first fails the commands that Enqueue would not
// have left pending, since other programs insert commands without it: unknown
// actions, those above the rate limit, and superseded ones.
func (s *Store) Claim(ctx context.Context, hostname string, now time.Time) (Command, error) {
	if pending, err := s.Pending(ctx, hostname); err != nil {
		return Command{}, fmt.Errorf("claim command: %w", err)
	} else if !pending {
		return Command{}, ErrNoCommand
	}
	if err := s.refuse(ctx, hostname, now); err != nil {
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

// refuse fails the pending commands that are not to be run.
func (s *Store) refuse(ctx context.Context, hostname string, now time.Time) error {
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
	// The limit here is one higher than in Enqueue, because the Rails
	// application itself lets one more through.
	times, err := scanTimes(s.db.QueryContext(ctx, done, hostname))
	if err != nil {
		return err
	}
	if len(times) > perMinute && withinMinute(times, now) {
		const overLimit = `
UPDATE xmrig_commands SET status = 'failed', error_message = ?3, updated_at = ?2
WHERE hostname = ?1 AND status = 'pending' AND NOT ` + ofOwn
		_, err := s.db.ExecContext(ctx, overLimit, hostname, formatTime(now), ErrRateLimit.Error())
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
	Error  string // why it failed; "": it was completed
	At     time.Time
}

// Finish records how a claimed command ended. It changes no other command.
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

// Recover deals with the commands of a host that were pending or processing when
// an earlier agent ended. One that was processing becomes pending again, unless
// it is a restart and the miner was started since: then it is completed. Those
// of the agent's own fail, because the agent decides anew. Started is when the
// miner was started.
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

package store

import (
	"cmp"
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
	expired     = "Expired: pending for more than 24 hours"
	interrupted = "the agent ended meanwhile"
)

// expiry is how long a command may be pending. An older one was given to somebody
// who is not there any more.
const expiry = 24 * time.Hour

// ErrRateLimit says that a host was given too many commands within a minute.
var ErrRateLimit = fmt.Errorf("rate limit exceeded: more than %d commands within a minute", perMinute)

// ownReason marks a command that the agent gave itself: its reason begins with
// it. The tables have no column for that, and the Rails models know no other
// columns.
const ownReason = "xmrig-orchestrator: "

// ofOwn is the condition that a command is the agent's own.
const ofOwn = `substr(COALESCE(reason, ''), 1, 20) = '` + ownReason + `'`

// commandValues are what an insert of a command writes.
var commandValues = []string{"hostname = ?1", "action = ?2", "status = 'pending'", "reason = ?3", "created_at = ?4", "updated_at = ?4"}

// fail fails those pending commands of a host ?1 for which a condition holds. The
// time is ?2, the message ?3.
func (s *Store) fail(condition string) string {
	return s.commands.update("status = 'failed'", "error_message = ?3", "updated_at = ?2") +
		`WHERE id IN (SELECT id FROM ` + s.commands.rows + ` WHERE status = 'pending' AND ` + condition + `) AND status = 'pending'`
}

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
	if err := cmp.Or(s.commands.lacks(s.path), s.commands.refuses(s.path)); err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	defer tx.Rollback()
	recent := `SELECT CAST(created_at AS TEXT) FROM ` + s.commands.rows + ` WHERE NOT ` + ofOwn + ` ORDER BY id DESC LIMIT 5`
	times, err := scanTimes(tx.QueryContext(ctx, recent, hostname))
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	if len(times) == perMinute && withinMinute(times, now) {
		return 0, fmt.Errorf("enqueue %s: %w", action, ErrRateLimit)
	}
	if _, err := tx.ExecContext(ctx, s.fail("TRUE"), hostname, formatTime(now), superseded); err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", action, err)
	}
	done, err := tx.ExecContext(ctx, s.commands.insert(commandValues...), hostname, action, reason, formatTime(now))
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
	if err := cmp.Or(s.commands.lacks(s.path), s.commands.refuses(s.path)); err != nil {
		return false, fmt.Errorf("enqueue own %s: %w", action, err)
	}
	if !s.commands.columns["reason"] {
		return false, fmt.Errorf("enqueue own %s: %w", action, Fault("there is no column reason, which tells whose a command is"))
	}
	unlessBusy := s.commands.insert(commandValues...) +
		`WHERE NOT EXISTS (SELECT 1 FROM ` + s.commands.rows + ` WHERE status IN ('pending', 'processing'))`
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
	err = s.commands.lacks(s.path)
	if err != nil {
		return false, fmt.Errorf("look for commands: %w", err)
	}
	exists, err := s.statement(ctx, `SELECT EXISTS (SELECT 1 FROM `+s.commands.rows+` WHERE status = 'pending')`)
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
	claim := s.commands.update("status = 'processing'", "processed_at = ?2", "updated_at = ?2") +
		`WHERE id = (SELECT min(id) FROM ` + s.commands.rows + ` WHERE status = 'pending') AND status = 'pending'
RETURNING id, action, COALESCE(` + s.commands.column("reason") + `, ''), CAST(` + s.commands.column("created_at") + ` AS TEXT)`
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
	fail := func(condition, message string) error {
		_, err := s.db.ExecContext(ctx, s.fail(condition), hostname, formatTime(now), message)
		return err
	}
	if err := s.expire(ctx, hostname, now); err != nil {
		return err
	}
	unknown := s.commands.update("status = 'failed'", "error_message = 'Unknown action: ' || action", "updated_at = ?2") +
		`WHERE id IN (SELECT id FROM ` + s.commands.rows + ` WHERE status = 'pending' AND action NOT IN ('start', 'stop', 'restart'))`
	if _, err := s.db.ExecContext(ctx, unknown, hostname, formatTime(now)); err != nil {
		return err
	}
	done := `SELECT CAST(processed_at AS TEXT) FROM ` + s.commands.rows + `
WHERE processed_at IS NOT NULL AND status <> 'pending' AND NOT ` + ofOwn + ` ORDER BY id DESC LIMIT 6`
	// The limit here is one higher than in Enqueue, because the Rails
	// application itself lets one more through.
	times, err := scanTimes(s.db.QueryContext(ctx, done, hostname))
	if err != nil {
		return err
	}
	if len(times) > perMinute && withinMinute(times, now) {
		return fail(`NOT `+ofOwn, ErrRateLimit.Error())
	}
	return fail(`id <> (SELECT max(id) FROM `+s.commands.rows+` WHERE status = 'pending' AND NOT `+ofOwn+`)`, superseded)
}

// expire fails the commands that have been pending for too long. One whose time
// cannot be parsed is young.
func (s *Store) expire(ctx context.Context, hostname string, now time.Time) error {
	commands, err := scanCommands(s.db.QueryContext(ctx, selectCommand+s.commands.rows+` WHERE status = 'pending'`, hostname))
	if err != nil {
		return err
	}
	for _, c := range commands {
		if c.Created.IsZero() || now.Sub(c.Created) <= expiry {
			continue
		}
		if _, err := s.db.ExecContext(ctx, s.fail(`id = ?4`), hostname, formatTime(now), expired, c.ID); err != nil {
			return err
		}
	}
	return nil
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
	finish := s.commands.update("status = ?2", "result = ?3", "error_message = ?4", "updated_at = ?5") +
		`WHERE id = ?1 AND status = 'processing'`
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
	err := s.commands.lacks(s.path)
	if err == nil {
		_, err = s.db.ExecContext(ctx, s.fail(ofOwn), hostname, formatTime(now), interrupted)
	}
	if err != nil {
		return fmt.Errorf("recover commands: %w", err)
	}
	left := selectCommand + s.commands.rows + ` WHERE status = 'processing' ORDER BY id`
	commands, err := scanCommands(s.db.QueryContext(ctx, left, hostname))
	if err != nil {
		return fmt.Errorf("recover commands: %w", err)
	}
	for _, c := range commands {
		o := Outcome{ID: c.ID, At: now}
		switch {
		case c.Action == Restart && !c.Processed.IsZero() && !started.Before(c.Processed.Truncate(time.Second)):
			o.Result = interrupted + "; the miner was started at " + started.UTC().Format(time.DateTime) + " UTC"
		case c.Own():
			o.Error = interrupted
		default:
			again := s.commands.update("status = 'pending'", "updated_at = ?1") + `WHERE id = ?2 AND status = 'processing'`
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

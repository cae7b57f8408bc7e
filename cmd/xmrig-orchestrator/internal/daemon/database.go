package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// errBackoff says that a database failed a moment ago and is not tried again
// yet.
var errBackoff = errors.New("database: left alone for a while")

// A job is what a database is used for. One may fail while others are done.
type job string

const (
	jobRow       job = "row"
	jobQueue     job = "queue"
	jobLook      job = "look" // reads only
	jobDecisions job = "decisions"
	jobMemory    job = "memory"
	jobPrune     job = "prune"
)

// A database is opened when it is needed, and left alone for a while after it
// failed, so that a slow failure does not hold up each poll. Another program's
// lock is no failure: it is waited for a moment at a time, so that it holds up
// neither a poll nor what comes after the lock.
type database struct {
	path    string
	open    func(ctx context.Context, path string) (*store.Store, error)
	opened  func(context.Context, *store.Store) error // called after each opening, and when the tables have become others
	release func()                                    // called after each use, to give memory back
	backoff time.Duration
	log     *slog.Logger

	store  *store.Store // nil: closed
	fresh  bool         // opened is still to be called
	retry  time.Time    // not before this; by the monotonic clock
	locked time.Time    // since when a lock keeps it from being written; zero: none does

	failure error          // of the whole database, at its last use
	refused map[job]string // what the database refused at the last time, and why
	logged  string         // faults in the last log line
}

// busyPause is how long a locked database is left alone, so that the rest of a
// poll does not wait for it, too.
const busyPause = time.Second

// use calls f with the open database. An error is kept for faults, and returned so
// that the caller can keep what was not saved.
func (b *database) use(ctx context.Context, j job, f func(*store.Store) error) error {
	if time.Now().Before(b.retry) {
		return errBackoff
	}
	begun := time.Now()
	err := b.try(ctx, f)
	if err != nil && !store.Busy(err) && b.altered(ctx) {
		err = b.try(ctx, f)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.note(j, begun, err)
	b.logFaults()
	return err
}

func (b *database) try(ctx context.Context, f func(*store.Store) error) error {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer b.release()
	return f(b.store)
}

// prepare opens the database unless it is open and still the file at its path, and
// looks at its tables.
func (b *database) prepare(ctx context.Context) (err error) {
	if b.store != nil && b.store.Moved() {
		if err := b.Close(); err != nil {
			return err
		}
	}
	if b.store == nil {
		if b.store, err = b.open(ctx, b.path); err != nil {
			return err
		}
		b.fresh = true
	} else if _, err := b.look(ctx); err != nil {
		return err
	}
	if !b.fresh {
		return nil
	}
	b.release()
	defer b.release()
	if err := b.opened(ctx, b.store); err != nil {
		return err
	}
	b.fresh = false
	return nil
}

func (b *database) look(ctx context.Context) (changed bool, err error) {
	changed, err = b.store.Look(ctx)
	b.fresh = b.fresh || changed
	return changed, err
}

// altered tells whether a migration has altered the tables since they were looked
// at: during a use that failed.
func (b *database) altered(ctx context.Context) bool {
	if b.store == nil {
		return false
	}
	changed, err := b.look(ctx)
	return changed && err == nil
}

// note keeps what came of a use.
func (b *database) note(j job, begun time.Time, err error) {
	delete(b.refused, j)
	switch {
	case store.Busy(err):
		b.retry = time.Now().Add(busyPause)
		if b.locked.IsZero() {
			b.locked = begun
		}
	case store.Refused(err):
		b.failure, b.locked = nil, time.Time{}
		var fault store.Fault
		if !errors.As(err, &fault) { // which the store itself keeps
			b.refused[j] = err.Error()
		}
	case err != nil:
		b.retry = time.Now().Add(b.backoff)
		b.failure = errors.Join(err, b.Close())
		b.locked = time.Time{}
	default:
		b.failure = nil
		if j != jobLook {
			b.locked = time.Time{}
		}
	}
}

// busy tells whether another program's lock is in the way.
func (b *database) busy() bool { return !b.locked.IsZero() }

// faults are what keeps the database from being used, each in one line. A lock is
// none until it has lasted for long.
func (b *database) faults() []string {
	if b.failure != nil {
		text := b.failure.Error()
		if remedy := store.Remedy(b.failure); remedy != "" {
			text += "; " + remedy
		}
		return []string{line(text)}
	}
	var all []string
	if b.busy() && time.Since(b.locked) > b.backoff {
		all = append(all, fmt.Sprintf("database %s: it is locked by another program for more than %v; end its transaction: fuser -v %[1]s names it", b.path, b.backoff))
	}
	for _, j := range slices.Sorted(maps.Keys(b.refused)) {
		all = append(all, line(b.refused[j]))
	}
	if b.store != nil {
		all = append(all, b.store.Faults()...)
	}
	return all
}

// line makes one line of a text.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// logFaults writes a line when the faults are others than before, or when there are
// none any more.
func (b *database) logFaults() {
	now := strings.Join(b.faults(), "; ")
	switch {
	case now == b.logged:
		return
	case now == "":
		b.log.Info("database works again", "database", b.path)
	default:
		b.log.Error("database", "error", now)
	}
	b.logged = now
}

// Close closes the database until it is used again.
func (b *database) Close() error {
	if b.store == nil {
		return nil
	}
	s := b.store
	b.store = nil
	return s.Close()
}

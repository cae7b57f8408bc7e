package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// errBackoff says that a database failed a moment ago and is not tried again
// yet.
var errBackoff = errors.New("database: left alone for a while")

// A database is opened when it is needed, and left alone for a while after it
// failed, so that a slow failure does not hold up each poll.
type database struct {
	path    string
	open    func(ctx context.Context, path string) (*store.Store, error)
	opened  func(context.Context, *store.Store) error // called after each opening
	release func()                                    // called after each use, to give memory back
	backoff time.Duration
	log     *slog.Logger

	store *store.Store // nil: closed
	fault string       // as last logged
	retry time.Time    // not before this; by the monotonic clock
}

// use calls f with the open database. An error of f, or of the opening, closes
// the database and is logged. It is returned so that the caller can keep what
// was not saved.
func (b *database) use(ctx context.Context, f func(*store.Store) error) error {
	if time.Now().Before(b.retry) {
		return errBackoff
	}
	err := b.prepare(ctx)
	if err == nil {
		err = f(b.store)
		b.release()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b.retry = time.Now().Add(b.backoff)
		err = errors.Join(err, b.Close())
	}
	b.logFault(err)
	return err
}

// prepare opens the database unless it is open and still the file at its path.
func (b *database) prepare(ctx context.Context) (err error) {
	if b.store != nil && b.store.Moved() {
		if err := b.Close(); err != nil {
			return err
		}
	}
	if b.store != nil {
		return nil
	}
	if b.store, err = b.open(ctx, b.path); err != nil {
		return err
	}
	b.release()
	defer b.release()
	return b.opened(ctx, b.store)
}

// logFault writes a line when the database fails in another way than before, or
// works again.
func (b *database) logFault(err error) {
	switch {
	case err == nil && b.fault != "":
		b.fault = ""
		b.log.Info("database works again", "database", b.path)
	case err != nil && err.Error() != b.fault:
		b.fault = err.Error()
		b.log.Error("database", "error", err, "retry", b.backoff)
	}
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

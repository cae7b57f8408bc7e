package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// errAway says that a database failed a moment ago and is left alone.
var errAway = errors.New("database: left alone for a while")

// A database is opened when it is needed and left alone for a while after it
// failed, so that its troubles are nobody else's.
type database struct {
	path    string
	open    func(ctx context.Context, path string) (*store.Store, error)
	ready   func(context.Context, *store.Store) error // after each opening
	rest    func()                                    // after each thing that takes much memory
	backoff time.Duration
	log     *slog.Logger

	store *store.Store
	fault string    // as last logged
	retry time.Time // by the monotonic clock
}

// use has f use the database. An error of f counts as trouble of the database:
// it is logged, and returned for the caller to keep what was not recorded.
func (b *database) use(ctx context.Context, f func(*store.Store) error) error {
	if time.Now().Before(b.retry) {
		return errAway
	}
	err := b.prepare(ctx)
	if err == nil {
		err = f(b.store)
		b.rest()
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
	b.rest()
	defer b.rest()
	return b.ready(ctx, b.store)
}

// logFault writes a line when the database fails in another way than before or
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

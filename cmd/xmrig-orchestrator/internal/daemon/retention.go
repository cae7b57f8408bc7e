package daemon

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// How long the databases keep commands that have ended, and decisions.
const (
	commandRetention  = 24 * time.Hour
	decisionRetention = 7 * 24 * time.Hour
	pruneEvery        = time.Hour
)

// prune deletes what is too old, once an hour.
func (d *daemon) prune(ctx context.Context) {
	if !d.pruned.IsZero() && time.Since(d.pruned) < pruneEvery {
		return
	}
	now := d.Now()
	err := d.shared.use(ctx, jobPrune, func(s *store.Store) error {
		return s.PruneCommands(ctx, d.Settings.Hostname, now.Add(-commandRetention))
	})
	if err == nil || store.Refused(err) {
		err = d.own.use(ctx, jobPrune, func(s *store.Store) error { return s.PruneDecisions(ctx, now.Add(-decisionRetention)) })
	}
	if err == nil {
		d.pruned = time.Now()
	}
}

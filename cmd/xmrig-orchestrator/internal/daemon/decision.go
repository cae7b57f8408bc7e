package daemon

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
)

// maxDecisions is how many are kept while the database is unavailable.
const maxDecisions = 100

// keepDecision logs a decision, and keeps one that changes something until it
// is saved.
func (d *daemon) keepDecision(o health.Observation, dec health.Decision) {
	d.logState(dec)
	if dec.State == d.last.State && dec.Cause == d.last.Cause && dec.Action == d.last.Action {
		return
	}
	d.last = dec
	d.decisions = append(d.decisions, store.Decision{At: o.At, State: dec.State,
		Cause: string(dec.Cause), Action: string(dec.Action), Evidence: dec.Evidence})
	d.decisions = d.decisions[max(0, len(d.decisions)-maxDecisions):]
	d.memorySaved = time.Time{}
}

// saveDecisions saves those that are kept, the oldest first.
func (d *daemon) saveDecisions(ctx context.Context) {
	if len(d.decisions) == 0 {
		return
	}
	d.own.use(ctx, jobDecisions, func(s *store.Store) error {
		for len(d.decisions) > 0 {
			if err := s.AddDecision(ctx, d.Settings.Hostname, d.decisions[0]); err != nil {
				return err
			}
			d.decisions = d.decisions[1:]
		}
		return nil
	})
}

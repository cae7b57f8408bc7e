package daemon

import (
	"context"
	"errors"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// actOn carries out a decision by way of the queue, where a person's command
// goes first. Where the database fails it acts without the queue. While
// somebody else has the host's lock it does nothing: a later poll decides anew.
func (d *daemon) actOn(ctx context.Context, dec health.Decision) {
	c := store.Command{Action: string(dec.Action), Reason: store.OwnReason(string(dec.Cause))}
	unlock, err := d.lock()
	d.logLock(err)
	if err != nil {
		return
	}
	queued := false
	err = d.shared.use(ctx, jobQueue, func(s *store.Store) (err error) {
		queued, err = s.EnqueueOwn(ctx, d.Settings.Hostname, c.Action, c.Reason, d.Now())
		return err
	})
	done, dropped := 0, err == nil && !queued
	if err == nil {
		done, err = d.runPending(ctx)
	}
	switch {
	case dropped:
		d.log.Info("own command dropped: another one was under way", "action", c.Action, "reason", c.Reason)
	case err != nil && done == 0 && ctx.Err() == nil:
		d.runCommand(ctx, c)
	}
	unlock()
	d.poll(ctx)
}

// pending tells whether there are commands to run.
func (d *daemon) pending(ctx context.Context) (pending bool) {
	d.shared.use(ctx, jobLook, func(s *store.Store) (err error) {
		pending, err = s.Pending(ctx, d.Settings.Hostname)
		return err
	})
	return pending
}

// serveQueue runs what is pending, unless somebody else has the host's lock. It
// first saves what became of earlier commands.
func (d *daemon) serveQueue(ctx context.Context) {
	if len(d.outcomes) > 0 {
		d.shared.use(ctx, jobQueue, func(s *store.Store) error { return d.saveOutcomes(ctx, s) })
	}
	d.lockedOut = false
	if !d.pending(ctx) {
		return
	}
	unlock, err := d.lock()
	d.logLock(err)
	if err != nil {
		d.lockedOut = true
		return
	}
	done, _ := d.runPending(ctx)
	unlock()
	if done > 0 {
		d.poll(ctx)
		reduceFootprint(d.code)
	}
}

// runPending runs all pending commands and returns how many it ran. It needs
// the host's lock. The error is the database's. A command that the agent's end
// interrupts stays "processing", for the next agent's recoverQueue.
func (d *daemon) runPending(ctx context.Context) (done int, err error) {
	for {
		var c store.Command
		err = d.shared.use(ctx, jobQueue, func(s *store.Store) (err error) {
			c, err = s.Claim(ctx, d.Settings.Hostname, d.Now())
			if errors.Is(err, store.ErrNoCommand) {
				return nil
			}
			return err
		})
		if err != nil || c.ID == 0 {
			return done, err
		}
		d.running = true
		o := d.runCommand(ctx, c)
		d.running = false
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		done++
		d.outcomes = append(d.outcomes, o)
		d.shared.use(ctx, jobQueue, func(s *store.Store) error { return d.saveOutcomes(ctx, s) })
	}
}

// saveOutcomes saves those that are kept, the oldest first.
func (d *daemon) saveOutcomes(ctx context.Context, s *store.Store) error {
	for len(d.outcomes) > 0 {
		if err := s.Finish(ctx, d.outcomes[0]); err != nil {
			return err
		}
		d.outcomes = d.outcomes[1:]
	}
	return nil
}

// takeOver is done after each opening of the database. It takes over what earlier
// agents left: the row of the host, and the commands that were being run when
// one of them ended, or when this one lost the database. A fault of a table is
// told by the store, and is no reason to leave the other one alone.
func (d *daemon) takeOver(ctx context.Context, s *store.Store) error {
	err := s.Adopt(ctx, d.Settings.Hostname)
	if err == nil && !d.running {
		err = d.recoverQueue(ctx, s)
	}
	if store.Refused(err) {
		return nil
	}
	return err
}

// recoverQueue deals with the commands that are being run by no agent.
func (d *daemon) recoverQueue(ctx context.Context, s *store.Store) error {
	if err := d.saveOutcomes(ctx, s); err != nil {
		return err
	}
	var started time.Time
	if u, err := systemd.Show(ctx, agent.MinerUnit); err == nil && u.PID != 0 {
		started = u.Started
	}
	return s.Recover(ctx, d.Settings.Hostname, started, d.Now())
}

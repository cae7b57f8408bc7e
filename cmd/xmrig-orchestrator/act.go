package main

import (
	"context"
	"errors"
	"strings"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// order has done what the agent decided, by way of the queue, where a person's
// command goes first. Without its database the agent acts all the same, and
// while an apply is at work it does not: a later poll decides anew.
func (d *daemon) order(ctx context.Context, dec health.Decision) {
	c := store.Command{Action: string(dec.Action), Reason: store.OwnReason(string(dec.Cause))}
	unlock, err := d.lock()
	d.logDeferred(err)
	if err != nil {
		return
	}
	queued := false
	err = d.tables.use(ctx, func(s *store.Store) (err error) {
		queued, err = s.EnqueueOwn(ctx, d.settings.Hostname, c.Action, c.Reason, d.Now())
		return err
	})
	done, dropped := 0, err == nil && !queued
	if err == nil {
		done, err = d.drain(ctx)
	}
	switch {
	case dropped:
		d.log.Info("own command dropped: another one was under way", "action", c.Action, "reason", c.Reason)
	case err != nil && done == 0 && ctx.Err() == nil:
		d.perform(ctx, c)
	}
	unlock()
	d.look(ctx)
}

// work works off the queue, unless an apply is at work itself.
func (d *daemon) work(ctx context.Context) {
	pending := false
	d.tables.use(ctx, func(s *store.Store) (err error) {
		pending, err = s.Pending(ctx, d.settings.Hostname)
		return err
	})
	d.waiting = false
	if !pending {
		return
	}
	unlock, err := d.lock()
	d.logDeferred(err)
	if err != nil {
		d.waiting = true
		return
	}
	done, _ := d.drain(ctx)
	unlock()
	if done > 0 {
		d.look(ctx)
		freeMemory(d.code)
	}
}

// drain does all commands that are pending, under the host's lock, and returns
// how many that were. The error is the database's. A command that the agent's
// end interrupts stays as it is: the next agent recovers it.
func (d *daemon) drain(ctx context.Context) (done int, err error) {
	for {
		var c store.Command
		err = d.tables.use(ctx, func(s *store.Store) (err error) {
			c, err = s.Claim(ctx, d.settings.Hostname, d.Now())
			if errors.Is(err, store.ErrNoCommand) {
				return nil
			}
			return err
		})
		if err != nil || c.ID == 0 {
			return done, err
		}
		o := d.perform(ctx, c)
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		done++
		d.ended = append(d.ended, o)
		d.tables.use(ctx, func(s *store.Store) error { return d.settle(ctx, s) })
	}
}

// While a command is done, the miner's row says so.
var underWay = map[string]string{
	store.Start:   agent.Starting,
	store.Stop:    agent.Stopping,
	store.Restart: agent.Restarting,
}

// perform does a command by systemctl, and says how it ended.
func (d *daemon) perform(ctx context.Context, c store.Command) store.Outcome {
	log := d.log.With("host", d.settings.Hostname, "command", c.ID, "action", c.Action, "reason", c.Reason)
	log.Info("command begins")
	o := store.Outcome{ID: c.ID}
	unit, err := systemd.Show(ctx, agent.MinerUnit)
	if err == nil {
		d.see(unit) // before systemd's count is set back
	}
	if err == nil && c.Own() && (unit.Active == "inactive" || unit.Active == "failed") {
		o.Error = "dropped: " + agent.MinerUnit + " is " + unit.Active
	} else {
		d.tables.use(ctx, func(s *store.Store) error {
			return s.Mark(ctx, d.settings.Hostname, underWay[c.Action], d.Now())
		})
		o.Result, o.Error = d.control(ctx, c, unit)
	}
	o.At = d.Now()
	switch {
	case o.Error != "":
		log.Error("command failed", "error", o.Error)
	default:
		log.Info("command completed", "output", o.Result)
		if c.Own() && c.Action == store.Restart {
			d.memory.Restarts++
			d.saved = d.saved.Add(-remembered)
		}
	}
	return o
}

// control runs systemctl for a command. What fails is in problem.
func (d *daemon) control(ctx context.Context, c store.Command, u systemd.Unit) (output, problem string) {
	var lines []string
	for _, verb := range d.verbs(c, u) {
		d.notify(systemd.Alive) // each may take a while
		out, err := systemd.Control(ctx, verb, agent.MinerUnit)
		d.log.Info("systemctl", "host", d.settings.Hostname, "verb", verb, "unit", agent.MinerUnit,
			"reason", c.Reason, "output", out, "error", err)
		if verb == systemd.ResetFailed {
			continue // there may be nothing to reset
		}
		if out != "" {
			lines = append(lines, out)
		}
		if err != nil {
			problem = strings.TrimSuffix(err.Error()+": "+out, ": ")
			break
		}
	}
	return strings.Join(lines, "\n"), problem
}

// verbs is what a command comes to. A stop that a person wants outlives a
// reboot, because the unit is not started at boot any more, until a person
// wants a start or an apply enables it again. A miner that fleet.hcl wants
// stopped is started for this time only.
func (d *daemon) verbs(c store.Command, u systemd.Unit) []systemd.Verb {
	switch {
	case c.Own():
		return []systemd.Verb{systemd.Verb(c.Action)}
	case c.Action == store.Stop && u.File == "enabled":
		return []systemd.Verb{systemd.Stop, systemd.Disable}
	case c.Action == store.Stop:
		return []systemd.Verb{systemd.Stop}
	case u.File == "disabled" && d.settings.Desired == agent.Running:
		return []systemd.Verb{systemd.Enable, systemd.ResetFailed, systemd.Verb(c.Action)}
	}
	return []systemd.Verb{systemd.ResetFailed, systemd.Verb(c.Action)}
}

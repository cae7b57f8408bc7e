package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// A memory is what the agent knows after its next start.
type memory struct {
	Watch health.Watch

	Seen   *systemd.Unit // as of the last row that was saved
	BootID string        // when it was

	Restarts int // by the agent, which no row counts yet
}

// remembered is how often the memory is saved while nothing happens.
const remembered = time.Minute

func (m *Main) newDaemon(s agent.Settings) *daemon {
	d := &daemon{Main: m, settings: s, policy: health.NewPolicy(s), log: newLog(m.Stderr)}
	d.dir = directoryOf(s.Database)
	release := func() { releaseCode(d.code) }
	d.own = &database{path: m.Own, open: store.OpenOwn, backoff: m.Backoff, log: d.log, rest: release,
		ready: func(context.Context, *store.Store) error { return nil }}
	d.tables = d.own
	if s.Database != m.Own {
		d.tables = &database{path: s.Database, open: store.Open, backoff: m.Backoff, log: d.log, rest: release}
	}
	d.tables.ready = d.recover
	m.open = append(m.open, d.own, d.tables)
	return d
}

// recover brings the queue in order that an agent before this one, or this one
// before the trouble, left behind.
func (d *daemon) recover(ctx context.Context, s *store.Store) error {
	if err := d.settle(ctx, s); err != nil {
		return err
	}
	var started time.Time
	if u, err := systemd.Show(ctx, agent.MinerUnit); err == nil && u.PID != 0 {
		started = u.Started
	}
	return s.Recover(ctx, d.settings.Hostname, started, d.Now())
}

// settle records how commands ended.
func (d *daemon) settle(ctx context.Context, s *store.Store) error {
	for len(d.ended) > 0 {
		if err := s.Finish(ctx, d.ended[0]); err != nil {
			return err
		}
		d.ended = d.ended[1:]
	}
	return nil
}

// recall takes over what an earlier agent knew.
func (d *daemon) recall(ctx context.Context) {
	d.own.use(ctx, func(s *store.Store) error {
		b, err := s.Memory(ctx, d.settings.Hostname)
		if err != nil || b == nil {
			return err
		}
		if err := json.Unmarshal(b, &d.memory); err != nil {
			d.log.Warn("memory of an earlier agent is not understood", "error", err)
			d.memory = memory{}
		}
		return nil
	})
	d.last = d.memory.Watch.Last
	if boot, err := systemd.BootID(); err != nil || boot != d.memory.BootID {
		d.memory.Seen = nil
	}
}

// remember saves the memory.
func (d *daemon) remember(ctx context.Context) {
	b, err := json.Marshal(d.memory)
	if err != nil {
		d.log.Error("memory", "error", err)
		return
	}
	if d.own.use(ctx, func(s *store.Store) error {
		return s.SaveMemory(ctx, d.settings.Hostname, b, d.Now())
	}) == nil {
		d.saved = time.Now()
	}
}

// maxDecisions are kept for a database that is away.
const maxDecisions = 100

// note logs a decision that changes something, and keeps it for its table.
func (d *daemon) note(o health.Observation, dec health.Decision) {
	d.logState(dec)
	if dec.State == d.last.State && dec.Cause == d.last.Cause && dec.Action == d.last.Action {
		return
	}
	d.last = dec
	d.decisions = append(d.decisions, store.Decision{At: o.At, State: dec.State,
		Cause: string(dec.Cause), Action: string(dec.Action), Evidence: dec.Evidence})
	d.decisions = d.decisions[max(0, len(d.decisions)-maxDecisions):]
	d.saved = time.Time{}
}

// record brings the databases up to date. The host's row itself is the memory
// of what was counted, so nothing is lost while it is away, and a count that
// somebody reset stays reset.
func (d *daemon) record(ctx context.Context, o health.Observation, dec health.Decision) {
	d.tables.use(ctx, func(s *store.Store) error { return d.saveRow(ctx, s, o, dec) })
	if len(d.decisions) > 0 {
		d.own.use(ctx, func(s *store.Store) error { return d.saveDecisions(ctx, s) })
	}
	if time.Since(d.saved) > remembered {
		d.remember(ctx)
	}
}

func (d *daemon) saveDecisions(ctx context.Context, s *store.Store) error {
	for len(d.decisions) > 0 {
		if err := s.AddDecision(ctx, d.settings.Hostname, d.decisions[0]); err != nil {
			return err
		}
		d.decisions = d.decisions[1:]
	}
	return nil
}

// minerSays comes between what the agent found wrong with the miner and what
// the miner itself logged as an error.
const minerSays = "; xmrig: "

func (d *daemon) saveRow(ctx context.Context, s *store.Store, o health.Observation, dec health.Decision) error {
	p, err := s.Process(ctx, d.settings.Hostname)
	if err != nil && !errors.Is(err, store.ErrNoRow) {
		return err
	}
	p.WorkerID = d.settings.WorkerID
	problem, said, _ := strings.Cut(p.LastError, minerSays)
	p.LastError = problem
	n := p.Next(o, dec, d.memory.Seen)
	n.Restarts += d.memory.Restarts
	n.Errors += d.memory.Restarts
	if failed(n.State) && (!failed(p.State) || n.LastError != p.LastError) {
		said = d.minerErrors(ctx)
	}
	if said != "" && n.LastError != "" && (n.LastError == p.LastError || failed(n.State)) {
		n.LastError += minerSays + said
	}
	if err := s.Save(ctx, n); err != nil {
		return err
	}
	if d.memory.Restarts > 0 {
		d.memory.Restarts, d.saved = 0, time.Time{}
	}
	if o.UnitErr == nil {
		if d.memory.Seen == nil || d.memory.Seen.Restarts != o.Unit.Restarts {
			d.saved = time.Time{}
		}
		d.memory.Seen, d.memory.BootID = &o.Unit, o.BootID
	}
	return nil
}

func failed(state string) bool {
	return state == agent.Unhealthy || state == agent.Crashed || state == agent.Restarting
}

// minerErrors is what the miner logged as errors of late, since it was started
// or, where it has been running for long, within the last minutes.
func (d *daemon) minerErrors(ctx context.Context) string {
	since := d.Now().Add(-10 * time.Minute)
	if d.unit.Started.After(since) {
		since = d.unit.Started
	}
	lines, err := systemd.Errors(ctx, agent.MinerUnit, logNamespace, since)
	if err != nil {
		d.log.Warn("read the miner's journal", "error", err)
	}
	return strings.Join(lines, "; ")
}

// logNamespace is that of both units.
const logNamespace = "xmrig"

// Retention of what has ended.
const (
	keptCommands  = 24 * time.Hour
	keptDecisions = 7 * 24 * time.Hour
	pruneEvery    = time.Hour
)

// prune deletes what is too old, once an hour.
func (d *daemon) prune(ctx context.Context) {
	if !d.pruned.IsZero() && time.Since(d.pruned) < pruneEvery {
		return
	}
	now := d.Now()
	err := d.tables.use(ctx, func(s *store.Store) error {
		return s.Prune(ctx, d.settings.Hostname, now.Add(-keptCommands))
	})
	if err == nil {
		err = d.own.use(ctx, func(s *store.Store) error { return s.PruneDecisions(ctx, now.Add(-keptDecisions)) })
	}
	if err == nil {
		d.pruned = time.Now()
	}
}

package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake"
	"xmrfleet/modules/agent"
)

// wakeName is the socket in the run directory by which enqueue wakes the agent.
const wakeName = "wake"

// A daemon is one run of the poll loop. Nothing that happens to the miner, to
// systemctl or to a database ends it, but for a directory that another start
// gives access to.
type daemon struct {
	*Main
	settings agent.Settings
	policy   health.Policy
	log      *slog.Logger

	tables *database  // with processes and commands
	own    *database  // with what nobody else knows; often the same
	dir    *directory // of the tables

	memory   memory
	unit     systemd.Unit // as last seen
	last     health.Decision
	state    string    // as last logged, with what was wrong
	waiting  bool      // commands are pending, for the host's lock
	deferred bool      // as last logged
	saved    time.Time // when the memory was
	pruned   time.Time

	code  []region    // where the program is in memory
	files *wake.Files // nil: cannot be watched
	deaf  string      // why not, as last logged

	// What no database has recorded yet.
	ended     []store.Outcome
	decisions []store.Decision
}

func (m *Main) watch(ctx context.Context, s agent.Settings) error {
	d := m.newDaemon(s)
	err := settleMemory()
	if err == nil {
		d.code, err = codeRegions()
	}
	if err != nil {
		d.log.Warn("settle memory", "error", err)
	}
	d.log.Info("watching "+agent.MinerUnit, "version", version, "hostname", s.Hostname,
		"database", s.Database, "api", s.API.Address, "interval", time.Duration(s.Interval))
	woken, written, disarm := d.arm()
	defer disarm()
	d.recall(ctx)
	d.look(ctx)
	d.notify(systemd.Ready)
	d.poll(ctx)
	err = d.loop(ctx, woken, written)
	d.notify(systemd.Stopping)
	d.leave(context.WithoutCancel(ctx))
	return err
}

// leave records what is not recorded yet, within half a second.
func (d *daemon) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if len(d.ended) > 0 {
		d.tables.use(ctx, func(s *store.Store) error { return d.settle(ctx, s) })
	}
	if len(d.decisions) > 0 {
		d.own.use(ctx, func(s *store.Store) error { return d.saveDecisions(ctx, s) })
	}
	d.remember(ctx)
}

// loop polls the miner now and then, and looks for commands at once when
// somebody wakes it.
func (d *daemon) loop(ctx context.Context, woken, written <-chan struct{}) error {
	polls := time.NewTicker(time.Duration(d.settings.Interval))
	defer polls.Stop()
	var alive <-chan time.Time
	if every := systemd.Watchdog(); every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		alive = t.C
	}
	d.rearm()
	d.work(ctx) // for what was written before
	soon := time.NewTimer(0)
	soon.Stop()
	late := time.NewTimer(0)
	late.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-polls.C:
			d.poll(ctx)
			if err := d.dir.shut(); err != nil {
				return err
			}
		case <-alive:
			d.notify(systemd.Alive)
			continue
		case <-written:
			// What was written can be read when it is committed, which
			// takes a slow disk a while.
			soon.Reset(200 * time.Millisecond)
			late.Reset(2 * time.Second)
			continue
		case <-woken:
			d.tables.retry = time.Time{} // whoever wakes us could write to it
			d.work(ctx)
		case <-soon.C:
			d.work(ctx)
		case <-late.C:
			d.work(ctx)
		}
		d.rearm()
		if d.waiting {
			soon.Reset(time.Second)
		}
	}
}

// poll observes the miner, does what was decided, and works off the queue.
func (d *daemon) poll(ctx context.Context) {
	defer freeMemory(d.code)
	if dec := d.look(ctx); dec.Action != health.None {
		d.order(ctx, dec)
	}
	d.work(ctx)
	d.prune(ctx)
}

// look observes the miner once, decides, and records both.
func (d *daemon) look(ctx context.Context) health.Decision {
	o := d.observe(ctx, d.settings)
	releaseCode(d.code) // what asks and what records need not be in memory at once
	if ctx.Err() != nil {
		return health.Decision{}
	}
	dec, watch := d.memory.Watch.Decide(o, d.policy)
	d.memory.Watch = watch
	if o.UnitErr == nil {
		d.see(o.Unit)
	}
	d.note(o, dec)
	d.record(ctx, o, dec)
	return dec
}

// see takes over the unit's present state. systemd sets its count of restarts
// back when somebody starts the unit: those that no row holds yet, because the
// database was away, are then the agent's to remember.
func (d *daemon) see(u systemd.Unit) {
	if seen := d.memory.Seen; seen != nil && u.Restarts < d.unit.Restarts {
		d.memory.Restarts += max(0, d.unit.Restarts-seen.Restarts)
		counted := *seen
		counted.Restarts = 0
		d.memory.Seen = &counted
	}
	d.unit = u
}

func (d *daemon) notify(state string) {
	if err := systemd.Notify(state); err != nil {
		d.log.Warn("notify", "error", err)
	}
}

// arm opens what wakes the agent. Without, it looks for commands at each poll.
func (d *daemon) arm() (woken, written <-chan struct{}, disarm func()) {
	socket, err := wake.Listen(filepath.Join(d.RunDir, wakeName))
	if err != nil {
		d.log.Warn("wake", "error", err)
	} else {
		woken = socket.C()
	}
	files, err := wake.WatchFiles()
	if err != nil {
		d.log.Warn("wake", "error", err)
	} else {
		written = files.C()
	}
	d.files = files
	return woken, written, func() {
		if socket != nil {
			socket.Close()
		}
		if files != nil {
			files.Close()
		}
	}
}

// rearm watches the database for the next write, by whomever.
func (d *daemon) rearm() {
	if d.files == nil {
		return
	}
	for _, path := range []string{d.settings.Database, d.settings.Database + "-wal"} {
		if err := d.files.Arm(path); err != nil && err.Error() != d.deaf {
			d.deaf = err.Error()
			d.log.Warn("wake", "error", err)
		}
	}
}

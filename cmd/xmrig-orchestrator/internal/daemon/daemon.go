// Package daemon is the agent at work: it polls the miner, decides, records
// what it saw and decided, and carries out commands. It also holds what the
// program's other commands share with it, in Host.
//
// # The life of one poll
//
// At each interval, tick does the following in this order:
//
//  1. poll: Host.Observe asks the miner's API, systemd and proc(5), and
//     health.Watch.Decide makes a Decision of it (observe.go, package health).
//  2. poll: keepDecision logs a decision that changes something and keeps it
//     in memory (decision.go).
//  3. poll: save writes the host's row, the kept decisions and, once a minute,
//     the agent's memory (row.go, decision.go, memory.go). Then describe and
//     tell write what the agent says of itself, with what it cannot do (self.go).
//  4. actOn enqueues what was decided, if anything, and runs it under the
//     host's lock; then it polls again (queue.go).
//  5. serveQueue runs the commands that people and programs have enqueued, and
//     polls again if there were any (queue.go, command.go).
//  6. prune deletes what is too old, once an hour (retention.go).
//  7. reduceFootprint gives unused memory back to the kernel (footprint.go).
//
// Between two polls, loop runs step 5 alone when somebody rings at the socket
// or writes to the database (wake.go), and writes the row that another program's
// lock kept from being written. At the end, flush writes what is kept.
//
// # What it may not do
//
// No trouble of the miner, of systemctl or of a database ends the daemon or
// keeps it from the next poll: it is logged once, told as a fault, and what was to
// be written is kept until it can be (database.go). Nothing is changed on the host
// without the host's lock.
// Rules about the miner's health belong in package health, SQL in package
// store.
//
// # To add a cause
//
// A cause is a word for why the miner is in its state, such as "wedged". To
// add one:
//
//   - health/decision.go: its constant.
//   - health/reading.go: its case in Run.read, which recognizes it in one
//     poll. It stands after the causes that would explain it.
//   - health/decide.go: its case in Watch.verdict, if it means something else
//     than unhealthy, calls for an alert or a restart, or occurs while the
//     miner hashes. That case also sets the problem then.
//   - health/evidence.go: its text in problem, if the miner does not hash.
//   - health/watch_test.go: its scene in tale.poll, and a story in TestStories.
//   - watchdog-sim: a fault of the simulated miner, if it calls for a restart.
//
// A new threshold is an entry of agent.Thresholds and a field of health.Policy
// (policy.go). A new figure that the decision needs is a field of
// health.Observation, filled in by Observe. The daemon, the tables, the commands
// and xmrfleet need no change: they pass the word on.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/cmd/xmrig-orchestrator/internal/wake"
	"xmrfleet/modules/agent"
)

// A Config is what Run needs.
type Config struct {
	*Host
	Settings agent.Settings
	Version  string // for the log
	Log      io.Writer

	// Backoff is how long a database is left alone after it failed.
	Backoff time.Duration
}

// A daemon is one run of the loop.
type daemon struct {
	Config
	policy health.Policy
	log    *slog.Logger

	shared *database  // with the tables of the specification
	own    *database  // with the agent's own tables; often the same one
	dir    *directory // of shared

	memory memory
	unit   systemd.Unit    // as of the last successful systemctl show
	last   health.Decision // the last one that changed something
	logged string          // state and problem in the last log line

	lockedOut bool // commands are pending, but somebody else has the lock
	logLocked bool // that was logged
	running   bool // a command is being run

	memorySaved time.Time // zero: it is to be saved with the next poll
	pruned      time.Time

	self    agent.Daemon // as of the last poll
	selfErr string       // why it could not be told, as last logged

	toldStatus string // to systemd

	code     []region    // where the program is mapped
	files    *wake.Files // nil: files cannot be watched
	filesErr string      // why one could not be watched, as last logged

	// Kept until a database has them.
	unsaved   func(context.Context) error // saves the row of the last poll
	outcomes  []store.Outcome
	decisions []store.Decision
}

// Run polls the miner until ctx is done, which is no error. The errors that end it
// earlier are another agent that runs, and a directory that only another start
// gives access to.
func Run(ctx context.Context, c Config) (err error) {
	unlock, err := c.lockAgent()
	if errors.Is(err, errRunning) {
		return fmt.Errorf("run: %w", err)
	}
	d := newDaemon(c)
	if err == nil {
		defer unlock()
	} else {
		d.log.Warn("another agent would not be noticed", "error", err)
	}
	defer func() {
		if cerr := d.close(); err == nil {
			err = cerr
		}
	}()
	d.limitFootprint()
	d.log.Info("watching "+agent.MinerUnit, "version", d.Version, "hostname", d.Settings.Hostname,
		"database", d.Settings.Database, "api", d.Settings.API.Address, "interval", time.Duration(d.Settings.Interval))
	woken, written, stop := d.listen()
	defer stop()
	d.loadMemory(ctx)
	d.poll(ctx)
	d.pending(ctx) // so that it is known whether the queue can be read
	d.tell()
	d.toldStatus = d.status()
	d.notify(systemd.Ready + "\n" + d.toldStatus)
	d.tick(ctx)
	err = d.loop(ctx, woken, written)
	d.notify(systemd.Stopping)
	d.flush(context.WithoutCancel(ctx))
	return err
}

func newDaemon(c Config) *daemon {
	d := &daemon{Config: c, policy: health.NewPolicy(c.Settings), log: newLog(c.Log)}
	d.self = agent.Daemon{Version: c.Version, InvocationID: os.Getenv("INVOCATION_ID"), PID: os.Getpid()}
	d.dir = directoryOf(c.Settings.Database)
	d.own = d.newDatabase(c.Own)
	d.shared = d.own
	if c.Settings.Database != c.Own {
		d.shared = d.newDatabase(c.Settings.Database)
	}
	d.shared.opened = d.takeOver
	return d
}

func (d *daemon) newDatabase(path string) *database {
	return &database{
		path: path, backoff: d.Backoff, log: d.log,
		open:    d.Open,
		opened:  func(context.Context, *store.Store) error { return nil },
		release: func() { releaseCode(d.code) },
		refused: make(map[job]string),
	}
}

func (d *daemon) close() error { return errors.Join(d.own.Close(), d.shared.Close()) }

// loop polls at each interval, and serves the queue as soon as somebody wakes
// it.
func (d *daemon) loop(ctx context.Context, woken, written <-chan struct{}) error {
	ticks := time.NewTicker(time.Duration(d.Settings.Interval))
	defer ticks.Stop()
	var alive <-chan time.Time
	if every := systemd.Watchdog(); every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		alive = t.C
	}
	soon := time.NewTimer(0) // for what was written before the files were watched
	late := time.NewTimer(0)
	late.Stop()
	d.watchFiles()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			d.tick(ctx)
			if err := d.dir.check(); err != nil {
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
			d.shared.retry = time.Time{} // whoever rang could write to it
			d.serveQueue(ctx)
		case <-soon.C:
			d.saveAgain(ctx)
			d.serveQueue(ctx)
		case <-late.C:
			d.serveQueue(ctx)
		}
		d.watchFiles()
		if d.lockedOut || d.shared.busy() {
			soon.Reset(time.Second)
		}
	}
}

// tick polls, acts on the decision, serves the queue and cleans up. What the agent
// cannot do is told at the end of it.
func (d *daemon) tick(ctx context.Context) {
	defer reduceFootprint(d.code)
	if dec := d.poll(ctx); dec.Action != health.None {
		d.actOn(ctx, dec)
	}
	d.serveQueue(ctx)
	d.prune(ctx)
	if status := d.status(); status != d.toldStatus {
		d.toldStatus = status
		d.tell()
		d.notify(status)
	}
}

// poll observes the miner once, decides, and saves both. When ctx is done
// meanwhile, it decides nothing.
func (d *daemon) poll(ctx context.Context) health.Decision {
	o := d.Observe(ctx, d.Settings)
	releaseCode(d.code) // so that it is not resident together with SQLite's
	if ctx.Err() != nil {
		return health.Decision{}
	}
	dec, watch := d.memory.Watch.Decide(o, d.policy)
	d.memory.Watch = watch
	if o.UnitErr == nil {
		d.noteUnit(o.Unit)
	}
	d.keepDecision(o, dec)
	d.unsaved = func(ctx context.Context) error {
		return d.shared.use(ctx, jobRow, func(s *store.Store) error { return d.saveRow(ctx, s, o, dec) })
	}
	d.save(ctx)
	d.describe(o, dec)
	d.tell()
	return dec
}

// save brings the databases up to date. What the row counts is read from the
// row itself, so that a count which somebody reset stays reset.
func (d *daemon) save(ctx context.Context) {
	d.saveAgain(ctx)
	d.saveDecisions(ctx)
	if time.Since(d.memorySaved) > saveMemoryEvery {
		d.saveMemory(ctx)
	}
}

// saveAgain saves the row of the last poll if that could not be done yet.
func (d *daemon) saveAgain(ctx context.Context) {
	if d.unsaved != nil && d.unsaved(ctx) == nil {
		d.unsaved = nil
	}
}

// flush saves what is still kept, within half a second.
func (d *daemon) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	d.shared.retry, d.own.retry = time.Time{}, time.Time{}
	if len(d.outcomes) > 0 {
		d.shared.use(ctx, jobQueue, func(s *store.Store) error { return d.saveOutcomes(ctx, s) })
	}
	d.saveDecisions(ctx)
	d.saveMemory(ctx)
}

func (d *daemon) notify(state string) {
	if err := systemd.Notify(state); err != nil {
		d.log.Warn("notify", "error", err)
	}
}

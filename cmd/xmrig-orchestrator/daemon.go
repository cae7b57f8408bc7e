package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// A daemon is one run of the poll loop. Nothing that happens to the miner, to
// systemctl or to the database ends it.
type daemon struct {
	*Main
	settings agent.Settings
	log      *slog.Logger

	seen  *systemd.Unit // as of the last row that was saved
	mind  health.Watch
	state string    // as last logged, with what was wrong
	fault string    // of the database, as last logged
	retry time.Time // the database is left alone until then
}

func (m *Main) watch(ctx context.Context, s agent.Settings) error {
	d := &daemon{Main: m, settings: s, log: newLog(m.Stderr)}
	if err := settleMemory(); err != nil {
		d.log.Warn("settle memory", "error", err)
	}
	d.log.Info("watching "+agent.MinerUnit, "version", version, "hostname", s.Hostname,
		"database", s.Database, "api", s.API.Address, "interval", time.Duration(s.Interval))
	d.poll(ctx)
	d.notify(systemd.Ready)

	polls := time.NewTicker(time.Duration(s.Interval))
	defer polls.Stop()
	var alive <-chan time.Time
	if every := systemd.Watchdog(); every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		alive = t.C
	}
	for {
		select {
		case <-ctx.Done():
			d.notify(systemd.Stopping)
			return nil
		case <-polls.C:
			d.poll(ctx)
		case <-alive:
			d.notify(systemd.Alive)
		}
	}
}

func (d *daemon) notify(state string) {
	if err := systemd.Notify(state); err != nil {
		d.log.Warn("notify", "error", err)
	}
}

// poll observes the miner once and records it.
func (d *daemon) poll(ctx context.Context) {
	defer freeMemory()
	o := d.observe(ctx, d.settings)
	if ctx.Err() != nil {
		return
	}
	var decision health.Decision
	decision, d.mind = d.mind.Decide(o, health.NewPolicy(d.settings))
	d.logState(decision.State, decision.Problem)
	if d.Now().Before(d.retry) {
		return
	}
	err := d.record(ctx, o, decision)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		d.retry = d.Now().Add(d.Backoff)
		err = errors.Join(err, d.Close())
	}
	d.logDatabase(err)
}

// observe asks the miner first: one that ends before systemd is asked is then
// known to have ended, and not taken for one whose API is dead.
func (m *Main) observe(ctx context.Context, s agent.Settings) health.Observation {
	o := health.Observation{At: m.Now().UTC()}
	o.Summary, o.APIErr = client(s).Summary(ctx)
	o.Unit, o.UnitErr = systemd.Show(ctx, agent.MinerUnit)
	return o
}

func client(s agent.Settings) miner.Client {
	return miner.Client{Address: s.API.Address, Token: s.API.Token}
}

// record brings the host's row up to date. The row itself is the memory of
// what was counted, so nothing is lost while the database is away, and a count
// that somebody reset stays reset.
func (d *daemon) record(ctx context.Context, o health.Observation, decision health.Decision) error {
	if d.db != nil && d.db.Moved() {
		if err := d.Close(); err != nil {
			return err
		}
	}
	if d.db == nil {
		if err := d.open(ctx); err != nil {
			return err
		}
	}
	p, err := d.db.Process(ctx, d.settings.Hostname)
	if err != nil && !errors.Is(err, store.ErrNoRow) {
		return err
	}
	p.WorkerID = d.settings.WorkerID
	if err := d.db.Save(ctx, p.Next(o, decision, d.seen)); err != nil {
		return err
	}
	if o.UnitErr == nil {
		d.seen = &o.Unit
	}
	return nil
}

func (d *daemon) open(ctx context.Context) (err error) {
	if path := d.settings.Database; path == d.Own {
		d.db, err = store.OpenOwn(ctx, path)
	} else {
		d.db, err = store.Open(ctx, path)
	}
	return err
}

package daemon

import (
	"context"
	"errors"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// logMark stands in a row's last error between the problem that the agent found
// and the errors that the miner itself logged.
const logMark = "; xmrig: "

// saveRow replaces the host's row by the one that follows it.
func (d *daemon) saveRow(ctx context.Context, s *store.Store, o health.Observation, dec health.Decision) error {
	p, err := s.Process(ctx, d.Settings.Hostname)
	if err != nil && !errors.Is(err, store.ErrNoRow) {
		return err
	}
	p.WorkerID = d.Settings.WorkerID
	problem, minerLog, _ := strings.Cut(p.LastError, logMark)
	p.LastError = problem
	n := p.Next(o, dec, d.memory.Seen)
	n.Restarts += d.memory.Restarts
	n.Errors += d.memory.Restarts
	if failed(n.State) && (!failed(p.State) || n.LastError != p.LastError) {
		minerLog = d.minerErrors(ctx)
	}
	if minerLog != "" && n.LastError != "" && (n.LastError == p.LastError || failed(n.State)) {
		n.LastError += logMark + minerLog
	}
	if err := s.SaveProcess(ctx, n); err != nil {
		return err
	}
	if d.memory.Restarts > 0 {
		d.memory.Restarts, d.memorySaved = 0, time.Time{}
	}
	if o.UnitErr == nil {
		if d.memory.Seen == nil || d.memory.Seen.Restarts != o.Unit.Restarts {
			d.memorySaved = time.Time{}
		}
		d.memory.Seen, d.memory.BootID = &o.Unit, o.BootID
	}
	return nil
}

// failed tells whether in this state the miner's log may say what is wrong.
func failed(state string) bool {
	return state == agent.Unhealthy || state == agent.Crashed || state == agent.Restarting
}

// minerErrors returns the errors that the miner logged since it was started,
// but not those that are older than ten minutes.
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

// logNamespace is the journal namespace of both units.
const logNamespace = "xmrig"

package daemon

import (
	"io"
	"log/slog"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

// newLog returns a log without times: the journal has its own.
func newLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// logState writes a line when the miner's state or problem has changed, and for
// each action.
func (d *daemon) logState(dec health.Decision) {
	now := dec.State + " " + dec.Problem
	if now == d.logged && dec.Action == health.None {
		return
	}
	d.logged = now
	log := d.log.With("cause", dec.Cause, "evidence", dec.Evidence)
	if dec.Action != health.None {
		log = log.With("action", dec.Action)
	}
	switch dec.State {
	case agent.Unhealthy, agent.Crashed, agent.Restarting:
		log.Warn("miner "+dec.State, "problem", dec.Problem)
	default:
		log.Info("miner " + dec.State)
	}
}

// logLock writes a line when the agent begins to wait for the host's lock.
func (d *daemon) logLock(err error) {
	if err != nil && !d.logLocked {
		d.log.Warn("commands wait", "error", err)
	}
	d.logLocked = err != nil
}

package main

import (
	"io"
	"log/slog"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
	"xmrfleet/modules/agent"
)

// newLog writes lines for the journal, which keeps the time itself.
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

// logState writes a line when the miner's state or its trouble is another one
// than before.
func (d *daemon) logState(dec health.Decision) {
	now := dec.State + " " + dec.Problem
	if now == d.state && dec.Action == health.None {
		return
	}
	d.state = now
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

// logDeferred writes a line when the agent begins to wait for the host's lock.
func (d *daemon) logDeferred(err error) {
	if err != nil && !d.deferred {
		d.log.Warn("commands wait", "error", err)
	}
	d.deferred = err != nil
}

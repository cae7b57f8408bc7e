package main

import (
	"io"
	"log/slog"

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
func (d *daemon) logState(state, problem string) {
	if now := state + " " + problem; now != d.state {
		d.state = now
		switch state {
		case agent.Unhealthy, agent.Crashed, agent.Restarting:
			d.log.Warn("miner "+state, "problem", problem)
		default:
			d.log.Info("miner " + state)
		}
	}
}

// logDatabase writes a line when the database fails in another way than before
// or works again.
func (d *daemon) logDatabase(err error) {
	switch {
	case err == nil && d.fault != "":
		d.fault = ""
		d.log.Info("database works again")
	case err != nil && err.Error() != d.fault:
		d.fault = err.Error()
		d.log.Error("database", "error", err, "retry", d.Backoff)
	}
}

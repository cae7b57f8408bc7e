package daemon

import (
	"context"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/store"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// stateDuring is the state of the miner's row while a command is run.
var stateDuring = map[string]string{
	store.Start:   agent.Starting,
	store.Stop:    agent.Stopping,
	store.Restart: agent.Restarting,
}

// runCommand runs a command by systemctl, and returns how it ended. One of the
// agent's own is dropped where somebody has stopped the miner meanwhile.
func (d *daemon) runCommand(ctx context.Context, c store.Command) store.Outcome {
	log := d.log.With("host", d.Settings.Hostname, "command", c.ID, "action", c.Action, "reason", c.Reason)
	log.Info("command begins")
	o := store.Outcome{ID: c.ID}
	unit, err := systemd.Show(ctx, agent.MinerUnit)
	if err == nil {
		d.noteUnit(unit) // systemctl is about to set its count of restarts back
	}
	switch {
	case err == nil && c.Own() && (unit.Active == "inactive" || unit.Active == "failed"):
		o.Error = "dropped: " + agent.MinerUnit + " is " + unit.Active
	case err == nil && overtaken(c, unit, d.Now()):
		o.Error = "dropped: " + agent.MinerUnit + " was started since"
	default:
		d.shared.use(ctx, jobRow, func(s *store.Store) error {
			return s.SetState(ctx, d.Settings.Hostname, stateDuring[c.Action], c.Action != store.Stop, d.Now())
		})
		o.Result, o.Error = d.control(ctx, c, unit)
	}
	o.At = d.Now()
	if o.Error != "" {
		log.Error("command failed", "error", o.Error)
		return o
	}
	log.Info("command completed", "output", o.Result)
	if c.Own() && c.Action == store.Restart {
		d.memory.Restarts++
		d.memorySaved = d.memorySaved.Add(-saveMemoryEvery)
	}
	return o
}

// overtaken tells whether the miner was started after the agent gave itself the
// command, which was about the process before: while the queue could not be
// written, the agent acted without it.
func overtaken(c store.Command, u systemd.Unit, now time.Time) bool {
	return c.Own() && !c.Created.IsZero() && u.PID != 0 && now.Add(-u.Age).After(c.Created)
}

// control runs systemctl for a command until one of its verbs fails. It returns
// what systemctl printed, and the error as text, "" if there is none.
func (d *daemon) control(ctx context.Context, c store.Command, u systemd.Unit) (output, problem string) {
	var lines []string
	for _, verb := range d.verbs(c, u) {
		d.notify(systemd.Alive) // each may take a while
		out, err := systemd.Control(ctx, verb, agent.MinerUnit)
		d.log.Info("systemctl", "host", d.Settings.Hostname, "verb", verb, "unit", agent.MinerUnit,
			"reason", c.Reason, "output", out, "error", err)
		if verb == systemd.ResetFailed {
			continue // it fails where there is nothing to reset
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

// verbs are what systemctl is to do for a command. A person's stop is to
// outlive a reboot: it disables the unit, until a person's start, or an apply,
// enables it again. Where fleet.hcl wants the miner stopped, a start leaves the
// unit disabled, so that it lasts until the next reboot.
func (d *daemon) verbs(c store.Command, u systemd.Unit) []systemd.Verb {
	switch {
	case c.Own():
		return []systemd.Verb{systemd.Verb(c.Action)}
	case c.Action == store.Stop && u.File == "enabled":
		return []systemd.Verb{systemd.Stop, systemd.Disable}
	case c.Action == store.Stop:
		return []systemd.Verb{systemd.Stop}
	case u.File == "disabled" && d.Settings.Desired == agent.Running:
		return []systemd.Verb{systemd.Enable, systemd.ResetFailed, systemd.Verb(c.Action)}
	}
	return []systemd.Verb{systemd.ResetFailed, systemd.Verb(c.Action)}
}

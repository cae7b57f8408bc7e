// Package health turns what a poll saw into what the tables say. It is pure:
// no clock, no I/O, so that every rule is a line in a table of tests.
package health

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// grace is how long a new process may take until its first hash: it builds a
// dataset first, and its API is not up at once.
const grace = 120 * time.Second

// An Observation is what one poll saw.
type Observation struct {
	At time.Time

	Unit    systemd.Unit
	UnitErr error // set: Unit is unknown

	Summary *miner.Summary // nil: the API did not answer, and APIErr is set
	APIErr  error
}

// Judge tells a miner's state, one of those of package agent, and what is
// wrong with it, "" where nothing is. A miner that hashed within the last
// minute is running whatever else it says, which also bridges the short
// losses of a pool.
func Judge(o Observation) (state, problem string) {
	if o.UnitErr == nil {
		switch o.Unit.Active {
		case "inactive":
			if o.Unit.Load == "not-found" {
				return agent.Stopped, o.Unit.Name + ": not installed"
			}
			return agent.Stopped, ""
		case "failed":
			return agent.Crashed, ending(o.Unit)
		case "deactivating":
			return agent.Stopping, ""
		case "activating":
			if strings.HasPrefix(o.Unit.Sub, "auto-restart") {
				return agent.Restarting, ending(o.Unit)
			}
			return agent.Starting, ""
		}
	}
	return judgeProcess(o)
}

// ending says how the miner's last process ended, when nobody stopped it.
func ending(u systemd.Unit) string {
	failure := u.Failure()
	switch {
	case failure == "":
		return u.Name + ": ended without an error"
	case u.Exit() == 2: // as XMRig defines it
		return failure + ": no valid configuration"
	}
	return failure
}

func judgeProcess(o Observation) (state, problem string) {
	switch s := o.Summary; {
	case s != nil && s.Hashing():
		return agent.Running, ""
	case o.UnitErr == nil && o.Unit.Age < grace:
		return agent.Starting, ""
	case s == nil && o.UnitErr != nil:
		return agent.Unhealthy, fmt.Sprintf("%v; %v", o.APIErr, o.UnitErr)
	case s == nil:
		return agent.Unhealthy, o.APIErr.Error()
	case !s.Connected() && s.Connection.Pool == "":
		return agent.Unhealthy, "no pool: never connected"
	case !s.Connected():
		return agent.Unhealthy, "pool " + s.Connection.Pool + ": not connected"
	case s.Paused:
		return agent.Unhealthy, "paused"
	default:
		return agent.Unhealthy, "no hashrate, although connected to pool " + s.Connection.Pool
	}
}

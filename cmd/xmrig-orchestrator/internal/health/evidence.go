package health

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// problem says what is wrong with a miner that does not hash. The same thing is
// always the same text.
func problem(o Observation) string {
	switch s := o.Summary; {
	case s == nil:
		return o.APIErr.Error()
	case !s.Connected() && s.Connection.Pool == "":
		return "no pool: never connected"
	case !s.Connected():
		return "pool " + s.Connection.Pool + ": not connected"
	case s.Paused:
		return "paused"
	case !s.Job():
		return "pool " + s.Connection.Pool + ": connected, but sends no job"
	default:
		return "no hashrate, although connected to pool " + s.Connection.Pool
	}
}

// starting is the decision on a young process that has not hashed yet.
func starting(o Observation, cores float64) Decision {
	d := Decision{State: agent.Starting, Cause: CauseStarting}
	d.Evidence = fmt.Sprintf("process %d is %s old", o.Unit.PID, short(o.Unit.Age))
	if o.Summary != nil && paused(o.Summary) {
		d.Cause = CausePaused
		d.Evidence += ", paused"
	}
	d.Evidence += usage(cores)
	return d
}

// evidence says what one poll showed, and for how long the polls have read the
// same.
func evidence(o Observation, r *Run) string {
	held := "in 1 poll"
	if r.Polls != 1 {
		held = fmt.Sprintf("for %s in %d polls", short(r.Held), r.Polls)
	}
	held += usage(r.Cores)
	s := o.Summary
	if s == nil {
		if o.Foreign == nil && !miner.Answered(o.APIErr) && !r.Answered {
			held += ", no answer since the process started: was its port taken?"
		}
		return fmt.Sprintf("%v %s", o.APIErr, held)
	}
	rate := "no hashrate yet"
	if s.Hashrate.Total[0] != nil {
		rate = fmt.Sprintf("%.1f H/s", s.Rate())
	}
	if paused(s) {
		rate = "paused, " + rate
	}
	if s.Rate() > 0 && o.Backends != nil {
		rate += fmt.Sprintf(", %d of %d threads at 0", o.Backends.Standing(), len(o.Backends.Threads))
	}
	return fmt.Sprintf("%s %s; %s", rate, held, session(s))
}

// paused tells whether somebody paused the miner. Without a pool, it pauses itself.
func paused(s *miner.Summary) bool { return s.Paused && s.Connected() }

// session says what the miner has of its pool.
func session(s *miner.Summary) string {
	switch {
	case s.Connection.Pool == "":
		return "no pool"
	case !s.Connected():
		return "pool " + s.Connection.Pool + ", not connected"
	}
	return fmt.Sprintf("pool %s, connected for %s", s.Connection.Pool,
		short(time.Duration(s.Connection.UptimeMS)*time.Millisecond))
}

// usage says how many cores are in use.
func usage(cores float64) string {
	if cores < 0 {
		return ", CPU time not known"
	}
	return fmt.Sprintf(", %.2f cores in use", cores)
}

// ending says how the miner's last process ended, which nobody stopped.
func ending(u systemd.Unit) string {
	failure := u.Failure()
	switch {
	case failure == "":
		return u.Name + ": ended without an error"
	case u.Exit() == noConfig:
		return failure + ": no valid configuration"
	}
	return failure
}

// short prints a duration without zeros at its end: 10m, not 10m0s.
func short(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

package health

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// idle is the number of cores below which a process does no work: XMRig's own
// timers need far less, and a dataset far more, even on a machine that is busy
// with something else.
const idle = 0.05

// wedgeMin is the least time without hashrate, however fast the polls: the rate
// is one of 10 s.
const wedgeMin = 15 * time.Second

// guess is the decision where systemd cannot be asked: nothing is done.
func (w Watch) guess(o Observation) Decision {
	d := Decision{State: agent.Unhealthy, Cause: CauseUnit, Problem: o.UnitErr.Error()}
	switch {
	case o.Summary != nil && o.Summary.Hashing():
		d = Decision{State: agent.Running, Cause: CauseHealthy}
	case w.Last.State != "":
		d = w.Last
	case o.APIErr != nil:
		d.Problem = o.APIErr.Error() + "; " + d.Problem
	}
	d.Evidence = o.UnitErr.Error()
	return d
}

func (w *Watch) decide(o Observation, p Policy, step time.Duration) Decision {
	w.Open = (w.Open || len(w.Crashes) > p.CrashLimit) && !p.Immediate
	if w.Open {
		return w.broken(o.Unit, p)
	}
	if d, ok := unit(o.Unit); ok {
		return d
	}
	if w.Run.Missed++; o.Summary != nil {
		w.Run.Missed, w.Run.MissedFor = 0, 0
		w.Run.Answered = true
		w.Run.Working = o.Summary.Connected() && !o.Summary.Paused && o.Summary.Job()
		w.Run.Hashed = w.Run.Hashed || o.Summary.Rate() > 0
	} else {
		w.Run.MissedFor += step
		w.Run.Working = w.Run.Working && !miner.Answered(o.APIErr)
	}
	w.sample(o, p)
	switch {
	case o.Foreign != nil: // neither time nor a restart frees the port
	case !w.Run.Hashed && o.Unit.Age < p.StartGrace:
		w.Run.Reading = CauseStarting
		return starting(o, w.Run.Cores)
	case p.Immediate && zero(o):
		return Decision{State: agent.Unhealthy, Cause: w.Run.read(o), Problem: problem(o),
			Evidence: "any error restarts", Action: Restart, Alert: true}
	case o.Summary == nil && w.Run.Answered && w.Run.Missed < p.WedgePolls:
		d := w.Last
		d.Evidence = o.APIErr.Error()
		return d
	}
	w.hold(w.Run.read(o), step)
	return w.judge(o, p, step)
}

// zero is the specification's test.
func zero(o Observation) bool {
	if o.Summary == nil {
		return !miner.Answered(o.APIErr)
	}
	rate := o.Summary.Hashrate.Total[0]
	return rate != nil && *rate == 0
}

// broken is the decision while the circuit breaker is open.
func (w *Watch) broken(u systemd.Unit, p Policy) Decision {
	d := Decision{
		State: agent.Crashed, Cause: CauseCrashLoop, Alert: true,
		Problem: fmt.Sprintf("%s: more than %d crashes within %s; stopped until somebody starts it",
			u.Name, p.CrashLimit, short(p.CrashWindow)),
	}
	d.Evidence = fmt.Sprintf("%s; %d restarts by systemd", ending(u), u.Restarts)
	if !w.Halted {
		d.Action = Stop
	}
	return d
}

// unit decides where there is no process to look at.
func unit(u systemd.Unit) (Decision, bool) {
	switch u.Active {
	case "inactive":
		d := Decision{State: agent.Stopped, Cause: CauseStopped, Evidence: u.Name + ": inactive"}
		if u.Load == "not-found" {
			d.Problem = u.Name + ": not installed"
		}
		return d, true
	case "failed":
		d := Decision{State: agent.Crashed, Cause: CauseCrashed, Problem: ending(u), Evidence: ending(u), Alert: true}
		if u.Exit() == noConfig {
			d.Cause = CauseConfig
		}
		return d, true
	case "deactivating":
		return Decision{State: agent.Stopping, Cause: CauseStopping, Evidence: u.Name + ": " + u.Sub}, true
	case "activating":
		if strings.HasPrefix(u.Sub, "auto-restart") {
			return Decision{State: agent.Restarting, Cause: CauseCrashed, Problem: ending(u), Evidence: ending(u)}, true
		}
		return Decision{State: agent.Starting, Cause: CauseStarting, Evidence: u.Name + ": " + u.Sub}, true
	}
	return Decision{}, false
}

const noConfig = 2 // XMRig's exit status

// ending says how the miner's last process ended, when nobody stopped it.
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

// sample measures how many cores the process has in use. Its CPU time counts
// in hundredths of a second, too coarse for polls that follow each other at
// once.
func (w *Watch) sample(o Observation, p Policy) {
	r := &w.Run
	past := o.Since - r.Sampled
	switch {
	case o.CPUErr != nil:
		r.Sampled, r.Cores = 0, -1
	case r.Sampled == 0:
		r.CPU, r.Sampled = o.CPU, o.Since
	case past >= min(time.Second, p.Interval/2):
		r.Cores = float64(o.CPU-r.CPU) / float64(past)
		r.CPU, r.Sampled = o.CPU, o.Since
		w.Cores = max(w.Cores, r.Cores)
	}
}

// flat tells whether the process is known to do no work.
func (r *Run) flat() bool { return 0 <= r.Cores && r.Cores < idle }

// read tells what a poll shows, whatever was before. What keeps a miner from
// its work for a reason outside of it comes first.
func (r *Run) read(o Observation) Cause {
	s := o.Summary
	switch {
	case o.Foreign != nil:
		return CausePortTaken
	case s == nil && miner.Answered(o.APIErr):
		return CauseAPIGarbled
	case s == nil:
		return CauseAPIDead
	case !s.Connected():
		return CausePoolDown
	case s.Paused:
		return CausePaused
	case s.Rate() > 0 && o.Backends != nil && o.Backends.Standing() > 0:
		return CauseThreadDead
	case s.Rate() > 0:
		return CauseHealthy
	case !s.Job():
		return CauseNoJob
	case r.flat():
		return CauseWedged
	case s.Hashrate.Total[0] == nil:
		return CauseThreadDead // totals stay null until each thread has hashed
	}
	return CauseDataset
}

// hold counts for how long the same is read. A silence began when the answers
// did end, unless there was garbage before.
func (w *Watch) hold(reading Cause, step time.Duration) {
	r := &w.Run
	silent := func(c Cause) bool { return c == CauseAPIDead || c == CauseAPIGarbled }
	switch {
	case reading == r.Reading:
		r.Polls++
		r.Held += step
	case silent(reading) && !silent(r.Reading):
		r.Polls, r.Held, r.Worked = r.Missed, r.MissedFor, 0
	default:
		r.Polls, r.Held, r.Worked = 1, 0, 0
	}
	if r.Polls > 1 && w.Cores > 0 && r.Cores >= 0 {
		r.Worked += time.Duration(float64(step) * min(1, r.Cores/w.Cores))
	} else if r.Polls > 1 {
		r.Worked += step
	}
	r.Reading = reading
	if r.HashingFor += step; reading != CauseHealthy {
		r.HashingFor = 0
	}
}

// short prints a duration as a person writes it.
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

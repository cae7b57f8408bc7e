package health

import (
	"fmt"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/modules/agent"
)

// judge decides what a reading means that has held for a while.
func (w *Watch) judge(o Observation, p Policy, step time.Duration) Decision {
	r := &w.Run
	if r.Reading == CauseHealthy {
		return w.hashing(o, p, step)
	}
	d := Decision{State: agent.Unhealthy, Cause: r.Reading, Problem: problem(o)}
	if o.Summary != nil && o.Summary.Hashing() {
		d.State, d.Problem = agent.Running, ""
	}
	switch r.Reading {
	case CausePoolDown, CauseNoJob:
		d.Alert = r.Held >= p.PoolAlert
	case CausePaused:
		d.Alert = r.Held >= p.PauseLimit
		if r.Held >= p.PauseLimit && !w.Tried.Pause {
			w.restart(&d, o, p)
		}
	case CauseDataset:
		w.dataset(&d, o, p)
	case CauseWedged:
		if r.Polls >= p.WedgePolls && r.Held >= wedgeMin {
			w.restart(&d, o, p)
		}
	case CauseThreadDead:
		d.Problem = ""
		if r.Held > p.ThreadDead {
			d.Problem = "a thread stands still"
			w.restart(&d, o, p)
		} else {
			d.State = agent.Running
		}
	case CausePortTaken:
		d.Alert = true
		d.Evidence = "; " + o.Foreign.Remedy()
		d.Problem += d.Evidence
		w.Tried.API = false // now it is known why the last restart did not help
	case CauseAPIDead:
		w.silent(&d, o, p)
	case CauseAPIGarbled:
		d.Alert = r.Held >= p.APIDead
		if r.Cores >= idle {
			d.State, d.Problem = agent.Running, ""
		}
	}
	d.Evidence = evidence(o, r) + d.Evidence
	return d
}

// dataset is the verdict on a miner that has work and computes, but does not
// hash. How long a dataset takes is a matter of CPU time: on a machine that is
// busy with something else it may be hours.
func (w *Watch) dataset(d *Decision, o Observation, p Policy) {
	switch r := &w.Run; {
	case r.Worked >= p.hashless(w.Restarts):
		d.Cause = CauseHashless
		w.restart(d, o, p)
	case !r.Hashed && o.Unit.Age < p.StartGrace+p.DatasetGrace:
		d.State, d.Problem = agent.Starting, ""
	case r.Held < p.DatasetGrace:
		d.State, d.Problem = agent.Running, ""
	default:
		d.Alert = true
	}
}

// silent is the verdict on a miner whose API does not answer. XMRig never
// tries again to listen once that failed (XMRig source Api.cpp:124-131), but
// mines on, so that a restart can wait; and it helps once or not at all. One
// that had work and uses no CPU time may be frozen as a whole, but its pool
// may also have gone while the host was too busy to answer: it waits, too.
func (w *Watch) silent(d *Decision, o Observation, p Policy) {
	r := &w.Run
	if r.Held < p.APIDead {
		return
	}
	frozen := r.Working && r.flat()
	if frozen {
		d.Cause = CauseWedged
	}
	if d.Alert = true; r.Cores >= 0 && (frozen || !w.Tried.API) {
		w.restart(d, o, p)
	}
}

// restart asks for a restart unless the miner should not run or the last one
// was not long enough ago.
func (w *Watch) restart(d *Decision, o Observation, p Policy) {
	d.State, d.Alert = agent.Unhealthy, true
	if d.Problem == "" {
		d.Problem = problem(o)
	}
	wait := time.Duration(0)
	switch {
	case w.Asked != "":
		wait = w.AskedAt + p.BackoffStart - o.Since
	case w.Restarts > 0:
		wait = w.Acted + p.backoff(w.Restarts) - o.Since
	}
	switch {
	case !o.wanted():
		d.Evidence = "; not restarted: it is to be stopped"
	case wait > 0:
		d.Evidence = fmt.Sprintf("; restart %d not before %s from now", w.Restarts+1, short(wait))
	default:
		d.Action = Restart
	}
}

// hashing is the verdict on a miner that hashes with all threads.
func (w *Watch) hashing(o Observation, p Policy, step time.Duration) Decision {
	s, r := o.Summary, &w.Run
	d := Decision{State: agent.Running, Cause: CauseHealthy}
	bad := func(cause Cause, problem, evidence string) {
		d.State, d.Cause, d.Problem, d.Evidence = agent.Unhealthy, cause, problem, evidence
		d.Alert = true
	}
	if s.Algo != nil && *s.Algo != r.Algo {
		r.Algo, r.HashingFor = *s.Algo, 0
	}
	r.Shares.count(s, step)
	r.Rejects.count(s, p)
	usual := w.Baselines.learn(o, p, r.HashingFor)
	switch expected := r.Shares.expected(s.Donate); {
	case expected >= p.StaleAlertK && r.Shares.For >= p.StaleMin:
		bad(CauseStale, "hashes, but finds no share", r.Shares.evidence(s, expected))
		if expected >= p.StaleRestartK {
			text := d.Evidence
			w.restart(&d, o, p)
			d.Evidence = text + d.Evidence
		}
	case r.Rejects.Many:
		bad(CauseRejects, "pool "+s.Connection.Pool+": rejects shares", r.Rejects.evidence())
	case usual.degraded:
		bad(CauseDegraded, usual.problem, usual.evidence)
	case w.Last.Cause != CauseHealthy:
		d.Evidence = fmt.Sprintf("%.1f H/s, pool %s", s.Rate(), s.Connection.Pool)
	}
	return d
}

// problem is what is wrong with a miner that does not hash.
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

func starting(o Observation, cores float64) Decision {
	return Decision{State: agent.Starting, Cause: CauseStarting,
		Evidence: fmt.Sprintf("process %d is %s old%s", o.Unit.PID, short(o.Unit.Age), usage(cores))}
}

// evidence holds the figures of one poll and how long they are of that kind.
func evidence(o Observation, r *Run) string {
	polls := "1 poll"
	if r.Polls != 1 {
		polls = fmt.Sprintf("%d polls", r.Polls)
	}
	held := fmt.Sprintf("for %s in %s%s", short(r.Held), polls, usage(r.Cores))
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
	if s.Rate() > 0 && o.Backends != nil {
		rate += fmt.Sprintf(", %d of %d threads at 0", o.Backends.Standing(), len(o.Backends.Threads))
	}
	session := "not connected"
	if s.Connected() {
		session = "connected for " + short(time.Duration(s.Connection.UptimeMS)*time.Millisecond)
	}
	return fmt.Sprintf("%s %s; pool %s, %s", rate, held, s.Connection.Pool, session)
}

func usage(cores float64) string {
	if cores < 0 {
		return ", CPU time not known"
	}
	return fmt.Sprintf(", %.2f cores in use", cores)
}

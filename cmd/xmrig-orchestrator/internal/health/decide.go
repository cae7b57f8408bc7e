// Package health decides. From what the polls see of the miner it tells the
// miner's state, why it is in that state, and what is to be done; and what the
// host's row says of it. It may not look at a clock or do any I/O, so that each
// rule is a line in a table of tests, and years are simulated in a minute.
//
// XMRig reports 0 H/s for half a dozen reasons, and a restart cures one of
// them. So each rule asks for the evidence that tells its cause from the
// others: the connection, the current job, the process's CPU time.
//
// A rule has two halves. The reading of one poll is the cause that it shows
// (Run.read, reading.go); the verdict is what that cause means after it has held
// for a while (Watch.verdict, decide.go). Before both come the rules for a unit
// without a process, in the order of Watch.decide.
//
//   - observation.go: what is decided from
//   - policy.go: the thresholds
//   - decide.go: the rules
//   - reading.go: what one poll shows
//   - shares.go, baseline.go: what is counted and learned of a miner that hashes
//   - watch.go: what is remembered from poll to poll
//   - decision.go, evidence.go: what is decided, and in which words
//   - process.go: the host's row
//
// How to add a cause is in the package comment of daemon.
package health

import (
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
	"xmrfleet/cmd/xmrig-orchestrator/internal/systemd"
	"xmrfleet/modules/agent"
)

// wedgeMin is the least time without hashrate that counts as a wedge, however
// short the interval is: the hashrate is an average over 10 s.
const wedgeMin = 15 * time.Second

// Decide returns what follows from an Observation, and the Watch for the next
// one. Time is measured by the clock that counts from boot; the wall clock
// decides nothing.
func (w Watch) Decide(o Observation, p Policy) (Decision, Watch) {
	if o.BootID != w.BootID || o.Since < w.At {
		w = Watch{BootID: o.BootID, At: o.Since, Baselines: w.Baselines}
	}
	if o.UnitErr != nil {
		return w.withoutUnit(o), w
	}
	step := o.Since - w.At
	if step > p.gap() {
		step = 0
		w.Run.resetCounts()
	}
	w.follow(o, p)
	d := w.decide(o, p, step)
	w.keep(o, p, d, step)
	return d, w
}

// withoutUnit decides where systemd could not be asked. It never acts: the last
// decision stands, unless the API shows that the miner hashes.
func (w Watch) withoutUnit(o Observation) Decision {
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

// decide goes through the rules in their order: the circuit breaker, a unit
// without a process, a process that may need more time, and the verdict on what
// the polls read. Step is the time since the last poll, 0 after a gap.
func (w *Watch) decide(o Observation, p Policy, step time.Duration) Decision {
	w.Open = (w.Open || len(w.Crashes) > p.CrashLimit) && !p.Immediate
	if w.Open {
		return w.crashLoop(o.Unit, p)
	}
	if d, ok := withoutProcess(o.Unit); ok {
		return d
	}
	w.Run.countAnswer(o, step)
	w.sampleCPU(o, p)
	switch {
	case o.Foreign != nil: // which neither time nor a restart changes
	case !w.Run.Hashed && o.Unit.Age < p.StartGrace:
		w.Run.Reading = CauseStarting
		return starting(o, w.Run.Cores)
	case p.Immediate && zeroHashrate(o):
		return Decision{State: agent.Unhealthy, Cause: w.Run.read(o), Problem: problem(o),
			Evidence: "any error restarts", Action: Restart, Alert: true}
	case o.Summary == nil && w.Run.Answered && w.Run.Missed < p.WedgePolls:
		d := w.Last
		d.Evidence = o.APIErr.Error()
		return d
	}
	w.hold(w.Run.read(o), step)
	return w.verdict(o, p, step)
}

// zeroHashrate is the specification's test of whether to restart.
func zeroHashrate(o Observation) bool {
	if o.Summary == nil {
		return !miner.Answered(o.APIErr)
	}
	rate := o.Summary.Hashrate.Total[0]
	return rate != nil && *rate == 0
}

// crashLoop decides while the circuit breaker is open: the unit is stopped, once.
func (w *Watch) crashLoop(u systemd.Unit, p Policy) Decision {
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

// withoutProcess decides where the unit's state says all: it has no process, or
// one that is only coming or going. Otherwise ok is false.
func withoutProcess(u systemd.Unit) (d Decision, ok bool) {
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

// verdict decides by what the polls read, and for how long they have read the
// same. A cause that is not named here makes the miner unhealthy, unless it has
// hashed within the last minute, and nothing is done about it.
func (w *Watch) verdict(o Observation, p Policy, step time.Duration) Decision {
	r := &w.Run
	if r.Reading == CauseHealthy {
		return w.hashingVerdict(o, p, step)
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
			w.askRestart(&d, o, p)
		}
	case CauseDataset:
		w.datasetVerdict(&d, o, p)
	case CauseWedged:
		if r.Polls >= p.WedgePolls && r.Held >= wedgeMin {
			w.askRestart(&d, o, p)
		}
	case CauseThreadDead:
		d.Problem = ""
		if r.Held > p.ThreadDead {
			d.Problem = "a thread stands still"
			w.askRestart(&d, o, p)
		} else {
			d.State = agent.Running
		}
	case CausePortTaken:
		d.Alert = true
		d.Evidence = "; " + o.Foreign.Remedy()
		d.Problem += d.Evidence
		// The foreign process may be why the last restart did not help.
		// When it is gone, another one may.
		w.Tried.API = false
	case CauseAPIDead:
		w.silenceVerdict(&d, o, p)
	case CauseAPIGarbled:
		d.Alert = r.Held >= p.APIDead
		if r.Cores >= idleCores {
			d.State, d.Problem = agent.Running, ""
		}
	}
	d.Evidence = evidence(o, r) + d.Evidence
	return d
}

// datasetVerdict is for a miner that has work and computes, but does not hash. How
// long a dataset takes is a matter of CPU time: on a machine that is busy with
// something else it may be hours.
func (w *Watch) datasetVerdict(d *Decision, o Observation, p Policy) {
	switch r := &w.Run; {
	case r.Worked >= p.hashless(w.Restarts):
		d.Cause = CauseHashless
		w.askRestart(d, o, p)
	case !r.Hashed && o.Unit.Age < p.StartGrace+p.DatasetGrace:
		d.State, d.Problem = agent.Starting, ""
	case r.Held < p.DatasetGrace:
		d.State, d.Problem = agent.Running, ""
	default:
		d.Alert = true
	}
}

// silenceVerdict is for a miner whose API does not answer. XMRig never tries
// again to listen once that failed (XMRig source Api.cpp:124-131), but mines on.
// So a restart can wait, and there is only one: if it does not help, no other
// will. A miner that had work and uses no CPU time may be frozen as a whole, or
// its pool may have gone while the host was too busy to answer. It is restarted
// as often as that is so, but waits as long.
func (w *Watch) silenceVerdict(d *Decision, o Observation, p Policy) {
	r := &w.Run
	if r.Held < p.APIDead {
		return
	}
	frozen := r.Working && r.idle()
	if frozen {
		d.Cause = CauseWedged
	}
	if d.Alert = true; r.Cores >= 0 && (frozen || !w.Tried.API) {
		w.askRestart(d, o, p)
	}
}

// askRestart asks for a restart, unless the miner is not wanted or the last
// restart is too recent: the evidence then ends with why.
func (w *Watch) askRestart(d *Decision, o Observation, p Policy) {
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
	case o.Desired == agent.Stopped:
		d.Evidence += "; not restarted: it is to be stopped"
	case wait > 0:
		d.Evidence += fmt.Sprintf("; restart %d not before %s from now", w.Restarts+1, short(wait))
	default:
		d.Action = Restart
	}
}

// hashingVerdict is for a miner that hashes with all threads. It may still find
// no shares, have them rejected, or be slower than usual.
func (w *Watch) hashingVerdict(o Observation, p Policy, step time.Duration) Decision {
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
			w.askRestart(&d, o, p)
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

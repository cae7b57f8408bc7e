package health

import (
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/miner"
)

// idleCores is the number of cores in use below which a process does no work:
// XMRig's own timers need far less, and a dataset far more, even on a machine
// that is busy with something else.
const idleCores = 0.05

// countAnswer counts the polls to which the API has not answered, and notes what
// an answer says of the miner's work.
func (r *Run) countAnswer(o Observation, step time.Duration) {
	if r.Missed++; o.Summary != nil {
		r.Missed, r.MissedFor = 0, 0
		r.Answered = true
		r.Working = o.Summary.Connected() && !o.Summary.Paused && o.Summary.Job()
		r.Hashed = r.Hashed || o.Summary.Rate() > 0
	} else {
		r.MissedFor += step
		r.Working = r.Working && !miner.Answered(o.APIErr)
	}
}

// sampleCPU measures how many cores the process has in use. It waits for some
// time to pass between two samples, because CPU time counts in hundredths of a
// second and polls may follow each other at once.
func (w *Watch) sampleCPU(o Observation, p Policy) {
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

// idle tells whether the process is known to do no work.
func (r *Run) idle() bool { return 0 <= r.Cores && r.Cores < idleCores }

// read returns the cause that one poll shows, whatever came before. The order
// matters: what keeps a miner from its work and lies outside of it comes first.
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
	case r.idle():
		return CauseWedged
	case s.Hashrate.Total[0] == nil:
		return CauseThreadDead // totals stay null until each thread has hashed
	}
	return CauseDataset
}

// hold counts for how long the polls have read the same. Where the API falls
// silent, the polls that it missed count as well: the decision waited for
// WedgePolls of them.
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

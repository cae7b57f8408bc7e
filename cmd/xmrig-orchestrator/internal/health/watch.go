package health

import (
	"slices"
	"time"

	"xmrfleet/modules/agent"
)

// A Watch is what Decide remembers of the miner between polls; the zero Watch
// remembers nothing. It is a value: a copy does not change with the original.
//
// It is stored as JSON, so that a restarted agent goes on where the one before
// it was. A renamed field is forgotten by it. After a reboot, only Baselines
// are kept.
type Watch struct {
	BootID string
	At     time.Duration // of the last poll, since boot
	Last   Decision

	Run Run // of the miner's process

	Crashes []time.Duration // restarts by systemd, since boot
	Open    bool            // the circuit breaker: the unit is to be stopped
	Halted  bool            // Open, and the unit has stopped

	Asked    Cause // of the restart that was asked for and has not happened yet
	AskedAt  time.Duration
	Restarts int           // that were asked for and happened, without a long health between them
	Acted    time.Duration // when the last of them happened
	Tried    Attempts

	Cores     float64 // the most that the miner ever had in use
	Baselines Baselines
}

// Attempts are the causes for which one restart was made. If the first does not
// help, no other will.
type Attempts struct{ Pause, API bool }

// A Run is what is remembered of one process of the miner. Durations are counted
// from poll to poll, and begin again after a gap.
type Run struct {
	PID      int
	Started  int64 // Unix time, from systemd
	Restarts int   // NRestarts of its unit

	Hashed   bool // it has had a hashrate
	Answered bool // its API has answered
	Working  bool // as of its last answer: connected, with a job, not paused

	CPU     time.Duration // time used, at the last sample
	Sampled time.Duration // when that was; 0: CPU is not known
	Cores   float64       // in use between the last two samples; -1: not known
	Worked  time.Duration // Held, weighted by the share of Watch.Cores in use

	Missed    int // polls in a row without a summary
	MissedFor time.Duration

	Reading Cause         // what the last poll showed: see read
	Polls   int           // in a row that showed it
	Held    time.Duration // between the first and the last of them

	Algo       string // that it hashes with
	HashingFor time.Duration
	HealthyFor time.Duration

	Shares  Shares
	Rejects Rejects
}

// resetCounts begins again with all that is counted from poll to poll.
func (r *Run) resetCounts() {
	r.Sampled, r.Cores = 0, -1
	r.Missed, r.MissedFor = 0, 0
	r.Reading, r.Polls, r.Held, r.Worked = "", 0, 0, 0
	r.HashingFor, r.HealthyFor = 0, 0
}

// follow counts the unit's crashes, closes the circuit breaker when somebody has
// started the unit, and begins a new Run with each new process.
func (w *Watch) follow(o Observation, p Policy) {
	u := o.Unit
	if w.Last.State == "" {
		w.Run.Restarts = u.Restarts
	}
	if u.Restarts < w.Run.Restarts { // systemd counts anew: a start by hand
		w.closeBreaker()
		w.Run.Restarts = 0
	}
	w.countCrashes(u.Restarts-w.Run.Restarts, o.Since, p)
	w.Run.Restarts = u.Restarts

	switch {
	case u.PID == 0:
		w.Halted = w.Open && (u.Active == "inactive" || u.Active == "failed")
	case w.Halted:
		w.closeBreaker()
	}
	if w.Run.PID == u.PID && w.Run.Started == u.Started.Unix() {
		return
	}
	if w.Asked != "" && u.PID != 0 {
		w.Restarts++
		w.Acted = o.Since
		w.Tried.Pause = w.Tried.Pause || w.Asked == CausePaused
		w.Tried.API = w.Tried.API || w.Asked == CauseAPIDead
		w.Asked = ""
	}
	w.Run = Run{PID: u.PID, Started: u.Started.Unix(), Restarts: u.Restarts, Cores: -1}
}

// countCrashes adds n restarts by systemd, evenly spread over the time since the
// last poll, and forgets those that are older than the window.
func (w *Watch) countCrashes(n int, now time.Duration, p Policy) {
	if n == 0 && len(w.Crashes) == 0 {
		return
	}
	var recent []time.Duration
	for i := max(0, n-p.CrashLimit-1); i < n; i++ {
		recent = append(recent, w.At+(now-w.At)*time.Duration(i+1)/time.Duration(n))
	}
	recent = append(slices.Clone(w.Crashes), recent...)
	recent = recent[max(0, len(recent)-p.CrashLimit-1):]
	w.Crashes = slices.DeleteFunc(recent, func(at time.Duration) bool { return now-at > p.CrashWindow })
}

func (w *Watch) closeBreaker() { w.Open, w.Halted, w.Crashes = false, false, nil }

// keep keeps a decision for the next poll. It forgets earlier restarts once the
// miner has been healthy for long.
func (w *Watch) keep(o Observation, p Policy, d Decision, step time.Duration) {
	r := &w.Run
	w.At, w.Last = o.Since, d
	w.Last.Action = None
	switch {
	case d.Cause == CauseHealthy && r.Missed == 0:
		r.HealthyFor += step
	case d.Cause != CauseHealthy:
		r.HealthyFor = 0
	}
	if r.HealthyFor >= p.BackoffReset {
		w.Restarts, w.Asked, w.Tried = 0, "", Attempts{}
	}
	if d.Action == Restart {
		w.Asked, w.AskedAt = d.Cause, o.Since
	}
	if d.State == agent.Stopped {
		w.Asked = ""
	}
}

package health

import (
	"slices"
	"time"

	"xmrfleet/modules/agent"
)

// A Watch is what is remembered of the miner between polls. Its zero value
// remembers nothing. It is a value: a copy does not change with the original.
// Stored as JSON, it lets a restarted agent go on where it was; after a
// reboot, only what was learned of the hashrate is left of it.
type Watch struct {
	BootID string
	At     time.Duration // of the last poll, since boot
	Last   Decision

	Run Run // of the miner's process

	Crashes []time.Duration // restarts by systemd, since boot
	Open    bool            // the circuit breaker has stopped the unit
	Halted  bool            // and it did stop

	Asked    Cause // why a restart is asked for that has not happened yet
	AskedAt  time.Duration
	Restarts int           // that were asked for and happened, in a row
	Acted    time.Duration // the last of them
	Tried    Tried

	Cores     float64 // the most that the miner had in use
	Baselines Baselines
}

// Tried are the causes that one restart cures or none does.
type Tried struct{ Pause, API bool }

// A Run is what is remembered of one process. Durations are of polls that
// followed each other without a gap.
type Run struct {
	PID      int
	Started  int64 // Unix time that systemd noted
	Restarts int   // NRestarts of its unit

	Hashed   bool // it had a hashrate once
	Answered bool // its API answered once
	Working  bool // as of its last answer: connected, with a job, not paused

	CPU     time.Duration // used when it was sampled
	Sampled time.Duration // since boot; 0: CPU is not known
	Cores   float64       // in use before that; -1: not known
	Worked  time.Duration // at full use, as long as it reads the same

	Missed    int // polls in a row without a summary
	MissedFor time.Duration

	Reading Cause // what the last poll showed
	Polls   int   // in a row that showed it
	Held    time.Duration

	Algo       string // that it hashes
	HashingFor time.Duration
	HealthyFor time.Duration

	Shares  Shares
	Rejects Rejects
}

// Decide tells what a poll comes to, and what is to be remembered of it. Only
// the clock that counts from boot has a say.
func (w Watch) Decide(o Observation, p Policy) (Decision, Watch) {
	if o.BootID != w.BootID || o.Since < w.At {
		w = Watch{BootID: o.BootID, At: o.Since, Baselines: w.Baselines}
	}
	if o.UnitErr != nil {
		return w.guess(o), w
	}
	step := o.Since - w.At
	if step > p.gap() {
		step = 0
		w.Run.lapse()
	}
	w.follow(o, p)
	d := w.decide(o, p, step)
	w.remember(o, p, d, step)
	return d, w
}

// lapse forgets what was counted in polls that followed each other.
func (r *Run) lapse() {
	r.Sampled, r.Cores = 0, -1
	r.Missed, r.MissedFor = 0, 0
	r.Reading, r.Polls, r.Held, r.Worked = "", 0, 0, 0
	r.HashingFor, r.HealthyFor = 0, 0
}

// follow takes over which process the unit runs, and counts its crashes.
func (w *Watch) follow(o Observation, p Policy) {
	u := o.Unit
	if w.Last.State == "" {
		w.Run.Restarts = u.Restarts
	}
	if u.Restarts < w.Run.Restarts { // systemd counts anew: a start by hand
		w.close()
		w.Run.Restarts = 0
	}
	w.crash(u.Restarts-w.Run.Restarts, o.Since, p)
	w.Run.Restarts = u.Restarts

	switch {
	case u.PID == 0:
		w.Halted = w.Open && (u.Active == "inactive" || u.Active == "failed")
	case w.Halted:
		w.close()
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

// crash notes n restarts since the last poll, spread evenly, and forgets those
// that are older than the window.
func (w *Watch) crash(n int, now time.Duration, p Policy) {
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

// close closes the circuit breaker.
func (w *Watch) close() { w.Open, w.Halted, w.Crashes = false, false, nil }

// remember keeps a decision, and forgets earlier restarts after a long health.
func (w *Watch) remember(o Observation, p Policy, d Decision, step time.Duration) {
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
		w.Restarts, w.Asked, w.Tried = 0, "", Tried{}
	}
	if d.Action == Restart {
		w.Asked, w.AskedAt = d.Cause, o.Since
	}
	if d.State == agent.Stopped {
		w.Asked = ""
	}
}

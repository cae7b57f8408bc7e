package health

import (
	"time"

	"xmrfleet/modules/agent"
)

// A Policy holds the thresholds. Their names are those of the settings file, in
// Go's spelling.
type Policy struct {
	// Immediate is the specification's rule: a hashrate of zero and a request
	// without an answer restart the miner at once, without back-off or circuit
	// breaker. StartGrace holds all the same, or no start would ever end.
	Immediate bool

	Interval time.Duration // between two polls

	StartGrace   time.Duration // in which a new process need not hash
	PauseLimit   time.Duration // until a pause is ended by a restart
	PoolAlert    time.Duration // until a pool that is down is reported
	DatasetGrace time.Duration // for a rebuild of the dataset
	APIDead      time.Duration // until a silent API is worth a restart
	WedgePolls   int           // polls without hashrate and CPU time
	ThreadDead   time.Duration // that one thread may stand still

	StaleAlertK   float64 // shares expected since the last one
	StaleRestartK float64
	StaleMin      time.Duration // since the last share, in any case

	RejectRatio   float64 // of the last RejectWindow shares
	RejectWindow  int
	DegradedRatio float64 // of the host's own usual hashrate

	BackoffStart time.Duration // between the first restart and the second
	BackoffLimit time.Duration
	BackoffReset time.Duration // of health, after which earlier restarts are forgotten

	CrashLimit  int // more crashes within CrashWindow are a crash loop
	CrashWindow time.Duration
}

// NewPolicy returns the policy that settings ask for, with defaults for the rest.
// Unknown thresholds are ignored, because xmrfleet may be newer than the agent.
func NewPolicy(s agent.Settings) Policy {
	seconds := func(name string, d time.Duration) time.Duration {
		if v, ok := s.Thresholds[name]; ok {
			return time.Duration(v * float64(time.Second))
		}
		return d
	}
	number := func(name string, n float64) float64 {
		if v, ok := s.Thresholds[name]; ok {
			return v
		}
		return n
	}
	interval := time.Duration(s.Interval)
	if interval <= 0 {
		interval = 10 * time.Second
	}
	return Policy{
		Immediate:     s.RestartPolicy == "immediate",
		Interval:      interval,
		StartGrace:    seconds("start_grace", 120*time.Second),
		PauseLimit:    seconds("pause_limit", 60*time.Second),
		PoolAlert:     seconds("pool_alert", 120*time.Second),
		DatasetGrace:  seconds("dataset_grace", 90*time.Second),
		APIDead:       seconds("api_dead", 5*time.Minute),
		WedgePolls:    int(number("wedge_polls", 3)),
		ThreadDead:    seconds("thread_dead", 120*time.Second),
		StaleAlertK:   number("stale_alert_k", 14),   // p = 8e-7
		StaleRestartK: number("stale_restart_k", 21), // p = 8e-10
		StaleMin:      seconds("stale_min", 10*time.Minute),
		RejectRatio:   number("reject_ratio", 0.2),
		RejectWindow:  int(number("reject_window", 50)),
		DegradedRatio: number("degraded_ratio", 0.85),
		BackoffStart:  seconds("backoff_start", 60*time.Second),
		BackoffLimit:  seconds("backoff_limit", 30*time.Minute),
		BackoffReset:  seconds("backoff_reset", 30*time.Minute),
		CrashLimit:    int(number("crash_limit", 5)),
		CrashWindow:   seconds("crash_window", 10*time.Minute),
	}
}

// gap is the longest time between two polls that follow each other. After a
// longer one, nothing is known of the time between: the agent did not run, or
// the machine was suspended.
func (p Policy) gap() time.Duration { return max(5*p.Interval, 30*time.Second) }

// backoff is the wait after the nth restart in a row: it doubles, up to a limit.
func (p Policy) backoff(n int) time.Duration {
	wait := p.BackoffStart
	for ; n > 1 && wait < p.BackoffLimit; n-- {
		wait *= 2
	}
	return min(wait, p.BackoffLimit)
}

// hashless is how long a miner with work may compute without any hash, in time at
// full use. The slowest hosts need minutes for a dataset, and a restart begins
// it again; so the time doubles with each restart that did not help.
func (p Policy) hashless(restarts int) time.Duration {
	return 10 * p.DatasetGrace << min(restarts, 6)
}

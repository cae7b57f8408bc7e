package health

import (
	"slices"
	"time"

	"xmrfleet/modules/agent"
)

// A Policy holds the thresholds. Their names are those of agent.Thresholds, in
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

// NewPolicy returns the policy that settings ask for, with the defaults of
// agent.Thresholds for the rest. Unknown thresholds are ignored, because xmrfleet
// may be newer than the agent.
func NewPolicy(s agent.Settings) Policy {
	number := func(name string) float64 {
		if v, ok := s.Thresholds[name]; ok {
			return v
		}
		i := slices.IndexFunc(agent.Thresholds, func(t agent.Threshold) bool { return t.Name == name })
		return agent.Thresholds[i].Default
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name) * float64(time.Second)) }
	interval := time.Duration(s.Interval)
	if interval <= 0 {
		interval = 10 * time.Second
	}
	return Policy{
		Immediate:     s.RestartPolicy == "immediate",
		Interval:      interval,
		StartGrace:    seconds("start_grace"),
		PauseLimit:    seconds("pause_limit"),
		PoolAlert:     seconds("pool_alert"),
		DatasetGrace:  seconds("dataset_grace"),
		APIDead:       seconds("api_dead"),
		WedgePolls:    int(number("wedge_polls")),
		ThreadDead:    seconds("thread_dead"),
		StaleAlertK:   number("stale_alert_k"),
		StaleRestartK: number("stale_restart_k"),
		StaleMin:      seconds("stale_min"),
		RejectRatio:   number("reject_ratio"),
		RejectWindow:  int(number("reject_window")),
		DegradedRatio: number("degraded_ratio"),
		BackoffStart:  seconds("backoff_start"),
		BackoffLimit:  seconds("backoff_limit"),
		BackoffReset:  seconds("backoff_reset"),
		CrashLimit:    int(number("crash_limit")),
		CrashWindow:   seconds("crash_window"),
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

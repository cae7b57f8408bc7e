package agent

import (
	"strconv"
	"time"
)

// A Threshold is a figure that the agent decides with, for people: fleet.hcl may
// set it by its name in the block agent.
type Threshold struct {
	Name    string
	Default float64
	Unit    string // "s" for a duration; "" for a number
	Meaning string // in a few words, without a full stop
}

// String is the default as fleet.hcl would have it: "2m0s" or "0.85".
func (t Threshold) String() string {
	if t.Unit == "s" {
		return time.Duration(t.Default * float64(time.Second)).String()
	}
	return strconv.FormatFloat(t.Default, 'f', -1, 64)
}

// Thresholds are all that there are. Settings.Thresholds replaces their
// defaults.
var Thresholds = []Threshold{
	{"start_grace", 120, "s", "how long a new process need not show a hashrate"},
	{"pause_limit", 60, "s", "how long the miner may be paused (by battery, a user's activity or its API) before it is restarted"},
	{"pool_alert", 120, "s", "how long the pool may be away, or send no job, before that is reported"},
	{"dataset_grace", 90, "s", "how long a rebuild of the dataset may show no hashrate"},
	{"api_dead", 300, "s", "how long the API may be silent before that is reported, and the miner restarted once"},
	{"wedge_polls", 3, "", "how many polls in a row without hashrate and CPU time restart the miner"},
	{"thread_dead", 120, "s", "how long one thread may stand still before the miner is restarted"},
	{"stale_alert_k", 14, "", "how many shares have to be expected since the last one before that is reported: by chance once in 1.2 million"},
	{"stale_restart_k", 21, "", "how many before the miner is restarted: by chance once in 1.3 billion"},
	{"stale_min", 600, "s", "how long ago the last share has to be, for both"},
	{"reject_ratio", 0.2, "", "which part of the last reject_window shares the pool may reject before that is reported"},
	{"reject_window", 50, "", "over how many shares rejects are counted"},
	{"degraded_ratio", 0.85, "", "below which part of its own usual hashrate a host is reported"},
	{"backoff_start", 60, "s", "how long the second restart in a row waits; each further one waits twice as long"},
	{"backoff_limit", 1800, "s", "how long a restart waits at most"},
	{"backoff_reset", 1800, "s", "how long the miner has to be healthy before earlier restarts are forgotten"},
	{"crash_limit", 5, "", "how many crashes within crash_window are allowed before the unit is stopped until somebody starts it"},
	{"crash_window", 600, "s", "over how long crashes are counted"},
}

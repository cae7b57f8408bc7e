package hcl

import (
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// A threshold is a figure that the health agent decides with. What is not set
// is left to the agent.
type threshold struct {
	name      string
	duration  bool // written as "90s", passed on in seconds
	whole     bool
	low, high float64
}

// thresholds are the agent's, by the names that its settings file uses.
var thresholds = []threshold{
	// How long after its start a miner may show no hashrate.
	{name: "start_grace", duration: true, low: 1, high: 86400},
	// How long a miner may be paused, though it should run.
	{name: "pause_limit", duration: true, low: 1, high: 86400},
	// How long the pool may be away before that is reported.
	{name: "pool_alert", duration: true, low: 1, high: 86400},
	// How long a rebuild of the dataset may show no hashrate.
	{name: "dataset_grace", duration: true, low: 1, high: 86400},
	// How long the API of a miner that computes may be silent.
	{name: "api_dead", duration: true, low: 1, high: 86400},
	// How many polls in a row without hashrate and CPU time make a wedge.
	{name: "wedge_polls", whole: true, low: 1, high: 1000},
	// How long one thread may stand still while others work.
	{name: "thread_dead", duration: true, low: 1, high: 86400},
	// How many expected share times without a share are reported, how many
	// restart, and the least time for both.
	{name: "stale_alert_k", low: 1, high: 1000},
	{name: "stale_restart_k", low: 1, high: 1000},
	{name: "stale_min", duration: true, low: 1, high: 86400},
	// The share of rejects among the last reject_window that is reported.
	{name: "reject_ratio", low: 0, high: 1},
	{name: "reject_window", whole: true, low: 1, high: 100000},
	// The part of its own usual hashrate below which a host is degraded.
	{name: "degraded_ratio", low: 0, high: 1},
	// The wait before a second restart, which doubles up to the limit, and
	// the healthy time that forgets it.
	{name: "backoff_start", duration: true, low: 1, high: 86400},
	{name: "backoff_limit", duration: true, low: 1, high: 86400},
	{name: "backoff_reset", duration: true, low: 1, high: 86400},
	// More crashes than this within crash_window stop the unit for good.
	{name: "crash_limit", whole: true, low: 1, high: 1000},
	{name: "crash_window", duration: true, low: 1, high: 86400},
}

func thresholdAttributes() []attribute {
	var out []attribute
	for _, t := range thresholds {
		a := attribute{name: t.name, typ: cty.Number, check: t.check}
		if t.duration {
			a.typ = cty.String
		}
		out = append(out, a)
	}
	return out
}

// number is the value in seconds or as it is.
func (t threshold) number(v cty.Value) float64 {
	if t.duration {
		d, _ := time.ParseDuration(v.AsString())
		return d.Seconds()
	}
	n, _ := v.AsBigFloat().Float64()
	return n
}

func (t threshold) check(v cty.Value) string {
	if t.duration {
		if d, err := time.ParseDuration(v.AsString()); err != nil || d.Seconds() < t.low || d.Seconds() > t.high {
			return `must be a duration from "1s" to "24h"`
		}
		return ""
	}
	if t.whole {
		return wholeNumber(int64(t.low), int64(t.high))(v)
	}
	if n := t.number(v); n < t.low || n > t.high {
		return fmt.Sprintf("must be a number from %v to %v", t.low, t.high)
	}
	return ""
}

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

// thresholds are the agent's: what they mean and their defaults stand in
// agent.Thresholds.
var thresholds = []threshold{
	{name: "start_grace", duration: true, low: 1, high: 86400},
	{name: "pause_limit", duration: true, low: 1, high: 86400},
	{name: "pool_alert", duration: true, low: 1, high: 86400},
	{name: "dataset_grace", duration: true, low: 1, high: 86400},
	{name: "api_dead", duration: true, low: 1, high: 86400},
	{name: "wedge_polls", whole: true, low: 1, high: 1000},
	{name: "thread_dead", duration: true, low: 1, high: 86400},
	{name: "stale_alert_k", low: 1, high: 1000},
	{name: "stale_restart_k", low: 1, high: 1000},
	{name: "stale_min", duration: true, low: 1, high: 86400},
	{name: "reject_ratio", low: 0, high: 1},
	{name: "reject_window", whole: true, low: 1, high: 100000},
	{name: "degraded_ratio", low: 0, high: 1},
	{name: "backoff_start", duration: true, low: 1, high: 86400},
	{name: "backoff_limit", duration: true, low: 1, high: 86400},
	{name: "backoff_reset", duration: true, low: 1, high: 86400},
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

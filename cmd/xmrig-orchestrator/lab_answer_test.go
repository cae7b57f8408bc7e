//go:build lab

package main

import (
	"testing"
)

// A miner whose API gives answers of no use, but which computes, is left alone,
// however long. One whose API gives none is restarted once.
func TestLabAnswers(t *testing.T) {
	r := newRig(t, "")
	r.caused("running", "healthy")
	for _, api := range []string{"garbage", "truncate", "header", "endless", "other"} {
		r.control("busy=0.2 api=" + api)
		r.caused("running", "api-garbled")
		r.polls(3) // all of them longer than api_dead
	}
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if got := r.commands(); got != "" {
		t.Errorf("commands: %s", got)
	}
	for restarts, api := range []string{"close", "hang"} {
		r.control("busy=0.2 api=" + api)
		r.caused("unhealthy", "api-dead")
		r.restarted(restarts + 1)
		r.recalled("Restarts", "0", "Tried.API", "json('false')") // after half an hour of health
		r.control("busy=0.2")
		r.caused("running", "healthy")
	}
	if kB := r.resident(); kB > 10_000_000/1024 {
		t.Errorf("VmRSS is %d kB", kB)
	}
}

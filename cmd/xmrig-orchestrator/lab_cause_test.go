//go:build lab

package main

import (
	"strings"
	"testing"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// restarted waits for the agent's nth restart, and returns the row.
func (r *rig) restarted(n int) health.Process {
	r.t.Helper()
	return r.await("restart", func(p health.Process) bool { return p.Restarts == n })
}

// recalled has the agent go on with another memory, as if more time had
// passed: each pair is a path below the watch and an SQL expression for it.
func (r *rig) recalled(pairs ...string) {
	r.t.Helper()
	var set strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		set.WriteString(", '$.Watch." + pairs[i] + "', " + pairs[i+1])
	}
	r.sh(`systemctl stop xmrig-orchestrator`)
	r.sqlite(`UPDATE agent_memory SET memory = json_set(memory` + set.String() + `)`)
	r.sh(`systemctl start xmrig-orchestrator`)
}

// A miner that stays paused is restarted, but only once: whatever pauses it is
// still there. A pause that ends in time is left alone.
func TestLabPaused(t *testing.T) {
	r := newRig(t, "", `pause_limit = "1h"`)
	const hour = "3600000000000"
	r.control("busy=0.2 state=paused")
	r.caused("unhealthy", "paused")
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if p := r.row(); p.Restarts != 0 {
		t.Errorf("after a short pause: %+v", p)
	}

	r.control("busy=0.2 state=paused")
	r.caused("unhealthy", "paused")
	r.recalled("Run.Held", hour)
	p := r.restarted(1)
	if !strings.HasPrefix(p.LastError, "paused") {
		t.Errorf("last error is %q", p.LastError)
	}
	r.state("starting")
	r.caused("unhealthy", "paused")
	r.recalled("Run.Held", hour)
	r.polls(7) // longer than backoff_start
	if got := r.commands(); got != "restart|completed|xmrig-orchestrator: paused\n" {
		t.Errorf("commands: %s", got)
	}
	r.control("busy=0.2")
	r.caused("running", "healthy")
}

// One thread that stands still costs a restart, though the others hash. Shares
// that the pool rejects do not.
func TestLabThreadDeadAndRejects(t *testing.T) {
	r := newRig(t, "", "reject_window = 10")
	r.control("busy=0.2 threads=4 share-every=2s state=rejects")
	r.caused("unhealthy", "rejects")
	if p := r.row(); p.Restarts != 0 || !strings.Contains(p.LastError, "rejects shares") {
		t.Errorf("rejects: %+v", p)
	}
	r.polls(4)
	r.control("busy=0.2 threads=4 share-every=2s")
	r.caused("running", "healthy")

	r.healedByRestart("busy=0.2 threads=4")
	r.control("busy=0.2 threads=4 state=thread-dead")
	r.caused("running", "thread-dead")
	p := r.restarted(1)
	if !strings.HasPrefix(p.LastError, "a thread stands still") {
		t.Errorf("last error is %q", p.LastError)
	}
	r.caused("running", "healthy")
	if got := r.commands(); got != "restart|completed|xmrig-orchestrator: thread-dead\n" {
		t.Errorf("commands: %s", got)
	}
}

// A miner that hashes but finds no share is reported first, and restarted when
// chance is out of the question. One that is slower than it used to be is only
// reported. Both take many minutes, most of which the agent only recalls.
func TestLabStaleAndDegraded(t *testing.T) {
	r := newRig(t, "", `stale_min = "2s"`, "stale_alert_k = 4", "stale_restart_k = 12")
	const quick = "busy=0.2 share-every=1s speed=400"
	r.control(quick)
	r.until(`curl -sf http://127.0.0.1:8080/2/summary | tr -d '\n ' | grep -q '"total":\[[0-9.]*,[0-9.]*,[0-9]'`) // there is a rate of 15 minutes
	r.recalled("Run.HashingFor", "1800000000000")
	r.until(`xmrig-orchestrator status --json | grep -F '"cause":"healthy"'`)
	r.polls(3)
	r.control(quick + " state=degraded")
	r.caused("unhealthy", "degraded")
	if p := r.row(); !strings.Contains(p.LastError, "hashrate below this host's own") {
		t.Errorf("degraded: %+v", p)
	}
	r.polls(4)
	r.control(quick)
	r.caused("running", "healthy")
	if got := r.commands(); got != "" {
		t.Errorf("commands: %s", got)
	}

	r.control("busy=0.2 share-every=1s state=stale")
	r.polls(3)
	// XMRig's developers get a minute in a hundred, which may be this one.
	r.recalled("Run.Shares.Expected", "60 * json_extract(memory, '$.Watch.Run.Shares.Peak')")
	r.caused("unhealthy", "stale")
	if p := r.row(); p.Restarts != 0 || !strings.Contains(p.LastError, "hashes, but finds no share") {
		t.Errorf("stale: %+v", p)
	}
	r.restarted(1)
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if got := r.commands(); got != "restart|completed|xmrig-orchestrator: stale\n" {
		t.Errorf("commands: %s", got)
	}
}

//go:build lab

package main

import (
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// A host whose cable is pulled loses its pool. The agent needs no network to
// see that, goes on with its polls, and does nothing, since no restart helps.
func TestLabLinkCut(t *testing.T) {
	r := newRig(t, "")
	healthy := r.state("running")
	host := r.lab.Host(name)
	if err := host.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.control("busy=0.2 state=pool-down")
	r.caused("unhealthy", "pool-down")
	var polls int
	last := r.row().CheckedAt
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		p := r.row()
		if p.PID != healthy.PID || p.Restarts != 0 {
			t.Fatalf("without a link: %+v\n%s", p, r.story())
		}
		if p.CheckedAt.After(last) {
			polls, last = polls+1, p.CheckedAt
		}
	}
	t.Logf("%d polls in 15 s without a link", polls)
	if polls < 5 {
		t.Errorf("%d polls in 15 s, about one a second wanted", polls)
	}
	r.caused("unhealthy", "pool-down")
	if err := host.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.control("busy=0.2")
	r.await("healthy again", func(p health.Process) bool { return p.State == "running" && p.CheckedAt.After(last) })
	r.caused("running", "healthy")
	if p := r.row(); p.PID != healthy.PID || p.Restarts != 0 {
		t.Errorf("after the link is back: %+v", p)
	}
	if got := r.commands(); got != "" {
		t.Errorf("commands: %s", got)
	}
}

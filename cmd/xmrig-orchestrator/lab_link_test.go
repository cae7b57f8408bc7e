//go:build lab

package main

import (
	"testing"
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
	r.polls(10)
	r.caused("unhealthy", "pool-down")
	if err := host.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.control("busy=0.2")
	r.caused("running", "healthy")
	if p := r.row(); p.PID != healthy.PID || p.Restarts != 0 {
		t.Errorf("after the link is back: %+v", p)
	}
	if got := r.commands(); got != "" {
		t.Errorf("commands: %s", got)
	}
}

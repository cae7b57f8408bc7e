//go:build lab

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/cmd/xmrig-orchestrator/internal/health"
)

// A shared database whose directory is made after the agent's start, and made
// anew later, is picked up all the same, and the miner is looked after
// meanwhile.
func TestLabDirectoryMadeLate(t *testing.T) {
	const path = "/srv/rails/production.sqlite3"
	r := newRig(t, "")
	r.path = path
	r.describe(`database = "`+path+`"`, "")
	r.applyUnverified("no such file or directory")
	pid := strings.TrimSpace(r.sh(`systemctl show -p MainPID --value xmrig-orchestrator`))
	time.Sleep(3 * time.Second) // some polls
	if got := r.sh(`systemctl show -p MainPID,NRestarts --value xmrig-orchestrator`); got != pid+"\n0\n" && got != "0\n"+pid+"\n" {
		t.Errorf("the agent does not stay: %q, before %s", got, pid)
	}
	if s := r.status(); s.State != "running" || !strings.Contains(s.LastError, "no such file or directory") {
		t.Errorf("meanwhile the status is %+v", s)
	}
	for restarts, make := range []string{`mkdir /srv/rails`, `mv /srv/rails /srv/old; mkdir /srv/rails`} {
		r.sh(make+`; touch "$1"; chown -R deploy: /srv/rails`, path)
		r.migrate()
		made := time.Now()
		r.await("the first row", func(p health.Process) bool { return p.State == "running" && p.CheckedAt.After(made) })
		t.Logf("picked up after %v", time.Since(made))
		r.sh(`xmrig-orchestrator enqueue restart --reason "is it read?" --wait=5m`)
		r.caused("running", "healthy")
		if got, want := r.sh(`systemctl show -p NRestarts --value xmrig-orchestrator`), fmt.Sprintln(restarts+1); got != want {
			t.Errorf("the agent was restarted %s times, not %s", got, want)
		}
	}
	if plan := r.xmrfleet("plan", "--detailed-exitcode"); strings.Contains(plan, "~") {
		t.Errorf("the host has a plan:\n%s", plan)
	}
}

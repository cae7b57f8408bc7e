package view

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/plan"
)

// thousand are the events of a fleet of 1,000 hosts in which everything
// happens that can: most hosts get the same change, some another one, some are
// done and some cannot be reached.
func thousand() (Planned, Applied, Status) {
	var (
		planned  = Planned{Took: 3 * time.Second}
		applied  = Applied{Retry: "xmrfleet apply -l ...", Took: 30 * time.Second}
		surveyed = Status{Took: 2 * time.Second}
		now      = time.Now()
		rate     = 1000.0
	)
	for i := range 1000 {
		host := fmt.Sprintf("m%04d", i+1)
		changes := []plan.Change{of(host, newPool), restart}
		p, a := HostPlan{Host: host, Plan: &plan.Plan{Changes: changes}}, HostResult{Host: host, Outcome: plan.Outcome{Done: changes, Touched: true}}
		s := HostStatus{Host: host, Desired: modules.StateRunning, Status: modules.Status{Now: now, Installed: true, Active: "active", AgentActive: true,
			Agent: &agent.Status{State: agent.Running, LastHealthCheckAt: &now, Hashrate: [3]*float64{&rate, &rate, &rate},
				Accepted: 97, Pool: "pool:443", PoolConnected: true, Uptime: 11100}}}
		switch {
		case i%100 == 50:
			p.Plan, a.Outcome = &plan.Plan{}, plan.Outcome{}
			s.Agent.State, s.Agent.LastError = agent.Unhealthy, "pool pool:443: not connected"
		case i >= 900 && i < 940:
			err := fmt.Errorf("connect 10.0.3.%d:22: no route to host", i-900)
			p.Plan, p.Err = nil, err
			a.Outcome, a.Failed = plan.Outcome{}, err
			s = HostStatus{Host: host, Desired: modules.StateRunning, Err: err}
		case i >= 940 && i < 960:
			p.Plan = &plan.Plan{Changes: changes[1:]}
			a.Outcome = plan.Outcome{Done: changes[:1], Pending: changes[1:], Touched: true, Err: errors.New("service xmrig: start failed")}
		case i >= 960:
			a.Outcome = plan.Outcome{Pending: changes, Err: plan.ErrInterrupted}
		}
		planned.Hosts, applied.Results, surveyed.Hosts = append(planned.Hosts, p), append(applied.Results, a), append(surveyed.Hosts, s)
	}
	return planned, applied, surveyed
}

// TestThousand holds what people read of 1,000 hosts: a page, at the cost of a page.
func TestThousand(t *testing.T) {
	planned, applied, surveyed := thousand()
	for name, event := range map[string]Event{"plan": planned, "apply": applied, "status": surveyed} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			text := &Text{Out: NewPrinter(&out, false, 0), Err: NewPrinter(io.Discard, false, 0)}
			cheaply(t, 1000, func() { out.Reset(); text.Report(event) })
			check(t, out.String())
			if n := strings.Count(out.String(), "\n"); n > 60 {
				t.Errorf("%d lines", n)
			}
			lines := NewJSON(io.Discard, "run", "dev", time.Now)
			lines.Report(Loaded{Secrets: []string{"a secret", `another "one"`, strings.Repeat("4", 95)}})
			cheaply(t, 1000, func() { lines.Report(event) })
		})
	}
}

// cheaply fails if f, which shows so many hosts, allocates more than 100 kB for
// each of them: what costs the square of their number takes far more, however
// fast the machine is.
func cheaply(t *testing.T, hosts int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / uint64(hosts)
	t.Logf("%d bytes a host", each)
	if each > 100_000 {
		t.Errorf("%d bytes were allocated for each host", each)
	}
}

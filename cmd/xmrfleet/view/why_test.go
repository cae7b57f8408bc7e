package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

// explained are hosts with a story, told where people live.
func explained(where *time.Location) Why {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, where)
	status := func(host string, edit func(*HostStatus)) HostStatus {
		return status(host, func(s *HostStatus) {
			s.Now = noon
			checkedAgo(4 * time.Second)(s)
			edit(s)
		})
	}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	decision := func(minutes int, state, cause, action, evidence string) agent.Event {
		return agent.Event{At: at(minutes), Decision: &agent.Decision{State: state, Cause: cause, Action: action, Evidence: evidence}}
	}
	since := at(-12)
	evidence := "0.0 H/s for 2m5s in 13 polls, 0.02 cores in use; pool pool:443, not connected"
	lost := HostWhy{HostStatus: status("lost", func(s *HostStatus) {
		s.Agent.State, s.Agent.PoolConnected, s.Agent.LastError = agent.Unhealthy, false, "pool pool:443: not connected; xmrig: connect error\n\"refused\""
		s.Agent.Cause, s.Agent.Since, s.Agent.Evidence, s.Agent.FailedCommands = "pool-down", &since, evidence, 1
	}), Events: []agent.Event{
		decision(-600, agent.Running, "healthy", "", "too long ago to be shown"),
		{At: at(-60), Command: &agent.Command{ID: 3, Action: "restart", Status: "failed", Reason: "a test", Error: "unit not found"}},
		decision(-12, agent.Unhealthy, "pool-down", "", evidence),
	}}
	for range 8 {
		lost.Events = append(lost.Events[:1:1], append([]agent.Event{decision(-599, agent.Starting, agent.Starting, "", "process 7 is 3s old")}, lost.Events[1:]...)...)
	}
	good := HostWhy{HostStatus: status("good", func(s *HostStatus) {
		since := at(-3000)
		s.Agent.Cause, s.Agent.Since, s.Agent.Evidence = "healthy", &since, "4012.5 H/s, pool pool:443"
	})}
	units := []modules.UnitReport{
		{Name: agent.MinerUnit, Active: "active", Sub: "running", Result: "success", Since: "Mon 2026-11-23 11:00:00 UTC", Restarts: 2,
			Journal: []string{"2026-11-23T11:59:00+00:00 down xmrig[7]: accepted (97/3)"}},
		{Name: agent.Unit, Active: "failed", Sub: "failed", Result: "exit-code", ExitStatus: 1},
	}
	down := HostWhy{HostStatus: status("down", func(s *HostStatus) { s.AgentActive = false }), Units: units,
		Unread: hint.With(errors.New("the agent on the host is older than this xmrfleet"), "xmrfleet apply --target agent")}
	bare := HostWhy{HostStatus: status("bare", func(s *HostStatus) { s.Agent, s.AgentActive = nil, false }), Units: units[:1]}
	dead := HostWhy{HostStatus: HostStatus{Host: "dead", Desired: "running", Err: hint.WithKind(errors.New("connect dead:22: no route to host"), "unreachable", "is it on?")}}
	return Why{Hosts: []HostWhy{lost, good, down, bare, dead}, Took: time.Second}
}

func TestWhy(t *testing.T) {
	for _, width := range []int{0, 40} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			text := printed(width, func(p *Printer) { explained(time.Local).text(&Text{Out: p}) })
			check(t, text)
			narrow(t, text, width)
		})
	}
}

// TestWhyOfMany says little of hosts that are as described.
func TestWhyOfMany(t *testing.T) {
	var e Why
	for i := range 100 {
		a := HostWhy{HostStatus: status(fmt.Sprintf("m%03d", i+1), func(s *HostStatus) {
			if i >= 50 {
				s.Agent.State, s.Agent.LastError = agent.Unhealthy, "paused"
			}
		})}
		e.Hosts = append(e.Hosts, a)
	}
	text := printed(80, func(p *Printer) { e.text(&Text{Out: p}) })
	for _, want := range []string{"  ! m051  unhealthy\n", "  ! m075  unhealthy\n", "and 25 hosts more with something to say: m[076-100]\n", "50 hosts are as described: m[001-050]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 160 {
		t.Errorf("%d lines", n)
	}
}

func TestJSONOfWhy(t *testing.T) {
	text := linesOf(t, explained(time.UTC))
	for _, part := range []string{
		`{"type":"host_why","host":"lost","@level":"error","@message":"lost: unhealthy","state":"unhealthy","desired":"running","as_desired":false,"healthy":false,"check_age_s":4,`,
		`"cause":"pool-down","since":"2026-11-23T11:48:00Z","evidence":"0.0 H/s for 2m5s in 13 polls, 0.02 cores in use; pool pool:443, not connected"},"events":[`,
		`{"at":"2026-11-23T11:00:00Z","command":{"id":3,"action":"restart","status":"failed","reason":"a test","error":"unit not found"}},`,
		`{"at":"2026-11-23T11:48:00Z","decision":{"state":"unhealthy","cause":"pool-down","evidence":"0.0 H/s`,
		`"events_error":"the agent on the host is older than this xmrfleet","units":[{"name":"xmrig.service","active_state":"active","sub_state":"running","result":"success","exit_status":0,"restarts":2,"since":"Mon 2026-11-23 11:00:00 UTC","journal":["2026-11-23T11:59:00+00:00 down xmrig[7]: accepted (97/3)"]},`,
		`{"type":"host_why","host":"dead","@level":"error","@message":"dead: unknown: connect dead:22: no route to host","state":"unknown",`,
		`{"type":"status_summary",`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("want %s in\n%s", part, text)
		}
	}
}

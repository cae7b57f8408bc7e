package view

import (
	"errors"
	"testing"
	"time"

	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

func TestControlled(t *testing.T) {
	hosts := []HostControl{
		{Host: "mini-1", Took: 300 * time.Millisecond},
		{Host: "miner-beta", Err: hint.With(errors.New("the health agent is down"), "pass --direct")},
		{Host: "miner-gamma", Took: time.Second},
	}
	show := func(e Control) string {
		return printed(0, func(p *Printer) { e.text(&Text{Out: p, Err: p}) })
	}
	check(t, show(Control{Action: "stop", Hosts: hosts, Drift: true, Retry: "xmrfleet stop -l miner-beta", Took: time.Second}))
	check(t, show(Control{Action: "restart", Pending: true, Hosts: hosts[:1], Took: time.Second}))
}

func TestRecalled(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	e := History{Hosts: 3, Took: time.Second, Since: 24 * time.Hour, Events: []PastEvent{
		{Host: "mini-1", Event: agent.Event{At: at, Decision: &agent.Decision{State: agent.Running, Cause: "healthy", Evidence: "500.0 H/s"}}},
		{Host: "miner-beta", Event: agent.Event{At: at.Add(time.Second), Decision: &agent.Decision{State: agent.Stopped, Cause: agent.Stopped}}},
		{Host: "mini-1", Event: agent.Event{At: at.Add(2 * time.Second), Command: &agent.Command{Action: "stop", Status: "completed", Reason: "maintenance", Result: "Removed\nlinks"}}},
		{Host: "mini-1", Event: agent.Event{At: at.Add(3 * time.Second), Command: &agent.Command{Action: "start", Status: "failed", Error: "no\x1b[2J unit"}}},
		{Host: "mini-1", Event: agent.Event{At: at.Add(4 * time.Second)}, Audit: "run 7f3a by ann from laptop: stop xmrig.service: new fans: done"},
	}, Unheard: []Unheard{{Host: "dead", Err: errors.New("connect dead:22: no route to host")}}}
	check(t, printed(0, func(p *Printer) { e.text(&Text{Out: p, Err: p}) }))
	check(t, jsonOf(History{Hosts: 1, Since: 7 * 24 * time.Hour, Events: e.Events[4:]}))
}

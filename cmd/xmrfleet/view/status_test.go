package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

func ratePointer(f float64) *float64 { return &f }

// status is a host that mines, edited.
func status(host string, edit func(*HostStatus)) HostStatus {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	checked := now.Add(-4 * time.Second)
	s := HostStatus{Host: host, Desired: modules.StateRunning, Status: modules.Status{Now: now, Installed: true, Active: "active", AgentActive: true,
		Agent: &agent.Status{State: agent.Running, LastHealthCheckAt: &checked, Accepted: 97, Rejected: 3, RestartCount: 1,
			Hashrate: [3]*float64{ratePointer(11812.4), ratePointer(999.94), nil}, Pool: "pool:443", PoolConnected: true, Uptime: 11100}}}
	edit(&s)
	return s
}

// checkedAgo sets the age of the last health check.
func checkedAgo(d time.Duration) func(*HostStatus) {
	return func(s *HostStatus) {
		at := s.Now.Add(-d)
		s.Agent.LastHealthCheckAt = &at
	}
}

// someHosts has one of each kind.
func someHosts() []HostStatus {
	return []HostStatus{
		status("good", func(*HostStatus) {}),
		status("lost", func(s *HostStatus) {
			s.Agent.State, s.Agent.PoolConnected, s.Agent.LastError = agent.Unhealthy, false, "pool pool:443:\n not connected"
			s.Agent.Hashrate = [3]*float64{ratePointer(0), ratePointer(0), ratePointer(5)}
		}),
		status("fresh", func(s *HostStatus) {
			s.Agent.State, s.Agent.Uptime, s.Agent.Hashrate = agent.Starting, 8, [3]*float64{}
		}),
		status("small", func(s *HostStatus) {
			s.Agent.Hashrate[0], s.Agent.FailedCommands = ratePointer(1312.49), 2
			checkedAgo(3 * time.Minute)(s)
		}),
		status("silent", checkedAgo(time.Hour)),
		status("agentless", func(s *HostStatus) { s.Agent, s.AgentActive = nil, false }),
		status("looping", func(s *HostStatus) { s.AgentActive, s.Active, s.Sub = false, "activating", "auto-restart" }),
		status("off", func(s *HostStatus) {
			s.Desired, s.Active, s.Agent.State = modules.StateStopped, "inactive", agent.Stopped
		}),
		status("bare", func(s *HostStatus) { s.Desired, s.Installed, s.Agent = modules.StateAbsent, false, nil }),
		{Host: "dead", Desired: modules.StateRunning, Err: hint.With(errors.New("connect dead:22: no route to host"), "is it on?")},
	}
}

func TestStatus(t *testing.T) {
	for _, width := range []int{0, 40, 80, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			text := printed(width, func(p *Printer) { p.status(Status{Hosts: someHosts(), Took: time.Second}) })
			check(t, text)
			narrow(t, text, width)
		})
	}
}

// TestStatusDrift shows what differs from fleet.hcl, and above all who works for
// somebody else.
func TestStatusDrift(t *testing.T) {
	hosts := []HostStatus{
		status("edited", func(s *HostStatus) {
			s.Drift.Differs, s.Drift.Planned = []string{"config.json differs from fleet.hcl"}, true
		}),
		status("hijacked", func(s *HostStatus) {
			s.Drift.Astray, s.Agent.Pool = "it mines at evil.example:3333, which fleet.hcl does not name", "evil.example:3333"
		}),
		status("hijacked-2", func(s *HostStatus) {
			s.Drift.Astray, s.Agent.Pool = "it mines at evil.example:3333, which fleet.hcl does not name", "evil.example:3333"
		}),
		status("good", func(*HostStatus) {}),
	}
	for _, width := range []int{0, 80} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			text := printed(width, func(p *Printer) { p.status(Status{Hosts: hosts, Took: time.Second}) })
			check(t, text)
			narrow(t, text, width)
		})
	}
	for i, h := range hosts {
		if h.AsDesired() != (i == len(hosts)-1) {
			t.Errorf("%s: as desired %t", h.Host, h.AsDesired())
		}
	}
	t.Run("why", func(t *testing.T) {
		check(t, printed(0, func(p *Printer) {
			(Why{Hosts: []HostWhy{{HostStatus: hosts[0]}, {HostStatus: hosts[1]}}, Took: time.Second}).text(&Text{Out: p, Err: p})
		}))
	})
}

// TestStatusOfAnotherProcess does not show the figures of one that is gone.
func TestStatusOfAnotherProcess(t *testing.T) {
	hosts := []HostStatus{
		status("restarted", func(s *HostStatus) { s.PID, s.Agent.PID = 8, 7 }),
		status("ended", func(s *HostStatus) { s.Active, s.Agent.State = "inactive", agent.Stopped }),
	}
	check(t, printed(0, func(p *Printer) { p.status(Status{Hosts: hosts, Took: time.Second}) }))
}

// narrow fails if a line is wider than the terminal.
func narrow(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		n := ansi.StringWidth(strings.TrimSuffix(line, "\n"))
		if width > 0 && n > width && !strings.Contains(line, "hint: ") {
			t.Errorf("%d columns in %q", n, line)
		}
	}
}

// TestSpecified holds the limits of the specification's XmrigProcess, stale?
// and healthy?, and what of them a miner needs to be as described.
func TestSpecified(t *testing.T) {
	in := func(state string, age time.Duration) HostStatus {
		return status("a", func(s *HostStatus) {
			s.Agent.State = state
			checkedAgo(age)(s)
		})
	}
	edited := func(s HostStatus, edit func(*HostStatus)) HostStatus {
		edit(&s)
		return s
	}
	for name, tt := range map[string]struct {
		host                      HostStatus
		stale, healthy, asDesired bool
	}{
		"just checked":       {in(agent.Running, 0), false, true, true},
		"nearly two minutes": {in(agent.Running, 2*time.Minute-1), false, true, true},
		"two minutes":        {in(agent.Running, 2*time.Minute), false, false, true},
		"five minutes":       {in(agent.Running, 5*time.Minute), false, false, true},
		"over five minutes":  {in(agent.Running, 5*time.Minute+1), true, false, false},
		"by a clock ahead":   {in(agent.Running, -time.Second), false, true, true},
		"never checked": {edited(in(agent.Running, 0), func(s *HostStatus) { s.Agent.LastHealthCheckAt = nil }),
			true, false, false},
		"starting":   {in(agent.Starting, 0), false, false, true},
		"unhealthy":  {in(agent.Unhealthy, 0), false, false, false},
		"restarting": {in(agent.Restarting, 0), false, false, false},
		"starting, should not": {edited(in(agent.Starting, 0), func(s *HostStatus) { s.Desired = modules.StateStopped }),
			false, false, false},
		"starting again and again": {edited(in(agent.Starting, 0), func(s *HostStatus) { s.Active, s.Sub = "activating", "auto-restart" }),
			false, false, false},
		"starting, agent down": {edited(in(agent.Starting, 0), func(s *HostStatus) { s.AgentActive = false }),
			false, false, false},
		"running, agent down": {edited(in(agent.Running, 0), func(s *HostStatus) { s.AgentActive = false }),
			false, true, false},
		"started since the check": {edited(in(agent.Running, 0), func(s *HostStatus) { s.PID, s.Agent.PID = 8, 7 }),
			false, false, true},
		"the process of the check": {edited(in(agent.Running, 0), func(s *HostStatus) { s.PID, s.Agent.PID = 7, 7 }),
			false, true, true},
		"died since the check": {edited(in(agent.Running, 0), func(s *HostStatus) { s.Active = "failed" }),
			false, false, false},
	} {
		if s := tt.host; s.Stale() != tt.stale || s.Healthy() != tt.healthy || s.AsDesired() != tt.asDesired {
			t.Errorf("%s: stale %v, healthy %v, as desired %v; want %v, %v, %v", name,
				s.Stale(), s.Healthy(), s.AsDesired(), tt.stale, tt.healthy, tt.asDesired)
		}
	}
}

// TestShareWindow takes the shortest window in which the fleet has a hashrate.
func TestShareWindow(t *testing.T) {
	with := func(rates ...float64) HostStatus {
		return status("a", func(s *HostStatus) {
			s.Agent.Hashrate = [3]*float64{}
			for i, r := range rates {
				if r > 0 {
					s.Agent.Hashrate[i] = &r
				}
			}
		})
	}
	for _, tt := range []struct {
		hosts []HostStatus
		want  string
		share string
	}{
		{[]HostStatus{with(30, 5, 5), with(10, 95)}, "Fleet: 40.0 H/s (10s), ", "75.0%"},
		{[]HostStatus{with(0, 5, 5), with(0, 95)}, "Fleet: 100.0 H/s (60s), ", "5.0%"},
		{[]HostStatus{with(0, 0, 7), with()}, "Fleet: 7.0 H/s (15m), ", "100.0%"},
		{[]HostStatus{with(), with()}, "Fleet: 0.0 H/s (10s), ", ""},
	} {
		text := printed(0, func(p *Printer) { p.status(Status{Hosts: tt.hosts}) })
		_, total, _ := strings.Cut(text, "\n\n")
		if !strings.HasPrefix(total, tt.want) || tt.share == "" == strings.Contains(text, "%") || !strings.Contains(text, tt.share) {
			t.Errorf("want %q and %q in\n%s", tt.want, tt.share, text)
		}
	}
}

// TestStatusHeight fills a screen and says what became of the others.
func TestStatusHeight(t *testing.T) {
	_, _, thousand := thousand()
	for _, tt := range []struct {
		hosts                 []HostStatus
		width, height, fit    int
		first, last, ofOthers string
	}{
		{someHosts(), 80, 50, 20, "good ", "dead ", ""},
		{someHosts(), 120, 14, 13, "lost ", "agentless ", "and 2 hosts more with something to say: looping, dead\n4 hosts are as described: good, fresh, off, bare\n"},
		{thousand.Hosts, 80, 24, 23, "m0051 ", "m0851 ", "and 41 hosts more with something to say: m[0901-0940], m0951\n950 hosts are as described: m[0001-0050], m[0052-0150], m[0152-0250], m[0252-03…\n"},
		{thousand.Hosts[100:150], 40, 12, 12, "m0101 ", "m0107 ", "and 43 hosts more as described: m[0108-…\n"},
		{thousand.Hosts, 40, 3, 5, "", "", "and 50 hosts more with something to say…\n950 hosts are as described: m[0001-0050…\n"},
	} {
		text := printed(tt.width, func(p *Printer) {
			p.Height = tt.height
			p.status(Status{Hosts: tt.hosts, Took: time.Second})
		})
		narrow(t, text, tt.width)
		if n := strings.Count(text, "\n"); n != tt.fit {
			t.Errorf("%d lines on a screen of %d, want %d:\n%s", n, tt.height, tt.fit, text)
		}
		if !strings.Contains(text, tt.first) || !strings.Contains(text, tt.last) || !strings.Contains(text, tt.ofOthers+"\nFleet: ") {
			t.Errorf("want %q, %q and %q in\n%s", tt.first, tt.last, tt.ofOthers, text)
		}
	}
}

// TestRounds separates the rounds of a watch, but not on a screen.
func TestRounds(t *testing.T) {
	e := Status{Hosts: someHosts()[8:9], Took: time.Second, At: time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)}
	rounds := func(height int) string {
		return printed(0, func(p *Printer) {
			p.Height = height
			for range 2 {
				p.status(e)
				e.Again = true
			}
			e.Again = false
		})
	}
	const round = `
HOST  STATE
bare  absent

Fleet: 0.0 H/s (10s), 0 of 1 host healthy, 1 as described.    12:34:56
`
	equal(t, rounds(0), round+round)
	equal(t, rounds(20), round+round[1:])
}

// TestAnnotatedStatus says what is wrong with a host, also where its state is
// the one that is desired.
func TestAnnotatedStatus(t *testing.T) {
	hosts := someHosts()
	for _, e := range []Event{Status{Hosts: hosts}, Why{Hosts: []HostWhy{{HostStatus: hosts[1]}, {HostStatus: hosts[4]}}}} {
		log, _ := job(t, func(*GitHub) {}, e, Finished{Command: "status", Code: 3, Outcome: "partial"})
		for _, want := range []string{
			"::error title=lost::unhealthy, but running is desired%0Apool pool:443: not connected\n",
			"::error title=silent::running: stale: no health check for 1h00m; state from systemd\n",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("want %q in\n%s", want, log)
			}
		}
	}
}

// TestStatusHides masks secrets before a text is cut or wrapped, which would
// tear them apart.
func TestStatusHides(t *testing.T) {
	const secret = "wonderfully-long-secret"
	a := HostWhy{HostStatus: status("lost", func(s *HostStatus) {
		s.Agent.State, s.Agent.LastError, s.Agent.Evidence = agent.Unhealthy, "said: "+secret+" and more of it", "seen: "+secret
	}), Unread: errors.New("not read: " + secret)}
	for width := 20; width < 80; width++ {
		text := printed(width, func(p *Printer) {
			p.Hide([]string{secret})
			p.status(Status{Hosts: []HostStatus{a.HostStatus}})
			p.Height = 10
			p.status(Status{Hosts: []HostStatus{a.HostStatus}})
			Why{Hosts: []HostWhy{a}}.text(&Text{Out: p})
		})
		if strings.Contains(text, "wonder") || strings.Contains(text, "secret") {
			t.Fatalf("at %d columns:\n%s", width, text)
		}
	}
}

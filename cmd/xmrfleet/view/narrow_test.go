package view

import (
	"errors"
	"strings"
	"testing"
	"time"

	"xmrfleet/executor"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// A terminal of 40 columns breaks lines between words, and not what is to be
// copied.
func TestNarrow(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	gone := errors.New("connect 127.0.0.1:22: connection refused")
	got := printed(40, func(p *Printer) {
		report := &Text{Out: p, Err: p}
		report.Report(Planned{Took: time.Second, Hosts: []HostPlan{
			{Host: "miner-beta", Plan: &plan.Plan{Changes: []plan.Change{
				{Resource: "file /etc/xmrig/orchestrator.json", Change: modules.Change{Action: modules.Create,
					Fields: []modules.Field{{Name: "mode", New: "0600"}, {Name: "owner", New: "root:root"}}}}}}},
			{Host: "miner-delta", Err: hint.With(gone, "on the host, as root: systemctl enable --now ssh")},
		}})
		report.Report(SSHCheck{Details: true, Took: time.Second, Hosts: []HostCheck{{Host: "mini-1", Trace: &executor.Trace{Resolver: "ssh", Root: "sudo", Hops: []executor.Hop{
			{Name: "mini-1", User: "deploy", Address: "10.0.0.7:22", Took: time.Millisecond, HostKey: "ssh-ed25519 SHA256:n55yAi1paKwvcjKSCeURbMPVCFHPVMEEDDbSCEFIVR8", KnownFrom: "known_hosts:1",
				Settings: []executor.Setting{{Keyword: "Port", Value: "22", Origin: executor.FromDefault}}},
		}}}}})
		report.Report(History{Hosts: 2, Took: time.Second, Since: 24 * time.Hour, Events: []PastEvent{
			{Host: "miner-beta", Event: agent.Event{At: at, Decision: &agent.Decision{State: agent.Running, Cause: "healthy", Evidence: "500.0 H/s, pool pool.example:443"}}},
		}})
		report.Report(Facts{Took: time.Second, Hosts: []HostFacts{{Host: "miner-beta",
			Facts: modules.Facts{OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-28-amd64", Arch: "x86_64", Systemd: 252, Threads: 32, MemoryKiB: 32768000}}}})
	})
	check(t, got)
}

// A secret that a line is broken or cut in stays one.
func TestNarrowSecrets(t *testing.T) {
	const secret = "canary that has-blanks-and-dashes and-is-longer-than-the-terminal"
	failed := errors.New("service xmrig: refused: " + secret)
	got := printed(40, func(p *Printer) {
		p.Hide([]string{secret})
		report := &Text{Out: p, Err: p}
		report.Report(Planned{Took: time.Second, Hosts: []HostPlan{{Host: "miner-beta", Err: failed},
			{Host: "miner-delta", Plan: &plan.Plan{Warnings: []string{"there is " + secret}, Changes: []plan.Change{
				{Resource: "file /etc/a", Change: modules.Change{Action: modules.Update, Before: "old " + secret + "\n", After: "new " + secret + "\n",
					Fields: []modules.Field{{Name: "text", Old: secret, New: "x" + secret}}}}}}}}})
		report.Report(History{Hosts: 1, Took: time.Second, Since: 24 * time.Hour, Events: []PastEvent{
			{Host: "miner-beta", Event: agent.Event{Command: &agent.Command{Action: "stop", Status: "failed", Reason: strings.Repeat("because ", 15) + secret}}}}})
		report.Report(SSHCheck{Took: time.Second, Hosts: []HostCheck{{Host: "mini-1", Trace: &executor.Trace{Err: failed}}}})
		p.failure(new(strings.Builder), "mini-1", failed)
		Progress{Printer: p, Now: time.Now}.End(HostResult{Host: "mini-1", Failed: failed})
	})
	for _, part := range []string{"canary", "blanks", "longer", "terminal"} {
		if strings.Contains(got, part) {
			t.Errorf("%q is in\n%s", part, got)
		}
	}
	if strings.Count(got, "(sensitive)") < 6 {
		t.Errorf("want the secret masked, got\n%s", got)
	}
}

// Colours do not pad what is broken into lines.
func TestNarrowColours(t *testing.T) {
	var out strings.Builder
	p := NewPrinter(&out, true, 40)
	p.plan([]HostPlan{{Host: "mini-1", Plan: &plan.Plan{}}, {Host: "mini-2", Plan: &plan.Plan{}}}, false, time.Second)
	equal(t, out.String(), "\n\x1b[1mPlan: nothing to do, 2 hosts are as\x1b[m\n\x1b[1mdescribed. 1.0s\x1b[m\n")
}

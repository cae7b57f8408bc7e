package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

type sshCheckCmd struct{ hostFlags }

// Help is shown by --help.
func (c *sshCheckCmd) Help() string {
	return `Hosts that can be managed are a line for all that are alike; then come the others, each with the way to it, hop by hop, and the line to add or the command to run. Of a single host, and with -v of all, the whole way is shown.`
}

func (c *sshCheckCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.hostFlags, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (*executor.Trace, error) {
		trace := d.Trace(ctx, target(h))
		return trace, trace.Err
	})
	if err != nil {
		return err
	}
	checks := make([]view.HostCheck, len(hosts))
	for i, o := range outcomes {
		trace := o.Value
		if trace == nil {
			trace = &executor.Trace{Err: o.Err}
		}
		checks[i] = view.HostCheck{Host: hosts[i].Name, Trace: trace}
		if trace.Err != nil {
			trace.Err = hint.With(trace.Err, c.advice(hosts[i], trace))
		}
	}
	p.report.Report(view.SSHCheck{Hosts: checks, Details: c.Verbose || len(hosts) == 1, Took: time.Since(began)})
	return count(p, outcomes)
}

// advice says how the way to a host goes on where it ends: the line to add or
// the command to run.
func (c *sshCheckCmd) advice(h hcl.Host, trace *executor.Trace) string {
	var e *executor.Error
	if !errors.As(trace.Err, &e) || e.Reason == executor.Canceled {
		return hint.Of(trace.Err)
	}
	var at executor.Hop
	for _, hop := range trace.Hops {
		if at = hop; hop.Took == 0 {
			break
		}
	}
	var lines []string
	switch e.Reason {
	case executor.AuthRefused:
		lines = append(lines, lapsed(at)...)
		if asks(at, "User") == executor.FromDefault {
			lines = append(lines, fmt.Sprintf("the user %s is the one of this machine; another one, in the host block of fleet.hcl: ssh { user = \"deploy\" }", at.User))
		}
	case executor.Unreachable:
		if way := way(e, at, len(trace.Hops) > 1); way != "" && e.Advice == "" {
			lines = append(lines, way)
		}
	case executor.NoShell:
		if strings.Contains(e.Error(), "not available") {
			lines = append(lines, fmt.Sprintf("on the host, as root: usermod -s /bin/sh %s", at.User))
		}
	case executor.HostKeyChanged:
		if strings.Contains(e.Error(), "is revoked by") {
			lines = append(lines, "a new key, on the host, as root: rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh")
		}
	}
	if e.Advice != "" {
		lines = append(lines, e.Advice)
	}
	if lines == nil {
		lines = []string{"what ssh itself says: " + c.ssh(h)}
	}
	return strings.Join(lines, "\n")
}

// lapsed lists the certificates that have ended.
func lapsed(hop executor.Hop) []string {
	var lines []string
	for _, k := range hop.Keys {
		if !k.Expires.IsZero() && time.Now().After(k.Expires) {
			lines = append(lines, fmt.Sprintf("the certificate of %s ended %s: get a new one", k.From, k.Expires.Format(time.DateTime)))
		}
	}
	return lines
}

// asks returns who gave a setting, or "".
func asks(hop executor.Hop, keyword string) executor.Origin {
	for _, s := range hop.Settings {
		if s.Keyword == keyword {
			return s.Origin
		}
	}
	return ""
}

// way is the advice for a hop that was not reached, or "".
func way(e *executor.Error, at executor.Hop, jumped bool) string {
	host, port, _ := net.SplitHostPort(at.Address)
	switch text := e.Error(); {
	case jumped && strings.Contains(text, "open failed"):
		return "in sshd_config of the hop: AllowTcpForwarding yes"
	case jumped && strings.Contains(text, "cannot reach it"):
		return fmt.Sprintf("on the hop: nc -vz %s %s", host, port)
	case strings.Contains(text, "connection refused"):
		return fmt.Sprintf("on the host, as root: systemctl enable --now ssh; and if its sshd has another port than %s, in the host block of fleet.hcl: ssh { port = ... }", port)
	case strings.Contains(text, "before it spoke"):
		return "fewer at a time: --parallelism 8; or in sshd_config of the host: MaxStartups 100:30:200"
	case strings.Contains(text, "no answer within"):
		return fmt.Sprintf("is it on, and is port %s open to this machine? nc -vz %s %s; for a slow one: --connect-timeout 30s", port, host, port)
	case strings.Contains(text, "no route"), strings.Contains(text, "unreachable"):
		return fmt.Sprintf("is it on, and in this network? ping %s", host)
	}
	return ""
}

// ssh is the command that does the same by ssh, and says more.
func (c *sshCheckCmd) ssh(h hcl.Host) string {
	args := []string{"ssh", "-v"}
	flag := func(name, value string) {
		if value != "" && value != "0" {
			args = append(args, name, value)
		}
	}
	flag("-F", c.SSHConfig)
	flag("-l", h.SSH.User)
	flag("-p", fmt.Sprint(h.SSH.Port))
	flag("-i", h.SSH.IdentityFile)
	flag("-J", h.SSH.ProxyJump)
	if h.Address != "" {
		flag("-o", "HostName="+h.Address)
	}
	return shellescape.QuoteCommand(append(args, h.Name, "sudo -n true"))
}

package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
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
	}
	p.report.Report(view.SSHCheck{Hosts: checks, Details: c.Verbose || len(hosts) == 1, Took: time.Since(began)})
	return count(p, outcomes)
}

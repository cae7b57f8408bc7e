package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/supply"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
)

type statusCmd struct {
	hostFlags
	Why   bool     `help:"Why each miner is in its state: what its agent saw, decided and was told." xor:"how"`
	Watch interval `help:"Again every 5 seconds, or with --watch=30s every 30, until Ctrl-C." xor:"how"`
	Wait  waitTime `help:"Wait until every miner that should run hashes at its pool, at most 5 minutes, or with --wait=10m ten." placeholder:"DURATION" xor:"how"`
	Hosts []string `arg:"" optional:"" name:"host" help:"The hosts, as --limit takes them."`
}

// Help is shown by --help.
func (c *statusCmd) Help() string {
	return `Exits with 0 only if every miner is as fleet.hcl says and has an agent that checked it within the last five minutes, with 3 otherwise. One that was just started counts as running while its agent gives it time to hash.`
}

func (c *statusCmd) Run(ctx context.Context, p *Program) error {
	c.Limit = append(c.Limit, c.Hosts...)
	switch {
	case c.Why:
		return c.why(ctx, p)
	case c.Watch > 0:
		return c.watch(ctx, p)
	case c.Wait > 0:
		return c.await(ctx, p)
	}
	began := time.Now()
	hosts, err := c.described(ctx, p)
	if err != nil {
		return err
	}
	ask := answerTo(modules.StatusProbe(), printed(modules.ParseStatus))
	outcomes := onEach(ctx, p, c.connectionFlags, hosts, 0, ask)
	e := view.Status{Hosts: make([]view.HostStatus, len(hosts))}
	for i, o := range outcomes {
		e.Hosts[i] = statusOf(hosts[i], o.Value, o.Err)
	}
	e.Took = time.Since(began)
	p.report.Report(e)
	return p.asDescribed(e.Hosts)
}

// await is a status once every miner hashes, or will not.
func (c *statusCmd) await(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, err := c.described(ctx, p)
	if err != nil {
		return err
	}
	c.Timeout += time.Duration(c.Wait)
	type ending struct {
		status modules.Status
		lacks  error // nil: it hashes
	}
	outcomes := onEachWithHeartbeat(ctx, p, c.connectionFlags, hosts, task{phase: view.Proving}, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (ending, error) {
		proof, err := c.Wait.until(ctx, p, d, h, "")
		if proof.Active == "" { // there is no answer at all
			return ending{}, err
		}
		return ending{proof.Status, err}, nil
	})
	e := view.Status{Hosts: make([]view.HostStatus, len(hosts))}
	for i, o := range outcomes {
		e.Hosts[i] = statusOf(hosts[i], o.Value.status, o.Err)
		e.Hosts[i].Waited = o.Value.lacks
	}
	e.Took = time.Since(began)
	p.report.Report(e)
	return p.asDescribed(e.Hosts)
}

// described returns the selected hosts, with all that a status is held against.
func (c *statusCmd) described(ctx context.Context, p *Program) ([]hcl.Host, error) {
	return p.choose(c.fleetFlags, func(fleet *hcl.Fleet) ([]hcl.Host, error) {
		hosts, err := c.choose(fleet)
		if err == nil {
			ctx, cancel := p.unlessStopped(ctx)
			defer cancel()
			supply.Describe(ctx, fleet, hosts, p.err)
		}
		return hosts, err
	})
}

// statusOf is what a host answered, or why it did not.
func statusOf(h hcl.Host, s modules.Status, err error) view.HostStatus {
	if err != nil {
		s = modules.Status{}
	}
	return view.HostStatus{Host: h.Name, Desired: h.Miner.XMRig.State, Err: err, Status: s, Drift: s.DriftFrom(h.Miner.Description())}
}

// asDescribed counts the hosts and returns the exit code.
func (p *Program) asDescribed(hosts []view.HostStatus) error {
	p.hosts = tally{}
	for _, h := range hosts {
		if h.AsDesired() {
			p.hosts.Done++
		} else {
			p.hosts.Failed++
		}
	}
	if p.hosts.Failed > 0 {
		return exitCode(exitPartial)
	}
	return nil
}

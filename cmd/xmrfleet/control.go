package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// The commands that start and stop miners without changing fleet.hcl.
type (
	startCmd   struct{ control }
	stopCmd    struct{ control }
	restartCmd struct{ control }
)

func (c *startCmd) Run(ctx context.Context, p *Program) error { return c.run(ctx, p, modules.Start) }
func (c *stopCmd) Run(ctx context.Context, p *Program) error  { return c.run(ctx, p, modules.Stop) }
func (c *restartCmd) Run(ctx context.Context, p *Program) error {
	return c.run(ctx, p, modules.Restart)
}

// control gives a command to the agents' queues or, with Direct, to systemd.
type control struct {
	hostFlags
	Reason string `help:"Why, for the host's record." placeholder:"TEXT"`
	NoWait bool   `help:"Do not wait until the agent has done it." name:"no-wait"`
	Direct bool   `help:"Use systemctl in place of the agent, which may be dead."`
	Yes    bool   `help:"Do not ask." short:"y"`
}

// Help is shown by --help.
func (c *control) Help() string {
	return `The health agent of each host does it, and keeps the reason in its history. Where every host is meant, it is asked for first. fleet.hcl stays as it is: a miner that it wants running and that was stopped is a change in the next plan.`
}

func (c *control) run(ctx context.Context, p *Program, action modules.Action) error {
	began := time.Now()
	hosts, err := p.choose(c.fleetFlags, func(fleet *hcl.Fleet) ([]hcl.Host, error) { return c.approved(p, fleet, action) })
	if err != nil {
		return err
	}
	run := p.holder()
	command := modules.Control{Action: action, Reason: p.out.Mask(c.Reason), NoWait: c.NoWait, Direct: c.Direct}
	task := task{phase: view.Changing, change: plan.Change{Resource: "service xmrig", Change: modules.Change{Action: action}}}
	outcomes := onEachWithHeartbeat(ctx, p, c.connectionFlags, hosts, task, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (time.Duration, error) {
		began := time.Now()
		err := carryOut(ctx, d, h, command, run)
		return time.Since(began), err
	})
	e := view.Control{Action: action, Pending: c.NoWait && !c.Direct, Hosts: make([]view.HostControl, len(hosts))}
	var failed, done []string
	for i, o := range outcomes {
		h := hosts[i]
		e.Hosts[i] = view.HostControl{Host: h.Name, Err: o.Err, Took: o.Value}
		if o.Err != nil {
			failed = append(failed, h.Name)
			continue
		}
		done = append(done, h.Name)
		p.hosts.Changed++
		e.Drift = e.Drift || command.Contradicts(h.Miner.XMRig.State)
	}
	e.Retry, e.Took = p.retry(failed), time.Since(began)
	p.remember(c.File, failed, done)
	p.report.Report(e)
	return count(p, outcomes)
}

// approved returns the selected hosts. Where they are the whole fleet, somebody
// has to agree.
func (c *control) approved(p *Program, fleet *hcl.Fleet, action modules.Action) ([]hcl.Host, error) {
	hosts, err := c.chooseToChange(fleet)
	if err != nil || c.Yes || len(hosts) == 1 || len(hosts) < len(fleet.Hosts) {
		return hosts, err
	}
	if !p.asks() {
		return nil, hint.With(fmt.Errorf("%s: every host is meant, and there is no terminal to ask at", action), "pass --yes, or name the hosts with --limit")
	}
	if !p.ask(fmt.Sprintf("%s the miners of all %d hosts? [y/N] ", view.Capitalized(string(action)), len(hosts))) {
		fmt.Fprintln(p.err, "Nothing was changed.")
		return nil, exitCode(exitDeclined)
	}
	return hosts, nil
}

// carryOut has the host do what command says.
func carryOut(ctx context.Context, d *executor.Dialer, h hcl.Host, command modules.Control, run executor.Holder) error {
	command.Desired = h.Miner.XMRig.State
	entry := strings.TrimSuffix(fmt.Sprintf("%s: %s %s: %s", who(run), command.Action, agent.MinerUnit, command.Reason), ": ")
	options, well := executor.OpenOptions{}, "done"
	if command.Direct {
		options.Lock = &run
	} else {
		command.Reason = signed(command, run)
		if command.NoWait {
			well = "handed to the agent"
		}
	}
	shell, _, err := d.Open(ctx, target(h), options)
	if err != nil {
		return err
	}
	defer shell.Close()
	// Not among the First commands, which may run twice, and late.
	results, err := shell.Run(ctx, nil, modules.Audited(entry, well, command.Command()))
	if err != nil {
		return err
	}
	return command.Err(results[0])
}

// signed is the reason for the agent's history, and who gives it.
func signed(command modules.Control, run executor.Holder) string {
	if command.Reason == "" {
		return fmt.Sprintf("xmrfleet %s by %s@%s", command.Action, run.User, run.Machine)
	}
	return fmt.Sprintf("%s (%s@%s)", command.Reason, run.User, run.Machine)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"

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

func (c *startCmd) Run(ctx context.Context, p *Program) error   { return c.run(ctx, p, "start") }
func (c *stopCmd) Run(ctx context.Context, p *Program) error    { return c.run(ctx, p, "stop") }
func (c *restartCmd) Run(ctx context.Context, p *Program) error { return c.run(ctx, p, "restart") }

// control gives a command to the agents' queues or, with Direct, to systemd.
type control struct {
	survey
	Reason string `help:"Why, for the host's record." placeholder:"TEXT"`
	NoWait bool   `help:"Do not wait until the agent has done it." name:"no-wait"`
	Direct bool   `help:"Use systemctl in place of the agent, which may be dead."`
	Yes    bool   `help:"Do not ask." short:"y"`
}

// Help is shown by --help.
func (c *control) Help() string {
	return `The health agent of each host does it, and keeps the reason in its history. Where every host is meant, it is asked for first. fleet.hcl stays as it is: a miner that it wants running and that was stopped is a change in the next plan.`
}

func (c *control) run(ctx context.Context, p *Program, action string) error {
	began := time.Now()
	hosts, err := p.choose(c.fleetFlags, func(fleet *hcl.Fleet) ([]hcl.Host, error) { return c.approved(p, fleet, action) })
	if err != nil {
		return err
	}
	run := p.newRun()
	if c.Reason == "" && !c.Direct {
		c.Reason = fmt.Sprintf("xmrfleet %s by %s@%s", action, run.User, run.Machine)
	}
	c.Reason = p.out.Mask(c.Reason)
	task := task{phase: view.Changing, change: plan.Change{Resource: "service xmrig", Change: modules.Change{Action: modules.Action(action)}}}
	outcomes := onEachWithHeartbeat(ctx, p, c.connectionFlags, hosts, task, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (time.Duration, error) {
		began := time.Now()
		err := c.command(ctx, d, h, action, run)
		return time.Since(began), err
	})
	e := view.Controlled{Action: action, Pending: c.NoWait && !c.Direct, Hosts: make([]view.Commanded, len(hosts))}
	var failed []string
	for i, o := range outcomes {
		h := hosts[i]
		e.Hosts[i] = view.Commanded{Host: h.Name, Err: o.Err, Took: o.Value}
		if o.Err != nil {
			failed = append(failed, h.Name)
			continue
		}
		p.hosts.changed++
		e.Drift = e.Drift || drifts(h, action)
	}
	e.Retry, e.Took = p.retry(failed), time.Since(began)
	p.remember(c.File, failed)
	p.report.Report(e)
	return count(p, outcomes)
}

// approved returns the selected hosts. Where they are the whole fleet, somebody
// has to agree.
func (c *control) approved(p *Program, fleet *hcl.Fleet, action string) ([]hcl.Host, error) {
	hosts, err := c.toChange(fleet)
	if err != nil || c.Yes || len(hosts) == 1 || len(hosts) < len(fleet.Hosts) {
		return hosts, err
	}
	if p.silent || !term.IsTerminal(int(p.Stdin.Fd())) {
		return nil, hint.With(fmt.Errorf("%s: every host is meant, and there is no terminal to ask at", action), "pass --yes, or name the hosts with --limit")
	}
	if !p.ask(fmt.Sprintf("%s the miners of all %d hosts? [y/N] ", capitalize(action), len(hosts))) {
		fmt.Fprintln(p.err, "Nothing was changed.")
		return nil, exitCode(exitDeclined)
	}
	return hosts, nil
}

// drifts reports whether the host is not as fleet.hcl wants it after the action.
func drifts(h hcl.Host, action string) bool {
	if action == "stop" {
		return h.Miner.XMRig.State == modules.StateRunning
	}
	return h.Miner.XMRig.State == modules.StateStopped
}

// enqueueScript gives a command to the agent at $1, whose unit is $2.
const enqueueScript = `
case $(head -c 4 "$1" 2>/dev/null) in *ELF) ;; *) echo 'there is no health agent on the host' >&2; exit 69 ;; esac
systemctl is-active --quiet "$2" || { echo 'the health agent is down' >&2; exit 69; }
if [ "$5" = no ]; then exec "$1" enqueue "$3" --reason "$4"; fi
exec "$1" enqueue "$3" --reason "$4" --wait=2m`

// directScript does what the agent would: a miner that was stopped stays so over
// a reboot. It shows the journal of a unit that does not start.
const directScript = `
case $2 in
stop) systemctl --quiet disable "$1" ;;
*)
	[ "$3" != running ] || systemctl --quiet enable "$1"
	systemctl reset-failed "$1" 2>/dev/null
	;;
esac
systemctl "$2" "$1" && exit 0
journalctl --namespace=+xmrig -u "$1" -n 10 --no-pager -o short >&2
exit 1`

// The exit statuses of enqueueScript that are not about the command itself.
const (
	noAgent  = 69
	oldAgent = 64 // it does not know the command
)

func (c *control) command(ctx context.Context, d *executor.Dialer, h hcl.Host, action string, run executor.Holder) error {
	wait := "yes"
	if c.NoWait {
		wait = "no"
	}
	command := modules.Command{Script: enqueueScript, Args: []string{agent.Binary, agent.Unit, action, c.Reason, wait}}
	options := executor.OpenOptions{}
	if c.Direct {
		command = modules.Command{Script: directScript, Args: []string{agent.MinerUnit, action, h.Miner.XMRig.State}}
		options.Lock = &run
		options.First = append(options.First, audited(run, strings.TrimSuffix(action+" "+agent.MinerUnit+": "+c.Reason, ": ")))
	}
	shell, _, err := d.Open(ctx, target(h), options)
	if err != nil {
		return err
	}
	defer shell.Close()
	// Not among the First commands, which may run twice, and late.
	results, err := shell.Run(ctx, nil, command)
	if err != nil {
		return err
	}
	r := results[0]
	if r.Status == 0 {
		return nil
	}
	text := strings.TrimPrefix(strings.TrimSpace(r.Stderr), "xmrig-orchestrator: ")
	switch {
	case c.Direct:
		return fmt.Errorf("systemctl %s %s: %s", action, agent.MinerUnit, text)
	case r.Status == noAgent:
		return hint.With(errors.New(text), "pass --direct to use systemctl, or repair the agent: xmrfleet apply --target agent")
	case r.Status == oldAgent:
		return hint.With(fmt.Errorf("the agent on the host is older than this xmrfleet: %s", text), "xmrfleet apply --target agent")
	}
	return errors.New(text)
}

func capitalize(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

package main

import (
	"context"
	"errors"

	"xmrfleet/cmd/xmrfleet/journal"
	"xmrfleet/cmd/xmrfleet/lastrun"
	"xmrfleet/cmd/xmrfleet/selector"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

type logsCmd struct {
	File string            `help:"The fleet file (${default})." default:"fleet.hcl" placeholder:"FILE"`
	Var  map[string]string `help:"Value of a variable of the fleet file." mapsep:"none" placeholder:"NAME=VALUE"`
	selector.Flags
	connectionFlags
	Follow bool     `help:"Go on with what comes, until Ctrl-C." short:"f"`
	Lines  *int     `help:"Only the last lines of each host (20 without --since)." short:"n" placeholder:"N"`
	Since  string   `help:"Only what is younger: 15m, 2h, or a time as journalctl takes it." placeholder:"TIME"`
	Agent  bool     `help:"The health agent's journal, in place of the miner's."`
	Hosts  []string `arg:"" optional:"" name:"host" help:"The hosts, as --limit takes them."`
}

func (c *logsCmd) Help() string {
	return `The journals of all hosts in one, by the hosts' own clocks, in your time zone.`
}

// defaultLines of each host are shown where neither --lines nor --since is
// given.
const defaultLines = 20

func (c *logsCmd) Run(ctx context.Context, p *Program) error {
	c.Limit = append(c.Limit, c.Hosts...)
	hosts, err := p.choose(fleetFlags{File: c.File, Var: c.Var}, func(fleet *hcl.Fleet) ([]hcl.Host, error) {
		return c.Flags.Hosts(fleet, lastrun.Failed)
	})
	if err != nil {
		return err
	}
	if c.Follow {
		c.Timeout = 0
	}
	ctx, cancel := p.output.whileRead(ctx)
	defer cancel()
	logs := c.wanted()
	quiet := func() bool { return p.stopped() || p.output.closed() }
	m := journal.NewMerger(p.report, quiet, logs.Unit, namesOf(hosts))
	m.Follow = c.Follow
	read := make(chan []executor.Outcome[struct{}])
	go func() {
		read <- onEach(ctx, p, c.connectionFlags, hosts, 0, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (struct{}, error) {
			j := journal.Host{Target: target(h), Logs: logs, Merger: m, Dialer: func() *executor.Dialer { return c.dialer(p.err) }}
			return struct{}{}, j.Read(ctx, d)
		})
	}()
	return count(p, m.Run(read))
}

// wanted are the entries that the flags ask for.
func (c *logsCmd) wanted() modules.Logs {
	logs := modules.Logs{Unit: agent.MinerUnit, Lines: modules.AllLines, Since: c.Since, Follow: c.Follow}
	if c.Agent {
		logs.Unit = agent.Unit
	}
	switch {
	case c.Lines != nil:
		logs.Lines = *c.Lines
	case c.Since == "":
		logs.Lines = defaultLines
	}
	return logs
}

func (c *logsCmd) Validate() error {
	if c.Lines != nil && *c.Lines < 0 {
		return errors.New("--lines must not be negative")
	}
	return c.connectionFlags.Validate()
}

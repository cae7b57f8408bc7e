package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

// why says why the miners are as they are.
func (c *statusCmd) why(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, err := c.described(ctx, p)
	if err != nil {
		return err
	}
	outcomes := onEach(ctx, p, c.connectionFlags, hosts, 0, readWhy)
	e := view.Why{Hosts: make([]view.HostWhy, len(hosts))}
	rows := make([]view.HostStatus, len(hosts))
	for i, o := range outcomes {
		rows[i] = statusOf(hosts[i], o.Value.Status, o.Err)
		e.Hosts[i] = o.Value
		e.Hosts[i].HostStatus = rows[i]
	}
	e.Took = time.Since(began)
	p.report.Report(e)
	return p.asDescribed(rows)
}

// readWhy asks systemd, the journal and the agent in one exec. The agent's
// history comes last, since an agent that is not there ends the frame.
func readWhy(ctx context.Context, d *executor.Dialer, h hcl.Host) (view.HostWhy, error) {
	var w view.HostWhy
	units := []string{agent.MinerUnit, agent.Unit}
	questions := []modules.Command{modules.StatusProbe()}
	for _, unit := range units {
		questions = append(questions, modules.UnitReportProbe(unit))
	}
	questions = append(questions, modules.HistoryProbe())
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: questions})
	if err != nil {
		return w, err
	}
	defer shell.Close()
	if w.Status, err = modules.ParseStatus(answers[0].Stdout); err != nil {
		return w, err
	}
	for i, unit := range units {
		w.Units = append(w.Units, modules.ParseUnitReport(unit, answers[1+i].Stdout))
	}
	if w.Agent != nil {
		history, err := modules.ParseHistory(answers[len(answers)-1])
		w.Events, w.Unread = history.Events, err
	}
	return w, nil
}

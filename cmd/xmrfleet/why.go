package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

// explain says why the miners are as they are.
func (c *statusCmd) explain(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.survey, readAccount)
	if err != nil {
		return err
	}
	e := view.Explained{Hosts: make([]view.Account, len(hosts))}
	rows := make([]view.HostStatus, len(hosts))
	for i, o := range outcomes {
		rows[i] = statusOf(hosts[i], o.Value.HostStatus, o.Err)
		e.Hosts[i] = o.Value
		e.Hosts[i].HostStatus = rows[i]
	}
	e.Took = time.Since(began)
	p.report.Report(e)
	return p.asDescribed(rows)
}

// unitScript shows what systemd knows of the unit $1 and, after an empty line,
// the end of its journal.
const unitScript = `
systemctl show -p ActiveState -p SubState -p Result -p ExecMainStatus -p NRestarts -p StateChangeTimestamp "$1"
echo
journalctl --quiet --no-pager --namespace=+xmrig --unit="$1" --lines=10 --output=short-iso
:`

// readAccount asks systemd, the journal and the agent in one exec. The agent's
// history comes last, since an agent that is not there ends the frame.
func readAccount(ctx context.Context, d *executor.Dialer, h hcl.Host) (view.Account, error) {
	var a view.Account
	units := []string{agent.MinerUnit, agent.Unit}
	commands := []modules.Command{statusCommand}
	for _, unit := range units {
		commands = append(commands, modules.Command{Script: unitScript, Args: []string{unit}})
	}
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: append(commands, historyCommand)})
	if err != nil {
		return a, err
	}
	defer shell.Close()
	if a.HostStatus, err = parseStatus(answers[0].Stdout); err != nil {
		return a, err
	}
	for i, unit := range units {
		a.Units = append(a.Units, parseUnit(unit, answers[1+i].Stdout))
	}
	if a.Agent != nil {
		history, err := parseHistory(answers[len(answers)-1])
		a.Events, a.Unread = history.Events, err
	}
	return a, nil
}

func parseUnit(name, text string) view.Unit {
	shown, journal, _ := strings.Cut(text, "\n\n")
	p := properties(shown)
	u := view.Unit{Name: name, Active: p["ActiveState"], Sub: p["SubState"], Result: p["Result"], Since: p["StateChangeTimestamp"]}
	u.ExitStatus, _ = strconv.Atoi(p["ExecMainStatus"])
	u.Restarts, _ = strconv.Atoi(p["NRestarts"])
	for line := range strings.Lines(journal) {
		u.Journal = append(u.Journal, strings.TrimSuffix(line, "\n"))
	}
	return u
}

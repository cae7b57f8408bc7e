package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

type statusCmd struct{ survey }

func (c *statusCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.survey, readStatus)
	if err != nil {
		return err
	}
	rows := make([]view.HostStatus, len(hosts))
	var t tally
	for i, o := range outcomes {
		rows[i] = o.Value
		if o.Err != nil {
			rows[i] = view.HostStatus{Err: o.Err, Kind: kind(o.Err), Hint: hint(o.Err)}
		}
		rows[i].Host, rows[i].Desired = hosts[i].Name, hosts[i].Miner.XMRig.State
		if rows[i].AsDesired() {
			t.done++
		} else {
			t.failed++
		}
	}
	p.report.Report(view.Surveyed{Hosts: rows, Took: time.Since(began)})
	p.hosts = t
	if t.failed > 0 {
		return exitCode(exitPartial)
	}
	return nil
}

// statusScript asks systemd for both units and the agent for its record. A
// daemon of another kind at the agent's path is not asked: it would start.
const statusScript = `
echo "now=$(date +%s)"
systemctl show -p LoadState -p ActiveState -p SubState -p Result "$1" | sed 's/^/miner./'
systemctl show -p ActiveState "$2" | sed 's/^/agent./'
case $(head -c 4 "$3" 2>/dev/null) in *ELF) ;; *) exit 0 ;; esac
printf 'status='
timeout 5 "$3" status --json
:`

func readStatus(ctx context.Context, d *executor.Dialer, h hcl.Host) (view.HostStatus, error) {
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: []modules.Command{{
		Script: statusScript, Args: []string{agent.MinerUnit, agent.Unit, agent.Binary}}}})
	if err != nil {
		return view.HostStatus{}, err
	}
	defer shell.Close()
	return parseStatus(answers[0].Stdout)
}

func parseStatus(text string) (view.HostStatus, error) {
	text, answer, _ := strings.Cut(text, "status=")
	unit := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		unit[key] = value
	}
	s := view.HostStatus{
		Installed:   unit["miner.LoadState"] == "loaded",
		Active:      unit["miner.ActiveState"],
		Sub:         unit["miner.SubState"],
		Result:      unit["miner.Result"],
		AgentActive: unit["agent.ActiveState"] == "active",
	}
	if s.Active == "" {
		return s, fmt.Errorf("read status: systemd did not answer")
	}
	seconds, _ := strconv.ParseInt(unit["now"], 10, 64)
	s.Now = time.Unix(seconds, 0)
	if answer = strings.TrimSpace(answer); answer == "" {
		return s, nil
	}
	var status agent.Status
	if err := json.Unmarshal([]byte(answer), &status); err != nil {
		return s, fmt.Errorf("read status: the agent's answer is not JSON: %w", err)
	}
	if status.Version > agent.StatusVersion {
		return s, fmt.Errorf("read status: the agent is newer than this xmrfleet (status version %d, want %d)", status.Version, agent.StatusVersion)
	}
	s.Agent = &status
	return s, nil
}

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

type statusCmd struct {
	survey
	Why   bool     `help:"Why each miner is in its state: what its agent saw, decided and was told." xor:"how"`
	Watch interval `help:"Again every 5 seconds, or with --watch=30s every 30, until Ctrl-C." xor:"how"`
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
		return c.explain(ctx, p)
	case c.Watch > 0:
		return c.watch(ctx, p)
	}
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.survey, readStatus)
	if err != nil {
		return err
	}
	e := view.Surveyed{Hosts: make([]view.HostStatus, len(hosts))}
	for i, o := range outcomes {
		e.Hosts[i] = statusOf(hosts[i], o.Value, o.Err)
	}
	e.Took = time.Since(began)
	p.report.Report(e)
	return p.asDescribed(e.Hosts)
}

// statusOf is what a host answered, or why it did not.
func statusOf(h hcl.Host, s view.HostStatus, err error) view.HostStatus {
	if err != nil {
		s = view.HostStatus{Err: err}
	}
	s.Host, s.Desired = h.Name, h.Miner.XMRig.State
	return s
}

// asDescribed counts the hosts and returns the exit code.
func (p *Program) asDescribed(hosts []view.HostStatus) error {
	p.hosts = tally{}
	for _, h := range hosts {
		if h.AsDesired() {
			p.hosts.done++
		} else {
			p.hosts.failed++
		}
	}
	if p.hosts.failed > 0 {
		return exitCode(exitPartial)
	}
	return nil
}

// statusScript asks systemd for both units and the agent for its record. A
// daemon of another kind at the agent's path is not asked: it would start.
const statusScript = `
echo "now=$(date +%s)"
systemctl show -p LoadState -p ActiveState -p SubState -p Result -p MainPID "$1" | sed 's/^/miner./'
systemctl show -p ActiveState "$2" | sed 's/^/agent./'
case $(head -c 4 "$3" 2>/dev/null) in *ELF) ;; *) exit 0 ;; esac
printf 'status='
timeout 5 "$3" status --json
:`

var statusCommand = modules.Command{Script: statusScript, Args: []string{agent.MinerUnit, agent.Unit, agent.Binary}}

func readStatus(ctx context.Context, d *executor.Dialer, h hcl.Host) (view.HostStatus, error) {
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: []modules.Command{statusCommand}})
	if err != nil {
		return view.HostStatus{}, err
	}
	defer shell.Close()
	return parseStatus(answers[0].Stdout)
}

func parseStatus(text string) (view.HostStatus, error) {
	text, answer, _ := strings.Cut(text, "status=")
	unit := properties(text)
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
	s.PID, _ = strconv.Atoi(unit["miner.MainPID"])
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

// properties reads lines of KEY=VALUE, as systemctl show prints them.
func properties(text string) map[string]string {
	p := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[key] = value
	}
	return p
}

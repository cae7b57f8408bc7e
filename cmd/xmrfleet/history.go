package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
	"xmrfleet/modules/hint"
)

type historyCmd struct{ survey }

// Help is shown by --help.
func (c *historyCmd) Help() string {
	return `Prints the commands that the hosts were given and the decisions that their agents took within the last 24 hours, the newest last.`
}

// historyScript asks the agent at $1.
const historyScript = `
case $(head -c 4 "$1" 2>/dev/null) in *ELF) ;; *) echo 'there is no health agent on the host' >&2; exit 69 ;; esac
exec timeout 10 "$1" history --json`

func (c *historyCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.survey, readHistory)
	if err != nil {
		return err
	}
	e := view.Recalled{Hosts: len(hosts)}
	for i, o := range outcomes {
		name := hosts[i].Name
		if o.Err != nil {
			e.Unheard = append(e.Unheard, view.Unheard{Host: name, Err: o.Err})
		}
		for _, event := range o.Value.Events {
			e.Events = append(e.Events, view.PastEvent{Host: name, Event: event})
		}
	}
	slices.SortStableFunc(e.Events, func(a, b view.PastEvent) int { return a.At.Compare(b.At) })
	e.Took = time.Since(began)
	p.report.Report(e)
	return count(p, outcomes)
}

func readHistory(ctx context.Context, d *executor.Dialer, h hcl.Host) (agent.History, error) {
	shell, results, err := d.Open(ctx, target(h), executor.OpenOptions{First: []modules.Command{historyCommand}})
	if err != nil {
		return agent.History{}, err
	}
	defer shell.Close()
	return parseHistory(results[0])
}

var historyCommand = modules.Command{Script: historyScript, Args: []string{agent.Binary}}

func parseHistory(r modules.Result) (agent.History, error) {
	var history agent.History
	switch {
	case r.Status == oldAgent:
		return history, hint.With(errors.New("the agent on the host is older than this xmrfleet"), "xmrfleet apply --target agent")
	case r.Status != 0:
		return history, fmt.Errorf("read history: %s", strings.TrimPrefix(strings.TrimSpace(r.Stderr), "xmrig-orchestrator: "))
	}
	if err := json.Unmarshal([]byte(r.Stdout), &history); err != nil {
		return history, fmt.Errorf("read history: the agent's answer is not JSON: %w", err)
	}
	if history.Version > agent.HistoryVersion {
		return history, fmt.Errorf("read history: the agent is newer than this xmrfleet (history version %d, want %d)", history.Version, agent.HistoryVersion)
	}
	return history, nil
}

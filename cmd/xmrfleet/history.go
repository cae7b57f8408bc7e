package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
	"xmrfleet/modules/agent"
)

type historyCmd struct {
	hostFlags
	Since span `help:"How far back: 1h30m, 7d (${default}). The agents keep 24 hours, the journals more." default:"24h" placeholder:"DURATION"`
}

// Help is shown by --help.
func (c *historyCmd) Help() string {
	return `Prints the commands that the hosts were given and the decisions that their agents took within the last 24 hours, and who changed the hosts with xmrfleet, by their journals; the newest last.`
}

// A span is a duration that may be in days.
type span time.Duration

// UnmarshalText is called by kong.
func (s *span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		if n, err := strconv.Atoi(days); err == nil {
			*s = span(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}

func (c *historyCmd) Run(ctx context.Context, p *Program) error {
	began, since := time.Now(), time.Duration(c.Since)
	hosts, outcomes, err := askEach(ctx, p, c.hostFlags, past(since))
	if err != nil {
		return err
	}
	e := view.History{Hosts: len(hosts), Since: since}
	for i, o := range outcomes {
		name := hosts[i].Name
		if o.Err != nil {
			e.Unheard = append(e.Unheard, view.Unheard{Host: name, Err: o.Err})
		}
		for _, event := range o.Value {
			event.Host = name
			e.Events = append(e.Events, event)
		}
	}
	slices.SortStableFunc(e.Events, func(a, b view.PastEvent) int { return a.At.Compare(b.At) })
	e.Took = time.Since(began)
	p.report.Report(e)
	return count(p, outcomes)
}

// past asks a host for what its journal and its agent know. Where one of them
// tells nothing, there is an error beside the events of the other.
func past(since time.Duration) perHost[[]view.PastEvent] {
	return func(ctx context.Context, d *executor.Dialer, h hcl.Host) ([]view.PastEvent, error) {
		var events []view.PastEvent
		questions := []modules.Command{modules.AuditTrail(since), modules.HistoryProbe()}
		shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: questions})
		if err != nil {
			return nil, err
		}
		defer shell.Close()
		entries, err := modules.ParseAuditTrail(answers[0])
		for _, entry := range entries {
			events = append(events, view.PastEvent{Event: agent.Event{At: entry.Time}, Audit: entry.Text})
		}
		if answers[1].Status == modules.NotRun {
			return events, err
		}
		history, agentErr := modules.ParseHistory(answers[1])
		for _, event := range history.Events {
			if time.Since(event.At) <= since {
				events = append(events, view.PastEvent{Event: event})
			}
		}
		if agentErr != nil {
			err = agentErr
		}
		return events, err
	}
}

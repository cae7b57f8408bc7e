package main

import (
	"context"
	"slices"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
)

type historyCmd struct{ hostFlags }

// Help is shown by --help.
func (c *historyCmd) Help() string {
	return `Prints the commands that the hosts were given and the decisions that their agents took within the last 24 hours, the newest last.`
}

func (c *historyCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.hostFlags, answerTo(modules.HistoryProbe(), modules.ParseHistory))
	if err != nil {
		return err
	}
	e := view.History{Hosts: len(hosts)}
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

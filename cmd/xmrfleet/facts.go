package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
)

type factsCmd struct{ hostFlags }

func (c *factsCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.hostFlags, answerTo(modules.FactsProbe(), printed(modules.ParseFacts)))
	if err != nil {
		return err
	}
	facts := make([]view.HostFacts, len(hosts))
	for i, o := range outcomes {
		facts[i] = view.HostFacts{Host: hosts[i].Name, Facts: o.Value, Err: o.Err}
	}
	p.report.Report(view.Facts{Hosts: facts, Took: time.Since(began)})
	return count(p, outcomes)
}

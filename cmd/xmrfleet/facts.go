package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
)

type factsCmd struct{ survey }

func (c *factsCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	hosts, outcomes, err := askEach(ctx, p, c.survey, readFacts)
	if err != nil {
		return err
	}
	described := make([]view.HostFacts, len(hosts))
	for i, o := range outcomes {
		described[i] = view.HostFacts{Host: hosts[i].Name, Facts: o.Value, Err: o.Err}
	}
	p.report.Report(view.Described{Hosts: described, Took: time.Since(began)})
	return count(p, outcomes)
}

func readFacts(ctx context.Context, d *executor.Dialer, h hcl.Host) (modules.Facts, error) {
	shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: []modules.Command{modules.FactsProbe()}})
	if err != nil {
		return modules.Facts{}, err
	}
	defer shell.Close()
	return modules.ParseFacts(answers[0].Stdout)
}

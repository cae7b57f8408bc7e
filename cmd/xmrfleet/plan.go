package main

import (
	"context"
	"time"
)

type planCmd struct {
	convergence
	DetailedExitcode bool `help:"Exit with 2 if there are changes." name:"detailed-exitcode"`
}

func (c *planCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	sessions, err := c.prepare(ctx, p)
	if err != nil {
		return err
	}
	d := c.dialer(p.err)
	defer d.Close()
	reading, cancel := p.unlessStopped(ctx)
	defer cancel()
	c.gather(reading, d, sessions, nil)
	p.out.Plan(views(sessions), c.Verbose, time.Since(began))

	var t tally
	changes := false
	for _, s := range sessions {
		t.planned(s)
		changes = changes || s.err == nil && !s.plan.Empty()
	}
	if code := t.code(); code != exitDone {
		return exitCode(code)
	}
	if changes && c.DetailedExitcode {
		return exitCode(exitChanges)
	}
	return nil
}

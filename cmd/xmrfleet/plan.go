package main

import (
	"context"
	"time"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/plan"
)

type planCmd struct {
	planFlags
	Out              fileName `help:"Also save the plan, without any values, for \"apply FILE\"." placeholder:"FILE"`
	DetailedExitcode bool     `help:"Exit with 2 if there are changes." name:"detailed-exitcode"`
}

func (c *planCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	if c.Out != "" {
		if err := plan.Replaceable(string(c.Out)); err != nil {
			return err
		}
	}
	sessions, err := c.prepare(ctx, p, c.choose)
	if err != nil {
		return err
	}
	d := c.dialer(p.err)
	defer d.Close()
	reading, cancel := p.unlessStopped(ctx)
	defer cancel()
	c.gather(reading, p, d, sessions, nil, func(*session) {})
	gathered(sessions, p.run)
	p.report.Report(c.removals(p, sessions))
	p.report.Report(view.Planned{Hosts: views(sessions), Details: c.Verbose, Took: time.Since(began)})

	var t tally
	changes := false
	for _, s := range sessions {
		t.asked(s.err)
		changes = changes || s.err == nil && !s.plan.Empty()
	}
	p.hosts = t
	if c.Out != "" && t.Done > 0 && !p.stopped() {
		if err := c.save(p, sessions); err != nil {
			return err
		}
		p.report.Report(view.Saved{File: string(c.Out)})
	}
	if code := t.code(); code != exitDone {
		return exitCode(code)
	}
	if changes && c.DetailedExitcode {
		return exitCode(exitChanges)
	}
	return nil
}

// save writes the plans of the sessions into the file that --out names.
func (c *planCmd) save(p *Program, sessions []*session) error {
	saved := plan.NewSaved(version, p.run, c.part(), p.inputs)
	for _, s := range sessions {
		if s.err == nil {
			saved.Add(s.host.Name, s.plan)
		} else {
			saved.Add(s.host.Name, nil)
		}
	}
	return saved.Write(string(c.Out))
}

package main

import (
	"xmrfleet/cmd/xmrfleet/view"
)

type validateCmd struct{ fleetFlags }

func (c *validateCmd) Run(p *Program) error {
	fleet, diags := p.read(c.fleetFlags)
	result := view.Validated{File: c.File, Report: diags.Report()}
	if fleet != nil {
		result.Hosts = len(fleet.Hosts)
	}
	p.report.Report(result)
	if fleet == nil {
		return exitCode(exitError)
	}
	return nil
}

package main

import (
	"xmrfleet/cmd/xmrfleet/lastrun"
	"xmrfleet/cmd/xmrfleet/selector"
	"xmrfleet/cmd/xmrfleet/supply"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
)

type renderCmd struct {
	fleetFlags
	Host string `arg:"" help:"The host whose files are shown. A pattern or a @group means several."`
}

// Run asks no host and opens no archive: a release that would have to be
// downloaded is nothing to wait for here.
func (c *renderCmd) Run(p *Program) error {
	fleet, err := p.load(c.fleetFlags)
	if err != nil {
		return err
	}
	hosts, err := selector.Flags{Limit: []string{c.Host}}.Hosts(fleet, lastrun.Failed)
	if err != nil {
		return err
	}
	builds := supply.Agents()
	for _, h := range hosts {
		h.Miner.Agent.Binaries = builds
		p.report.Report(view.Rendered{Host: h.Name, Files: modules.Render(h.Miner.Resources())})
	}
	return nil
}

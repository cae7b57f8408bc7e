package main

import (
	"encoding/json"
	"fmt"

	"xmrfleet/hcl"
)

type validateCmd struct {
	fleetFlags
	JSON bool `help:"Print a report for machines." name:"json"`
}

func (c *validateCmd) Run(p *Program) error {
	if c.JSON {
		return c.report(p)
	}
	fleet, err := p.load(c.fleetFlags)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is valid: %s.\n", c.File, plural(len(fleet.Hosts), "host"))
	return nil
}

func (c *validateCmd) report(p *Program) error {
	_, diags := hcl.Load(c.File, hcl.Options{Vars: c.Var, Env: p.Env})
	report := diags.Report()
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	if err := e.Encode(report); err != nil {
		return err
	}
	if !report.Valid {
		return exitCode(exitError)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

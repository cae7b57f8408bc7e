package main

import (
	"fmt"
	"strings"

	"xmrfleet/cmd/xmrfleet/roster"
)

type forgetCmd struct {
	File  string   `help:"The fleet file (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Hosts []string `arg:"" name:"host" help:"Names of hosts that the fleet file had."`
}

// Help is shown by --help.
func (c *forgetCmd) Help() string {
	return `A host that an apply has made and that the fleet file does not name any more mines on, and plan and apply say so. This ends that, and changes nothing on the host. To take everything off it, name it in the fleet file: removed "NAME" { address = "..." }.`
}

func (c *forgetCmd) Run(p *Program) error {
	if err := roster.Forget(c.File, c.Hosts); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Forgotten: %s. Nothing was changed there.\n", strings.Join(c.Hosts, ", "))
	return nil
}

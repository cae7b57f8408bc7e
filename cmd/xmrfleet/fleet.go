package main

import (
	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// fleetFlags say which fleet file is meant.
type fleetFlags struct {
	File string            `help:"The fleet file (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Var  map[string]string `help:"Value of a variable of the fleet file." mapsep:"none" placeholder:"NAME=VALUE"`
}

// load reads the fleet file and prints what is wrong with it.
func (p *Program) load(f fleetFlags) (*hcl.Fleet, error) {
	fleet, diags := hcl.Load(f.File, hcl.Options{Vars: f.Var, Env: p.Env})
	if len(diags) > 0 {
		diags.Write(p.err, p.err.Width, p.err.Colour)
	}
	if fleet == nil {
		return nil, exitCode(exitError)
	}
	p.out.Hide(fleet.Secrets)
	p.err.Hide(fleet.Secrets)
	return fleet, nil
}

// target is where the executor finds the host.
func target(h hcl.Host) executor.Target {
	return executor.Target{
		Name:         h.Name,
		Address:      h.Address,
		User:         h.SSH.User,
		Port:         h.SSH.Port,
		IdentityFile: h.SSH.IdentityFile,
		ProxyJump:    h.SSH.ProxyJump,
		HostKeys:     h.SSH.HostKeys,
	}
}

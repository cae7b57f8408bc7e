package main

import (
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// fleetFlags say which fleet file is meant.
type fleetFlags struct {
	File string            `help:"The fleet file (${default})." short:"f" default:"fleet.hcl" placeholder:"FILE"`
	Var  map[string]string `help:"Value of a variable of the fleet file." mapsep:"none" placeholder:"NAME=VALUE"`
}

// load reads the fleet file and reports what is wrong with it.
func (p *Program) load(f fleetFlags) (*hcl.Fleet, error) {
	fleet, _ := p.read(f)
	if fleet == nil {
		return nil, exitCode(exitError)
	}
	return fleet, nil
}

func (p *Program) read(f fleetFlags) (*hcl.Fleet, hcl.Diagnostics) {
	fleet, diags := hcl.Load(f.File, hcl.Options{Vars: f.Var, Env: p.lookup})
	loaded := view.Loaded{Diagnostics: diags}
	if fleet != nil {
		loaded.Hosts, loaded.Secrets, p.text = fleet.Hosts, fleet.Secrets, fleet.Text
	}
	p.out.Hide(loaded.Secrets)
	p.err.Hide(loaded.Secrets)
	p.report.Report(loaded)
	return fleet, diags
}

// lookup is p.Env, and remembers what was asked for.
func (p *Program) lookup(name string) (string, bool) {
	value, ok := p.Env(name)
	if p.env == nil {
		p.env = make(map[string]*string)
	}
	p.env[name] = nil
	if ok {
		p.env[name] = &value
	}
	return value, ok
}

// inputs are what the fleet file was read with. A pipe is read only once.
func (p *Program) inputs(f fleetFlags) inputs {
	return inputs{File: p.text, Vars: f.Var, Env: p.env}
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

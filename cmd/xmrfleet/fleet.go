package main

import (
	"slices"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/plan"
)

// load reads the fleet file and reports what is wrong with it.
func (p *Program) load(f fleetFlags) (*hcl.Fleet, error) {
	fleet, _ := p.read(f)
	if fleet == nil {
		return nil, exitCode(exitError)
	}
	return fleet, nil
}

func (p *Program) read(f fleetFlags) (*hcl.Fleet, hcl.Diagnostics) {
	p.inputs = plan.Inputs{Vars: f.Var, Env: make(map[string]*string)}
	fleet, diags := hcl.Load(f.File, hcl.Options{Vars: f.Var, Env: p.lookup, Version: version})
	loaded := view.Loaded{Diagnostics: diags}
	if fleet != nil {
		loaded.Hosts, loaded.Secrets, p.inputs.File = slices.Concat(fleet.Hosts, fleet.Removed), fleet.Secrets, fleet.Text
	}
	p.out.Hide(loaded.Secrets)
	p.err.Hide(loaded.Secrets)
	p.report.Report(loaded)
	return fleet, diags
}

// lookup is p.Env, and remembers what was asked for.
func (p *Program) lookup(name string) (string, bool) {
	value, ok := p.Env(name)
	p.inputs.Env[name] = nil
	if ok {
		p.inputs.Env[name] = &value
	}
	return value, ok
}

// choose loads the fleet and takes hosts of it.
func (p *Program) choose(f fleetFlags, from func(*hcl.Fleet) ([]hcl.Host, error)) ([]hcl.Host, error) {
	fleet, err := p.load(f)
	if err != nil {
		return nil, err
	}
	return from(fleet)
}

func namesOf(hosts []hcl.Host) []string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return names
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

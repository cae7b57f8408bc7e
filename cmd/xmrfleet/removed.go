package main

import (
	"slices"

	"xmrfleet/cmd/xmrfleet/roster"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/hcl"
)

// removals tells of hosts that left the fleet file, so that none mines on
// forgotten.
func (c *planFlags) removals(p *Program, sessions []*session) view.Removals {
	var e view.Removals
	for _, h := range roster.Unnamed(c.fleet, c.earlier(p)) {
		e.Unnamed = append(e.Unnamed, view.Unnamed{Host: h.Name, Address: h.Address, At: h.At})
	}
	for _, s := range sessions {
		if c.isRemoved(s.host.Name) && s.err == nil && s.plan.Empty() && c.Target == nil {
			e.Bare = append(e.Bare, s.host.Name)
		}
	}
	return e
}

// earlier are the last versions of the fleet file that were committed, as far as
// they can be read with the variables of now. A job that starts from nothing has
// no other memory.
func (c *planFlags) earlier(p *Program) []*hcl.Fleet {
	var fleets []*hcl.Fleet
	for _, text := range roster.Committed(c.fleet.Path) {
		if was, _ := hcl.Parse(c.fleet.Path, text, hcl.Options{Vars: c.Var, Env: p.Env, Version: version}); was != nil {
			fleets = append(fleets, was)
		}
	}
	return fleets
}

func (c *planFlags) isRemoved(name string) bool {
	return slices.ContainsFunc(c.fleet.Removed, func(h hcl.Host) bool { return h.Name == name })
}

// enlist remembers which hosts the apply changed or found as described, and
// forgets those that hold nothing any more.
func (c *applyCmd) enlist(sessions []*session) {
	var made []hcl.Host
	var bare []string
	for _, s := range sessions {
		switch {
		case s.err != nil || !s.plan.Empty() && !s.result.Touched:
		case !c.isRemoved(s.host.Name):
			made = append(made, s.host)
		case s.result.Err() == nil && c.Target == nil:
			bare = append(bare, s.host.Name)
		}
	}
	roster.Update(c.fleet.Path, made, bare) // an error: nobody will be reminded
}

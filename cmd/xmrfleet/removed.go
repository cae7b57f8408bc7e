package main

import (
	"slices"

	"xmrfleet/cmd/xmrfleet/roster"
	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/hcl"
)

// removals tells of hosts that left the fleet file, so that none mines on
// forgotten.
func (c *planFlags) removals(sessions []*session) view.Removals {
	var e view.Removals
	for _, h := range roster.Unnamed(c.fleet) {
		e.Unnamed = append(e.Unnamed, view.Unnamed{Host: h.Name, Address: h.Address, At: h.At})
	}
	for _, s := range sessions {
		if c.isRemoved(s.host.Name) && s.err == nil && s.plan.Empty() && c.Target == nil {
			e.Bare = append(e.Bare, s.host.Name)
		}
	}
	return e
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

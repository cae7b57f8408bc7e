package main

import (
	"errors"
	"fmt"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// selection flags choose hosts of the fleet.
type selection struct {
	Limit   []string `help:"Only these hosts: names, globs, ranges as m[01-40], @group, @failed; separated by commas." short:"l" sep:"none" placeholder:"HOSTS"`
	Exclude []string `help:"Not these hosts." sep:"none" placeholder:"HOSTS"`
	All     bool     `help:"All hosts, where the fleet file has require_selector."`
}

// hosts returns the selected ones in the order of the file. A pattern that
// fits no host is an error, the empty one too: "--limit $HOSTS" must not mean
// the whole fleet where the variable is empty.
func (s selection) hosts(fleet *hcl.Fleet) ([]hcl.Host, error) {
	if s.All && len(s.Limit) > 0 {
		return nil, hint.With(errors.New("select hosts: --all and --limit contradict each other"), "pass one of them")
	}
	limit, err := named(s.Limit, fleet)
	if err != nil {
		return nil, err
	}
	exclude, err := named(s.Exclude, fleet)
	if err != nil {
		return nil, err
	}
	var hosts []hcl.Host
	for _, h := range fleet.Hosts {
		if (len(s.Limit) == 0 || limit[h.Name]) && !exclude[h.Name] {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		return nil, hint.With(fmt.Errorf("select hosts: none is left of %d", len(fleet.Hosts)), "see --limit and --exclude")
	}
	return hosts, nil
}

// toChange is hosts for a command that changes them: a fleet file may want to
// hear which ones.
func (s selection) toChange(fleet *hcl.Fleet) ([]hcl.Host, error) {
	if fleet.RequireSelector && len(s.Limit) == 0 && !s.All {
		return nil, hint.With(fmt.Errorf("select hosts: %s has require_selector, and no host was named", fleet.Path),
			"name the hosts with --limit, or pass --all")

	}
	return s.hosts(fleet)
}

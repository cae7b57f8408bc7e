// Package selector chooses hosts of a fleet: by names, globs, ranges, groups and
// by what became of them in the last run. Ranges are read and written here, so
// that what is printed can be pasted behind --limit.
//
// It knows the fleet file and what it is told of the last run, and asks no host. A
// further way to name hosts is a case of fitting, in pattern.go.
package selector

import (
	"errors"
	"fmt"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// Flags of a command line choose hosts of the fleet.
type Flags struct {
	Limit   []string `help:"Only these hosts: names, globs, ranges as m[01-40], @group, @failed, @failed:apply; separated by commas." short:"l" sep:"none" placeholder:"HOSTS"`
	Exclude []string `help:"Not these hosts." sep:"none" placeholder:"HOSTS"`
	All     bool     `help:"All hosts, where the fleet file has require_selector."`
}

// A FailedHosts gives the hosts of a fleet that @failed stands for, or
// @failed:COMMAND.
type FailedHosts func(fleet *hcl.Fleet, command string) ([]string, error)

// Hosts returns the selected ones in the order of the file. A pattern that
// fits no host is an error, the empty one too: "--limit $HOSTS" must not mean
// the whole fleet where the variable is empty.
func (f Flags) Hosts(fleet *hcl.Fleet, failed FailedHosts) ([]hcl.Host, error) {
	if f.All && len(f.Limit) > 0 {
		return nil, hint.With(errors.New("select hosts: --all and --limit contradict each other"), "pass one of them")
	}
	limit, err := named(f.Limit, fleet, failed)
	if err != nil {
		return nil, err
	}
	exclude, err := named(f.Exclude, fleet, failed)
	if err != nil {
		return nil, err
	}
	var hosts []hcl.Host
	for _, h := range fleet.Hosts {
		if (len(f.Limit) == 0 || limit[h.Name]) && !exclude[h.Name] {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		return nil, hint.With(fmt.Errorf("select hosts: none is left of %d", len(fleet.Hosts)), "see --limit and --exclude")
	}
	return hosts, nil
}

// ToChange is Hosts for a command that changes them: a fleet file may want to
// hear which ones.
func (f Flags) ToChange(fleet *hcl.Fleet, failed FailedHosts) ([]hcl.Host, error) {
	if fleet.RequireSelector && len(f.Limit) == 0 && !f.All {
		return nil, hint.With(fmt.Errorf("select hosts: %s has require_selector, and no host was named", fleet.Path),
			"name the hosts with --limit, or pass --all")

	}
	return f.Hosts(fleet, failed)
}

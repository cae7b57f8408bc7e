package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// fleetFlags say which fleet file is meant.
type fleetFlags struct {
	File string            `help:"The fleet file." short:"f" default:"fleet.hcl" placeholder:"FILE"`
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

// selection flags choose hosts of the fleet.
type selection struct {
	Limit   []string `help:"Only these hosts: names, globs, @group; separated by commas." short:"l" placeholder:"HOSTS"`
	Exclude []string `help:"Not these hosts." placeholder:"HOSTS"`
}

// hosts returns the selected ones in the order of the file. A pattern that
// fits no host is an error.
func (s selection) hosts(fleet *hcl.Fleet) ([]hcl.Host, error) {
	matched := func(patterns []string) (map[string]bool, error) {
		names := make(map[string]bool)
		for _, pattern := range patterns {
			found := false
			for _, h := range fleet.Hosts {
				if matches(pattern, h) {
					names[h.Name], found = true, true
				}
			}
			if !found {
				return nil, unknownSelector(pattern, fleet)
			}
		}
		return names, nil
	}
	limit, err := matched(s.Limit)
	if err != nil {
		return nil, err
	}
	exclude, err := matched(s.Exclude)
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
		return nil, hinted{fmt.Errorf("select hosts: none is left of %d", len(fleet.Hosts)), "see --limit and --exclude"}
	}
	return hosts, nil
}

func matches(pattern string, h hcl.Host) bool {
	if group, ok := strings.CutPrefix(pattern, "@"); ok {
		return slices.Contains(h.Groups, group)
	}
	ok, err := path.Match(pattern, h.Name)
	return ok && err == nil
}

func unknownSelector(pattern string, fleet *hcl.Fleet) error {
	known, kind, prefix := fleet.Groups, "group", "@"
	name, isGroup := strings.CutPrefix(pattern, "@")
	if !isGroup {
		known, kind, prefix = nil, "host", ""
		for _, h := range fleet.Hosts {
			known = append(known, h.Name)
		}
	}
	best, closest := 4, ""
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d < best {
			best, closest = d, k
		}
	}
	err := fmt.Errorf("select hosts: %s has no %s %q", fleet.Path, kind, name)
	if closest == "" {
		return err
	}
	return hinted{err, fmt.Sprintf("did you mean %q?", prefix+closest)}
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

package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"xmrfleet/hcl"
)

// selection flags choose hosts of the fleet.
type selection struct {
	Limit   []string `help:"Only these hosts: names, globs, @group; separated by commas." short:"l" sep:"none" placeholder:"HOSTS"`
	Exclude []string `help:"Not these hosts." sep:"none" placeholder:"HOSTS"`
}

// hosts returns the selected ones in the order of the file. A pattern that
// fits no host is an error, the empty one too: "--limit $HOSTS" must not mean
// the whole fleet where the variable is empty.
func (s selection) hosts(fleet *hcl.Fleet) ([]hcl.Host, error) {
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
		return nil, hinted{fmt.Errorf("select hosts: none is left of %d", len(fleet.Hosts)), "see --limit and --exclude"}
	}
	return hosts, nil
}

// named returns the names of the hosts that fit the patterns of the lists.
func named(lists []string, fleet *hcl.Fleet) (map[string]bool, error) {
	names := make(map[string]bool)
	for _, list := range lists {
		for pattern := range strings.SplitSeq(list, ",") {
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
	}
	return names, nil
}

func matches(pattern string, h hcl.Host) bool {
	if group, ok := strings.CutPrefix(pattern, "@"); ok {
		return slices.Contains(h.Groups, group)
	}
	ok, err := path.Match(pattern, h.Name)
	return ok && err == nil
}

// unknownSelector says why a pattern fits no host.
func unknownSelector(pattern string, fleet *hcl.Fleet) error {
	group, isGroup := strings.CutPrefix(pattern, "@")
	switch {
	case pattern == "":
		return hinted{errors.New("select hosts: a name is empty"), "is a variable empty that should hold names?"}
	case isGroup && slices.Contains(fleet.Groups, group):
		return fmt.Errorf("select hosts: group %q has no hosts", group)
	case isGroup:
		return didYouMean(fmt.Errorf("select hosts: %s has no group %q", fleet.Path, group), group, "@", fleet.Groups)
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return hinted{fmt.Errorf("select hosts: bad pattern %q", pattern), "patterns are as in a shell: *, ? and [a-z]"}
	}
	if strings.ContainsAny(pattern, "*?[") {
		return fmt.Errorf("select hosts: no host of %s fits %q", fleet.Path, pattern)
	}
	var known []string
	for _, h := range fleet.Hosts {
		known = append(known, h.Name)
	}
	return didYouMean(fmt.Errorf("select hosts: %s has no host %q", fleet.Path, pattern), pattern, "", known)
}

// didYouMean adds to err the known name that is closest, if one is close.
func didYouMean(err error, name, prefix string, known []string) error {
	best, closest := 4, ""
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d < best {
			best, closest = d, k
		}
	}
	if closest == "" {
		return err
	}
	return hinted{err, fmt.Sprintf("did you mean %q?", prefix+closest)}
}

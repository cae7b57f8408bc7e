package selector

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// failedGroup is the group of the hosts that failed in the last run that is not
// repaired, unless the fleet file has a group of that name. Behind a colon may
// stand which command is meant.
const failedGroup = "failed"

// named returns the names of the hosts that fit the patterns of the lists.
func named(lists []string, fleet *hcl.Fleet, failed FailedHosts) (map[string]bool, error) {
	names := make(map[string]bool)
	for _, list := range lists {
		for _, pattern := range patterns(list) {
			found, err := fitting(pattern, fleet, failed)
			if err != nil {
				return nil, err
			}
			for _, name := range found {
				names[name] = true
			}
		}
	}
	return names, nil
}

// patterns splits a list at the commas outside of brackets.
func patterns(list string) []string {
	var found []string
	inside, begin := false, 0
	for i, r := range list {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside = false
		case r == ',' && !inside:
			found = append(found, list[begin:i])
			begin = i + 1
		}
	}
	return append(found, list[begin:])
}

// fitting returns the names of the hosts that fit one pattern. Each number of
// a range has to fit a host.
func fitting(pattern string, fleet *hcl.Fleet, failed FailedHosts) ([]string, error) {
	if group, command, _ := strings.Cut(pattern, ":"); group == "@"+failedGroup && !slices.Contains(fleet.Groups, failedGroup) {
		return failed(fleet, command)
	}
	expanded, err := expand(pattern)
	if err != nil {
		return nil, fmt.Errorf("select hosts: %w", err)
	}
	var names, missing []string
	for _, one := range expanded {
		before := len(names)
		for _, h := range fleet.Hosts {
			if matches(one, h) {
				names = append(names, h.Name)
			}
		}
		if len(names) == before {
			missing = append(missing, one)
		}
	}
	switch {
	case missing == nil:
		return names, nil
	case len(expanded) == 1:
		return nil, unknownSelector(missing[0], fleet)
	}
	return nil, fmt.Errorf("select hosts: %s has no %s, of %q", fleet.Path, abridged(missing), pattern)
}

// abridged lists names, not too many.
func abridged(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
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
		return hint.With(errors.New("select hosts: a name is empty"), "is a variable empty that should hold names?")
	case isGroup && slices.Contains(fleet.Groups, group):
		return fmt.Errorf("select hosts: group %q has no hosts", group)
	case isGroup:
		return didYouMean(fmt.Errorf("select hosts: %s has no group %q", fleet.Path, group), group, "@", append(fleet.Groups, failedGroup))
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return hint.With(fmt.Errorf("select hosts: bad pattern %q", pattern), "patterns are as in a shell: *, ? and [a-z], and ranges of numbers: [01-40]")
	}
	if strings.ContainsAny(pattern, "*?[") {
		return fmt.Errorf("select hosts: no host of %s fits %q", fleet.Path, pattern)
	}
	if _, err := time.ParseDuration(pattern); err == nil {
		return hint.With(fmt.Errorf("select hosts: %s has no host %q", fleet.Path, pattern), fmt.Sprintf("did you mean --watch=%s?", pattern))
	}
	var known []string
	for _, h := range fleet.Hosts {
		known = append(known, h.Name)
	}
	return didYouMean(fmt.Errorf("select hosts: %s has no host %q", fleet.Path, pattern), pattern, "", known)
}

// didYouMean adds to err the known name that is nearest, if one is near.
func didYouMean(err error, name, prefix string, known []string) error {
	nearest := hcl.Nearest(name, known)
	if nearest == "" {
		return err
	}
	return hint.With(err, fmt.Sprintf("did you mean %q?", prefix+nearest))
}

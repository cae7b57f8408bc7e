package main

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"

	"xmrfleet/hcl"
	"xmrfleet/modules/hint"
)

// failedGroup is the group of the hosts that failed in the last run, unless
// the fleet file has a group of that name.
const failedGroup = "failed"

// named returns the names of the hosts that fit the patterns of the lists.
func named(lists []string, fleet *hcl.Fleet) (map[string]bool, error) {
	names := make(map[string]bool)
	for _, list := range lists {
		for _, pattern := range patterns(list) {
			found, err := fitting(pattern, fleet)
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
func fitting(pattern string, fleet *hcl.Fleet) ([]string, error) {
	if pattern == "@"+failedGroup && !slices.Contains(fleet.Groups, failedGroup) {
		return lastFailed(fleet)
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

// numbers is a range of numbers, as m[01-40] or m[1,3-5]. A bracket with
// digits alone is a glob's.
var numbers = regexp.MustCompile(`\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\]`)

// mostExpanded is more hosts than there are in a fleet.
const mostExpanded = 10000

// expand writes out the ranges of a pattern. Numbers have as many digits as
// the first one of their range, if that begins with a zero.
func expand(pattern string) ([]string, error) {
	expanded := []string{""}
	rest := pattern
	for _, at := range numbers.FindAllStringIndex(pattern, -1) {
		bracket := pattern[at[0]:at[1]]
		if !strings.ContainsAny(bracket, "-,") {
			continue
		}
		before := pattern[len(pattern)-len(rest) : at[0]]
		rest = pattern[at[1]:]
		list, err := writtenOut(strings.Trim(bracket, "[]"))
		if err != nil {
			return nil, fmt.Errorf("range %s of %q: %w", bracket, pattern, err)
		}
		if len(expanded)*len(list) > mostExpanded {
			return nil, fmt.Errorf("pattern %q: more than %d names", pattern, mostExpanded)
		}
		var longer []string
		for _, prefix := range expanded {
			for _, number := range list {
				longer = append(longer, prefix+before+number)
			}
		}
		expanded = longer
	}
	for i := range expanded {
		expanded[i] += rest
	}
	return expanded, nil
}

// writtenOut returns the numbers of "08-10,12": 08, 09, 10, 12.
func writtenOut(ranges string) ([]string, error) {
	var list []string
	for part := range strings.SplitSeq(ranges, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			list = append(list, part)
			continue
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		switch {
		case err1 != nil || err2 != nil || last-first >= mostExpanded:
			return nil, fmt.Errorf("more than %d names", mostExpanded)
		case last < first:
			return nil, fmt.Errorf("%s comes after %s", from, to)
		}
		width := 0
		if from[0] == '0' {
			width = len(from)
		}
		for n := first; n <= last; n++ {
			list = append(list, fmt.Sprintf("%0*d", width, n))
		}
	}
	return list, nil
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
	return hint.With(err, fmt.Sprintf("did you mean %q?", prefix+closest))
}

package selector

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

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

var numbered = regexp.MustCompile(`^(.*?)(\d{1,9})$`)

// Names lists hosts, in their order, as --limit understands it. Three and
// more that only count up are one range: "m[01-40], mini-1".
func Names(hosts []string) string {
	var list []string
	for len(hosts) > 0 {
		n := counting(hosts)
		if n < 3 {
			list, hosts = append(list, hosts[0]), hosts[1:]
			continue
		}
		from, to := numbered.FindStringSubmatch(hosts[0]), numbered.FindStringSubmatch(hosts[n-1])
		list, hosts = append(list, fmt.Sprintf("%s[%s-%s]", from[1], from[2], to[2])), hosts[n:]
	}
	return strings.Join(list, ", ")
}

// counting is how many hosts from the first on are a range.
func counting(hosts []string) int {
	first := numbered.FindStringSubmatch(hosts[0])
	if first == nil {
		return 1
	}
	width := 0
	if first[2][0] == '0' {
		width = len(first[2])
	}
	from, _ := strconv.Atoi(first[2]) // no error: at most nine digits
	n := 1
	for n < len(hosts) && hosts[n] == fmt.Sprintf("%s%0*d", first[1], width, from+n) {
		n++
	}
	return n
}

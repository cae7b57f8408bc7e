package view

import (
	"fmt"
	"slices"
	"strings"

	"xmrfleet/cmd/xmrfleet/selector"
)

// What people read of many hosts stays readable: equal failures are said once,
// only so many in full, and a table of more hosts than fit leaves out those
// that are as they should be. JSON has them all.
const (
	fewHosts     = 10  // names that are listed one by one
	tableHosts   = 100 // rows of a table
	failedInFull = 25  // failures, and rows of a shortened table
)

// names lists a few hosts one by one and more as ranges.
func names(hosts []string) string {
	if len(hosts) <= fewHosts {
		return strings.Join(hosts, ", ")
	}
	return selector.Names(hosts)
}

// grouped puts items together for which said returns the same, in the order of
// the first one of each group.
func grouped[T any](items []T, said func(T) string) [][]T {
	var groups [][]T
	at := make(map[string]int)
	for _, item := range items {
		text := said(item)
		i, known := at[text]
		if !known {
			i = len(groups)
			at[text], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], item)
	}
	return groups
}

// A hostFailure is a host and what is wrong with it, ready to be printed.
type hostFailure struct{ host, text string }

func hostsIn(all []hostFailure) []string {
	hosts := make([]string, len(all))
	for i, f := range all {
		hosts[i] = f.host
	}
	return hosts
}

// failures prints the hosts that are not as they should be.
func (p *Printer) failures(out *strings.Builder, all []hostFailure) {
	groups := grouped(all, func(f hostFailure) string { return f.text })
	if len(groups) > failedInFull { // the failures of most hosts are those to see
		slices.SortStableFunc(groups, func(a, b []hostFailure) int { return len(b) - len(a) })
	}
	var rest []string
	for i, g := range groups {
		hosts := hostsIn(g)
		if i < failedInFull {
			out.WriteString(p.flow(fmt.Sprintf("  %s %s  %s", p.red("!"), p.bold(names(hosts)), g[0].text), 6))
		} else {
			rest = append(rest, hosts...)
		}
	}
	if rest != nil {
		fmt.Fprintf(out, "  %s and %s more: %s\n", p.red("!"), Plural(len(rest), "host"), names(rest))
	}
}

// chosen are the hosts that get a row of the table, and what is said of the
// others. beside is how many lines the page has besides those rows.
func (p *Printer) chosen(hosts []HostStatus, beside int) (rows []HostStatus, others string) {
	if p.Height == 0 && len(hosts) <= tableHosts || p.Height > 0 && height(hosts) <= p.Height-beside {
		return hosts, ""
	}
	var good, bad []HostStatus
	for _, h := range hosts {
		if h.remarkable() {
			bad = append(bad, h)
		} else {
			good = append(good, h)
		}
	}
	room := failedInFull
	if p.Height > 0 {
		room = p.Height - beside - 2
	}
	rows, bad = p.first(bad, &room)
	some := false // of the good ones
	if p.Height > 0 && bad == nil {
		room++ // nothing is to be said of them
		var also []HostStatus
		also, good = p.first(good, &room)
		rows, some = append(rows, also...), also != nil
	}
	if bad != nil {
		others += p.ofOthers(fmt.Sprintf("and %s more with something to say: ", Plural(len(bad), "host")), bad)
	}
	if good != nil {
		text := isAre(len(good), "host") + " as described: "
		if some {
			text = "and " + Plural(len(good), "host") + " more as described: "
		}
		others += p.ofOthers(text, good)
	}
	return rows, others
}

// first takes hosts for as long as there is room for their lines.
func (p *Printer) first(hosts []HostStatus, room *int) (rows, rest []HostStatus) {
	for i, h := range hosts {
		lines := 1
		if p.Height > 0 {
			lines = height(hosts[i : i+1])
		}
		if lines > *room {
			return rows, hosts[i:]
		}
		*room -= lines
		rows = append(rows, h)
	}
	return rows, nil
}

// height is how many lines the rows of these hosts have at most.
func height(hosts []HostStatus) int {
	n := len(hosts)
	for _, h := range hosts {
		if h.note() != "" {
			n++
		}
	}
	return n
}

// ofOthers is a line that names hosts for which the table has no row.
func (p *Printer) ofOthers(text string, hosts []HostStatus) string {
	var list []string
	for _, h := range hosts {
		list = append(list, h.Host)
	}
	text += names(list)
	if p.Height > 0 {
		text = p.cut(text, 0)
	}
	return text + "\n"
}

package view

import (
	"fmt"
	"slices"
	"strings"
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
	return Names(hosts)
}

// A failed is a host and what is wrong with it, ready to be printed.
type failed struct{ host, text string }

// failures prints the hosts that are not as they should be.
func (p *Printer) failures(out *strings.Builder, all []failed) {
	var texts []string
	hosts := make(map[string][]string) // by text
	for _, f := range all {
		if hosts[f.text] == nil {
			texts = append(texts, f.text)
		}
		hosts[f.text] = append(hosts[f.text], f.host)
	}
	if len(texts) > failedInFull { // the failures of most hosts are those to see
		slices.SortStableFunc(texts, func(a, b string) int { return len(hosts[b]) - len(hosts[a]) })
	}
	var rest []string
	for i, text := range texts {
		if i < failedInFull {
			fmt.Fprintf(out, "  %s %s  %s", p.red("!"), p.bold(names(hosts[text])), text)
		} else {
			rest = append(rest, hosts[text]...)
		}
	}
	if rest != nil {
		fmt.Fprintf(out, "  %s and %s more: %s\n", p.red("!"), Plural(len(rest), "host"), names(rest))
	}
}

// remarkable are the rows of a table of hosts, and what is said of the others.
func remarkable(hosts []HostStatus) (rows []HostStatus, others string) {
	if len(hosts) <= tableHosts {
		return hosts, ""
	}
	var good, bad []string
	for _, h := range hosts {
		switch {
		case h.AsDesired() && h.note() == "":
			good = append(good, h.Host)
		case len(rows) < failedInFull:
			rows = append(rows, h)
		default:
			bad = append(bad, h.Host)
		}
	}
	if bad != nil {
		others += fmt.Sprintf("and %s more with something to say: %s\n", Plural(len(bad), "host"), names(bad))
	}
	if good != nil {
		others += fmt.Sprintf("%s as described: %s\n", isAre(len(good), "host"), names(good))
	}
	return rows, others
}

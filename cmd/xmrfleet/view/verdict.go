package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/executor"
	"xmrfleet/modules/hint"
)

// lapses lists the certificates that end soon or have ended.
func (p *Printer) lapses(h HostCheck) string {
	var out strings.Builder
	for _, hop := range h.Trace.Hops {
		if time.Until(hop.HostKeyExpires) < soon {
			out.WriteString(p.until(hop.HostKeyExpires))
		}
		for _, k := range hop.Keys {
			if k.Answer == executor.Accepted && time.Until(k.Expires) < soon {
				out.WriteString(p.until(k.Expires))
			}
		}
	}
	return out.String()
}

func hostsOf(checks []HostCheck) []string {
	hosts := make([]string, len(checks))
	for i, h := range checks {
		hosts[i] = h.Host
	}
	return hosts
}

// fine prints the hosts that can be managed, a line for those that are alike.
func (p *Printer) fine(hosts []HostCheck) {
	for _, g := range grouped(hosts, func(h HostCheck) string { return h.verdict() + p.lapses(h) }) {
		least, most := g[0].Trace.RoundTrip, g[0].Trace.RoundTrip
		for _, h := range g {
			least, most = min(least, h.Trace.RoundTrip), max(most, h.Trace.RoundTrip)
		}
		trip := brief(least)
		if brief(most) != trip {
			trip += " to " + brief(most)
		}
		line := fmt.Sprintf("  %s  %s; a round trip takes %s%s\n", p.green("= "+names(hostsOf(g))), g[0].verdict(), trip, p.lapses(g[0]))
		io.WriteString(p, p.flow(line, 8))
	}
	if len(hosts) > 0 {
		fmt.Fprintln(p)
	}
}

// wrong prints the hosts that cannot be managed, only so many in full.
func (p *Printer) wrong(hosts []HostCheck) {
	var rest []string
	for i, g := range grouped(hosts, func(h HostCheck) string { return h.summary() + "\n" + hint.Of(h.Trace.Err) }) {
		switch {
		case i >= failedInFull:
			rest = append(rest, hostsOf(g)...)
		case len(g) == 1:
			fmt.Fprintln(p, p.check(g[0]))
		default:
			first := g[0]
			first.Host = names(hostsOf(g))
			fmt.Fprintf(p, "%s      %s\n\n", p.check(first), p.faint("this is the way to "+g[0].Host+"; -v shows those to the others"))
		}
	}
	if rest != nil {
		fmt.Fprintf(p, "  %s and %s more: %s\n\n", p.red("!"), Plural(len(rest), "host"), names(rest))
	}
}

package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"xmrfleet/executor"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
)

// SSHCheck: the way to each host was gone as far as it leads.
type SSHCheck struct {
	Hosts   []HostCheck
	Details bool // people want to see also the ways that lead to their end
	Took    time.Duration
}

// A HostCheck is the way to one host.
type HostCheck struct {
	Host  string
	Trace *executor.Trace
}

// soon is when a certificate is about to end.
const soon = time.Hour

// text says of hosts that are alike once that they can be managed, and then
// what is wrong with the others, with the way to the first of those on which it
// is the same.
func (e SSHCheck) text(t *Text) {
	var fine, wrong []HostCheck
	for _, h := range e.Hosts {
		if h.Trace.Err == nil {
			fine = append(fine, h)
		} else {
			wrong = append(wrong, h)
		}
	}
	if e.Details {
		for _, h := range slices.Concat(fine, wrong) {
			io.WriteString(t.Out, t.Out.check(h)+"\n")
		}
	} else {
		t.Out.fine(fine)
		t.Out.wrong(wrong)
	}
	good := len(fine)
	io.WriteString(t.Out, t.Out.total(e.total(good), e.Took))
}

func (e SSHCheck) total(good int) string {
	return fmt.Sprintf("Check: %d of %s can be managed.", good, Plural(len(e.Hosts), "host"))
}

// summary says in a line how the check ended.
func (h HostCheck) summary() string {
	if h.Trace.Err != nil {
		return h.Trace.Err.Error()
	}
	return h.verdict() + "; a round trip takes " + brief(h.Trace.RoundTrip)
}

// verdict is how one becomes root on a host that can be managed.
func (h HostCheck) verdict() string {
	verdict := "root by login"
	if h.Trace.Root == "sudo" {
		verdict = "root by sudo, which asks no password"
	}
	if hops := h.Trace.Hops; len(hops) > 0 && hops[len(hops)-1].Shared() {
		verdict += ", over a control socket"
	}
	return verdict
}

// brief prints a time span with the digits that matter.
func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		d = d.Round(10 * time.Microsecond)
	case d < 10*time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Millisecond)
	}
	return d.String()
}

func (p *Printer) check(h HostCheck) string {
	var out strings.Builder
	if h.Trace.Err != nil {
		out.WriteString(p.flow(fmt.Sprintf("  %s  %s\n", p.red("! "+h.Host), indentRest(printable.Text(h.summary()), "        ")), 8))
	} else {
		out.WriteString(p.flow(fmt.Sprintf("  %s  %s\n", p.green("= "+h.Host), h.summary()), 8))
	}
	for i, hop := range h.Trace.Hops {
		p.hop(&out, hop, i == len(h.Trace.Hops)-1)
	}
	if h.Trace.Resolver == "" {
		p.checkLine(&out, "ssh", "there is no such program here, so no ssh configuration was read", "")
	}
	if text := hint.Of(h.Trace.Err); text != "" {
		fmt.Fprintf(&out, "      %s%s\n", p.bold("hint: "), indentRest(printable.Text(text), "        "))
	}
	return out.String()
}

func (p *Printer) hop(out *strings.Builder, hop executor.Hop, last bool) {
	label, took := "hop "+hop.Name, "not logged in"
	if last {
		label = "host"
	}
	switch {
	case hop.Shared():
		took = "reached within " + brief(hop.Took)
	case hop.Took > 0:
		took = "logged in within " + brief(hop.Took)
	}
	p.checkLine(out, label, hop.User+"@"+hop.Address, took)
	for _, s := range hop.Settings {
		p.checkLine(out, "  "+s.Keyword, s.Value, string(s.Origin))
	}
	if hop.ControlSocket != "" {
		verdict := "not used: " + hop.ControlUnused
		if hop.Shared() {
			verdict = "a live master, so no login of our own"
		}
		p.checkLine(out, "  ControlPath", hop.ControlSocket, verdict)
	}
	if hop.HostKey != "" {
		verdict := "refused"
		if hop.KnownFrom != "" {
			verdict = "known from " + hop.KnownFrom
		}
		p.checkLine(out, "  host key", hop.HostKey, verdict+p.until(hop.HostKeyExpires))
	}
	for _, k := range hop.Keys {
		p.checkLine(out, "  key", k.From, string(k.Answer)+p.until(k.Expires))
	}
	for _, u := range hop.Unusable {
		p.checkLine(out, "  key", u, "cannot be offered")
	}
}

// until says when a certificate ends.
func (p *Printer) until(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	left := time.Until(end)
	text := "; its certificate ends " + end.Format(time.DateTime)
	switch {
	case left < 0:
		return p.red("; its certificate ended " + end.Format(time.DateTime))
	case left < soon:
		return p.yellow(text + ", in " + Duration(left))
	}
	return text
}

// checkLine prints what a label has to tell. Where the terminal is narrow, the
// value gets a line of its own: it may be copied.
func (p *Printer) checkLine(out *strings.Builder, label, value, note string) {
	value = printable.Text(value)
	if note != "" {
		note = p.faint("(" + note + ")")
	}
	line := ""
	for _, layout := range []string{"      %-22s  %s  %s", "      %s  %s  %s", "      %s\n          %s\n          %s"} {
		line = strings.TrimRight(fmt.Sprintf(layout, label, value, note), " \n")
		if p.Width == 0 || ansi.StringWidth(line) <= p.Width {
			break
		}
	}
	out.WriteString(line + "\n")
}

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

// sshCheckFields hold the whole way to the host.
type sshCheckFields struct {
	OK bool `json:"ok"`
	*executor.Trace
	trouble
}

type sshCheckSummary struct {
	Hosts int   `json:"hosts"`
	OK    int   `json:"ok"`
	Took  int64 `json:"took_ms"`
}

func (e SSHCheck) lines() []line {
	var lines []line
	good := 0
	for _, h := range e.Hosts {
		err := h.Trace.Err
		l := sshCheckLine.line(h.Host, h.summary(), sshCheckFields{err == nil, h.Trace, troubleOf(err)})
		if err != nil {
			l.level = levelError
		} else {
			good++
		}
		lines = append(lines, l)
	}
	return append(lines, sshCheckSumLine.line("", e.total(good), sshCheckSummary{len(e.Hosts), good, e.Took.Milliseconds()}))
}

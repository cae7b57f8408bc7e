package view

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/plan"
)

// A HostPlan is a host and its plan, or why it has none.
type HostPlan struct {
	Host string
	Plan *plan.Plan
	Err  error
	Kind string // of Err, for programs: "unreachable", "locked", Stale ...
	Hint string
}

// Stale is the Kind of a host that was read but is not as in the saved plan.
const Stale = "stale"

// Plan prints what apply would change. Hosts with the same changes fold into
// one block, unchanged ones are silent, and the last line is the total. The
// content of new files is printed only with details.
func (p *Printer) Plan(hosts []HostPlan, details bool, took time.Duration) {
	var out strings.Builder
	for _, g := range p.fold(hosts, details) {
		p.group(&out, g)
	}
	var notRead []failed
	for _, h := range hosts {
		if h.Err != nil {
			notRead = append(notRead, failed{h.Host, trouble{h.Err.Error(), "", h.Hint}.text()})
		}
	}
	p.failures(&out, notRead)
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	out.WriteString(p.total(planTotal(hosts), took))
	io.WriteString(p, out.String())
}

// A group is hosts whose changes and warnings read the same.
type group struct {
	hosts   []string
	changes int
	text    string
}

// fold groups the hosts that have changes or warnings, in the order of their
// first members. The name of a host within its own changes does not tell them
// apart; it is shown as ${host.name} where a group has several.
func (p *Printer) fold(hosts []HostPlan, details bool) []*group {
	var groups []*group
	at := make(map[string]*group)
	for _, h := range hosts {
		if h.Err != nil || h.Plan.Empty() && len(h.Plan.Warnings) == 0 {
			continue
		}
		text := p.describe(anonymous(h.Plan.Changes, h.Host), h.Plan.Warnings, details)
		g := at[text]
		if g == nil {
			g = &group{changes: len(h.Plan.Changes), text: p.describe(h.Plan.Changes, h.Plan.Warnings, details)}
			at[text], groups = g, append(groups, g)
		} else {
			g.text = text
		}
		g.hosts = append(g.hosts, h.Host)
	}
	return groups
}

// anonymous replaces the host's name in what the changes show.
func anonymous(changes []plan.Change, host string) []plan.Change {
	name := regexp.MustCompile(`\b` + regexp.QuoteMeta(host) + `\b`)
	replace := func(s string) string { return name.ReplaceAllLiteralString(s, "${host.name}") }
	out := make([]plan.Change, len(changes))
	for i, c := range changes {
		c.Before, c.After = replace(c.Before), replace(c.After)
		fields := make([]modules.Field, len(c.Fields))
		for j, f := range c.Fields {
			fields[j] = modules.Field{Name: f.Name, Old: replace(f.Old), New: replace(f.New)}
		}
		c.Fields = fields
		out[i] = c
	}
	return out
}

func (p *Printer) group(out *strings.Builder, g *group) {
	mark, count := p.yellow("~"), ""
	if g.changes == 0 {
		mark = p.yellow("!")
	}
	if len(g.hosts) > 1 {
		count = fmt.Sprintf("%d hosts, same %s", len(g.hosts), pluralWord(g.changes, "change"))
	}
	out.WriteString(p.heading(mark, p.bold(names(g.hosts)), p.faint(count)) + g.text)
}

// describe is the text below the names of the hosts.
func (p *Printer) describe(changes []plan.Change, warnings []string, details bool) string {
	var out strings.Builder
	for _, c := range changes {
		p.change(&out, c, details)
	}
	for _, w := range warnings {
		out.WriteString(p.flow(fmt.Sprintf("      %s %s\n", p.yellow("! warning:"), Printable(w)), 8))
	}
	return out.String()
}

func (p *Printer) change(out *strings.Builder, c plan.Change, details bool) {
	mark := p.yellow("~")
	switch c.Action {
	case modules.Create, modules.Start:
		mark = p.green("+")
	case modules.Delete, modules.Stop:
		mark = p.red("-")
	}
	line := Printable(c.Resource + said(c))
	if len(c.Fields) > 0 && c.Action != modules.Update {
		line += "  " + p.faint(Printable(inline(c.Fields)))
	}
	out.WriteString(p.flow(fmt.Sprintf("      %s %s\n", mark, line), 8))
	if c.Action == modules.Update {
		for _, f := range c.Fields {
			out.WriteString(p.flow(fmt.Sprintf("            %s\n", p.field(f)), 14))
		}
	}
	if c.Before != "" || details {
		p.diff(out, c.Before, c.After)
	}
}

// said is what a change says behind its resource.
func said(c plan.Change) string {
	switch {
	case c.Disruptive && c.Reason != "":
		return "  " + string(c.Action) + ": " + c.Reason
	case c.Disruptive:
		return "  " + string(c.Action)
	case c.Reason != "":
		return "  " + c.Reason
	}
	return ""
}

// inline lists fields in one line.
func inline(fields []modules.Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = f.Name + " " + short(cmp.Or(f.New, f.Old))
	}
	return strings.Join(words, ", ")
}

func (p *Printer) field(f modules.Field) string {
	name, before, after := Printable(f.Name)+": ", p.red(Printable(short(f.Old))), p.green(Printable(short(f.New)))
	switch {
	case f.Old == "":
		return name + after
	case f.New == "":
		return name + before
	}
	return name + before + " -> " + after
}

var longHash = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{52}\b`)

// short cuts checksums to what tells them apart.
func short(s string) string { return longHash.ReplaceAllString(s, "$1…") }

// failure prints a host that could not be read or changed.
func (p *Printer) failure(out *strings.Builder, host string, err error, hint string) {
	p.failures(out, []failed{{host, trouble{err.Error(), "", hint}.text()}})
}

// text is what follows the name of the host.
func (t trouble) text() string {
	text := indentRest(Printable(t.Error), "      ") + "\n"
	if t.Hint != "" {
		text += "      hint: " + indentRest(Printable(t.Hint), "      ") + "\n"
	}
	return text
}

// A planSum is what a plan comes to.
type planSum struct{ read, toChange, changes, restarts, failed, stale int }

func planTotals(hosts []HostPlan) planSum {
	var t planSum
	for _, h := range hosts {
		if h.Kind == Stale {
			t.stale++
			continue
		}
		if h.Err != nil {
			t.failed++
			continue
		}
		t.read++
		if h.Plan.Empty() {
			continue
		}
		t.toChange++
		t.changes += len(h.Plan.Changes)
		t.restarts += Restarts(h.Plan.Changes)
	}
	return t
}

func planTotal(hosts []HostPlan) string {
	t := planTotals(hosts)
	var total string
	switch {
	case t.read == 0 && t.stale > 0:
		total = "Plan: nothing is to be applied."
	case t.read == 0:
		total = "Plan: nothing was read."
	case t.toChange == 0:
		total = fmt.Sprintf("Plan: nothing to do, %s as described.", isAre(t.read, "host"))
	default:
		total = fmt.Sprintf("Plan: %d of %s to change, %s", t.toChange, Plural(len(hosts), "host"), Plural(t.changes, "change"))
		if t.restarts > 0 {
			total += ", " + Plural(t.restarts, "restart")
		}
		total += "."
	}
	if t.failed > 0 {
		total += fmt.Sprintf(" %s not read.", wasWere(t.failed, "host"))
	}
	if t.stale > 0 {
		total += fmt.Sprintf(" %s not as in the saved plan.", isAre(t.stale, "host"))
	}
	return total
}

// Restarts counts the changes that interrupt a running miner or agent.
func Restarts(changes []plan.Change) int {
	n := 0
	for _, c := range changes {
		if c.Action == modules.Restart && c.Disruptive {
			n++
		}
	}
	return n
}

// Plural is a number and its noun: "1 host", "2 hosts".
func Plural(n int, noun string) string { return fmt.Sprintf("%d %s", n, pluralWord(n, noun)) }

func pluralWord(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func isAre(n int, noun string) string {
	if n == 1 {
		return Plural(n, noun) + " is"
	}
	return Plural(n, noun) + " are"
}

func wasWere(n int, noun string) string {
	if n == 1 {
		return Plural(n, noun) + " was"
	}
	return Plural(n, noun) + " were"
}

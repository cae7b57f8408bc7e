package view

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmrfleet/modules"
	"xmrfleet/modules/printable"
	"xmrfleet/plan"
)

// A group is hosts whose changes and warnings read the same.
type group struct {
	first   HostPlan
	hosts   []string
	changes []plan.Change // of the first, without its name
	differ  []bool        // by change: what is in the new file is not the same on all
}

// fold groups the hosts that have changes or warnings, in the order of their
// first members. The name of a host within its own changes does not tell them
// apart; it is shown as ${host.name} where a group has several. Nor does the
// content of a new file that is not printed: that it differs is said.
func (p *Printer) fold(hosts []HostPlan, details bool) []*group {
	var groups []*group
	at := make(map[string]*group)
	for _, h := range hosts {
		if h.Err != nil || h.Plan.Empty() && len(h.Plan.Warnings) == 0 {
			continue
		}
		changes := anonymous(h.Plan.Changes, h.Host)
		text := p.describe(changes, h.Plan.Warnings, details, nil)
		g := at[text]
		if g == nil {
			g = &group{first: h, changes: changes, differ: make([]bool, len(changes))}
			at[text], groups = g, append(groups, g)
		}
		g.hosts = append(g.hosts, h.Host)
		for i, c := range changes {
			g.differ[i] = g.differ[i] || c.Before == "" && c.After != g.changes[i].After
		}
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

func (p *Printer) group(out *strings.Builder, g *group, details bool) {
	mark, count := p.yellow("~"), ""
	changes := g.changes
	switch {
	case len(changes) == 0:
		mark = p.yellow("!")
	case len(g.hosts) == 1:
		changes = g.first.Plan.Changes
	}
	if len(g.hosts) > 1 {
		count = fmt.Sprintf("%d hosts, same %s", len(g.hosts), pluralWord(len(changes), "change"))
	}
	if slices.Contains(g.differ, true) {
		count += " but for content"
	}
	var content []string
	hidden := false
	if !details {
		for i, c := range changes {
			content = append(content, g.content(i, c))
			hidden = hidden || content[i] != ""
		}
	}
	out.WriteString(p.heading(mark, p.bold(names(g.hosts)), p.faint(count)) + p.describe(changes, g.first.Plan.Warnings, details, content))
	if hidden {
		fmt.Fprintf(out, "      %s\n", p.faint("(new files in full: xmrfleet render "+g.hosts[0]+", or -v)"))
	}
}

// content says in a few words what is in a file that is new; it is "" for any
// other change.
func (g *group) content(i int, c plan.Change) string {
	switch {
	case c.Before != "" || c.After == "":
		return ""
	case g.differ[i]:
		return "content differs by host"
	}
	return Plural(strings.Count(strings.TrimSuffix(c.After, "\n"), "\n")+1, "line")
}

// describe is the text below the names of the hosts. content, if not nil, says
// of each change what is in a new file.
func (p *Printer) describe(changes []plan.Change, warnings []string, details bool, content []string) string {
	var out strings.Builder
	for i, c := range changes {
		said := ""
		if content != nil {
			said = content[i]
		}
		p.change(&out, c, details, said)
	}
	for _, w := range warnings {
		out.WriteString(p.flow(fmt.Sprintf("      %s %s\n", p.yellow("! warning:"), printable.Text(w)), 8))
	}
	return out.String()
}

func (p *Printer) change(out *strings.Builder, c plan.Change, details bool, content string) {
	mark := p.yellow("~")
	switch c.Action {
	case modules.Create, modules.Start:
		mark = p.green("+")
	case modules.Delete, modules.Stop:
		mark = p.red("-")
	}
	line := fmt.Sprintf("%-7s %s", c.Action, c.Resource)
	if c.Reason != "" {
		line += ": " + c.Reason
	}
	if detail := inline(c, content); detail != "" {
		line = printable.Text(line) + "  " + p.faint(printable.Text(detail))
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

// inline is what stands behind a change in its own line: its fields, unless
// they get lines of their own, and content.
func inline(c plan.Change, content string) string {
	var words []string
	if c.Action != modules.Update {
		for _, f := range c.Fields {
			word := f.Name + " " + short(f.Old+f.New)
			if f.Old != "" && f.New != "" {
				word = f.Name + ": " + short(f.Old) + " -> " + short(f.New)
			}
			if word != c.Resource {
				words = append(words, word)
			}
		}
	}
	if content != "" {
		words = append(words, content)
	}
	return strings.Join(words, ", ")
}

func (p *Printer) field(f modules.Field) string {
	name, before, after := printable.Text(f.Name)+": ", p.red(printable.Text(short(f.Old))), p.green(printable.Text(short(f.New)))
	switch {
	case f.Old == "":
		return name + after
	case f.New == "":
		return name + before + " -> removed"
	}
	return name + before + " -> " + after
}

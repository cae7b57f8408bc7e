package hcl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A collector gathers diagnostics. One that comes again for another host is
// kept once, with the hosts it stands for.
type collector struct {
	entries []*entry
	seen    map[string]*entry
}

type entry struct {
	*hcl.Diagnostic
	hosts []string
}

// add keeps diagnostics that concern the file as a whole, or one host if host
// is not empty.
func (c *collector) add(host string, diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		detail := d.Detail
		if host != "" {
			detail = strings.ReplaceAll(detail, host, "\x00")
		}
		c.addAs(fmt.Sprint(d.Severity, d.Summary, detail, d.Subject), host, d)
	}
}

// addAs is add for diagnostics that differ from host to host and are still the
// same mistake.
func (c *collector) addAs(key, host string, d *hcl.Diagnostic) {
	e := c.seen[key]
	if e == nil {
		e = &entry{Diagnostic: d}
		if c.seen == nil {
			c.seen = map[string]*entry{}
		}
		c.seen[key] = e
		c.entries = append(c.entries, e)
	}
	if host != "" {
		e.hosts = append(e.hosts, host)
	}
}

// maxSyntax is how many syntax errors are worth reading: after the first few,
// a parser that lost its way finds them everywhere.
const maxSyntax = 20

// addSyntax keeps what a parser says. After a missing quote it repeats itself
// for every line.
func (c *collector) addSyntax(diags hcl.Diagnostics) {
	for _, d := range diags[:min(maxSyntax, len(diags))] {
		if d.Summary == "Invalid multi-line string" {
			c.addAs(d.Summary, "", d)
		} else {
			c.add("", d)
		}
	}
}

// diagnostics gives them in the order of the file.
func (c *collector) diagnostics(s *source) Diagnostics {
	slices.SortStableFunc(c.entries, func(a, b *entry) int { return cmp.Compare(a.offset(), b.offset()) })
	var out Diagnostics
	for _, e := range c.entries {
		d := Diagnostic{Severity: Error, Summary: e.Summary, Detail: e.Detail}
		if e.Severity == hcl.DiagWarning {
			d.Severity = Warning
		}
		d.place(s, e.Subject)
		if len(e.hosts) > 0 && !d.isInside(e.hosts) {
			d.Detail += fmt.Sprintf(" (%s)", hostList(e.hosts))
		}
		out = append(out, d)
	}
	return out
}

// isInside reports whether the place of d says already which host is meant.
func (d Diagnostic) isInside(hosts []string) bool {
	return len(hosts) == 1 && d.Snippet != nil && strings.HasPrefix(d.Snippet.Context, fmt.Sprintf("host %q", hosts[0]))
}

func (e *entry) offset() int {
	if e.Subject == nil {
		return -1
	}
	return e.Subject.Start.Byte
}

// hostList names three hosts at most: `hosts "a", "b", "c" and 37 more`.
func hostList(names []string) string {
	quoted := make([]string, 0, 3)
	for _, name := range names[:min(3, len(names))] {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	text := strings.Join(quoted, ", ")
	switch more := len(names) - len(quoted); {
	case len(names) == 1:
		return "host " + text
	case more > 0:
		return fmt.Sprintf("hosts %s and %d more", text, more)
	}
	return "hosts " + text
}

// problem is an error at a place.
func problem(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// remark is a warning at a place.
func remark(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := problem(at, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

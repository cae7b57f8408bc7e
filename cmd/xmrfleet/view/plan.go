package view

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
	"xmrfleet/plan"
)

// A HostPlan is a host and its plan, or why it has none.
type HostPlan struct {
	Host string
	Plan *plan.Plan
	Err  error
}

// Stale is the Kind of a host that was read but is not as in the saved plan.
const Stale hint.Kind = "stale"

// Plan prints what apply would change. Hosts with the same changes fold into
// one block, unchanged ones are silent, and the last line is the total. The
// content of new files is printed only with details.
func (p *Printer) Plan(hosts []HostPlan, details bool, took time.Duration) {
	var out strings.Builder
	for _, g := range p.fold(hosts, details) {
		p.group(&out, g, details)
	}
	var notRead []failed
	for _, h := range hosts {
		if h.Err != nil {
			notRead = append(notRead, failed{h.Host, troubleOf(h.Err).text()})
		}
	}
	p.failures(&out, notRead)
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	out.WriteString(p.total(planTotal(hosts), took))
	io.WriteString(p, out.String())
}

var longHash = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{52}\b`)

// short cuts checksums to what tells them apart.
func short(s string) string { return longHash.ReplaceAllString(s, "$1…") }

// failure prints a host that could not be read or changed.
func (p *Printer) failure(out *strings.Builder, host string, err error) {
	p.failures(out, []failed{{host, troubleOf(err).text()}})
}

// text is what follows the name of the host.
func (t trouble) text() string {
	text := indentRest(printable.Text(t.Error), "      ") + "\n"
	if t.Hint != "" {
		text += "      hint: " + indentRest(printable.Text(t.Hint), "      ") + "\n"
	}
	return text
}

// A planSum is what a plan comes to.
type planSum struct{ read, toChange, changes, restarts, failed, stale int }

func planTotals(hosts []HostPlan) planSum {
	var t planSum
	for _, h := range hosts {
		if hint.KindOf(h.Err) == Stale {
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

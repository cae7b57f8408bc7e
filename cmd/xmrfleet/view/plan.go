package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// Planned: the hosts were compared with their descriptions.
type Planned struct {
	Hosts   []HostPlan
	Details bool
	Took    time.Duration
}

// A HostPlan is a host and its plan, or why it has none.
type HostPlan struct {
	Host string
	Plan *plan.Plan
	Err  error
}

func (e Planned) text(t *Text) { t.Out.plan(e.Hosts, e.Details, e.Took) }

// plan prints what apply would change. Hosts with the same changes fold into
// one block, unchanged ones are silent, and the last line is the total. The
// content of new files is printed only with details.
func (p *Printer) plan(hosts []HostPlan, details bool, took time.Duration) {
	var out strings.Builder
	for _, g := range p.fold(hosts, details) {
		p.group(&out, g, details)
	}
	var notRead []hostFailure
	for _, h := range hosts {
		if h.Err != nil {
			notRead = append(notRead, hostFailure{h.Host, troubleOf(h.Err).text()})
		}
	}
	p.failures(&out, notRead)
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	out.WriteString(p.total(planTotal(hosts), took))
	io.WriteString(p, out.String())
}

// A planSum is the sum over all hosts of a plan.
type planSum struct{ read, toChange, changes, restarts, failed, stale int }

func planTotals(hosts []HostPlan) planSum {
	var t planSum
	for _, h := range hosts {
		if hint.KindOf(h.Err) == plan.Stale {
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
	case t.read == 0 && len(hosts) == 1:
		return "Plan: the host was not read."
	case t.read == 0:
		return fmt.Sprintf("Plan: none of %s was read.", Plural(len(hosts), "host"))
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

// A step names a change.
type step struct {
	Resource string         `json:"resource"`
	Action   modules.Action `json:"action"`
}

func stepsOf(changes []plan.Change) []step {
	steps := make([]step, len(changes))
	for i, c := range changes {
		steps[i] = step{c.Resource, c.Action}
	}
	return steps
}

type hostWarning struct {
	Warning string `json:"warning"`
}

type plannedChange struct {
	step
	Reason     string          `json:"reason,omitempty"`
	Disruptive bool            `json:"disruptive"`
	Fields     []modules.Field `json:"fields,omitempty"`
	Before     string          `json:"before,omitempty"`
	After      string          `json:"after,omitempty"`
}

type planSummary struct {
	Hosts    int   `json:"hosts"`
	ToChange int   `json:"to_change"`
	Changes  int   `json:"changes"`
	Restarts int   `json:"restarts"`
	NotRead  int   `json:"not_read"`
	Stale    int   `json:"stale"`
	Took     int64 `json:"took_ms"`
}

func (e Planned) lines() []line {
	var lines []line
	for _, h := range e.Hosts {
		if h.Err != nil {
			lines = append(lines, h.unread())
			continue
		}
		for _, w := range h.Plan.Warnings {
			lines = append(lines, hostWarningLine.line(h.Host, h.Host+": "+w, hostWarning{w}).as(levelWarn))
		}
		for _, c := range h.Plan.Changes {
			lines = append(lines, changeLine(h.Host, c, e.Details))
		}
	}
	t := planTotals(e.Hosts)
	return append(lines, planSummaryLine.line("", planTotal(e.Hosts),
		planSummary{len(e.Hosts), t.toChange, t.changes, t.restarts, t.failed, t.stale, e.Took.Milliseconds()}))
}

// unread is the line of a host that has no plan.
func (h HostPlan) unread() line {
	kind := hostUnreachableLine
	if hint.KindOf(h.Err) == plan.Stale {
		kind = hostStaleLine
	}
	return kind.line(h.Host, h.Host+": "+h.Err.Error(), troubleOf(h.Err)).as(levelError)
}

// changeLine shows what the text for people shows.
func changeLine(host string, c plan.Change, details bool) line {
	fields := plannedChange{step{c.Resource, c.Action}, c.Reason, c.Disruptive, c.Fields, "", ""}
	if c.Before != "" || details {
		fields.Before, fields.After = c.Before, c.After
	}
	return plannedChangeLine.line(host, host+": "+c.String(), fields)
}

// Saved: the plan is in a file.
type Saved struct{ File string }

func (e Saved) text(t *Text) {
	fmt.Fprintf(t.Err, "The plan is saved. `xmrfleet apply %s` makes these changes and no others.\n", e.File)
}

type planSaved struct {
	File string `json:"file"`
}

func (e Saved) lines() []line {
	return []line{planSavedLine.line("", "The plan is saved in "+e.File+".", planSaved(e))}
}

package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

// Applied: an apply is over.
type Applied struct {
	Results []HostResult
	Retry   string // the command that does the same for the hosts that failed
	Took    time.Duration
}

// A HostResult is what an apply did to a host.
type HostResult struct {
	Host string
	plan.Outcome
	Failed error // the host could not be read, so nothing was done
	Took   time.Duration

	// What the host showed after its changes: the steps of its description that
	// it proves, those that it does not, and what is lacking for the first of
	// them.
	Proven, Open []modules.Step
	Lacks        string
}

// stepWords are what people are told of the steps.
var stepWords = map[modules.Step]string{modules.ProcessStep: "process", modules.APIStep: "API", modules.AgentStep: "agent",
	modules.PoolStep: "pool", modules.HashStep: "hashing"}

// made says what was done to a host and how far that is verified. That nothing
// differs from the description any more always is.
func (r HostResult) made() string {
	text := Plural(len(r.Done), "change") + " made, verified"
	for i, s := range r.Proven {
		text += []string{": ", ", "}[min(i, 1)] + stepWords[s]
	}
	if r.Lacks != "" {
		text += "; " + r.Lacks
	}
	return text
}

// Err is why the host is not as it should be, or nil.
func (r HostResult) Err() error {
	if r.Failed != nil {
		return r.Failed
	}
	return r.Outcome.Err
}

func (e Applied) text(t *Text) { t.Out.applied(e) }

// applied prints what an apply did: the hosts that are not as they should be,
// with how far they got, the total, and the command that retries them.
func (p *Printer) applied(e Applied) {
	var out strings.Builder
	var left []hostFailure
	for _, r := range e.Results {
		if r.Err() != nil {
			left = append(left, hostFailure{r.Host, r.text()})
		}
	}
	p.failures(&out, left)
	p.unproven(&out, e.Results)
	out.WriteString("\n" + p.total(applyTotals(e.Results).String(), e.Took))
	if e.Retry != "" {
		fmt.Fprintf(&out, "retry: %s\n", e.Retry)
	}
	io.WriteString(p, out.String())
}

// unproven names the hosts of which is not proven yet that they hash.
func (p *Printer) unproven(out *strings.Builder, results []HostResult) {
	var open []hostFailure
	asked := false // where the API answers, waiting makes sense
	for _, r := range results {
		if r.Err() == nil && r.Lacks != "" {
			open = append(open, hostFailure{r.Host, r.Lacks})
			asked = asked || slices.Contains(r.Proven, modules.APIStep)
		}
	}
	for _, g := range grouped(open, func(f hostFailure) string { return f.text }) {
		out.WriteString(p.flow(fmt.Sprintf("  %s %s  %s\n", p.yellow("…"), p.bold(names(hostsIn(g))), g[0].text), 6))
	}
	if asked {
		out.WriteString("    `xmrfleet status --wait` waits until they hash\n")
	}
}

// text says how far a host got that is not as it should be.
func (r HostResult) text() string {
	var out strings.Builder
	out.WriteString(trouble{progressOf(r) + ": " + r.Err().Error(), "", hint.Of(r.Err())}.text())
	for _, c := range r.Done {
		fmt.Fprintf(&out, "        made     %s\n", c)
	}
	if len(r.Done) > 0 {
		for _, c := range r.Pending {
			fmt.Fprintf(&out, "        not yet  %s\n", c)
		}
	}
	return out.String()
}

// An applySum is the sum over all hosts of an apply.
type applySum struct{ hosts, converged, changes, restarts, failed int }

func applyTotals(results []HostResult) applySum {
	t := applySum{hosts: len(results)}
	for _, r := range results {
		t.changes += len(r.Done)
		t.restarts += Restarts(r.Done)
		if r.Err() == nil {
			t.converged++
		} else {
			t.failed++
		}
	}
	return t
}

func (t applySum) String() string {
	total := fmt.Sprintf("Apply: %d of %s converged, %s made", t.converged, Plural(t.hosts, "host"), Plural(t.changes, "change"))
	if t.restarts > 0 {
		total += ", " + Plural(t.restarts, "restart")
	}
	total += "."
	if t.failed > 0 {
		total += fmt.Sprintf(" %s not.", isAre(t.failed, "host"))
	}
	return total
}

// progressOf says how far a host got that is not as it should be.
func progressOf(r HostResult) string {
	switch {
	case !r.Touched:
		return "untouched"
	case len(r.Pending) == 0:
		return "changed, but not verified"
	case len(r.Done) == 0:
		return "no change completed"
	}
	return fmt.Sprintf("in between, %d of %s made; the next apply finishes it", len(r.Done), Plural(len(r.Done)+len(r.Pending), "change"))
}

type hostSummary struct {
	Result  string `json:"result"`
	Made    []step `json:"made"`
	Pending []step `json:"pending"`
	proofFields
	trouble
}

// proofFields say how far the host is known to work.
type proofFields struct {
	Proven   []modules.Step `json:"proven,omitempty"`
	Unproven []modules.Step `json:"unproven,omitempty"`
	Lacks    string         `json:"lacks,omitempty"`
}

func (r HostResult) proof() proofFields { return proofFields{r.Proven, r.Open, r.Lacks} }

type applySummary struct {
	Hosts     int    `json:"hosts"`
	Converged int    `json:"converged"`
	Changes   int    `json:"changes"`
	Restarts  int    `json:"restarts"`
	Failed    int    `json:"failed"`
	Retry     string `json:"retry,omitempty"`
	Took      int64  `json:"took_ms"`
}

func (e Applied) lines() []line {
	var lines []line
	for _, r := range e.Results {
		lines = append(lines, r.line())
	}
	t := applyTotals(e.Results)
	return append(lines, applySummaryLine.line("", t.String(),
		applySummary{t.hosts, t.converged, t.changes, t.restarts, t.failed, e.Retry, e.Took.Milliseconds()}))
}

// line says what became of a host.
func (r HostResult) line() line {
	fields := hostSummary{Result: r.result(), Made: stepsOf(r.Done), Pending: stepsOf(r.Pending), proofFields: r.proof()}
	err := r.Err()
	if err == nil {
		return hostSummaryLine.line(r.Host, r.Host+": "+fields.Result, fields)
	}
	fields.trouble = trouble{err.Error(), hint.KindOf(r.Failed), hint.Of(err)}
	return hostSummaryLine.line(r.Host, r.Host+": "+progressOf(r)+": "+err.Error(), fields).as(levelError)
}

// result is the same in a word for programs.
func (r HostResult) result() string {
	switch {
	case r.Err() == nil && len(r.Done) == 0:
		return "unchanged"
	case r.Err() == nil:
		return "converged"
	case !r.Touched:
		return "untouched"
	case len(r.Pending) == 0:
		return "unverified"
	}
	return "in_between"
}

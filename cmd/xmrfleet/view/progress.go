package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"xmrfleet/modules/hint"
	"xmrfleet/modules/printable"
	"xmrfleet/plan"
)

// Progress prints how an apply goes on, a line an event, each with the time of
// day. Names are padded to NameWidth.
type Progress struct {
	*Printer
	NameWidth int
	Details   bool // also a line for each change
	Now       func() time.Time
}

func (p Progress) line(host, text string) {
	io.WriteString(p, p.flow(fmt.Sprintf("[%s] %-*s  %s\n", p.Now().Format(time.TimeOnly), p.NameWidth, host, text), 4))
}

// Begin says that a host is being changed.
func (p Progress) Begin(host string, changes int) {
	p.line(host, "applying "+Plural(changes, "change"))
}

// Stopping says what a first interruption leads to.
func (p Progress) Stopping() {
	io.WriteString(p, p.flow(stopping+"\n", 4))
}

const stopping = "stopping: no other host is started, and the running ones go on to a safe point; interrupt again to abandon them"

// Made says that one change was made.
func (p Progress) Made(host string, c plan.Change, took time.Duration) {
	p.line(host, fmt.Sprintf("  %s %s  %s", p.green("✓"), c, p.faint(Duration(took))))
}

// End says what became of a host; at length, as with the journal of a unit that
// failed, the report does.
func (p Progress) End(r HostResult) {
	if r.Err() == nil {
		p.line(r.Host, fmt.Sprintf("%s %s  %s", p.green("✓"), pastTense(len(r.Done)), p.faint(Duration(r.Took))))
		return
	}
	p.line(r.Host, fmt.Sprintf("%s %s  %s", p.red("✗"), p.faint(Duration(r.Took)), headline(printable.Text(r.Err().Error()))))
}

// headline is the first line of a text, and how much there is below it.
func headline(text string) string {
	first, rest, more := strings.Cut(strings.TrimRight(text, "\n"), "\n")
	if !more {
		return first
	}
	return fmt.Sprintf("%s (%s more in the report)", strings.TrimSuffix(first, ":"), Plural(strings.Count(rest, "\n")+1, "line"))
}

func pastTense(changes int) string { return Plural(changes, "change") + " made, verified" }

// A HostResult is what an apply did to a host.
type HostResult struct {
	Host string
	plan.Outcome
	Failed error // the host could not be read, so nothing was done
	Took   time.Duration
}

// Err is why the host is not as it should be, or nil.
func (r HostResult) Err() error {
	if r.Failed != nil {
		return r.Failed
	}
	return r.Outcome.Err
}

// Apply prints what an apply did: the hosts that are not as they should be,
// with how far they got, the total, and the command that retries them.
func (p *Printer) Apply(results []HostResult, retry string, took time.Duration) {
	var out strings.Builder
	var left []failed
	for _, r := range results {
		if r.Err() != nil {
			left = append(left, failed{r.Host, r.text()})
		}
	}
	p.failures(&out, left)
	out.WriteString("\n" + p.total(applyTotals(results).String(), took))
	if retry != "" {
		fmt.Fprintf(&out, "retry: %s\n", retry)
	}
	io.WriteString(p, out.String())
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

// An applySum is what an apply came to.
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

// progressOf says in what state a host was left.
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

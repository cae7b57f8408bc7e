package view_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/modules"
	"xmrfleet/plan"
)

// A counter is a reporter of another package: it reads what events hold.
type counter struct{ text strings.Builder }

func (c *counter) Report(e view.Event) {
	switch e := e.(type) {
	case view.Planned:
		for _, h := range e.Hosts {
			fmt.Fprintf(&c.text, "plan %s %d\n", h.Host, len(h.Plan.Changes))
		}
	case view.Status:
		for _, h := range e.Hosts {
			fmt.Fprintf(&c.text, "status %s %s %v %v\n", h.Host, h.State(), h.AsDesired(), h.Err)
		}
	case view.Finished:
		fmt.Fprintf(&c.text, "end %d\n", e.Code)
	}
}

// TestFurtherReporter has a reporter from outside of the package told beside
// one of its own.
func TestFurtherReporter(t *testing.T) {
	c := &counter{}
	out := view.NewPrinter(io.Discard, false, 0)
	report := view.Tee{&view.Text{Out: out, Err: out}, c}
	report.Report(view.Planned{Hosts: []view.HostPlan{{Host: "a", Plan: &plan.Plan{Changes: make([]plan.Change, 2)}}}})
	report.Report(view.Status{Hosts: []view.HostStatus{
		{Host: "a", Desired: modules.StateAbsent}, {Host: "b", Desired: modules.StateRunning, Err: errors.New("no route")},
	}})
	report.Report(view.Finished{Code: 3})
	const want = "plan a 2\nstatus a absent true <nil>\nstatus b unknown false no route\nend 3\n"
	if got := c.text.String(); got != want {
		t.Errorf("\n--- got\n%s--- want\n%s", got, want)
	}
}

// Package plan compares what one host should be with what it is, and brings
// it there.
//
// There is one path: [Probes] are the questions, [Make] turns the answers into
// a [Plan], and [Plan.Apply] runs the very changes that the plan shows. A
// [Saved] plan is what somebody approved on its way from one run to another.
//
// The package knows nothing of SSH, of fleet.hcl or of how a plan is shown; a
// [Runner] is whatever runs commands in order. It knows no kind of resource
// either: a new kind needs no change here. What concerns several hosts, as the
// order in which they are changed, belongs here as pure functions of plans.
package plan

import (
	"errors"
	"fmt"
	"strings"

	"xmrfleet/modules"
)

// A Plan is what separates one host from its description.
type Plan struct {
	Facts    modules.Facts
	Changes  []Change // in the order in which they happen
	Warnings []string

	resources []modules.Resource
}

// A Change is a change of one resource.
type Change struct {
	Resource string // its ID
	modules.Change
}

// String is the change in words: "start service xmrig".
func (c Change) String() string { return string(c.Action) + " " + c.Resource }

// Empty reports whether the host is as it should be.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Probes lists the questions to a host: its facts, then each resource.
func Probes(resources []modules.Resource) []modules.Command {
	probes := []modules.Command{modules.FactsProbe()}
	for _, r := range resources {
		probes = append(probes, r.Probe())
	}
	return probes
}

// Make compares the answers to Probes with the resources. It is pure. The
// error joins one for each resource whose state cannot be read or reached; the
// host is not to be changed then.
func Make(resources []modules.Resource, answers []modules.Result) (*Plan, error) {
	if len(answers) != len(resources)+1 {
		return nil, fmt.Errorf("read host: %d answers to %d questions", len(answers), len(resources)+1)
	}
	facts, err := modules.ParseFacts(answers[0].Stdout)
	if err != nil {
		return nil, err
	}
	if err := facts.Supported(); err != nil {
		return nil, err
	}
	p := &Plan{Facts: facts, resources: resources}
	var errs []error
	for i, r := range resources {
		answer := answers[i+1]
		if answer.Status != 0 {
			errs = append(errs, fmt.Errorf("read %s: %w", r.ID(), failure(answer)))
			continue
		}
		c, err := r.Diff(answer.Stdout, facts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, w := range c.Warnings {
			p.Warnings = append(p.Warnings, r.ID()+": "+w)
		}
		if !c.Empty() {
			p.Changes = append(p.Changes, Change{Resource: r.ID(), Change: c})
		}
	}
	return p, errors.Join(errs...)
}

// failure turns a result that is not 0 into an error that says what the
// command said.
func failure(r modules.Result) error {
	text := strings.TrimSpace(r.Stderr)
	if text == "" {
		text = strings.TrimSpace(r.Stdout)
	}
	if text == "" {
		text = "exit status " + fmt.Sprint(r.Status)
	}
	return errors.New(text)
}

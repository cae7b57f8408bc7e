package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmrfleet/modules"
)

// A Runner runs commands as root on one machine: in order, none after the first
// that fails, one round trip for all. It calls done for each command as it
// ends. The error says that the machine could not be asked or that its answer
// was lost; a command that fails is a result.
type Runner interface {
	Run(ctx context.Context, done func(i int, r modules.Result), commands ...modules.Command) ([]modules.Result, error)
}

// An Outcome is what an apply left behind on one host.
type Outcome struct {
	Done    []Change // made, as far as the host told
	Pending []Change // not made, or not known to be: the next apply finishes them
	Err     error    // why Pending is not empty, or what is wrong although it is
	Touched bool     // something was sent to the host to be changed

	// Answers are the results of Order.Ask, if it came to that.
	Answers []modules.Result
}

// Converged reports whether the host is as it should be now.
func (o Outcome) Converged() bool { return o.Err == nil && len(o.Pending) == 0 }

// ErrInterrupted is the Outcome.Err of a host that stopped at a safe point
// because it was told to.
var ErrInterrupted = errors.New("interrupted")

// An Order is how a plan is to be applied.
type Order struct {
	// Stop ends the apply where it is closed: nothing new is started, and what
	// runs then comes to its end.
	Stop <-chan struct{}

	// Audit says who applies. It is written to the host's journal together with
	// the list of changes before the first of them is made, and with what became
	// of them at the end.
	Audit string

	// Made is called after each change with the time that it took.
	Made func(Change, time.Duration)

	// Ask is asked when the host is read again, in the same round trip.
	Ask []modules.Command
}

// Apply makes the changes: first all that disturb no service, then the rest,
// then it reads the host again. Cancelling ctx abandons the host where it is.
func (p *Plan) Apply(ctx context.Context, host Runner, order Order) Outcome {
	o := Outcome{Pending: p.Changes}
	quiet, disruptive := p.split()
	for _, batch := range [][]step{append([]step{intent(order.Audit, p.Changes)}, steps(quiet)...), steps(disruptive)} {
		if stopped(order.Stop) {
			o.Err = ErrInterrupted
		} else {
			o.Err = o.run(ctx, host, batch, order.Made)
		}
		if o.Err != nil {
			if o.Touched { // the host may be gone; the error stays the one that it was
				host.Run(ctx, func(int, modules.Result) {}, modules.Audit(fmt.Sprintf("%s: ended after %d of %d changes", order.Audit, len(o.Done), len(p.Changes))))
			}
			return o
		}
	}
	o.Answers, o.Err = p.verify(ctx, host, order)
	return o
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// split divides the changes before the first that disturbs a service.
func (p *Plan) split() (quiet, disruptive []Change) {
	for i, c := range p.Changes {
		if c.Disruptive {
			return p.Changes[:i], p.Changes[i:]
		}
	}
	return p.Changes, nil
}

// A step is one command of an apply.
type step struct {
	modules.Command
	name string  // what fails if it does
	ends *Change // the change that is made with it, if it is the last of one
}

func steps(changes []Change) []step {
	var steps []step
	for i, c := range changes {
		for _, command := range c.Steps {
			steps = append(steps, step{Command: command, name: c.Resource})
		}
		steps[len(steps)-1].ends = &changes[i]
	}
	return steps
}

// run takes the steps in one batch, and moves the changes that the host
// confirms from Pending to Done.
func (o *Outcome) run(ctx context.Context, host Runner, batch []step, made func(Change, time.Duration)) error {
	if len(batch) == 0 {
		return nil
	}
	commands := make([]modules.Command, len(batch))
	for i, s := range batch {
		commands[i] = s.Command
	}
	o.Touched = true
	began := time.Now()
	results, err := host.Run(ctx, func(i int, r modules.Result) {
		if c := batch[i].ends; c != nil && r.Status == 0 {
			o.Done, o.Pending = append(o.Done, *c), o.Pending[1:]
			made(*c, time.Since(began))
			began = time.Now()
		}
	}, commands...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Status != 0 && r.Status != modules.NotRun {
			return fmt.Errorf("%s: %w", batch[i].name, failure(r))
		}
	}
	return nil
}

// verify reads the host again and returns what it was asked besides. A resource
// that still differs would differ for ever, so it is an error.
func (p *Plan) verify(ctx context.Context, host Runner, order Order) ([]modules.Result, error) {
	probes := Probes(p.resources)
	audit := modules.Audit(fmt.Sprintf("%s: made all %d changes", order.Audit, len(p.Changes)))
	answers, err := host.Run(ctx, func(int, modules.Result) {}, slices.Concat(probes, []modules.Command{audit}, order.Ask)...)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	again, err := Make(p.resources, answers[:len(probes)])
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	var errs []error
	for _, c := range again.Changes {
		errs = append(errs, fmt.Errorf("%s: not idempotent: right after the apply it still differs (%s)", c.Resource, describe(c)))
	}
	return answers[len(probes)+1:], errors.Join(errs...)
}

// describe says in a few words what a change is about, without any content.
func describe(c Change) string {
	words := []string{string(c.Action)}
	if c.Reason != "" {
		words = append(words, c.Reason)
	}
	for _, f := range c.Fields {
		words = append(words, f.Name)
	}
	return strings.Join(words, ", ")
}

// intent says in the host's journal what is going to be changed.
func intent(audit string, changes []Change) step {
	what := make([]string, len(changes))
	for i, c := range changes {
		what[i] = c.String()
		for _, f := range c.Fields {
			if f.Name == "version" {
				what[i] += " " + strings.TrimPrefix(f.Old+" -> "+f.New, " -> ")
			}
		}
	}
	return step{name: "write audit line", Command: modules.Audit(audit + ": " + strings.Join(what, "; "))}
}

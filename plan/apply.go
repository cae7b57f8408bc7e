package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"xmrfleet/modules"
)

// A Host runs commands as root on one machine: in order, none after the first
// that fails, one round trip for all. It calls done for each command as it
// ends. The error says that the machine could not be asked or that its answer
// was lost; a command that fails is a result.
type Host interface {
	Run(ctx context.Context, done func(i int, r modules.Result), commands ...modules.Command) ([]modules.Result, error)
}

// An Outcome is what an apply left behind on one host.
type Outcome struct {
	Done    []Change // made, as far as the host told
	Pending []Change // not made, or not known to be: the next apply finishes them
	Err     error    // why Pending is not empty, or what is wrong although it is
	Touched bool     // something was sent to the host to be changed
}

// Converged reports whether the host is as it should be now.
func (o Outcome) Converged() bool { return o.Err == nil && len(o.Pending) == 0 }

// ErrInterrupted is the Outcome.Err of a host that stopped at a safe point
// because it was told to.
var ErrInterrupted = errors.New("interrupted")

// Apply makes the changes: first all that disturb no service, then the rest,
// then it reads the host again. Nothing new is started once stop is closed;
// what runs then comes to its end. Cancelling ctx abandons the host where it
// is.
//
// audit is written to the host's journal together with the list of changes
// before the first of them is made. made is called after each change with the
// time that it took.
func (p *Plan) Apply(ctx context.Context, stop <-chan struct{}, host Host, audit string, made func(Change, time.Duration)) Outcome {
	o := Outcome{Pending: p.Changes}
	quiet, disruptive := p.split()
	for i, changes := range [][]Change{quiet, disruptive} {
		if stopped(stop) {
			o.Err = ErrInterrupted
			return o
		}
		var commands []modules.Command
		if i == 0 {
			commands = append(commands, auditLine(audit, p.Changes))
		}
		if o.Err = o.run(ctx, host, commands, changes, made); o.Err != nil {
			return o
		}
	}
	if p.Empty() {
		return o
	}
	o.Err = p.verify(ctx, host)
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

// run makes changes in one batch that begins with the commands, and moves
// what the host confirms from Pending to Done.
func (o *Outcome) run(ctx context.Context, host Host, commands []modules.Command, changes []Change, made func(Change, time.Duration)) error {
	if len(changes)+len(commands) == 0 {
		return nil
	}
	last := make(map[int]Change) // by the index of a change's last command
	of := make([]string, len(commands))
	for _, c := range changes {
		for _, step := range c.Steps {
			commands, of = append(commands, step), append(of, c.Resource)
		}
		last[len(commands)-1] = c
	}
	o.Touched = true
	began := time.Now()
	results, err := host.Run(ctx, func(i int, r modules.Result) {
		c, ok := last[i]
		if !ok || r.Status != 0 {
			return
		}
		o.Done, o.Pending = append(o.Done, c), o.Pending[1:]
		made(c, time.Since(began))
		began = time.Now()
	}, commands...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Status != 0 && r.Status != modules.NotRun {
			return fmt.Errorf("%s: %w", of[i], failure(r))
		}
	}
	return nil
}

// verify reads the host again. A resource that still differs would differ for
// ever, so it is an error.
func (p *Plan) verify(ctx context.Context, host Host) error {
	answers, err := host.Run(ctx, func(int, modules.Result) {}, Probes(p.resources)...)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	again, err := Make(p.resources, answers)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	var errs []error
	for _, c := range again.Changes {
		errs = append(errs, fmt.Errorf("%s: not idempotent: right after the apply it still differs (%s)", c.Resource, describe(c)))
	}
	return errors.Join(errs...)
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

func auditLine(who string, changes []Change) modules.Command {
	what := make([]string, len(changes))
	for i, c := range changes {
		what[i] = string(c.Action) + " " + c.Resource
	}
	return modules.Command{
		Script: `printf '%s\n' "$1" | systemd-cat -t xmrfleet -p notice`,
		Args:   []string{who + ": " + strings.Join(what, "; ")},
	}
}

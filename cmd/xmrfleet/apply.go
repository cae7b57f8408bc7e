package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"xmrfleet/cmd/xmrfleet/view"
	"xmrfleet/executor"
	"xmrfleet/modules"
	"xmrfleet/modules/hint"
	"xmrfleet/plan"
)

type applyCmd struct {
	planFlags
	Yes         bool          `help:"Do not ask." short:"y" aliases:"auto-approve"`
	Wait        waitTime      `help:"Wait until every miner that should run hashes at its pool, at most 5 minutes, or with --wait=10m ten." placeholder:"DURATION"`
	LockTimeout time.Duration `help:"Wait so long for hosts that another run holds." name:"lock-timeout" placeholder:"DURATION" xor:"lock"`
	Partial     bool          `help:"Also where another run holds some of the hosts: change the others." xor:"lock"`

	Plan fileName `arg:"" optional:"" name:"plan" help:"A plan that was saved with \"plan --out\", and approved."`
}

// Validate is called by kong.
func (c *applyCmd) Validate() error {
	if c.LockTimeout < 0 {
		return errors.New("--lock-timeout must not be negative")
	}
	return c.connectionFlags.Validate()
}

func (c *applyCmd) Run(ctx context.Context, p *Program) error {
	began := time.Now()
	if err := c.approval(p); err != nil {
		return err
	}
	sessions, err := c.prepare(ctx, p, c.chooseToChange)
	if err != nil {
		return err
	}
	d := c.dialer(p.err)
	defer d.Close()
	defer func() {
		for _, s := range sessions {
			s.close()
		}
	}()
	run := p.holder()
	reading, cancel := p.unlessStopped(ctx)
	defer cancel()
	if held := c.claim(reading, p, d, sessions, run); held != nil {
		return c.lockedOut(p, sessions, held, began)
	}
	c.refuseStale(sessions)
	p.report.Report(c.removals(p, sessions))
	p.report.Report(view.Planned{Hosts: views(sessions), Details: c.Verbose, Took: time.Since(began)})

	var todo []*session
	for _, s := range sessions {
		if s.err == nil && !s.plan.Empty() {
			todo = append(todo, s)
		}
	}
	if len(todo) == 0 && c.Wait == 0 || p.stopped() {
		return c.end(p, sessions)
	}
	if len(todo) > 0 && !c.Yes && c.saved == nil {
		if approved := p.ask(fmt.Sprintf("\nApply to %s? [y/N] ", view.Plural(len(todo), "host"))); !approved {
			p.hosts = countOf(sessions)
			fmt.Fprintln(p.err, "Nothing was changed.")
			return exitCode(exitDeclined)
		}
	}
	c.apply(ctx, p, todo, run)
	c.await(ctx, p, d, sessions)

	results := make([]view.HostResult, len(sessions))
	for i, s := range sessions {
		results[i] = s.result.HostResult
		results[i].Host = s.host.Name
		results[i].Failed = s.err
	}
	code := c.end(p, sessions)
	p.report.Report(view.Applied{Results: results, Retry: p.retry(failedOf(sessions)), Took: time.Since(began)})
	return code
}

// end remembers what became of the hosts, counts them, and returns the exit code.
func (c *applyCmd) end(p *Program, sessions []*session) error {
	p.hosts = countOf(sessions)
	p.remember(c.File, failedOf(sessions), doneOf(sessions))
	c.enlist(sessions)
	return exitCode(p.hosts.code())
}

// countOf counts hosts by what became of them, as far as they came.
func countOf(sessions []*session) tally {
	var t tally
	for _, s := range sessions {
		switch {
		case s.result.Host != "":
			t.applied(s.result.Outcome)
		case s.err != nil || s.plan.Empty():
			t.asked(s.err)
		}
	}
	return t
}

// claim locks and reads the hosts, all of them or, with --partial, those that
// are free. It returns those that others hold, if that is why nothing is held.
func (c *applyCmd) claim(ctx context.Context, p *Program, d *executor.Dialer, sessions []*session, run executor.Holder) []*session {
	read := func(ctx context.Context, hosts []*session, done func(*session)) {
		c.gather(ctx, p, d, hosts, &run, done)
	}
	var held []*session
	if c.Partial {
		read(ctx, sessions, func(*session) {})
	} else {
		claim := claim{run: p.run, sessions: sessions, timeout: c.LockTimeout, report: p.report, read: read, release: (*session).close}
		held = claim.take(ctx)
	}
	gathered(sessions, p.run)
	return held
}

// lockedOut reports that others hold hosts and nothing was changed.
func (c *applyCmd) lockedOut(p *Program, sessions, held []*session, began time.Time) error {
	e := view.LockedOut{Hosts: len(sessions), Held: len(held)}
	for _, s := range sessions {
		p.hosts.asked(s.err)
		if !errors.Is(s.err, errLockedOut) {
			e.Failed = append(e.Failed, view.Unheard{Host: s.host.Name, Err: s.err})
		}
	}
	p.remember(c.File, failedOf(sessions), nil)
	e.Took = time.Since(began)
	p.report.Report(e)
	return exitCode(exitLocked)
}

// apply changes the hosts, all at once, and tells how it goes.
func (c *applyCmd) apply(ctx context.Context, p *Program, todo []*session, run executor.Holder) {
	if len(todo) == 0 {
		return
	}
	names := namesIn(todo)
	p.report.Report(view.Applying{Hosts: names, Details: c.Verbose})
	finished := make(chan struct{})
	defer close(finished)
	go p.tellStopping(finished)
	b := startHeartbeat(p.report, names)
	defer b.end()
	audit := who(run)
	outcomes := executor.Each(ctx, todo, c.Parallelism, func(ctx context.Context, s *session) (struct{}, error) {
		c.applyTo(ctx, p, s, b, audit)
		return struct{}{}, nil
	})
	for i, o := range outcomes {
		if o.Err != nil { // not started, or a panic
			s := todo[i]
			s.result.HostResult = view.HostResult{Host: s.host.Name, Outcome: plan.Outcome{Pending: s.plan.Changes, Err: o.Err}}
		}
	}
}

// tellStopping says what a first signal leads to, and once a second one counts
// what that would.
func (p *Program) tellStopping(finished <-chan struct{}) {
	select {
	case <-p.stop:
		p.report.Report(view.Stopping{})
	case <-finished:
		return
	}
	select {
	case <-p.again:
		p.report.Report(view.Abandonable{})
	case <-finished:
	}
}

// applyTo changes a host, and looks at what it shows then.
func (c *applyCmd) applyTo(ctx context.Context, p *Program, s *session, b *heartbeat, audit string) {
	began := time.Now()
	s.apply(ctx, p, c.connectionFlags, b, audit)
	defer b.rests(s.host.Name)
	s.result.prove(s.host, c.part())
	s.result.Took = time.Since(began)
	p.report.Report(view.Ended{HostResult: s.result.HostResult})
}

// apply changes the host and closes its shell, which gives its lock back.
func (s *session) apply(ctx context.Context, p *Program, c connectionFlags, b *heartbeat, audit string) {
	ctx, cancel := c.withinTimeout(ctx)
	defer cancel()
	host, left := s.host.Name, s.plan.Changes
	if !p.stopped() {
		p.report.Report(view.Begun{Host: host, Changes: len(left)})
	}
	b.applies(host, left)
	made := func(change plan.Change, took time.Duration) {
		left = left[1:]
		b.applies(host, left)
		p.report.Report(view.Made{Host: host, Change: change, Took: took})
	}
	outcome := s.plan.Apply(ctx, s.shell, plan.Order{Stop: p.stop, Audit: audit, Made: made, Ask: modules.ProofProbes()})
	s.close()
	s.result.HostResult = view.HostResult{Host: host, Outcome: outcome}
}

// failedOf names the hosts of an apply that are not as they should be.
func failedOf(sessions []*session) []string {
	var failed []string
	for _, s := range sessions {
		if s.err != nil || s.result.Err() != nil {
			failed = append(failed, s.host.Name)
		}
	}
	return failed
}

// doneOf names the hosts of an apply that are as they should be.
func doneOf(sessions []*session) []string {
	var done []string
	for _, s := range sessions {
		if s.err == nil && (s.plan.Empty() || s.result.Touched && s.result.Err() == nil) {
			done = append(done, s.host.Name)
		}
	}
	return done
}

// approval makes sure that somebody approves: a person at the terminal, --yes,
// or whoever hands in a saved plan.
func (c *applyCmd) approval(p *Program) error {
	switch {
	case c.Plan != "":
		return c.recall(p)
	case c.Yes:
		return nil
	case p.silent:
		return hint.With(errors.New("apply: nobody is asked for approval where JSON is printed"), "pass --yes, or a saved plan")
	case !term.IsTerminal(int(p.Stdin.Fd())):
		return hint.With(errors.New("apply: there is no terminal to ask for approval"), "pass --yes")
	}
	return nil
}

// recall reads the saved plan and takes its hosts, unless fewer are selected,
// and its part of them. The command line that retries is one without the plan:
// what is left to do is planned anew.
func (c *applyCmd) recall(p *Program) error {
	saved, err := plan.ReadSaved(string(c.Plan), version)
	if err != nil {
		return err
	}
	if c.Target != nil && *c.Target != saved.Part {
		return hint.With(fmt.Errorf("apply %s: it was not made with --target %s", c.Plan, *c.Target), "leave --target out: the plan knows")
	}
	if saved.Part != "" {
		c.Target = &saved.Part
	}
	if len(c.Limit) == 0 {
		c.Limit = []string{strings.Join(saved.Names(), ",")}
	}
	c.saved = saved
	p.args = slices.DeleteFunc(slices.Clone(p.args), func(arg string) bool { return arg == string(c.Plan) })
	return nil
}

// refuseStale gives up the hosts that are not as in the saved plan.
func (c *applyCmd) refuseStale(sessions []*session) {
	if c.saved == nil {
		return
	}
	for _, s := range sessions {
		if s.err != nil {
			continue
		}
		if s.err = c.saved.Check(s.host.Name, s.plan); s.err != nil {
			s.close()
		}
	}
}

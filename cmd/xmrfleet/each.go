package main

import (
	"context"

	"xmrfleet/executor"
	"xmrfleet/hcl"
	"xmrfleet/modules"
)

// askEach asks all selected hosts at once, each within its time. It returns
// the hosts and what became of the question to each. The error says that
// nobody was asked.
func askEach[T any](ctx context.Context, p *Program, f hostFlags, ask perHost[T]) ([]hcl.Host, []executor.Outcome[T], error) {
	hosts, err := p.choose(f.fleetFlags, f.choose)
	if err != nil {
		return nil, nil, err
	}
	return hosts, onEach(ctx, p, f.connectionFlags, hosts, 0, ask), nil
}

// A perHost is a function that does something with one host.
type perHost[T any] func(context.Context, *executor.Dialer, hcl.Host) (T, error)

// onEach does something with each host, at most limit at once (0: all), each
// within c.Timeout (0: for ever). It ends with the first signal.
func onEach[T any](ctx context.Context, p *Program, c connectionFlags, hosts []hcl.Host, limit int, do perHost[T]) []executor.Outcome[T] {
	d := c.dialer(p.err)
	defer d.Close()
	ctx, cancel := p.unlessStopped(ctx)
	defer cancel()
	return executor.Each(ctx, hosts, limit, func(ctx context.Context, h hcl.Host) (T, error) {
		if c.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = c.withinTimeout(ctx)
			defer cancel()
		}
		return do(ctx, d, h)
	})
}

// onEachWithHeartbeat is onEach for a task that may take long: now and then it
// is told which hosts are waited for.
func onEachWithHeartbeat[T any](ctx context.Context, p *Program, c connectionFlags, hosts []hcl.Host, t task, do perHost[T]) []executor.Outcome[T] {
	b := startHeartbeat(p.report, namesOf(hosts))
	defer b.end()
	return onEach(ctx, p, c, hosts, c.Parallelism, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (T, error) {
		b.begin(h.Name, t)
		defer b.rests(h.Name)
		return do(ctx, d, h)
	})
}

// answerTo opens a shell, has the host answer one question, and reads the answer.
func answerTo[T any](question modules.Command, read func(modules.Result) (T, error)) perHost[T] {
	return func(ctx context.Context, d *executor.Dialer, h hcl.Host) (T, error) {
		shell, answers, err := d.Open(ctx, target(h), executor.OpenOptions{First: []modules.Command{question}})
		if err != nil {
			return *new(T), err
		}
		defer shell.Close()
		return read(answers[0])
	}
}

// printed makes a reader of what a command printed a reader of its result.
func printed[T any](read func(string) (T, error)) func(modules.Result) (T, error) {
	return func(r modules.Result) (T, error) { return read(r.Stdout) }
}

// count counts what became of the hosts, and returns the exit code.
func count[T any](p *Program, outcomes []executor.Outcome[T]) exitCode {
	for _, o := range outcomes {
		p.hosts.asked(o.Err)
	}
	return exitCode(p.hosts.code())
}

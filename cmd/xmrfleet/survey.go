package main

import (
	"context"

	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// survey are the flags of a command that goes to hosts without a plan.
type survey struct {
	fleetFlags
	selection
	connectionFlags
}

// askEach asks all selected hosts at once, each within its time. It returns
// the hosts and what became of the question to each. The error says that
// nobody was asked.
func askEach[T any](ctx context.Context, p *Program, s survey, ask errand[T]) ([]hcl.Host, []executor.Outcome[T], error) {
	hosts, err := p.choose(s.fleetFlags, s.hosts)
	if err != nil {
		return nil, nil, err
	}
	return hosts, onEach(ctx, p, s.connectionFlags, hosts, 0, ask), nil
}

// choose loads the fleet and takes hosts of it.
func (p *Program) choose(f fleetFlags, from func(*hcl.Fleet) ([]hcl.Host, error)) ([]hcl.Host, error) {
	fleet, err := p.load(f)
	if err != nil {
		return nil, err
	}
	return from(fleet)
}

// An errand is what is to be done with a host.
type errand[T any] func(context.Context, *executor.Dialer, hcl.Host) (T, error)

// onEach does an errand with each host, at most limit at once (0: all), each
// within c.Timeout (0: for ever). It ends with the first signal.
func onEach[T any](ctx context.Context, p *Program, c connectionFlags, hosts []hcl.Host, limit int, do errand[T]) []executor.Outcome[T] {
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

// onEachWithHeartbeat is onEach for a task that may take its time.
func onEachWithHeartbeat[T any](ctx context.Context, p *Program, c connectionFlags, hosts []hcl.Host, t task, do errand[T]) []executor.Outcome[T] {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	b := startHeartbeat(p.report, names)
	defer b.end()
	return onEach(ctx, p, c, hosts, c.Parallelism, func(ctx context.Context, d *executor.Dialer, h hcl.Host) (T, error) {
		b.begin(h.Name, t)
		defer b.rests(h.Name)
		return do(ctx, d, h)
	})
}

// count tells the exit code what became of the hosts.
func count[T any](p *Program, outcomes []executor.Outcome[T]) exitCode {
	for _, o := range outcomes {
		p.hosts.asked(o.Err)
	}
	return exitCode(p.hosts.code())
}

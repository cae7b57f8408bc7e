package main

import (
	"context"

	"xmrfleet/executor"
	"xmrfleet/hcl"
)

// survey are the flags of a command that asks hosts and changes nothing.
type survey struct {
	fleetFlags
	selection
	connectionFlags
}

// askEach asks all selected hosts at once, each within its time. It returns
// the hosts and what became of the question to each. The error says that
// nobody was asked.
func askEach[T any](ctx context.Context, p *Program, s survey,
	ask func(context.Context, *executor.Dialer, hcl.Host) (T, error)) ([]hcl.Host, []executor.Outcome[T], error) {
	fleet, err := p.load(s.fleetFlags)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := s.hosts(fleet)
	if err != nil {
		return nil, nil, err
	}
	d := s.dialer(p.err)
	defer d.Close()
	ctx, cancel := p.unlessStopped(ctx)
	defer cancel()
	return hosts, executor.Each(ctx, hosts, 0, func(ctx context.Context, h hcl.Host) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		return ask(ctx, d, h)
	}), nil
}
